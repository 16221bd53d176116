"""The Postman collection, run whole against a real server, as somebody runs it who has just imported it."""

import json
import subprocess

from tests.support.node_programs import FOLDER, program
from tests.support.paths import ROOT
from tests.support.serving import Server, environment

COLLECTION = ROOT / "registry.postman_collection.json"
LIMIT = 600  # seconds


def test_the_collection_runs_without_a_failure(tmp_path):
    report = tmp_path / "report.json"
    token = "the-operator-of-this-run"
    with Server(tmp_path, API_TOKEN=token) as server:
        given = {"url": server.url, "api_token": token, "password": server.password}
        variables = [part for name, value in given.items() for part in ("--env-var", f"{name}={value}")]
        newman = program("node_modules/newman/bin/newman.js", "run", str(COLLECTION), *variables)
        newman += ["--reporters", "json", "--reporter-json-export", str(report)]
        done = subprocess.run(
            newman, cwd=FOLDER, env=environment(), capture_output=True, text=True, timeout=LIMIT, check=False
        )

    run = json.loads(report.read_text())["run"]
    assert [(failure["source"]["name"], failure["error"]["message"]) for failure in run["failures"]] == []
    assert done.returncode == 0
    assert run["stats"]["requests"]["total"] > 50

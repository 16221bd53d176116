"""Kubeflow's own Python clients, unmodified, at a real server: the newest, and the last one that calls v1alpha3."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dialects.kubeflow import scenarios
from tests.support.serving import Server

pytestmark = pytest.mark.process

OLDER = "0.3.9"
OPERATOR = "the-operator-of-kubeflow"
SOON = 240  # seconds, to install it


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("kubeflow"), API_TOKEN=OPERATOR) as server:
        yield server


def failures(server: Server, python: str, tenant: str) -> dict[str, str]:
    """What fails of the scenarios, run as the administrator of a tenant of their own."""
    with server.client(OPERATOR) as client:
        body = {"_id": tenant, "admin_username": "admin", "admin_password": "Engine-No-1", "email": "a@example.org"}
        client.post("/v1/tenants", json=body).raise_for_status()
    token = server.login("admin", "Engine-No-1", tenant).json()["token"].removeprefix("JWT ")
    run = subprocess.run(
        [python, scenarios.__file__, server.url, token], capture_output=True, text=True, check=False, timeout=SOON
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def older_python() -> str:
    """An environment with the older client, which cannot live beside the newer one. It is made once."""
    folder = Path(sys.prefix) / f"model-registry-{OLDER}"
    python = folder / "bin" / "python"
    try:
        if not (folder / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=SOON)
            install = [python, "-m", "pip", "install", "--quiet", f"model-registry=={OLDER}"]
            subprocess.run(install, check=True, timeout=SOON, capture_output=True)
            (folder / "installed").touch()
    except (subprocess.SubprocessError, OSError) as problem:
        pytest.skip(f"model-registry {OLDER} cannot be installed: {problem}")
    return str(python)


@pytest.fixture(scope="module")
def of_newest(server) -> dict[str, str]:
    return failures(server, sys.executable, "newest")


@pytest.fixture(scope="module")
def of_older(server, older_python) -> dict[str, str]:
    return failures(server, older_python, "older")


@pytest.mark.parametrize("scenario", scenarios.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_newest_client(of_newest, scenario):
    assert of_newest.get(scenario.__name__, "") == ""


@pytest.mark.parametrize("scenario", scenarios.SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_client_of_the_older_api(of_older, scenario):
    assert of_older.get(scenario.__name__, "") == ""

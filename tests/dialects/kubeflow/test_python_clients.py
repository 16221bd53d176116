"""Kubeflow's own Python clients, unmodified, at a real server: the newest, and the last one that calls v1alpha3."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dialects.kubeflow import scenarios
from tests.support.serving import Server
from tests.support.serving import environment as environment_of

pytestmark = pytest.mark.process

OLDER = "0.3.9"
OPERATOR = "the-operator-of-kubeflow"
SOON = 240  # seconds, to install it


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("kubeflow"), API_TOKEN=OPERATOR) as server:
        yield server


def administrator(server: Server, tenant: str) -> str:
    """The token of the administrator of a new tenant."""
    with server.client(OPERATOR) as client:
        body = {"_id": tenant, "admin_username": "admin", "admin_password": "Engine-No-1", "email": "a@example.org"}
        client.post("/v1/tenants", json=body).raise_for_status()
    return server.login("admin", "Engine-No-1", tenant).json()["token"].removeprefix("JWT ")


def failures(server: Server, python: str, tenant: str) -> dict[str, str]:
    """What fails of the scenarios, run as the administrator of a tenant of their own."""
    token = administrator(server, tenant)
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


def test_another_registry_is_copied_and_what_is_there_stays(server, tmp_path):
    source, target = administrator(server, "source"), administrator(server, "target")
    (tmp_path / "token").write_text(f"{source}\n")
    with server.client(f"Bearer {source}") as client:
        api = "/api/model_registry/v1alpha3"

        def made(path, **body):
            return client.post(f"{api}{path}", json=body).raise_for_status().json()["id"]

        model = made("/registered_models", name="iris", owner="team", state="ARCHIVED")
        version = made("/model_versions", name="v1", registeredModelId=model, author="ann")
        weights = {"artifactType": "model-artifact", "name": "iris", "uri": "s3://iris"}
        made(f"/model_versions/{version}/artifacts", **weights)
        environment = made("/serving_environments", name="prod")
        made("/inference_services", name="svc", registeredModelId=model, servingEnvironmentId=environment)
        run = made("/experiment_runs", name="first", experimentId=made("/experiments", name="trials"))
        for step in range(3):
            made(f"/experiment_runs/{run}/artifacts", artifactType="metric", name="loss", value=step, step=step)

    def copy():
        command = [sys.executable, "-m", "catalog", "import", "kubeflow", server.url]
        known = environment_of(CATALOG_URL=server.url, CATALOG_TOKEN=target, CATALOG_CONFIG=str(tmp_path))
        return subprocess.run(
            [*command, "--token-file", str(tmp_path / "token")],
            env=known,
            capture_output=True,
            text=True,
            check=False,
            timeout=SOON,
        )

    first, again = copy(), copy()

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert "model: 1 copied, 0 were there" in first.stdout
    assert "model: 0 copied, 1 were there" in again.stdout
    with server.client(f"Bearer {target}") as client:
        copied = client.get(f"{api}/registered_model?name=iris").json()
        history = client.get(f"{api}/experiment_runs/metric_history").json()["items"]
        artifacts = client.get(f"{api}/model_artifacts").json()["items"]
        assert (copied["owner"], copied["state"]) == ("team", "ARCHIVED")
        assert [each["value"] for each in history] == [0, 1, 2]
        assert [each["uri"] for each in artifacts] == ["s3://iris"]
        assert client.get(f"{api}/inference_services").json()["items"][0]["name"] == "svc"

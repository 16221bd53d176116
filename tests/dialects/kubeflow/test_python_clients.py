"""Kubeflow's own Python clients, unmodified, at a real server: the newest, and the last one that calls v1alpha3."""

import json
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from types import SimpleNamespace

import pytest

from catalog.client import Catalog, NotFound
from catalog.client.compat.kubeflow import KubeflowCopy
from catalog.client.resources.registry_api import OtherRegistry, bearer
from tests.dialects.kubeflow import scenarios
from tests.dialects.kubeflow.conftest import ALPHA
from tests.support.serving import Server
from tests.support.serving import environment as environment_of

pytestmark = pytest.mark.process

OLDER = "0.3.9"
OPERATOR = "the-operator-of-kubeflow"
SOON = 240  # seconds, to install it
VARYING = ("id", "Id", "SinceEpoch")  # ends of the names of fields that a copy has otherwise


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


def test_another_registry_is_copied_also_after_interruptions(server, tmp_path):
    source, target = administrator(server, "source"), administrator(server, "target")
    (tmp_path / "token").write_text(f"{source}\n")
    fill_registry(server, source)

    interrupted = next(k for k in range(20) if copy_some(server, source, target, 4 * k + 3))
    again = copied_by_command(server, tmp_path, target)

    assert interrupted > 3
    assert again.returncode == 0, again.stderr
    assert "deployment: 0 copied, 1 were there" in again.stdout
    assert not re.search(r": [1-9]\d* copied", again.stdout)
    assert content_of(server, target) == content_of(server, source)


def fill_registry(server, token):
    with server.client(f"Bearer {token}") as client:

        def made(path, **body):
            return client.post(f"{ALPHA}{path}", json=body).raise_for_status().json()["id"]

        of = {"k": {"metadataType": "MetadataStructValue", "struct_value": b64encode(b'{"a": 1}').decode()}}
        model = made("/registered_models", name="iris", owner="team", state="ARCHIVED", customProperties=of)
        version = made("/model_versions", name="v1", registeredModelId=model, author="ann")
        weights = {"artifactType": "model-artifact", "name": "iris", "uri": "s3://iris"}
        made(f"/model_versions/{version}/artifacts", **weights)
        card = made(f"/model_versions/{version}/artifacts", artifactType="doc-artifact", name="card", uri="s3://card")
        environment = made("/serving_environments", name="prod")
        service = made("/inference_services", name="svc", registeredModelId=model, servingEnvironmentId=environment)
        made(f"/inference_services/{service}/serves", name="now", modelVersionId=version, lastKnownState="RUNNING")
        run = made("/experiment_runs", name="first", experimentId=made("/experiments", name="trials"))
        for step in range(3):
            made(f"/experiment_runs/{run}/artifacts", artifactType="metric", name="loss", value=step, step=step)
        made(f"/experiment_runs/{run}/artifacts", artifactType="doc-artifact", id=card)
        made("/artifacts", artifactType="dataset-artifact", name='a "b" c', uri="s3://alone")


def copy_some(server, source, target, requests):
    """Copy until this many requests to the catalog were made. Returns whether they were enough."""
    other = OtherRegistry(server.url, bearer(source))
    with Catalog(server.url, token=target) as catalog:
        left = iter(range(requests))

        def send(*asked, **parts):
            if next(left, None) is None:
                raise InterruptedError
            return catalog.registry.request(*asked, **parts)

        try:
            KubeflowCopy(other, send, print).run()
        except InterruptedError:
            return False
        finally:
            other.close()
    return True


def copied_by_command(server, folder, target):
    command = [sys.executable, "-m", "catalog", "import", "kubeflow", server.url, "--token-file", str(folder / "token")]
    known = environment_of(CATALOG_URL=server.url, CATALOG_TOKEN=target, CATALOG_CONFIG=str(folder))
    return subprocess.run(command, env=known, capture_output=True, text=True, check=False, timeout=SOON)


def content_of(server, token):
    """What a registry has, without ids and times."""
    paths = (
        *("/registered_models", "/model_versions", "/artifacts", "/serving_environments", "/inference_services"),
        *("/experiments", "/experiment_runs", "/experiment_runs/metric_history"),
    )
    with server.client(f"Bearer {token}") as client:

        def shown(path):
            items = client.get(ALPHA + path).raise_for_status().json()["items"]
            return [{name: value for name, value in item.items() if not name.endswith(VARYING)} for item in items]

        [service] = client.get(f"{ALPHA}/inference_services").json()["items"]
        [card] = [each for each in client.get(f"{ALPHA}/artifacts").json()["items"] if each["name"] == "card"]
        run = client.get(f"{ALPHA}/experiment_runs").json()["items"][0]["id"]
        shared = {each["id"] for each in client.get(f"{ALPHA}/experiment_runs/{run}/artifacts").json()["items"]}
        return [*map(shown, (*paths, f"/inference_services/{service['id']}/serves")), card["id"] in shared]


def test_a_struct_as_kubeflows_server_shows_it_is_sent_in_base64():
    sent = []

    def get(path, _query):
        properties = {"k": {"metadataType": "MetadataStructValue", "struct_value": '{"a": 1}'}}
        models = [{"id": "1", "name": "iris", "customProperties": properties}]
        return {"items": models if path.endswith("/registered_models") else [], "nextPageToken": ""}

    def send(method, path, *, query=None, body=None):
        if method == "GET" and path.endswith("/registered_model"):
            raise NotFound("no such model", status=404)
        sent.append(body)
        return {"id": "1", "items": [], "nextPageToken": ""}

    KubeflowCopy(SimpleNamespace(url="http://other", get=get), send, print).run()

    assert b64decode(sent[0]["customProperties"]["k"]["struct_value"]) == b'{"a": 1}'

"""The services of docker-compose.yml start, in their order, into a catalog that works: see `tests.compose`."""

import httpx
import pytest

from tests.compose.rehearsal import Rehearsal
from tests.support.processes import until
from tests.support.serving import SOON, TENANT

IN_A_STORE = {"COMPOSE_PROFILES": "s3", "STORAGE": "s3://models/ours", "WORKERS": "2"}
CONTENT = bytes(range(256)) * 1000


@pytest.mark.parametrize("chosen", [{}, IN_A_STORE], ids=["files", "s3 and workers"])
def test_what_compose_starts_is_a_catalog_that_keeps_files(tmp_path, chosen):
    with Rehearsal(tmp_path, **chosen) as running:
        started = list(running.started)
        ready = until(lambda: is_ready(running))  # it may be healthy, as it is live, before it has its database
        fetched = walk(running)
        objects = stored(running, "models") if chosen == IN_A_STORE else []

    kept = [file for file in (tmp_path / "catalog" / "uploads").rglob("*") if file.is_file()]
    assert ready == {"status": "ready", "database": "ok", "storage": "ok", "file_descriptors": "ok"}
    assert fetched == CONTENT
    assert (len(kept), len(objects)) == ((0, 1) if chosen == IN_A_STORE else (1, 0))
    assert running.codes["catalog"] == 0
    if chosen == IN_A_STORE:
        assert started.index("storage") < started.index("bucket") < started.index("catalog")
        assert running.codes["bucket"] == 0
    else:
        assert started == ["mongo", "catalog"]
    assert [secret for secret in secrets_of(running) if secret in running.said("catalog")] == []


def is_ready(running: Rehearsal) -> dict[str, str] | None:
    try:
        answer = httpx.get(f"{running.url}/health/ready", timeout=SOON)
    except httpx.TransportError:
        return None
    return answer.json() if answer.status_code == httpx.codes.OK else None


def walk(running: Rehearsal) -> bytes:
    """Sign in, make a model, upload a version, and fetch it."""
    who = {"username": "admin", "password": running.secret("admin_password"), "tenant": TENANT}
    token = httpx.post(f"{running.url}/v1/login", json=who, timeout=SOON).raise_for_status().json()["token"]
    with httpx.Client(base_url=running.url, headers={"Authorization": token}, timeout=SOON) as client:
        client.post("/v1/models", json={"name": "iris"}).raise_for_status()
        client.post("/v1/models/iris/versions", files={"file": ("w", CONTENT)}).raise_for_status()
        as_operator = {"Authorization": running.secret("api_token")}
        client.get("/v1/tenants", headers=as_operator).raise_for_status()
        return client.get("/v1/models/iris/versions/1").content


def stored(running: Rehearsal, bucket: str) -> list[str]:
    url = f"http://127.0.0.1:{running.port('9000')}/{bucket}?list-type=2"
    listed = httpx.get(url, timeout=SOON).raise_for_status()
    keys = [key.partition("</Key>")[0] for key in listed.text.split("<Key>")[1:]]
    return [key for key in keys if not key.endswith("/.probe")]  # which the readiness check writes


def secrets_of(running: Rehearsal) -> list[str]:
    return [file.read_text() for file in (running.folder / "secrets").iterdir()]

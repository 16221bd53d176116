"""On a real server: a password that was lost, and secrets that no log tells."""

import httpx
import pytest

from tests.support.serving import SOON, TENANT, Server

NEW = "Engine-No-2"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def api_token(server):
    lines = (server.folder / "data" / "secrets.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)["API_TOKEN"]


def test_the_operator_replaces_a_lost_password_of_the_first_start_and_tokens_outlive_the_server(server, api_token):
    with server.client(server.login().json()["token"]) as admin:
        made = admin.post("/v1/tokens", json={"name": "ci", "scopes": ["read"]}).raise_for_status().json()
    server.kill()  # its output was never seen
    server.start()

    with server.client(f"Bearer {made['token']}") as script:
        assert script.get("/v1/models").status_code == 200
        assert script.post("/v1/models", json={"name": "m"}).json()["value"] == 125
    with server.client(api_token) as operator:
        changed = operator.put(f"/v1/tenants/{TENANT}/administrator", json={"password": NEW})

    assert changed.status_code == 200
    assert server.login(password=NEW).status_code == 200
    server.password = NEW


def test_no_log_tells_a_password_or_a_token(server, api_token):
    token = server.login().json()["token"]
    with server.client(token) as admin:
        made = admin.post("/v1/tokens", json={"name": "leak"}).raise_for_status().json()["token"]
        admin.put("/v1/users/admin", json={"password": "weak-Secret-of-mine", "fake": 1})
    server.login(password="a-wrong-Secret")
    httpx.get(f"{server.url}/v1/models", headers={"Authorization": made + "x"}, timeout=SOON)
    httpx.get(f"{server.url}/v1/models", headers={"Authorization": token + "x"}, timeout=SOON)

    log = server.log.read_text()

    for secret in (made, token, token.removeprefix("JWT "), api_token, NEW, "weak-Secret-of-mine", "a-wrong-Secret"):
        assert secret not in log

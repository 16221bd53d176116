"""The requests that set the table before measuring."""

from typing import Any

import httpx

from tests.bench.server import PASSWORD, Running

TENANT = "registry-default-tenant"
READER = "reader"


def as_user(running: Running, username: str = "admin") -> httpx.Client:
    body = {"username": username, "password": PASSWORD, "tenant": TENANT}
    with signed_in(running, "") as anybody:
        token = sent(anybody, "POST", "/login", json=body)["token"].split()[-1]
    return signed_in(running, f"Bearer {token}")


def signed_in(running: Running, authorization: str) -> httpx.Client:
    headers = {"Authorization": authorization} if authorization else {}
    return httpx.Client(base_url=f"{running.url}/v1", headers=headers, timeout=60)


def sent(client: httpx.Client, method: str, path: str, **how: Any) -> Any:
    answer = client.request(method, path, **how)
    if answer.is_error:
        raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
    return answer.json()


def made(client: httpx.Client, kind: str, **fields: Any) -> str:
    """The id of a new item."""
    return str(sent(client, "POST", f"/{kind}", json=fields)["_id"])


def make_reader(admin: httpx.Client) -> None:
    """A regular user, as nearly everybody is."""
    body = {"username": READER, "password": PASSWORD, "role": "regular", "email": "reader@example.org"}
    sent(admin, "POST", "/users", json=body)

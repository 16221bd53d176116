"""Requests as curl commands: complete, and without a secret."""

import json
import shlex

from catalog.client.transport.effects import Request
from catalog.client.transport.tracing import as_curl

URL = "http://127.0.0.1:8080"


def test_a_request_is_a_command_without_its_secrets():
    body = {"username": "ada", "password": "hush", "token": "hush", "list": [{"api_secret": "hush"}], "size": 3}
    request = Request(
        method="POST",
        path="/v1/login",
        query={"q": "a b", "which": ["1", "2"]},
        headers={"Authorization": "Bearer hush", "If-Match": '"3"'},
        body=json.dumps(body).encode(),
    )

    words = shlex.split(as_curl(URL, request))

    assert words[:4] == ["curl", "-X", "POST", f"{URL}/v1/login?q=a+b&which=1&which=2"]
    assert "hush" not in " ".join(words)
    assert 'If-Match: "3"' in words
    assert json.loads(words[-1])["username"] == "ada"


def test_links_and_signed_addresses_are_hidden_and_bytes_not_printed():
    link = as_curl(URL, Request(method="GET", path="/v1/links/hush?x=1"))
    storage = as_curl(URL, Request(method="GET", path="https://bucket.example/ab?signature=hush"))
    part = as_curl(URL, Request(method="PUT", path="/api/2.0/mlflow-artifacts/signed/hush"))
    upload = as_curl("https://ada:hu@hush@there", Request(method="PUT", path="/v1/x", body=b"\xffhush"))

    assert "hush" not in link + storage + part + upload
    assert "https://****@there/v1/x" in shlex.split(upload)
    assert "(5 bytes)" in upload

"""Uploads to a real server: refused before the client sends its file, and nothing left of one that vanishes."""

import socket
import struct
from pathlib import Path

import httpx
import pytest

from tests.support.app import PASSWORD
from tests.support.serving import SOON, TENANT, Server

LIMIT = 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server"), MAX_UPLOAD_SIZE=str(LIMIT)) as server:
        yield server


@pytest.fixture(scope="module")
def admin(server) -> httpx.Client:
    with server.client(server.login().json()["token"]) as client:
        yield client


@pytest.fixture(scope="module")
def bob(server, admin) -> str:
    body = {"username": "bob", "password": PASSWORD, "email": "bob@example.org", "role": "regular"}
    admin.post("/v1/users", json=body).raise_for_status()
    return server.login("bob", PASSWORD).json()["token"]


@pytest.fixture(scope="module")
def versions(admin) -> str:
    model = admin.post("/v1/models", json={"name": "iris", "visibility": "public"}).raise_for_status().json()["_id"]
    url = f"/v1/models/{model}/versions"
    admin.post(f"{url}?ordinal=taken", files={"file": ("a", b"a")}).raise_for_status()
    return url


def begin(server: Server, token: str, path: str, length: int, kind: str = "application/zip") -> socket.socket:
    """Send the head of an upload that waits for a word before its body."""
    url = httpx.URL(server.url)
    connection = socket.create_connection((url.host, url.port), timeout=SOON)
    head = [
        f"POST {path} HTTP/1.1", f"Host: {url.host}", f"Authorization: {token}", f"Content-Type: {kind}",
        f"Content-Length: {length}", "Expect: 100-continue", "Connection: close",
    ]  # fmt: skip
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    return connection


def status(connection: socket.socket) -> int:
    """Of the first answer, interim ones too."""
    line = connection.makefile("rb").readline()
    return int(line.split()[1])


REFUSED = {
    "an item that is not there": ("/v1/models/fake/versions?name=a", 10, 404),
    "an ordinal that is taken": ("{versions}?name=a&ordinal=TAKEN", 10, 400),
    "a file over the limit": ("{versions}?name=a", LIMIT + 1, 413),
    "a file without a name": ("{versions}", 10, 400),
    "a digest that is none": ("{versions}?name=a&sha256=x", 10, 400),
}


@pytest.mark.parametrize(("path", "length", "expected"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_before_its_body_is_sent(server, admin, versions, path, length, expected):
    token = admin.headers["authorization"]

    with begin(server, token, path.format(versions=versions), length) as connection:
        assert status(connection) == expected


@pytest.mark.parametrize("kind", ["application/zip", "multipart/form-data; boundary=b"])
def test_a_reader_is_refused_before_the_body_is_sent(server, bob, versions, kind):
    with begin(server, bob, f"{versions}?name=a", 10, kind) as connection:
        assert status(connection) == 403


def test_a_form_over_the_limit_is_refused_before_it_is_sent(server, admin, versions):
    form = "multipart/form-data; boundary=b"

    with begin(server, admin.headers["authorization"], versions, 10**6, form) as connection:
        assert status(connection) == 413


def test_a_caller_who_may_upload_is_asked_to_go_on(server, admin, versions):
    with begin(server, admin.headers["authorization"], f"{versions}?name=a&ordinal=sent", 4) as connection:
        answers = connection.makefile("rb")
        assert answers.readline().split()[1] == b"100"
        connection.sendall(b"data")
        assert b" 200 " in answers.read()

    assert admin.get(f"{versions}/sent").content == b"data"


def test_a_client_that_vanishes_leaves_nothing(server, admin, versions):
    uploads: Path = server.folder / "uploads" / TENANT
    kept = {path for path in uploads.rglob("*") if path.is_file()}
    before = admin.get(versions).json()["totalDocs"]

    with begin(server, admin.headers["authorization"], f"{versions}?name=a", 100) as connection:
        assert status(connection) == 100
        connection.sendall(b"half")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no goodbye

    assert server.stop() == 0  # which waits for every request
    assert {path for path in uploads.rglob("*") if path.is_file()} == kept
    server.start()
    with server.client(server.login().json()["token"]) as client:
        assert client.get(versions).json()["totalDocs"] == before


def test_no_bytes_are_a_file(server, versions):
    with server.client(server.login().json()["token"]) as client:
        for ordinal, body in (("form", {"files": {"file": ("empty", b"")}}), ("raw", {"content": b""})):
            asked = {"ordinal": ordinal, "name": "empty"}
            client.post(versions, params=asked, **body).raise_for_status()

            answer = client.get(f"{versions}/{ordinal}")

            assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")

"""Resumable uploads with the clients that people have, against a real server; and either side dies half-way."""

import hashlib
import random
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
from tusclient.client import TusClient

from tests.support.app import API_TOKEN, OURS, PASSWORD, in_database
from tests.support.node_programs import program
from tests.support.paths import ROOT
from tests.support.people import hired
from tests.support.ports import reserved_port
from tests.support.processes import state, until
from tests.support.serving import SOON, Server, environment

MIB = 2**20
SIZE = 16 * MIB

DOCUMENT = (ROOT / "docs" / "uploads.md").read_text()

A_CLIENT = """
import io, os, signal, sys
from tusclient.client import TusClient

class Stopping(io.FileIO):  # as `upload.mjs` does
    stop_at = float(os.environ.get("STOP_AT", "inf"))

    def read(self, size=-1):
        if self.tell() > self.stop_at:
            self.stop_at = float("inf")
            os.kill(os.getpid(), signal.SIGSTOP)
        return super().read(size)

server, token, file, known = sys.argv[1:]
client = TusClient(f"{server}/v1/uploads", headers={"Authorization": token})
named = {"filename": "big.bin", "item": "iris"}
uploader = client.uploader(file_stream=Stopping(file), chunk_size=2**20, url=known or None, metadata=named)
uploader.url = uploader.url or uploader.create_url()
print("at", uploader.url, flush=True)
uploader.upload()
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    file = tmp_path_factory.mktemp("big") / "big.bin"
    file.write_bytes(random.Random(7).randbytes(SIZE))
    return file


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One that comes back to the same address."""
    with reserved_port() as port, Server(tmp_path_factory.mktemp("server"), HTTP_PORT=str(port)) as server:
        yield server


@pytest.fixture
def token(server, tmp_path):
    """Of somebody with a model `iris`."""
    token = server.login(hired(server, tmp_path).username, PASSWORD).json()["token"]
    with server.client(token) as client:
        client.post("/v1/models", json={"name": "iris"}).raise_for_status()
    return token


@contextmanager
def two_servers(folder, s3, mongo):
    """Over one database and one bucket, with a model to upload to."""
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    settings = {
        **s3.settings(f"s3://{s3.bucket()}/files"),
        "DATABASE": in_database(mongo, f"{name}-catalogue"),
        "DEFAULT_TENANT_DATABASE": name,
        "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD": PASSWORD,
        "API_TOKEN": API_TOKEN,
        "JWT_SECRET": "a secret of both servers, long enough for HS256",
    }
    with ExitStack() as servers:
        one, two = (servers.enter_context(Server(made_folder(folder / each), **settings)) for each in ("one", "two"))
        token = one.login(password=PASSWORD).json()["token"]
        with one.client(token) as client:
            client.post("/v1/models", json={"name": "iris"}).raise_for_status()
        yield one, two, token


def made_folder(folder):
    folder.mkdir()
    return folder


def offset(server, token, upload):
    """How far `upload`, whichever server's it was, is on this one."""
    with server.client(token) as client:
        there = client.head(urlsplit(upload).path, headers={"Tus-Resumable": "1.0.0"}).raise_for_status()
    return int(there.headers["Upload-Offset"])


def digests(server, token):
    with server.client(token) as client:
        versions = client.get("/v1/models/iris").json()["versions"]
        return [
            hashlib.sha256(client.get(f"/v1/models/iris/versions/{each['ordinal']}").content).hexdigest()
            for each in versions
        ]


def digest_of(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def arrived(server):
    """Bytes of uploads that are under way."""
    return sum(file.stat().st_size for file in (server.folder / "uploads").rglob("uploads/*") if file.is_file())


def stopped_half_way(client, arrived):
    """Wait until a client has stopped itself, and what it sent has arrived."""
    until(lambda: state(client.pid) in "TZ")
    assert client.poll() is None, "the client ended too early"
    until(lambda: arrived() > SIZE // 4)


def tuspy(server, token, file, known=""):
    return [sys.executable, "-c", A_CLIENT, server.url, token, str(file), known]


def tus_js(server, token, file, known=""):
    return program("upload.mjs", server.url, token, str(file), "iris", *([known] if known else []))


def started(command, **settings):
    known = environment(**settings)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=known)


STOPS = {"STOP_AT": str(SIZE // 2)}


@pytest.mark.parametrize("client", [tuspy, tus_js])
def test_a_client_that_dies_goes_on_where_it_was(server, token, big, client):
    with started(client(server, token, big), **STOPS) as first:
        known = first.stdout.readline().split()[1]
        stopped_half_way(first, lambda: arrived(server))
        first.kill()
    before = arrived(server)

    with started(client(server, token, big, known)) as second:
        said, complained = second.communicate(timeout=SOON)

    assert said.endswith("done\n"), complained
    assert before >= SIZE // 4
    assert digests(server, token) == [digest_of(big)]
    assert arrived(server) == 0


def test_a_server_that_dies_is_gone_on_with_by_tus_js(server, token, big):
    before = arrived(server)
    with started(tus_js(server, token, big), **STOPS) as client:
        stopped_half_way(client, lambda: arrived(server) - before)
        server.kill()
        server.start()
        client.send_signal(signal.SIGCONT)
        said, complained = client.communicate(timeout=SOON)

        assert said.endswith("done\n"), complained
        assert digests(server, token) == [digest_of(big)]


def test_a_server_that_dies_is_gone_on_with_by_tuspy(server, token, big):
    before = arrived(server)
    with started(tuspy(server, token, big), **STOPS) as first:
        known = first.stdout.readline().split()[1]
        stopped_half_way(first, lambda: arrived(server) - before)
        server.kill()
        first.kill()
    server.start()

    client = TusClient(f"{server.url}/v1/uploads", headers={"Authorization": token})
    with big.open("rb") as file:
        uploader = client.uploader(file_stream=file, chunk_size=4 * MIB, url=known)
        resumed_at = uploader.offset
        uploader.upload()

    assert resumed_at >= SIZE // 4
    assert digests(server, token) == [digest_of(big)]


def test_another_server_of_the_same_bucket_goes_on_when_one_dies(tmp_path, big, s3, mongo):
    with two_servers(tmp_path, s3, mongo) as (one, two, token):
        with started(tus_js(one, token, big), **STOPS) as first:
            known = first.stdout.readline().split()[1]
            stopped_half_way(first, lambda: offset(two, token, known))
            one.kill()
            first.kill()
        resumed_at = offset(two, token, known)

        with started(tus_js(two, token, big, two.url + urlsplit(known).path)) as second:
            said, complained = second.communicate(timeout=SOON)

        assert said.endswith("done\n"), complained
        assert resumed_at >= SIZE // 4
        assert digests(two, token) == [digest_of(big)]


def test_a_client_whose_line_broke_goes_on_at_once(server, token, big):
    content = big.read_bytes()[:MIB]
    with server.client(token) as client:
        said = {"Tus-Resumable": "1.0.0", "Upload-Length": str(MIB), "Upload-Metadata": "item aXJpcw==,filename YQ=="}
        upload = client.post("/v1/uploads", headers=said).headers["Location"]
        offset_of_both = {"Content-Type": "application/offset+octet-stream", "Tus-Resumable": "1.0.0"}
        with half_sent(server, token, upload, content[: MIB // 2]):
            at = offset(server, token, server.url + upload)
            began = time.monotonic()
            refused = client.patch(upload, content=content[at:], headers={**offset_of_both, "Upload-Offset": str(at)})
            at = offset(server, token, server.url + upload)
            done = client.patch(upload, content=content[at:], headers={**offset_of_both, "Upload-Offset": str(at)})
            took = time.monotonic() - began

        assert (refused.status_code, done.status_code) == (409, 204)
        assert at == MIB // 2
        assert took < SOON / 3
        assert digests(server, token) == [hashlib.sha256(content).hexdigest()]


@contextmanager
def half_sent(server, token, upload, half):
    """A request that stays where it is after half of its body, as when a line breaks."""
    parts = urlsplit(server.url)
    head = (
        f"PATCH {upload} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: {token}\r\nTus-Resumable: 1.0.0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: {2 * len(half)}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port)) as line:
        line.sendall(head.encode() + half)
        yield


def test_the_examples_run_as_they_stand(server, token, tmp_path, big):
    bash, python = (re.search(f"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)[1] for language in ("bash", "python"))
    (tmp_path / "model.onnx").symlink_to(big)
    commands = [
        ["bash", "-euo", "pipefail", "-c", bash.replace("http://127.0.0.1:8080", server.url)],
        [sys.executable, "-c", python.replace("http://127.0.0.1:8080", server.url)],
    ]
    by_curl, by_tuspy = (
        subprocess.run(command, cwd=tmp_path, env=environment(ADA=token), capture_output=True, text=True, check=False)
        for command in commands
    )

    assert (by_curl.returncode, by_tuspy.returncode) == (0, 0), (by_curl, by_tuspy)
    assert "catalog-ordinal: 1" in by_curl.stdout.lower()
    assert digests(server, token) == [digest_of(big)] * 2

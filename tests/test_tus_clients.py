"""Resumable uploads with the clients that people have, against a real server; and either side dies half-way."""

import hashlib
import random
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from tusclient.client import TusClient

from tests.node_programs import program
from tests.serving import SOON, Server, environment

MIB = 2**20
SIZE = 24 * MIB

A_CLIENT = """
import sys
from tusclient.client import TusClient

server, token, file, known = sys.argv[1:]
client = TusClient(f"{server}/v1/uploads", headers={"Authorization": token})
uploader = client.uploader(file, chunk_size=2**20, url=known or None, metadata={"filename": "big.bin", "item": "iris"})
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


@contextmanager
def a_server(folder):
    """One that comes back to the same address, with a model to upload to."""
    with Server(folder) as server:
        server.settings["HTTP_PORT"] = str(urlsplit(server.url).port)
        token = server.login().json()["token"]
        with server.client(token) as client:
            client.post("/v1/models", json={"name": "iris"}).raise_for_status()
        yield server, token


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


def until(what, process):
    deadline = time.monotonic() + SOON
    while not what():
        assert process.poll() is None, "the client ended too early"
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.005)


def tuspy(server, token, file, known=""):
    return [sys.executable, "-c", A_CLIENT, server.url, token, str(file), known]


def tus_js(server, token, file, known=""):
    return program("upload.mjs", server.url, token, str(file), "iris", *([known] if known else []))


def started(command):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())


@pytest.mark.parametrize("client", [tuspy, tus_js])
def test_a_client_that_dies_goes_on_where_it_was(tmp_path, big, client):
    with a_server(tmp_path) as (server, token):
        with started(client(server, token, big)) as first:
            known = first.stdout.readline().split()[1]
            until(lambda: arrived(server) > SIZE // 4, first)
            first.kill()
        before = arrived(server)

        with started(client(server, token, big, known)) as second:
            said, complained = second.communicate(timeout=SOON)

        assert said.endswith("done\n"), complained
        assert before >= SIZE // 4
        assert digests(server, token) == [digest_of(big)]
        assert arrived(server) == 0


def test_a_server_that_dies_is_gone_on_with_by_tus_js(tmp_path, big):
    with a_server(tmp_path) as (server, token), started(tus_js(server, token, big)) as client:
        until(lambda: arrived(server) > SIZE // 4, client)
        server.kill()
        server.start()
        said, complained = client.communicate(timeout=SOON)

        assert said.endswith("done\n"), complained
        assert digests(server, token) == [digest_of(big)]


def test_a_server_that_dies_is_gone_on_with_by_tuspy(tmp_path, big):
    with a_server(tmp_path) as (server, token):
        with started(tuspy(server, token, big)) as first:
            known = first.stdout.readline().split()[1]
            until(lambda: arrived(server) > SIZE // 4, first)
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

"""Servers that are no catalog, or that mean harm: each answer ends in one sentence and leaves nothing behind."""

import hashlib
import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from catalog.client import Catalog, CatalogError, Damaged
from catalog.client.errors import NotACatalog
from catalog.client.transport import answers
from catalog.commands.cli import app

BLOCK = b"x" * 2**16
CONTENT = b"weights"
FILE = {
    "original": "m.bin",
    "digest": hashlib.sha256(CONTENT).hexdigest(),
    "size": len(CONTENT),
    "mimetype": "",
    "path": "m.bin",
}
VERSION = {
    "_id": "5" * 24,
    "number": 1,
    "ordinal": "1",
    "files": [FILE],
    "file_count": 1,
    "folder": False,
    "state": "LIVE",
    **FILE,
}


class Hostile(BaseHTTPRequestHandler):
    """Answers `record` to what asks for JSON, and `blocks` to a download."""

    protocol_version = "HTTP/1.1"
    record: object = {}
    blocks: tuple[bytes, ...] = ()
    is_endless = False

    def answer(self):
        is_download = self.path.endswith("/versions/1") or "/files/" in self.path
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        blocks = self.blocks if is_download else (json.dumps(self.record).encode(),)
        with suppress(OSError):  # the client has hung up
            for block in blocks:
                self.wfile.write(block)
            while self.is_endless and (is_download or not self.blocks) and self.wfile.write(BLOCK):
                pass
        self.close_connection = True

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A class whose attributes say what is answered."""
    answering = type("Answering", (Hostile,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {"URL": f"http://127.0.0.1:{server.server_port}", "TOKEN": "cat_acme_x"}.items():
        monkeypatch.setenv(f"CATALOG_{name}", value)
    monkeypatch.setenv("CATALOG_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("CATALOG_CACHE", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield answering
    server.shutdown()
    server.server_close()


def left(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("blocks", "is_endless"), [((CONTENT,), True), ((b"wei",), False), ((b"WEIGHTS",), False)])
def test_a_download_of_other_bytes_ends_and_gets_no_name(hostile, tmp_path, blocks, is_endless):
    hostile.record, hostile.blocks = VERSION, blocks
    with Catalog() as catalog:
        hostile.is_endless = is_endless

        with pytest.raises((Damaged, NotACatalog)):
            catalog.pull("iris@1", to="there/")

    assert [path for path in left(tmp_path / "here") if not path.name.endswith(".partial")] == []


@pytest.mark.parametrize("path", ["../out", "/tmp/out", "a/../../out", "", "..", "a\0b"])
def test_a_path_that_leads_outside_is_refused(hostile, tmp_path, path):
    hostile.record = {**VERSION, "folder": True, "files": [{**FILE, "path": path}]}
    hostile.blocks = (CONTENT,)

    with Catalog() as catalog:
        for to in ("there/", None):
            with pytest.raises(CatalogError, match="not a path inside a folder"):
                catalog.pull("iris@1", to=to)

    assert [path for path in left(tmp_path) if "refs" not in path.parts and "blobs" not in path.parts] == []


@pytest.mark.parametrize(
    "command", ["whoami", "models ls", "pull iris@1", "push iris m.bin", "search x", "versions ls iris", "usage"]
)
def test_an_answer_of_another_shape_is_one_sentence(hostile, tmp_path, command):
    (tmp_path / "here" / "m.bin").write_bytes(CONTENT)

    for record in ({}, [], None, "x", 7, {"docs": [{}]}, {"docs": None}):
        hostile.record = record
        result = CliRunner().invoke(app, command.split())
        assert result.exception is None or isinstance(result.exception, SystemExit), (record, result.exception)
        assert result.stderr.count("\n") <= 1


def test_an_answer_without_end_is_refused(hostile, monkeypatch):
    monkeypatch.setattr(answers, "LARGEST_ANSWER", 2**20)
    hostile.is_endless = True

    with Catalog() as catalog, pytest.raises(NotACatalog, match="has more than"):
        catalog.info()


def test_what_a_server_says_is_no_command_for_a_terminal(hostile):
    hostile.record = {**VERSION, "files": [{**FILE, "digest": "\x1b[2J"}]}

    result = CliRunner().invoke(app, ["pull", "iris@1"])

    assert result.exit_code == 1
    assert "\x1b" not in result.output + result.stderr

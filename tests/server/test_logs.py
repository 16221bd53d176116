"""What the server says of its work: one line an event, whatever clients send."""

import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.server import logs
from tests.support.app import PASSWORD
from tests.support.serving import Server

FORGED = "2026-01-01T00:00:00Z [info     ] signed in as admin"
ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
CONTROLS = [*ENDS, "\x1b[2K\x1b[1A", "\x00", "\x07", "\x9b31m", "\u202e", "\u200b", "\ud800"]


@pytest.fixture
def root():
    """The root logger, which is as it was afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_an_event_is_one_line_whatever_a_client_put_into_it(root, capsys, control, form):
    logs.configure(form)

    logging.getLogger("catalog").warning("A new password of %s", f"ada{control}{FORGED}")
    logging.getLogger("catalog").warning("ada%s%s", control, FORGED, extra={"path": control})

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_a_traceback_has_its_lines_and_none_looks_like_an_event(root, capsys):
    logs.configure("text")

    try:
        int(f"ada\n{FORGED}\u2028{FORGED}\x1b[0m")
    except ValueError:
        logging.getLogger("catalog").exception("failed")

    first, *others = capsys.readouterr().err.splitlines()
    assert "failed" in first
    assert "ValueError" in "".join(others)
    assert all(line.startswith("  ") and line.isprintable() for line in others if line)


@given(st.text(st.characters()))
def test_what_is_escaped_prints_in_one_line(text):
    assert logs.escaped(text).isprintable()
    assert logs.escaped(text) == text or not text.isprintable()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("catalog"), LOG_FORMAT="text") as server:
        yield server


def test_a_username_forges_no_line_of_the_servers_log(server):
    forged = f"ada\n{FORGED}\x1b[2K\u2028{FORGED}"
    with server.client(server.login().json()["token"]) as admin:
        body = {"username": forged, "password": PASSWORD, "email": "a@example.org", "role": "regular"}
        hired = admin.post("/v1/users", json=body)
        asked = admin.post("/v1/self/reset?tenant=registry-default-tenant", json={"email": "a@example.org"})
        admin.get("/v1/models/%0A%E2%80%A8" + FORGED.replace(" ", "%20"), headers={"X-Request-ID": "x"})
    server.stop()

    assert (hired.status_code in {200, 400}, asked.status_code) == (True, 200)
    assert not re.search(rf"^{re.escape(FORGED)}", server.log.read_text(), re.MULTILINE)
    assert "\x1b" not in server.log.read_text()
    assert all(line.isprintable() for line in server.log.read_text().splitlines())

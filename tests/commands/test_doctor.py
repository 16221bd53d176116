"""`catalog doctor`: what it finds on a machine that is well, and on one that is not."""

import re

import pytest

from tests.support.commands import run
from tests.support.serving import Server

pytestmark = pytest.mark.process  # of the database


def doctor(folder, **settings):
    return run(folder, "doctor", **settings)


def findings(done):
    return {tuple(line.split(maxsplit=1)) for line in done.stdout.splitlines()}


def graded(done, grade):
    return " / ".join(sentence for found, sentence in findings(done) if found == grade)


def test_a_machine_that_is_well(tmp_path):
    done = doctor(tmp_path)

    assert list(tmp_path.iterdir()) == []  # no folder is created
    assert "There is no folder" in graded(done, "warning")
    assert (done.exit_code, done.stderr) == (0, "")
    assert graded(done, "FAILURE") == ""
    assert "The database answers" in graded(done, "ok")
    assert "The storage files keeps, gives and drops bytes" in graded(done, "ok")
    assert "There is no certificate in resources/" in graded(done, "warning")


def test_beside_a_running_server(tmp_path):
    with Server(tmp_path):
        done = doctor(tmp_path)

    assert done.exit_code == 0
    assert "in use by a server that is running" in graded(done, "ok")


def test_secrets_that_others_can_read(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secrets.env").write_text("API_TOKEN=x\n")
    (tmp_path / "data" / "secrets.env").chmod(0o644)

    done = doctor(tmp_path)

    assert done.exit_code == 1
    assert "chmod 600" in graded(done, "FAILURE")


def test_a_certificate_that_is_broken(tmp_path):
    (tmp_path / "resources").mkdir()
    for name in ("fullchain.pem", "privkey.pem"):
        (tmp_path / "resources" / name).write_text("not a certificate")

    done = doctor(tmp_path)

    assert done.exit_code == 1
    assert "fullchain.pem" in graded(done, "FAILURE")


def test_a_file_where_the_uploads_should_be(tmp_path):
    (tmp_path / "uploads").write_text("in the way")

    done = doctor(tmp_path)

    assert done.exit_code == 1
    assert "uploads cannot be written to" in graded(done, "FAILURE")


@pytest.mark.parametrize("uri", ["mongodb://127.0.0.1:1/catalog?serverSelectionTimeoutMS=100", "mongodb://:::"])
def test_a_database_that_is_not_there(tmp_path, uri):
    done = doctor(tmp_path, DATABASE=uri)

    assert done.exit_code == 1
    assert re.search("DATABASE (cannot be reached|is not a MongoDB address)", graded(done, "FAILURE"))


def test_a_wrong_setting(tmp_path):
    done = doctor(tmp_path, HTTP_PORT="many")

    assert done.exit_code == 2
    assert done.stderr.startswith("HTTP_PORT")

"""The embedded database: real processes, real signals."""

import json
import logging
import os
import queue
import select
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure

from catalog.store.embedded import child, process
from catalog.store.embedded.process import PASSED_ON, PROGRAM, DatabaseUnavailable, Embedded
from tests.support.serving import SOON

A_SERVER_THAT_WRITES = """
import os, sys
from pathlib import Path
from pymongo import MongoClient
from catalog.store.embedded.process import Embedded

embedded = Embedded(Path(sys.argv[1]))
embedded.start()
items = MongoClient(embedded.ready()).shop.items
os.write(1, f"{embedded.pid}\\n".encode())
for number in range(1_000_000):
    items.insert_one({"_id": number})
    os.write(1, f"{number}\\n".encode())
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Embedded(tmp_path_factory.mktemp("running") / "new") as embedded:
        embedded.ready()
        yield embedded


@pytest.fixture
def warnings():
    """What the embedded database logs from here on."""
    heard = queue.Queue()
    handler = logging.Handler()
    handler.emit = lambda record: heard.put(record.getMessage())
    logger = logging.getLogger("catalog.store.embedded.process")
    logger.addHandler(handler)
    yield heard
    logger.removeHandler(handler)


@contextmanager
def a_child(folder, **streams):
    wanted = {"path": str(folder), "port": 0, "user": "catalog", "password": "irrelevant"}
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **streams) as child:
        child.stdin.write(json.dumps(wanted) + "\n")
        child.stdin.flush()
        yield child
        child.kill()


def connected(uri):
    return MongoClient(uri, serverSelectionTimeoutMS=SOON * 1000)


def ends(process):
    """Whether the process of this pidfd is gone soon, whatever its parent is."""
    ended, _, _ = select.select([process], [], [], SOON)
    os.close(process)
    return bool(ended)


def test_its_uri_answers(running):
    with connected(running.ready()) as client:
        assert client.admin.command("ping")["ok"] == 1


@pytest.mark.parametrize("credentials", ["", "catalog:wrong@"])
@pytest.mark.parametrize("operation", ["find_one", "insert_one"])
def test_nobody_reads_or_writes_without_the_password(running, credentials, operation):
    port = urlsplit(running.ready()).port
    stranger = connected(f"mongodb://{credentials}127.0.0.1:{port}/?authSource=admin")

    with stranger, pytest.raises(OperationFailure) as refused:
        getattr(stranger.shop.items, operation)({"_id": "stolen"})

    assert refused.value.code in {13, 18}  # Unauthorized, AuthenticationFailed


def test_the_password_is_in_no_argument_environment_or_repr(running):
    password = urlsplit(running.ready()).password
    process = Path("/proc", str(running.pid))

    shown = (process / "cmdline").read_text() + (process / "environ").read_text() + repr(running)

    assert "embedded/child" in shown
    assert len(password) >= 32
    assert password not in shown


def test_its_settings_are_the_safe_ones(running):
    assert dict(child.SAFE_SETTINGS) == {
        "host": "127.0.0.1",
        "sync_on_commit": True,
        "durable": True,
        "replica_set_name": None,
        "require_auth": True,
        "enable_test_commands": False,
    }
    with connected(running.ready()) as client:
        assert "setName" not in client.admin.command("hello")
        with pytest.raises(OperationFailure, match="configureFailPoint"):
            client.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data={})


def test_the_database_inherits_no_secret_of_the_server(tmp_path, monkeypatch):
    for name in ("API_TOKEN", "JWT_SECRET", "SMTP_PASSWORD", "S3_SECRET_KEY"):
        monkeypatch.setenv(name, f"the secret in {name}")

    with Embedded(tmp_path) as embedded:
        embedded.ready()
        environment = Path(f"/proc/{embedded.pid}/environ").read_bytes()

    assert b"the secret in" not in environment
    assert {each.partition(b"=")[0].decode() for each in environment.split(b"\0") if each} <= {*PASSED_ON}


def test_only_the_owner_of_the_server_may_look_into_its_folder(running):
    folder = running._path

    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "database")} == {0o700}


def test_the_server_itself_never_loads_secantus():
    loaded = subprocess.check_output(
        [sys.executable, "-c", "import catalog.store.embedded.process, sys; print(*sys.modules)"], text=True
    )

    assert not {"secantus", "wiredtiger", "pymongo", "litestar", "pydantic"} & set(loaded.split())


def test_a_signal_to_the_servers_group_does_not_reach_it(running):
    assert os.getsid(running.pid) == running.pid != os.getsid(0)


def test_the_child_ignores_an_interrupt_and_ends_with_its_standard_input(tmp_path):
    with a_child(tmp_path) as child:
        child.stdout.readline()

        child.send_signal(signal.SIGINT)
        child.stdin.close()

        assert child.wait(SOON) == 0


def test_the_child_ends_properly_when_it_is_terminated(tmp_path):
    with a_child(tmp_path) as child:
        child.stdout.readline()

        child.terminate()

        assert child.wait(SOON) == 0


def test_the_child_waits_for_a_folder_that_is_about_to_be_free(tmp_path):
    with a_child(tmp_path) as leaving:
        leaving.stdout.readline()
        with a_child(tmp_path, stderr=subprocess.PIPE) as waiting:
            waiting.stderr.readline()  # WiredTiger's complaint that the folder is locked

            leaving.stdin.close()

            assert "port" in json.loads(waiting.stdout.readline())


def test_a_second_server_on_the_folder_is_refused(running):
    folder = running._path

    with pytest.raises(DatabaseUnavailable) as refused:
        Embedded(folder).start()

    assert str(refused.value) == (
        f"{folder} belongs to another server that is running (process {os.getpid()}): "
        "stop that one, or give this one a DATA_PATH of its own"
    )


def test_a_path_that_is_a_file_is_one_sentence(tmp_path):
    path = tmp_path / "file"
    path.touch()

    with pytest.raises(DatabaseUnavailable) as refused:
        Embedded(path).start()

    assert str(refused.value) == f"The embedded database cannot keep its files in {path}: File exists"


def test_damaged_files_are_one_sentence_with_the_reason(tmp_path):
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "WiredTiger").write_text("WiredTiger\nnonsense")
    (tmp_path / "database" / "WiredTiger.turtle").write_text("nonsense")

    with Embedded(tmp_path) as embedded, pytest.raises(DatabaseUnavailable) as refused:
        embedded.ready()

    sentence = str(refused.value)
    assert sentence.startswith(f"The embedded database in {tmp_path} does not start: WiredTigerError: ")
    assert "\n" not in sentence


def test_without_the_extra_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "secantus", None)

    with pytest.raises(DatabaseUnavailable, match=r"pip install 'catalog\[server,embedded\]', or point DATABASE at"):
        Embedded(tmp_path).start()


def test_stopping_leaves_no_process_and_the_next_start_finds_everything(tmp_path):
    with Embedded(tmp_path) as embedded:
        with connected(embedded.ready()) as client:
            client.shop.items.insert_one({"_id": "kept"})
        process = os.pidfd_open(embedded.pid)
        embedded.stop()  # and once more when the block ends

    assert ends(process)
    with Embedded(tmp_path) as embedded, connected(embedded.ready()) as client:
        assert client.shop.items.find_one() == {"_id": "kept"}


def test_a_killed_database_comes_back_with_every_acknowledged_write(tmp_path, warnings):
    acknowledged, heard, enough = [], queue.Queue(), Event()

    def write(name):
        with connected(uri) as client:
            number = 0
            while not enough.is_set():
                number += 1
                try:
                    key = client.shop.items.insert_one({"_id": f"{name}-{number}"}).inserted_id
                except AutoReconnect:
                    heard.put("interrupted")
                else:
                    acknowledged.append(key)
                    heard.put("acknowledged")

    def hear(word, times):
        while times:
            times -= heard.get(timeout=SOON) == word

    with Embedded(tmp_path) as embedded:
        uri, first = embedded.ready(), embedded.pid
        writers = [Thread(target=write, args=(name,)) for name in "abcd"]
        for writer in writers:
            writer.start()

        try:
            hear("acknowledged", 200)
            os.kill(first, signal.SIGKILL)
            hear("interrupted", 1)  # a writer between two writes only waits for the next start
            hear("acknowledged", 100)
        finally:
            enough.set()
        for writer in writers:
            writer.join()

        with connected(uri) as client:
            assert set(acknowledged) <= set(client.shop.items.distinct("_id"))
        assert (embedded.ready(), embedded.pid == first) == (uri, False)

    assert warnings.get_nowait() == "The embedded database ended (exit code -9) and is started again"
    assert warnings.empty()


def test_a_database_that_cannot_come_back_is_tried_until_it_can(tmp_path, warnings):
    with Embedded(tmp_path) as embedded, connected(embedded.ready()) as client:
        (tmp_path / "database").rename(tmp_path / "aside")
        (tmp_path / "database").touch()

        os.kill(embedded.pid, signal.SIGKILL)
        said = [warnings.get(timeout=SOON) for _ in range(3)]
        (tmp_path / "database").unlink()
        (tmp_path / "aside").rename(tmp_path / "database")

        assert client.shop.list_collection_names() == []
        assert "FileExistsError" in said[1]
        assert "FileExistsError" in said[2]


def test_a_killed_server_takes_its_database_along_and_loses_nothing_acknowledged(tmp_path):
    command = [sys.executable, "-c", A_SERVER_THAT_WRITES, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        child = os.pidfd_open(int(server.stdout.readline()))
        acknowledged = {int(server.stdout.readline()) for _ in range(200)}
        server.kill()
        acknowledged |= {int(line) for line in server.stdout}

    with Embedded(tmp_path) as embedded, connected(embedded.ready()) as client:
        found = set(client.shop.items.distinct("_id"))

    assert ends(child)
    assert acknowledged <= found


def test_an_interrupted_start_can_be_stopped(tmp_path, monkeypatch):
    start = Thread.start

    def interrupted(thread):
        if thread.name == "embedded-database":
            raise KeyboardInterrupt
        start(thread)

    monkeypatch.setattr(Thread, "start", interrupted)
    database = Embedded(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        database.start()
    child = os.pidfd_open(database.pid)

    database.stop()

    assert ends(child)
    database._supervised.child.wait()  # closes its pipes, as the watch would have


@pytest.mark.parametrize("least", [0, 2**62])
def test_an_end_on_a_full_disk_names_the_disk(tmp_path, monkeypatch, caplog, least):
    monkeypatch.setattr(process, "LEAST_ROOM", least)

    Embedded(tmp_path)._report(None, "exit code 3")

    assert (f"The disk of {tmp_path} is full" in caplog.text) == (least > 0)
    assert ("make room" in Embedded(tmp_path)._advice()) == (least > 0)
    assert "exit code 3" in caplog.text


def test_a_limit_that_is_too_low_for_the_files_stops_the_start(tmp_path):
    refused = subprocess.run(
        ["sh", "-c", 'ulimit -f 1024 && exec "$@"', "sh", sys.executable, "-c", START, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.stdout.startswith("The embedded database needs 256 MiB of a file, and a process may have ")
    assert refused.stdout.endswith("raise the limit (ulimit -f unlimited), or point DATABASE at a MongoDB\n")


START = """
import sys
from pathlib import Path
from catalog.store.embedded.process import DatabaseUnavailable, Embedded
try:
    Embedded(Path(sys.argv[1])).start()
except DatabaseUnavailable as unavailable:
    print(unavailable)
"""

"""The embedded database on `secantusd-rs`: the promises of the one in Python, and the same files."""

import os
import select
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect, OperationFailure

from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import renaming
from catalog.store.connection import connect
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.embedded import engines
from catalog.store.embedded.process import DatabaseUnavailable, Embedded
from catalog.vocabulary import Kind
from tests.support.inputs import new_item
from tests.support.serving import SOON, children, command_of
from tests.support.tenants import somebody

pytestmark = pytest.mark.process

needs_the_program = pytest.mark.skipif(
    shutil.which(engines.PROGRAM) is None, reason=f"{engines.PROGRAM} is not on PATH ({engines.HOW_TO_GET_IT})"
)

A_SERVER_THAT_WRITES = """
import os, sys
from pathlib import Path
from pymongo import MongoClient
from catalog.store.embedded.process import Embedded

embedded = Embedded(Path(sys.argv[1]), "rust")
embedded.start()
items = MongoClient(embedded.ready()).shop.items
os.write(1, f"{embedded.pid}\\n".encode())
for number in range(1_000_000):
    items.insert_one({"_id": number})
    os.write(1, f"{number}\\n".encode())
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Embedded(tmp_path_factory.mktemp("running"), "rust") as embedded:
        embedded.ready()
        yield embedded


def connected(uri):
    return MongoClient(uri, serverSelectionTimeoutMS=SOON * 1000)


def ends(process):
    """Whether the process of this pidfd is gone soon."""
    ended, _, _ = select.select([process], [], [], SOON)
    os.close(process)
    return bool(ended)


def program_of(pid) -> int:
    """The process of `secantusd-rs` under the one that the server has started."""
    [program] = [child for child in children(pid) if engines.PROGRAM in command_of(child)]
    return program


@needs_the_program
def test_its_options_are_the_safe_ones(running):
    command = command_of(program_of(running.pid)).split()

    assert {"--sync-on-commit", "--auth", "--standalone"} <= set(command)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    with connected(running.ready()) as client:
        assert "setName" not in client.admin.command("hello")


@needs_the_program
@pytest.mark.parametrize("credentials", ["", "catalog:wrong@"])
@pytest.mark.parametrize("operation", ["find_one", "insert_one"])
def test_nobody_reads_or_writes_without_the_password(running, credentials, operation):
    port = urlsplit(running.ready()).port
    stranger = connected(f"mongodb://{credentials}127.0.0.1:{port}/?authSource=admin")

    with stranger, pytest.raises(OperationFailure) as refused:
        getattr(stranger.shop.items, operation)({"_id": "stolen"})

    assert refused.value.code in {13, 18}  # Unauthorized, AuthenticationFailed


@needs_the_program
def test_nobody_adds_another_user(running):
    stranger = connected(f"mongodb://127.0.0.1:{urlsplit(running.ready()).port}/")

    with stranger, pytest.raises(OperationFailure) as refused:
        stranger.admin.command("createUser", "eve", pwd="x", roles=["root"])

    assert refused.value.code == 13


@needs_the_program
def test_the_password_is_in_its_file_alone(running):
    password, file = urlsplit(running.ready()).password, running._path / "password"
    processes = [Path("/proc", str(pid)) for pid in (running.pid, program_of(running.pid))]

    shown = repr(running) + "".join((each / name).read_text() for each in processes for name in ("cmdline", "environ"))

    assert (file.read_text(), file.stat().st_mode & 0o777) == (password, 0o600)
    assert len(password) >= 32
    assert password not in shown


@needs_the_program
def test_a_second_server_on_the_folder_is_refused(running):
    with pytest.raises(DatabaseUnavailable, match="belongs to another server that is running"):
        Embedded(running._path, "rust").start()


@needs_the_program
def test_both_engines_open_what_the_other_wrote(tmp_path):
    for engine in ("python", "rust", "python", "rust"):
        with Embedded(tmp_path, engine) as embedded, connected(embedded.ready()) as client:
            client.shop.items.update_one({"_id": "kept"}, {"$push": {"by": engine}}, upsert=True)
            found = client.shop.items.find_one()

    assert found == {"_id": "kept", "by": ["python", "rust", "python", "rust"]}


@needs_the_program
async def test_the_name_that_a_renamed_item_had_is_free(running):
    with closing(connect(running.ready())) as database:
        await database.open()
        tenant = database.tenant(RegisteredTenant(id="names", database="names"))
        await tenant.prepare()
        ada = await somebody(tenant)
        made = await items.create(ada, Kind.MODEL, new_item(name="iris"))
        await renaming.rename(ada, Kind.MODEL, Reference(str(made["_id"])), "roses")

        await items.create(ada, Kind.MODEL, new_item(name="iris"))

        assert sorted(await tenant.models.records.distinct("name")) == ["iris", "roses"]


@needs_the_program
def test_files_of_a_version_that_kept_no_password_are_opened(tmp_path):
    with Embedded(tmp_path, "python") as embedded, connected(embedded.ready()) as client:
        client.shop.items.insert_one({"_id": "kept"})
    (tmp_path / "password").unlink()

    with Embedded(tmp_path, "rust") as embedded, connected(embedded.ready()) as client:
        assert client.shop.items.find_one() == {"_id": "kept"}


@needs_the_program
@pytest.mark.parametrize("victim", [lambda pid: pid, program_of], ids=["its process", "the program"])
def test_a_killed_database_comes_back_at_the_same_address_with_what_it_acknowledged(tmp_path, victim):
    with Embedded(tmp_path, "rust") as embedded, connected(uri := embedded.ready()) as client:
        acknowledged = [client.shop.items.insert_one({"_id": number}).inserted_id for number in range(20)]
        program = os.pidfd_open(program_of(embedded.pid))

        os.kill(victim(embedded.pid), signal.SIGKILL)

        assert ends(program)
        assert found_again(client) == acknowledged
        assert embedded.ready() == uri


def found_again(client) -> list[int]:
    while True:
        try:
            return sorted(client.shop.items.distinct("_id"))
        except AutoReconnect:
            continue


@needs_the_program
def test_a_killed_server_takes_its_database_along_and_loses_nothing_acknowledged(tmp_path):
    command = [sys.executable, "-c", A_SERVER_THAT_WRITES, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        child = int(server.stdout.readline())
        ending = [os.pidfd_open(pid) for pid in (child, program_of(child))]
        acknowledged = {int(server.stdout.readline()) for _ in range(50)}
        server.kill()
        acknowledged |= {int(line) for line in server.stdout}

    with Embedded(tmp_path, "rust") as embedded, connected(embedded.ready()) as client:
        found = set(client.shop.items.distinct("_id"))

    assert all(ends(process) for process in ending)
    assert acknowledged <= found


@needs_the_program
def test_stopping_leaves_no_process(tmp_path):
    with Embedded(tmp_path, "rust") as embedded:
        embedded.ready()
        ending = [os.pidfd_open(pid) for pid in (embedded.pid, program_of(embedded.pid))]

    assert all(ends(process) for process in ending)


@needs_the_program
def test_damaged_files_are_one_sentence_with_the_reason(tmp_path):
    (tmp_path / "database").mkdir()
    (tmp_path / "database" / "WiredTiger").write_text("WiredTiger\nnonsense")
    (tmp_path / "database" / "WiredTiger.turtle").write_text("nonsense")

    with Embedded(tmp_path, "rust") as embedded, pytest.raises(DatabaseUnavailable) as refused:
        embedded.ready()

    assert str(refused.value).startswith(f"The embedded database in {tmp_path} does not start: StartError: ")
    assert "\n" not in str(refused.value)


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """A PATH with a program of the name of `secantusd-rs`."""
    program = tmp_path / engines.PROGRAM
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return str(program)


@pytest.mark.parametrize(("setting", "is_used"), [("auto", True), ("rust", True), ("python", False)])
def test_the_program_on_path_is_used_unless_the_setting_says_python(on_path, setting, is_used):
    engine = engines.select(setting)

    assert engine.program == (on_path if is_used else "")
    assert ("EMBEDDED_ENGINE=python" in engines.describe(engine)) == is_used
    assert on_path in engines.describe(engine)


def test_without_the_program_auto_is_python_and_rust_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert engines.select("auto") == engines.PYTHON
    assert "cargo install secantus-mdb" in engines.describe(engines.PYTHON)
    with pytest.raises(DatabaseUnavailable, match="EMBEDDED_ENGINE is rust, and secantusd-rs is not on PATH"):
        Embedded(tmp_path / "data", "rust").start()

"""Backup and restore, over a real database: what comes back is what was there, or a sentence says why not."""

import hashlib
import subprocess
import sys

import pytest

from catalog.blobs import FileHead
from catalog.blobs.files import FileStorage
from catalog.blobs.memory import MemoryStorage
from catalog.domain import items, tenants, versions
from catalog.domain.access import Caller
from catalog.domain.tenants import Administrator
from catalog.operations.archive import BadArchive
from catalog.operations.backup import NoSuchTenant, backup
from catalog.operations.restore import CannotRestore, restore
from catalog.store.database import connect
from catalog.store.documents import TenantRecord
from catalog.vocabulary import Kind, Role
from tests.conftest import OURS, PASSWORD, in_database
from tests.serving import Server, environment

WEIGHTS = b"weights" * 1000


@pytest.fixture
async def database(mongo, request):
    """A catalogue of this test alone, and what it made is dropped again."""
    name = f"{OURS}-backup"
    database = connect(in_database(mongo, name))
    for each in (name, *(f"{OURS}-{tenant}" for tenant in ("acme", "other", "again"))):
        await database.drop(each)
    await database.open()
    yield database
    database.close()


class Sent:
    digest = ""
    description = "the first"
    announced = len(WEIGHTS)

    async def open(self):
        return FileHead("iris.onnx", "application/octet-stream", "7bit")

    async def chunks(self):
        yield WEIGHTS


async def organisation(database, storage, name):
    """A tenant with an administrator, a model and a version of it."""
    record = TenantRecord(id=f"{OURS}-{name}", database=f"{OURS}-{name}", email="info@example.org")
    await tenants.make(database, storage, record, Administrator("admin", PASSWORD))
    tenant = await tenants.enter(database, record.id)
    admin = await tenant.users.find_one({"username": "admin"})
    caller = Caller(tenant, admin.id, "admin", Role.ADMIN)
    await items.create(tenant, Kind.MODEL, {"name": "iris", "tags": ["small"], "visibility": "public"}, caller)
    await versions.add(tenant, Kind.MODEL, "iris", Sent(), caller, storage.of(tenant.name))
    return tenant


async def lose(database, storage, tenant):
    """As when a machine is lost."""
    await database.drop(tenant.database.name)
    await storage.forget(tenant.name)
    await database.tenants.raw.delete_one({"_id": tenant.name})


async def everything(tenant):
    names = sorted(await tenant.database.list_collection_names())
    return {name: await tenant.database[name].find({}).sort("_id", 1).to_list(None) for name in names}


async def content(storage, tenant, digest):
    return b"".join([chunk async for chunk in storage.of(tenant).read(digest)])


async def test_what_is_restored_is_what_was_backed_up(database, tmp_path):
    files, elsewhere = FileStorage(tmp_path / "uploads"), MemoryStorage()
    tenant = await organisation(database, files, "acme")
    before, told = await everything(tenant), []
    await backup(database, files, tmp_path / "all.tar", [tenant.name], told.append)
    await lose(database, files, tenant)

    await restore(database, elsewhere, tmp_path / "all.tar", [], told.append)

    assert await everything(await tenants.enter(database, tenant.name)) == before
    assert await content(elsewhere, tenant.name, hashlib.sha256(WEIGHTS).hexdigest()) == WEIGHTS
    assert [done[1:4] for done in told] == [(told[0].records, 1, len(WEIGHTS))] * 2


async def test_a_restored_tenant_has_its_indexes(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    indexes = await tenant.models.raw.index_information()
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)

    await restore(database, storage, tmp_path / "all.tar", [], lambda _: None, name=f"{OURS}-again")

    again = await tenants.enter(database, f"{OURS}-again")
    assert (await again.models.raw.index_information()).keys() == indexes.keys()


async def test_a_tenant_that_is_there_is_not_overwritten(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    before = await everything(tenant)
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)

    with pytest.raises(CannotRestore, match=r"already.*remove it first"):
        await restore(database, storage, tmp_path / "all.tar", [], lambda _: None)

    assert await everything(tenant) == before


async def test_only_the_wanted_tenants(database, storage, tmp_path):
    acme, other = await organisation(database, storage, "acme"), await organisation(database, storage, "other")
    await backup(database, storage, tmp_path / "all.tar", [acme.name, other.name], lambda _: None)
    for tenant in (acme, other):
        await lose(database, storage, tenant)

    await restore(database, storage, tmp_path / "all.tar", [other.name], lambda _: None)

    assert await tenants.enter(database, acme.name) is None
    assert await tenants.enter(database, other.name) is not None


async def test_a_tenant_that_is_not_there(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)

    with pytest.raises(NoSuchTenant, match="no tenant nobody"):
        await backup(database, storage, tmp_path / "none.tar", ["nobody"], lambda _: None)
    with pytest.raises(CannotRestore, match="no tenant nobody"):
        await restore(database, storage, tmp_path / "all.tar", ["nobody"], lambda _: None)

    assert [file.name for file in tmp_path.iterdir()] == ["all.tar"]


async def test_missing_bytes_are_told_of(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    digest, told = hashlib.sha256(WEIGHTS).hexdigest(), []
    await storage.of(tenant.name).drop(digest)

    await backup(database, storage, tmp_path / "all.tar", [tenant.name], told.append)

    assert [done.missing for done in told] == [[digest]]


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
async def test_a_backup_that_is_cut_off_makes_no_tenant(database, storage, tmp_path, part):
    tenant = await organisation(database, storage, "acme")
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)
    whole = (tmp_path / "all.tar").read_bytes().rstrip(b"\0")
    (tmp_path / "cut.tar").write_bytes(whole[: int(len(whole) * part)])

    with pytest.raises(BadArchive):
        await restore(database, storage, tmp_path / "cut.tar", [], lambda _: None, name=f"{OURS}-again")

    assert part > 0.99 or await tenants.enter(database, f"{OURS}-again") is None


async def test_damaged_bytes_are_noticed(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)
    damaged = (tmp_path / "all.tar").read_bytes().replace(WEIGHTS, WEIGHTS[:-1] + b"!")
    (tmp_path / "all.tar").write_bytes(damaged)

    with pytest.raises(BadArchive, match="are damaged"):
        await restore(database, storage, tmp_path / "all.tar", [], lambda _: None, name=f"{OURS}-again")

    assert await tenants.enter(database, f"{OURS}-again") is None


async def test_what_a_killed_restore_left_is_cleared_by_the_next(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)
    whole = (tmp_path / "all.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadArchive):
        await restore(database, storage, tmp_path / "cut.tar", [], lambda _: None, name=f"{OURS}-again")

    await restore(database, storage, tmp_path / "all.tar", [], lambda _: None, name=f"{OURS}-again")

    assert await tenants.enter(database, f"{OURS}-again") is not None


@pytest.mark.parametrize("text", ["", "not a tar", "x" * 100_000])
async def test_another_file_is_no_backup(database, storage, tmp_path, text):
    (tmp_path / "other").write_text(text)

    with pytest.raises(BadArchive, match="other"):
        await restore(database, storage, tmp_path / "other", [], lambda _: None)


@pytest.mark.parametrize("name", ["../outside", "admin", "a b", ".hidden"])
async def test_a_restored_tenant_bears_a_name_that_a_tenant_may_bear(database, storage, tmp_path, name):
    tenant = await organisation(database, storage, "acme")
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)

    with pytest.raises(CannotRestore, match="cannot be the name"):
        await restore(database, storage, tmp_path / "all.tar", [], lambda _: None, name=name)


# As an operator meets it: commands beside a server that was there


def command(folder, *arguments, **settings):
    program = [sys.executable, "-m", "catalog", *arguments]
    return subprocess.run(
        program, cwd=folder, env=environment(**settings), capture_output=True, text=True, timeout=60, check=False
    )


def test_a_catalog_moves_to_another_machine(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    with Server(here) as server:
        token, password = server.login().json()["token"], server.password
        with server.client(token) as client:
            client.post("/v1/models", json={"name": "iris"}).raise_for_status()
            files = {"file": ("iris.onnx", WEIGHTS)}
            client.post("/v1/models/iris/versions", files=files).raise_for_status()
        held = command(here, "backup", "early.tar")
        server.stop()

    made = command(here, "backup", "all.tar")
    brought = command(there, "restore", str(here / "all.tar"))

    assert (held.returncode, made.returncode, brought.returncode) == (1, 0, 0), made.stderr + brought.stderr
    assert "another server" in held.stderr
    assert not (here / "early.tar").exists()
    assert (here / "all.tar").stat().st_mode & 0o777 == 0o600
    assert "1 file (6.836 KiB)" in made.stdout
    with Server(there) as server:
        token = server.login(password=password).json()["token"]
        with server.client(token) as client:
            assert client.get("/v1/models/iris/versions/1").content == WEIGHTS


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["backup", "no/such/folder/all.tar"], "no such file or directory"),
        (["backup", "all.tar", "--tenant", "nobody"], "There is no tenant nobody"),
        (["restore", "missing.tar"], "no such file or directory"),
        (["restore", "variables.env", "--as", "other"], "--as wants one --tenant"),
    ],
)
def test_a_mistake_gets_a_sentence(tmp_path, arguments, sentence):
    done = command(tmp_path, *arguments)

    assert done.returncode in {1, 2}
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr

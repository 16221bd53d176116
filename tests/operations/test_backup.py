"""Backup and restore, over a real database: what comes back is what was there, or a sentence says why not."""

import asyncio
import errno
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from contextlib import aclosing
from datetime import datetime, timedelta

import bson
import pytest
from bson import ObjectId

from catalog.blobs.files import FileStorage
from catalog.blobs.memory import MemoryBlobs, MemoryStorage
from catalog.blobs.protocol import Blob, FileHead
from catalog.commands.administration.backup import BackupOptions, CommandError, make
from catalog.commands.administration.online.backup import OnlineBackupError, archive
from catalog.domain.access import Caller
from catalog.domain.artifacts import tree
from catalog.domain.cleanup.sweep_schedule import sweep_tenants
from catalog.domain.files import blob_records
from catalog.domain.items import items, trash
from catalog.domain.items.references import Reference
from catalog.domain.lineage.inputs import InputReference
from catalog.domain.people import groups, robots
from catalog.domain.tenants import tenants
from catalog.domain.tenants.tenants import Administrator
from catalog.domain.versions import versions
from catalog.domain.versions.aliases import aliases
from catalog.domain.versions.details import VersionDetails
from catalog.errors import BUSY
from catalog.operations.backup.archive import LARGEST_MEMBER, ArchiveError, read
from catalog.operations.backup.chains import find_bases
from catalog.operations.backup.scheduled import BackupPlan, ScheduledBackups
from catalog.operations.backup.streaming import AHEAD, stream
from catalog.operations.backup.targets import FolderTarget
from catalog.operations.backup.watching import ArchiveWatch
from catalog.operations.backup.writing import (
    BackupError,
    Increment,
    ResumptionRefusedError,
    UnknownTenantError,
    find_tenants,
    write,
)
from catalog.operations.restore import RestoreError, restore
from catalog.settings.settings import Settings
from catalog.store.clock import now
from catalog.store.connection import connect
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.migrations.steps.sequence import NEWEST
from catalog.vocabulary import Kind, Role
from tests.support.app import OURS, PASSWORD, in_database
from tests.support.commands import run
from tests.support.inputs import new_item
from tests.support.serving import Server, environment

WEIGHTS = b"weights" * 1000


@pytest.fixture
async def database(mongo, request):
    """A catalogue of this test alone, and what it made is dropped again."""
    mine = [f"{OURS}-{each}" for each in ("backup", "acme", "other", "again")]
    database = connect(in_database(mongo, mine[0]))
    for each in mine:
        await database.drop(each)
    await database.open()
    yield database
    for each in mine:  # a restore into another catalogue refuses a database that has something in it
        await database.drop(each)
    database.close()


async def backup(database, storage, file, names, report, *, since=None, replace=False):
    """Write a file as `catalog backup` does."""
    records = await find_tenants(database, names)
    async with aclosing(stream(database, storage, records, since=since, report=report)) as chunks:
        await FolderTarget(file.parent).save(file.name, chunks, force=replace)


class Sent:
    digest = ""
    description = "the first"
    announced = len(WEIGHTS)

    async def open(self):
        return FileHead("iris.onnx", "application/octet-stream", "7bit")

    async def chunks(self):
        yield WEIGHTS


async def organisation(database, storage, name):
    """A tenant with an administrator, a group, a model, an alias with a history, and a version made from another."""
    record = RegisteredTenant(id=f"{OURS}-{name}", database=f"{OURS}-{name}", email="info@example.org")
    await tenants.make(database, storage, record, Administrator("admin", PASSWORD))
    tenant = await tenants.enter(database, record.id)
    tenant.blobs = storage.of(tenant.name)
    admin = await tenant.users.find_one({"username": "admin"})
    caller = Caller(tenant, admin.id, "admin", Role.ADMIN)
    await groups.create(caller, groups.NewGroup(name="vision", members=["admin"]))
    await robots.create(caller, robots.NewRobot(username="ci", tags=["small"]))
    await items.create(
        caller, Kind.MODEL, new_item(name="iris", tags=["small"], visibility="public", editors=["vision"])
    )
    await versions.add(caller, Kind.MODEL, Reference("iris"), Sent())
    await aliases.point(caller, Kind.MODEL, Reference("iris", "1"), "champion")
    await aliases.remove(caller, Kind.MODEL, Reference("iris"), "champion")
    await aliases.point(caller, Kind.MODEL, Reference("iris", "latest"), "champion")
    made_from = VersionDetails(uri="s3://bucket/x", made_from=[InputReference("iris@1")])
    await versions.register(caller, Kind.MODEL, Reference("iris"), made_from)
    return tenant


async def lose(database, storage, tenant):
    """As when a machine is lost."""
    await database.drop(tenant.database.name)
    await storage.forget(tenant.name)
    await database.tenants.records.delete_one({"_id": tenant.name})


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


async def test_files_of_the_artifact_tree_are_restored(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    admin = await tenant.users.find_one({"username": "admin"})
    caller = Caller(tenant, admin.id, "admin", Role.ADMIN)
    sent = Sent()
    sent.chunks = lambda: chunks_of(b"only in the tree")
    artifact = await tree.put(caller, "runs/1/weights.bin", sent)
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)
    await lose(database, storage, tenant)

    await restore(database, storage, tmp_path / "all.tar", [], lambda _: None)

    assert await content(storage, tenant.name, artifact["digest"]) == b"only in the tree"


async def chunks_of(*chunks):
    for chunk in chunks:
        yield chunk


async def test_a_restored_tenant_has_its_indexes(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    indexes = await tenant.models.records.index_information()
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)

    await restore(database, storage, tmp_path / "all.tar", [], lambda _: None, name=f"{OURS}-again")

    again = await tenants.enter(database, f"{OURS}-again")
    assert (await again.models.records.index_information()).keys() == indexes.keys()


async def test_a_tenant_that_is_there_is_not_overwritten(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    before = await everything(tenant)
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)

    with pytest.raises(RestoreError, match=r"already.*remove it first"):
        await restore(database, storage, tmp_path / "all.tar", [], lambda _: None)

    assert await everything(tenant) == before

    await database.tenants.records.update_one({"_id": tenant.name}, {"$set": {"state": "removing"}})
    with pytest.raises(RestoreError, match="still being removed"):
        await restore(database, storage, tmp_path / "all.tar", [], lambda _: None)


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

    with pytest.raises(UnknownTenantError, match="no tenant nobody"):
        await backup(database, storage, tmp_path / "none.tar", ["nobody"], lambda _: None)
    with pytest.raises(RestoreError, match="no tenant nobody"):
        await restore(database, storage, tmp_path / "all.tar", ["nobody"], lambda _: None)

    assert [file.name for file in tmp_path.iterdir()] == ["all.tar"]


async def test_a_tenant_of_a_newer_version_is_not_backed_up_by_an_older_one(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    await database.tenants.records.update_one({"_id": tenant.name}, {"$set": {"schema_number": NEWEST + 1}})

    with pytest.raises(BackupError, match="run the newer version"):
        await backup(database, storage, tmp_path / "all.tar", [], lambda _: None)

    assert [*tmp_path.iterdir()] == []


async def test_missing_bytes_are_told_of(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    digest, told = hashlib.sha256(WEIGHTS).hexdigest(), []
    await storage.of(tenant.name).drop(digest)

    await backup(database, storage, tmp_path / "all.tar", [tenant.name], told.append)

    assert [[(lost.digest, lost.why) for lost in done.lost] for done in told] == [[(digest, "missing")]]


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
async def test_a_backup_that_is_cut_off_makes_no_tenant(database, storage, tmp_path, part):
    tenant = await organisation(database, storage, "acme")
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)
    whole = (tmp_path / "all.tar").read_bytes().rstrip(b"\0")
    (tmp_path / "cut.tar").write_bytes(whole[: int(len(whole) * part)])

    with pytest.raises(ArchiveError):
        await restore(database, storage, tmp_path / "cut.tar", [], lambda _: None, name=f"{OURS}-again")

    assert part > 0.99 or await tenants.enter(database, f"{OURS}-again") is None


async def test_damaged_bytes_are_noticed(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)
    damaged = (tmp_path / "all.tar").read_bytes().replace(WEIGHTS, WEIGHTS[:-1] + b"!")
    (tmp_path / "all.tar").write_bytes(damaged)

    with pytest.raises(ArchiveError, match="are damaged"):
        await restore(database, storage, tmp_path / "all.tar", [], lambda _: None, name=f"{OURS}-again")

    assert await tenants.enter(database, f"{OURS}-again") is None


async def test_what_a_killed_restore_left_is_cleared_by_the_next(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)
    whole = (tmp_path / "all.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArchiveError):
        await restore(database, storage, tmp_path / "cut.tar", [], lambda _: None, name=f"{OURS}-again")

    await restore(database, storage, tmp_path / "all.tar", [], lambda _: None, name=f"{OURS}-again")

    assert await tenants.enter(database, f"{OURS}-again") is not None


@pytest.mark.parametrize("text", ["", "not a tar", "x" * 100_000])
async def test_another_file_is_no_backup(database, storage, tmp_path, text):
    (tmp_path / "other").write_text(text)

    with pytest.raises(ArchiveError, match="other"):
        await restore(database, storage, tmp_path / "other", [], lambda _: None)


@pytest.mark.parametrize("name", ["../outside", "admin", "a b", ".hidden"])
async def test_a_restored_tenant_bears_a_name_that_a_tenant_may_bear(database, storage, tmp_path, name):
    tenant = await organisation(database, storage, "acme")
    await backup(database, storage, tmp_path / "all.tar", [tenant.name], lambda _: None)

    with pytest.raises(RestoreError, match="cannot be the name"):
        await restore(database, storage, tmp_path / "all.tar", [], lambda _: None, name=name)


# Damaged bytes in the storage


def of(content, name="iris.bin"):
    class Other(Sent):
        announced = len(content)

        async def open(self):
            return FileHead(name, "application/octet-stream", "7bit")

        async def chunks(self):
            yield content

    return Other()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda content: content[:5], "damaged: there are 5 bytes of 7000"),
        (lambda content: content + b"!", "damaged: there are more than 7000 bytes"),
        (lambda content: b"W" + content[1:], "damaged: their SHA-256 is "),
        (lambda _: None, "missing"),
    ],
    ids=["cut", "grown", "changed", "gone"],
)
async def test_a_backup_says_which_bytes_are_lost_and_has_all_others(database, storage, tmp_path, damage, why):
    acme, other = await organisation(database, storage, "acme"), await organisation(database, storage, "other")
    blobs, digest, told = storage.of(acme.name), hashlib.sha256(WEIGHTS).hexdigest(), []
    admin = await acme.users.find_one({"username": "admin"})
    caller = Caller(acme, admin.id, "admin", Role.ADMIN)
    for each in (b"before", b"after", bytes(range(100))):
        await versions.add(caller, Kind.MODEL, Reference("iris"), of(each))
    damaged = damage(blobs.contents.pop(digest))
    if damaged is not None:
        blobs.contents[digest] = damaged

    await backup(database, storage, tmp_path / "all.tar", [], told.append)
    await lose(database, storage, acme)
    await lose(database, storage, other)
    await restore(database, storage, tmp_path / "all.tar", [], told.append)

    [lost] = told[0].lost
    assert (lost.digest, lost.named) == (digest, ["model iris, version 1, file iris.onnx"])
    assert lost.why.startswith(why)
    assert [(done.tenant, done.blobs) for done in told] == [(acme.name, 3), (other.name, 1)] * 2
    assert await content(storage, other.name, digest) == WEIGHTS


async def test_bytes_that_a_backup_found_damaged_are_not_taken_for_whole_ones(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    blobs, blob = storage.of(tenant.name), Blob(hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS))
    blobs.contents[blob.digest] = b"W" + WEIGHTS[1:]

    await backup(database, storage, tmp_path / "all.tar", [], lambda _: None)

    assert not await blob_records.is_intact(tenant, blob)


@pytest.mark.parametrize("kind", ["pipe", "link", "dangling link"])
def test_a_backup_replaces_nothing_but_a_file(tmp_path, kind):
    target, there = tmp_path / "all.tar", tmp_path / "there"
    there.write_bytes(b"there")
    place = {
        "pipe": lambda: os.mkfifo(target),
        "link": lambda: target.symlink_to(there),
        "dangling link": lambda: target.symlink_to(tmp_path / "nowhere"),
    }
    place[kind]()
    before = (target.lstat().st_ino, target.lstat().st_mode)

    with pytest.raises(CommandError, match=r"all\.tar is (a symbolic link|not a regular file)"):
        make(Settings(), str(target), BackupOptions(force=True), lambda _: None)

    assert (target.lstat().st_ino, target.lstat().st_mode) == before
    assert there.read_bytes() == b"there"
    assert {path.name for path in tmp_path.iterdir()} == {"all.tar", "there"}


# While others write


async def test_a_file_that_is_there_is_replaced_only_when_that_is_wanted(database, storage, tmp_path):
    await organisation(database, storage, "acme")
    file = tmp_path / "all.tar"
    file.write_bytes(b"there")

    with pytest.raises(FileExistsError):
        await backup(database, storage, file, [], lambda _: None)
    before = file.read_bytes()
    await backup(database, storage, file, [], lambda _: None, replace=True)

    assert (before, file.read_bytes()[:1] != b"t") == (b"there", True)


async def test_no_sweep_removes_bytes_that_a_backup_has_still_to_copy(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    [record] = await find_tenants(database, [])
    swept, reading = [], stream(database, storage, [record])

    async with aclosing(reading) as chunks:
        async for chunk in chunks:
            if b"/blobs/" in chunk[:200] and not swept:
                await tenant.versions.records.delete_many({})
                swept += [each async for each in sweep_tenants(database, grace=timedelta(days=1))]
    swept += [each async for each in sweep_tenants(database, grace=timedelta(days=1))]

    assert [each.refused and each.refused.fault for each in swept] == [BUSY, None]


async def test_a_reader_that_takes_nothing_ends_a_backup_and_the_sweep_goes_on(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    admin = await tenant.users.find_one({"username": "admin"})
    for each in range(AHEAD):
        await versions.add(
            Caller(tenant, admin.id, "admin", Role.ADMIN), Kind.MODEL, Reference("iris"), of(bytes(each))
        )
    [record] = await find_tenants(database, [])
    ended = asyncio.Event()

    async with aclosing(stream(database, storage, [record], stalled=0.2)) as chunks:
        while b"/tenant.bson" not in (await anext(chunks))[:200]:  # from here on the backup holds the lease
            pass
        while not ended.is_set():
            swept = [each async for each in sweep_tenants(database, grace=timedelta(days=1))]
            if all(each.refused is None for each in swept):
                ended.set()
        with pytest.raises(BackupError, match="its reader took nothing"):
            async for _ in chunks:
                pass


async def test_what_is_written_while_a_backup_runs_leaves_no_loose_ends(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    admin = await tenant.users.find_one({"username": "admin"})
    caller = Caller(tenant, admin.id, "admin", Role.ADMIN)
    thrown = await items.create(caller, Kind.MODEL, new_item(name="thrown"))
    await items.remove(caller, Kind.MODEL, Reference("thrown"), days=7)
    [record] = await find_tenants(database, [])
    done = []

    async def meanwhile(chunk):
        """After the models were read: one leaves the trash, a version gets an alias, and an aliased one is removed."""
        if f"/records/{tenant.trash.name}/".encode() in chunk[:200] and not done:
            done.append(await trash.restore(caller, str(thrown["_id"])))
            await versions.add(caller, Kind.MODEL, Reference("iris"), of(b"newer"))
            await versions.remove(caller, Kind.MODEL, Reference("iris", "1"), force=True)

    with (tmp_path / "all.tar").open("wb") as file:

        async def emit(chunk):
            await meanwhile(chunk)
            file.write(chunk)

        await write(emit, database, storage, [record], lambda _: None)
    await lose(database, storage, tenant)
    await restore(database, storage, tmp_path / "all.tar", [], lambda _: None)

    back = await tenants.enter(database, tenant.name)
    iris = await back.models.records.find_one({"name": "iris"})
    numbers = [version["number"] async for version in back.versions.records.find({"item": iris["_id"]})]
    assert iris["aliases"] == []
    assert iris["last_version"] == max(numbers)
    assert await back.count("serial") >= iris["serial"]


async def test_an_item_that_leaves_the_trash_while_it_is_read_is_not_lost(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    admin = await tenant.users.find_one({"username": "admin"})
    caller = Caller(tenant, admin.id, "admin", Role.ADMIN)
    thrown = await items.create(caller, Kind.MODEL, new_item(name="thrown"))
    await items.remove(caller, Kind.MODEL, Reference("thrown"), days=7)
    [record] = await find_tenants(database, [])
    done = []

    with (tmp_path / "all.tar").open("wb") as file:

        async def emit(chunk):
            if b"/records/models/" in chunk[:200] and not done:  # they are read, and the trash is not
                done.append(await trash.restore(caller, str(thrown["_id"])))
            file.write(chunk)

        await write(emit, database, storage, [record], lambda _: None)
    await lose(database, storage, tenant)
    await restore(database, storage, tmp_path / "all.tar", [], lambda _: None)

    back = await tenants.enter(database, tenant.name)
    assert await back.models.records.find_one({"name": "thrown"}) is not None


async def test_an_increment_has_the_bytes_that_are_new_and_is_restored_with_what_it_continues(
    database, storage, tmp_path
):
    tenant = await organisation(database, storage, "acme")
    await tenant.blob_records.records.update_many({}, {"$set": {"touched": now() - timedelta(days=1)}})
    generation = str(ObjectId.from_datetime(now() - timedelta(days=2)))
    await database.tenants.records.update_one({"_id": tenant.name}, {"$set": {"generation": generation}})
    await backup(database, storage, tmp_path / "full.tar", [], lambda _: None)
    with read(tmp_path / "full.tar") as full:
        since = Increment(full.identity, datetime.fromisoformat(full.made))
    tenant = await tenants.enter(database, tenant.name)
    tenant.blobs = storage.of(tenant.name)
    admin = await tenant.users.find_one({"username": "admin"})
    await versions.add(Caller(tenant, admin.id, "admin", Role.ADMIN), Kind.MODEL, Reference("iris"), of(b"newer"))
    told = []

    await backup(database, storage, tmp_path / "new.tar", [], told.append, since=since)
    await lose(database, storage, tenant)
    with pytest.raises(RestoreError, match="--base"):
        await restore(database, storage, tmp_path / "new.tar", [], told.append)
    await restore(database, storage, tmp_path / "new.tar", [], told.append, bases=[tmp_path / "full.tar"])

    assert [(done.blobs, done.size) for done in told] == [(1, 5), (2, 5 + len(WEIGHTS))]
    assert told[0].omitted == 1
    assert await content(storage, tenant.name, hashlib.sha256(WEIGHTS).hexdigest()) == WEIGHTS


class CutError(Exception):
    """The line is cut."""


async def cut_after(archived, blobs):
    """The archive up to the middle of a blob, which has so many before it."""
    async with aclosing(archived) as chunks:
        async for chunk in chunks:
            if re.match(rb"[^/]+/blobs/", chunk):
                blobs -= 1
            yield chunk
            if blobs < 0:
                raise CutError


@pytest.mark.parametrize("trouble", ["cut", "cut twice", "damaged", "between two tenants"])
async def test_an_interrupted_backup_goes_on_where_it_was(database, storage, tmp_path, trouble):
    made = [await organisation(database, storage, name) for name in ("acme", "other")]
    caller = await administrator_of(made[1])
    for number in range(5):
        await versions.add(caller, Kind.MODEL, Reference("iris"), of(b"weights %d" % number))
    both = [await made_days_ago(database, storage, tenant) for tenant in made]
    caller = await administrator_of(both[1])
    records = await find_tenants(database, [])
    target, told = FolderTarget(tmp_path / "backups"), []

    async def partial():
        return await target.partial("all.tar".__eq__, "", [])

    def archived(left=None):
        resume = left.found.resumption if left else None
        return stream(database, storage, records, resume=resume, report=told.append)

    with pytest.raises(CutError):
        await target.save("all.tar", cut_after(archived(), 1 if trouble == "between two tenants" else 4))
    await versions.add(caller, Kind.MODEL, Reference("iris"), of(b"newer"))
    left = await partial()
    if trouble == "cut twice":
        with pytest.raises(CutError):
            await target.save("all.tar", cut_after(archived(left), 1), partial=left)
        left = await partial()
    elif trouble == "damaged":
        damaged = bytearray(left.file.read_bytes())
        damaged[damaged.rindex(b"weights ") + 3] ^= 1
        left.file.write_bytes(damaged)
        left = await partial()
    told.clear()
    await target.save("all.tar", archived(left), partial=left)
    there = [file.name for file in (tmp_path / "backups").iterdir()]
    size = (tmp_path / "backups" / "all.tar").stat().st_size
    for tenant in both:
        await lose(database, storage, tenant)
    await restore(database, storage, target.source("all.tar"), [], told.append)

    assert there == ["all.tar"]
    assert [(done.tenant, done.blobs) for done in told] == [
        (both[1].name, 7),
        (both[0].name, 1),
        (both[1].name, 7),
    ]
    assert told[0][1:4] == told[2][1:4]
    assert left.found.length < size
    assert [*left.found.resumption.done] == [both[0].name]
    digest = hashlib.sha256(b"newer").hexdigest()
    assert await content(storage, both[1].name, digest) == b"newer"


async def test_an_interrupted_backup_does_not_go_on_with_other_tenants_or_after_a_day(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    await made_days_ago(database, storage, tenant)
    records = await find_tenants(database, [])
    target = FolderTarget(tmp_path / "backups")
    await target.save("all.tar", stream(database, storage, records))
    left = tmp_path / "backups" / f".all.tar.{'0' * 16}.partial"
    (tmp_path / "backups" / "all.tar").rename(left)

    other_base = await target.partial("all.tar".__eq__, "0" * 64, [])
    other_tenants = await target.partial("all.tar".__eq__, "", ["another"])
    found = (await target.partial("all.tar".__eq__, "", [tenant.name])).found
    changed = [record.model_copy(update={"generation": "0" * 24}) for record in records]
    with pytest.raises(ResumptionRefusedError):
        found.resumption.remaining(changed)
    with pytest.raises(ResumptionRefusedError):
        found.resumption.remaining([])
    content = left.read_bytes()
    made = re.search(rb'"made": "([^"]+)"', content)[1]
    yesterday = (datetime.fromisoformat(made.decode()) - timedelta(days=1)).isoformat().encode()
    left.write_bytes(content.replace(made, yesterday, 1))

    assert (other_base, other_tenants) == (None, None)
    assert await target.partial("all.tar".__eq__, "", []) is None
    assert [*(tmp_path / "backups").iterdir()] == []


async def administrator_of(tenant):
    admin = await tenant.users.find_one({"username": "admin"})
    return Caller(tenant, admin.id, "admin", Role.ADMIN)


async def made_days_ago(database, storage, tenant):
    """The tenant, which is old like its bytes: what is sent from now on is new."""
    await tenant.blob_records.records.update_many({}, {"$set": {"touched": now() - timedelta(days=1)}})
    generation = str(ObjectId.from_datetime(now() - timedelta(days=2)))
    await database.tenants.records.update_one({"_id": tenant.name}, {"$set": {"generation": generation}})
    tenant = await tenants.enter(database, tenant.name)
    tenant.blobs = storage.of(tenant.name)
    return tenant


async def test_each_tenant_is_backed_up_when_it_is_due_by_one_server_and_old_backups_go(database, storage, tmp_path):
    tenant = await organisation(database, storage, "acme")
    target, plan = FolderTarget(tmp_path / "backups"), BackupPlan(timedelta(hours=1), timedelta(), 2)

    async def run_at(moment):
        servers = [ScheduledBackups(database, storage, target, plan, lambda: moment) for _ in range(2)]
        await asyncio.gather(*(server.run() for server in servers))
        return await target.names()

    begin = now()
    counts = [len(await run_at(begin + timedelta(minutes=minutes))) for minutes in (0, 30, 61, 122, 183)]

    assert counts == [1, 1, 2, 2, 2]
    newest = (await target.names())[-1]
    await lose(database, storage, tenant)
    await restore(database, storage, tmp_path / "backups" / newest, [], lambda _: None)
    assert await tenants.enter(database, tenant.name) is not None


async def test_an_increment_by_schedule_continues_a_full_backup_that_stays_as_long(database, storage, target):
    tenant = await organisation(database, storage, "acme")
    await tenant.blob_records.records.update_many({}, {"$set": {"touched": now() - timedelta(days=2)}})
    generation = str(ObjectId.from_datetime(now() - timedelta(days=3)))
    await database.tenants.records.update_one({"_id": tenant.name}, {"$set": {"generation": generation}})
    plan = BackupPlan(timedelta(hours=1), timedelta(hours=4), 2)
    moment = now()
    server = ScheduledBackups(database, storage, target, plan, lambda: moment)

    names = []
    for _ in range(7):
        await server.run()
        moment += timedelta(hours=1)
        names.append(["-since-" in name for name in await target.names()])

    full, more = [False], [True]
    assert names == [full, full + more, *[full + more * 2] * 2, full + more + full, full + more, full + more * 2]
    newest = target.source((await target.names())[-1])
    bases, told = await find_bases(newest, target), []
    await lose(database, storage, tenant)
    await restore(database, storage, newest, [tenant.name], told.append, bases=bases)
    assert [(len(bases), done.blobs, done.size) for done in told] == [(1, 1, len(WEIGHTS))]
    assert await content(storage, tenant.name, hashlib.sha256(WEIGHTS).hexdigest()) == WEIGHTS


def test_who_watches_an_archive_sees_its_summaries_however_it_is_cut(good):
    content = good.read_bytes()

    for step in (1000, 4096, len(content)):
        watch = ArchiveWatch()
        for start in range(0, len(content), step):
            watch.feed(content[start : start + step])
        assert watch.is_complete
        assert [summary["blobs"] for summary in watch.summaries.values()] == [1]


# A restore that was stopped


async def of_two(database, storage, tmp_path):
    """A backup of two tenants, which are lost."""
    tenants_ = [await organisation(database, storage, name) for name in ("acme", "other")]
    await backup(database, storage, tmp_path / "all.tar", [], lambda _: None)
    for tenant in tenants_:
        await lose(database, storage, tenant)
    return tmp_path / "all.tar", [tenant.name for tenant in tenants_]


class StoppedError(Exception):
    """As a killed process: nothing comes after it."""


@pytest.mark.parametrize("moment", ["between two tenants", "within the second"])
async def test_a_restore_that_was_stopped_goes_on_when_it_is_started_again(database, storage, tmp_path, moment):
    file, names = await of_two(database, storage, tmp_path)
    if moment == "between two tenants":

        def stop(_):
            raise StoppedError

        with pytest.raises(StoppedError):
            await restore(database, storage, file, [], stop)
    else:
        whole = file.read_bytes()
        (tmp_path / "cut.tar").write_bytes(whole[: whole.rindex(WEIGHTS)])
        with pytest.raises(ArchiveError):
            await restore(database, storage, tmp_path / "cut.tar", [], lambda _: None)
    acme = await tenants.enter(database, names[0])
    await acme.database["models"].update_one({}, {"$set": {"description": "changed since"}})
    told = []

    await restore(database, storage, file, [], told.append)

    assert [(done.tenant, done.was_there) for done in told] == [(names[0], True), (names[1], False)]
    assert (await acme.database["models"].find_one({}))["description"] == "changed since"
    assert await content(storage, names[1], hashlib.sha256(WEIGHTS).hexdigest()) == WEIGHTS


async def test_a_restore_without_room_says_so_and_goes_on_when_there_is_some(database, storage, tmp_path, monkeypatch):
    file, names = await of_two(database, storage, tmp_path)

    async def full(_blobs, _content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(MemoryBlobs, "put", full)
        with pytest.raises(RestoreError, match=f"no room .* {names[0]}: make room"):
            await restore(database, storage, file, [], lambda _: None)
    await restore(database, storage, file, [], lambda _: None)

    assert await tenants.enter(database, names[1]) is not None


async def test_a_restore_that_is_over_is_not_gone_on_with(database, storage, tmp_path):
    file, names = await of_two(database, storage, tmp_path)
    await restore(database, storage, file, [], lambda _: None)

    with pytest.raises(RestoreError, match=f"There is a tenant {names[0]} already"):
        await restore(database, storage, file, [], lambda _: None)


async def test_a_tenant_of_another_backup_is_not_taken_for_one_that_is_back(database, storage, tmp_path):
    file, names = await of_two(database, storage, tmp_path)
    whole = file.read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: whole.rindex(WEIGHTS)])
    with pytest.raises(ArchiveError):
        await restore(database, storage, tmp_path / "cut.tar", [], lambda _: None)
    await backup(database, storage, tmp_path / "later.tar", [names[0]], lambda _: None)

    with pytest.raises(RestoreError, match="already"):
        await restore(database, storage, tmp_path / "later.tar", [], lambda _: None)


# Archives that are no backups, or not any more


@pytest.fixture(scope="module")
async def one_database(mongo):
    """One for all damaged archives: none of them makes a tenant that stays."""
    database = connect(in_database(mongo, f"{OURS}-damaged"))
    await database.open()
    yield database
    database.close()


@pytest.fixture(scope="module")
async def good(one_database, tmp_path_factory):
    """The backup of one tenant that the damaged ones are made of. The tenant is lost."""
    file, storage = tmp_path_factory.mktemp("good") / "all.tar", MemoryStorage()
    await one_database.drop(f"{OURS}-acme")
    tenant = await organisation(one_database, storage, "acme")
    await backup(one_database, storage, file, [tenant.name], lambda _: None)
    await lose(one_database, storage, tenant)
    return file


@pytest.fixture
def members(good):
    """Name and content of each member."""
    with tarfile.open(good) as tar:
        return [(each.name, tar.extractfile(each).read()) for each in tar]


def packed(members, file):
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in members:
            described = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if described is not content:
                described.size = len(content)
            tar.addfile(described, None if described is content else io.BytesIO(content))


def changed(what, change):
    """The same members, with the content of those that end in `what` changed; None leaves one out."""

    def of_all(members):
        both = [(name, change(content) if re.search(what, name) else content) for name, content in members]
        return [(name, content) for name, content in both if content is not None]

    return of_all


def renamed(what, to):
    return lambda members: [(re.sub(what, to, name), content) for name, content in members]


def twice(what):
    return lambda members: [each for each in members for _ in range(1 + bool(re.search(what, each[0])))]


def another(name, content=b"{}", at=2):
    return lambda members: [*members[:at], (name, content), *members[at:]]


def special(kind, target=""):
    described = tarfile.TarInfo(f"{OURS}-acme/blobs/{'0' * 64}")
    described.type, described.linkname = kind, target
    return another("", described)


def sparse():
    """A header of 512 bytes for a file of a pebibyte."""
    described = tarfile.TarInfo(f"{OURS}-acme/blobs/{'0' * 64}")
    described.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(2**50), "GNU.sparse.name": described.name}
    return described


def told(**fields):
    return lambda content: json.dumps({**json.loads(content), **fields}).encode()


def record(**fields):
    return lambda content: bson.encode({**bson.decode(content), **fields})


FIRST, TENANT, ITS_END, RECORDS = r"^catalog-backup\.json$", r"tenant\.bson$", r"/end\.json$", "/records/models/"
CORPUS = {
    "nothing in it": lambda _: [],
    "another first member": lambda members: members[1:],
    "another format": changed(FIRST, told(format=99)),
    "no format": changed(FIRST, lambda _: b"{}"),
    "a first member that is not JSON": changed(FIRST, lambda _: b"not JSON"),
    "a first member that is a list": changed(FIRST, lambda _: b"[1]"),
    "a first member of nested lists": changed(FIRST, lambda _: b"[" * 100_000),
    "a first member that is not text": changed(FIRST, lambda _: b"\xff\xfe{"),
    "no record of the tenant": changed(TENANT, lambda _: None),
    "a record that is not BSON": changed(TENANT, lambda _: b"not BSON"),
    "a record of nothing": changed(TENANT, lambda _: b""),
    "a record without a name": changed(TENANT, lambda _: bson.encode({"database": "x"})),
    "a record with a name that is a number": changed(TENANT, record(_id=1)),
    "a record with a database that is a list": changed(TENANT, record(database=["x"])),
    "a record of another tenant": changed(TENANT, record(_id="another")),
    "a record with a quota that is a text": changed(TENANT, record(quota_bytes="much")),
    "the record twice": twice(TENANT),
    "no end of the tenant": changed(ITS_END, lambda _: None),
    "an end of the tenant that is a list": changed(ITS_END, lambda _: b"[]"),
    "an end that counts a list": changed(ITS_END, told(records=[])),
    "an end that counts otherwise": changed(ITS_END, told(blobs=7)),
    "an end without a digest": changed(ITS_END, lambda _: b"{}"),
    "the end of the tenant twice": twice(ITS_END),
    "no end": lambda members: members[:-1],
    "records that are cut": changed(RECORDS, lambda content: content[:-3]),
    "records that are changed": changed(RECORDS, lambda content: content.replace(b"iris", b"isir")),
    "records with lengths of nothing": changed(RECORDS, lambda content: bytes(4) + content[4:]),
    "records with huge lengths": changed(RECORDS, lambda content: b"\xff\xff\xff\x7f" + content[4:]),
    "records that are no documents": changed(RECORDS, lambda _: b"\x0a\0\0\0\x02a\0\xff\xff\0"),
    "records twice": twice(RECORDS),
    "records that are missing": changed(RECORDS, lambda _: None),
    "records of a larger size than any": changed(RECORDS, lambda _: bytes(LARGEST_MEMBER + 1)),
    "records for the system": renamed("/records/models/", "/records/system.users/"),
    "records for a name with a null": renamed("/records/models/", "/records/mo\x01dels/"),
    "a file twice": twice("/blobs/"),
    "a file with other bytes": changed("/blobs/", lambda content: content + b"!"),
    "a file that is missing": changed("/blobs/", lambda _: None),
    "a file under another name": renamed("/blobs/.*", "/blobs/passwd"),
    "a way out": renamed("/blobs/.*", "/blobs/../../../passwd"),
    "an absolute name": another("/etc/passwd"),
    "a tenant that is a way out": renamed("^[^/]+-acme/", "../"),
    "a member that has no place": another(f"{OURS}-acme/more/of/it"),
    "a member of another tenant": another("another/records/models/000000"),
    "a member of no tenant": another("stray", at=1),
    "a link": special(tarfile.SYMTYPE, "/etc/passwd"),
    "a hard link": special(tarfile.LNKTYPE, "catalog-backup.json"),
    "a device": special(tarfile.CHRTYPE),
    "a folder": special(tarfile.DIRTYPE),
    "a file that says that it is sparse, and of any size": another("", sparse()),
}


WHOLE_BEFORE = {"no end", "the end of the tenant twice"}
"""What is wrong comes after all of a tenant."""


@pytest.mark.parametrize("damage", CORPUS)
async def test_a_damaged_archive_is_a_sentence_and_no_tenant(one_database, storage, members, tmp_path, damage):
    packed(CORPUS[damage](members), tmp_path / "damaged.tar")

    with pytest.raises((ArchiveError, RestoreError)) as refusal:
        await restore(one_database, storage, tmp_path / "damaged.tar", [], lambda _: None)

    there = await tenants.enter(one_database, f"{OURS}-acme")
    if there:
        await lose(one_database, storage, there)
    assert "\n" not in str(refusal.value)
    assert bool(there) == (damage in WHOLE_BEFORE)


async def test_a_header_is_not_read_when_it_is_larger_than_any(one_database, storage, members, tmp_path):
    packed([("x" * 2**17, b""), *members], tmp_path / "damaged.tar")

    with pytest.raises(ArchiveError, match=r"a header has 131\d+ bytes"):
        await restore(one_database, storage, tmp_path / "damaged.tar", [], lambda _: None)


async def test_a_header_with_any_byte_changed_is_a_sentence(one_database, storage, good, tmp_path):
    whole, damaged = good.read_bytes(), tmp_path / "damaged.tar"
    begin = whole.index(f"{OURS}-acme/tenant.bson".encode())

    for at in range(0, 400, 13):
        damaged.write_bytes(whole[: begin + at] + bytes([whole[begin + at] ^ 0x81]) + whole[begin + at + 1 :])
        with pytest.raises(ArchiveError):
            await restore(one_database, storage, damaged, [], lambda _: None)


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
        online = command(here, "backup", "online.tar", "--server", server.url)
        again = run(here, "backup", "online.tar", "--server", server.url)
        stranger = run(here, "backup", "other.tar", "--server", server.url, CATALOG_TOKEN="x", CATALOG_URL=server.url)
        server.stop()

    made = command(here, "backup", "all.tar")
    brought = command(there, "restore", str(here / "online.tar"))

    assert (held.returncode, made.returncode, brought.returncode) == (1, 0, 0), made.stderr + brought.stderr
    assert (online.returncode, online.stdout.partition(":")[2]) == (0, made.stdout.partition(":")[2]), online.stderr
    assert (again.exit_code, "--force" in again.stderr) == (1, True)
    assert (here / "online.tar").stat().st_mode & 0o777 == 0o600
    assert "another server" in held.stderr
    assert "--server ADDRESS" in held.stderr
    assert "set CATALOG_TOKEN" in stranger.stderr
    assert not (here / "early.tar").exists()
    assert (here / "all.tar").stat().st_mode & 0o777 == 0o600
    assert "1 file (6.836 KiB)" in made.stdout
    with Server(there) as server:
        token = server.login(password=password).json()["token"]
        with server.client(token) as client:
            assert client.get("/v1/models/iris/versions/1").content == WEIGHTS


async def test_an_archive_that_ends_early_is_no_backup(good, tmp_path):
    content = good.read_bytes()

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content) - 1536}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + content[:-1536])  # all but its end
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        with pytest.raises(OnlineBackupError, match="ended early"):
            await FolderTarget(tmp_path / "new").save("all.tar", archive(url, "token", (), None, ArchiveWatch()))

    assert [file.name for file in (tmp_path / "new").iterdir() if not file.name.endswith(".partial")] == []


@pytest.mark.process
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["backup", "no/such/folder/all.tar"], "There is no folder no/such/folder"),
        (["backup", "all.tar", "--tenant", "nobody"], "There is no tenant nobody"),
        (["backup", "/dev/null"], "/dev/null is not a regular file"),
        (["restore", "missing.tar"], "no such file or directory"),
        (["restore", "."], "is a directory"),
        (["restore", "/dev/null"], "/dev/null is damaged or cut off"),
        (["restore", "variables.env", "--as", "other"], "--as needs one --tenant"),
    ],
)
def test_a_mistake_gets_a_sentence(tmp_path, arguments, sentence):
    done = run(tmp_path, *arguments)

    assert done.exit_code in {1, 2}
    assert sentence in done.stderr

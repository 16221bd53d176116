"""Tenants of older versions are upgraded when they are opened: once, by one server, also after an interruption."""

import asyncio
import logging
import uuid
from datetime import timedelta

import pytest
from bson import ObjectId

from catalog.blobs.protocol import Blob, FileHead
from catalog.domain.files.intake import BriefInspection, StoredFile
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.tenants import tenants
from catalog.domain.tenants.tenants import Administrator, NewTenant
from catalog.domain.versions.drafts import closing, drafts
from catalog.domain.versions.files import version_files
from catalog.errors import NOT_FOUND, TENANT_NEWER, TENANT_UPGRADE_FAILED, TENANT_UPGRADING, Refused
from catalog.operations.migrate import MigrationResult, migrate
from catalog.store.clock import now
from catalog.store.concurrency.leases import Lease
from catalog.store.connection import connect
from catalog.store.derived import term_counts
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.migrations import upgrade as upgrades
from catalog.store.migrations.opening import open_all, open_tenant
from catalog.store.migrations.progress import Progress
from catalog.store.migrations.steps import folder_files, lease_fields
from catalog.store.migrations.steps.sequence import NEWEST, STEPS, Step
from catalog.store.migrations.upgrade import upgrade
from catalog.store.tenant_collections import OF_A_TENANT
from catalog.vocabulary import Kind
from tests.support.app import API_TOKEN, OURS, PASSWORD, client_of_app, in_database, settings_in
from tests.support.inputs import new_item
from tests.support.tenants import organisation, somebody

VERSIONS = 3


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """No request is under way, whose counts a repair would have to wait for."""
    monkeypatch.setattr(term_counts, "SETTLED", 0)


@pytest.fixture
async def database(mongo, storage):
    """On the wire only: races do not show on the mock."""
    opened = connect(in_database(mongo, f"{OURS}-{uuid.uuid4().hex[:8]}"), storage)
    await opened.open()
    yield opened
    opened.close()


@pytest.fixture
async def older(database, storage):
    """The record of a tenant as a version without schema numbers left it, with an item of three versions."""
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    administrator = Administrator("boss", PASSWORD)
    await tenants.create(database, storage, NewTenant(name=name, email="a@example.org", administrator=administrator))
    tenant = await tenants.enter(database, name)
    ada = await somebody(tenant)
    await items.create(ada, Kind.MODEL, new_item(name="Modèle", tags=["Größe"]))
    for _ in range(VERSIONS):
        await drafts.begin(ada, Kind.MODEL, Reference("Modèle"))
    await age(database, name)
    yield await database.tenants.find_one({"_id": name})
    await database.drop(name)


async def age(database, name):
    """Make the records of a tenant those of version 0.1.0."""
    record = await database.tenants.find_one({"_id": name})
    tenant = database.tenant(record)
    await database.tenants.records.update_one({"_id": name}, {"$unset": {"schema_number": "", "schema_target": ""}})
    await tenant.users.records.update_many({}, {"$unset": {"username_key": ""}})
    await tenant.versions.records.update_many({}, {"$unset": {"serial": ""}})
    await tenant.tags.records.update_many({}, {"$unset": {"key": "", "pieces": "", "seen": ""}})
    await tenant.models.records.update_many({}, {"$set": {"name_key": "modèle"}})
    await tenant.search_entries.records.drop()


async def is_upgraded(database, name):
    tenant = database.tenant(await database.tenants.find_one({"_id": name}))
    serials = sorted([version.get("serial") async for version in tenant.versions.records.find({})], key=str)
    [item] = [item async for item in tenant.models.records.find({})]
    entry = await tenant.search_entries.records.find_one({"names": "m*ele"})
    if item["name_key"] != "modele" or entry is None:
        return False
    [term] = [term async for term in tenant.tags.records.find({})]
    keys = {user.get("username_key") async for user in tenant.users.records.find({})}
    return (
        len(set(serials)) == VERSIONS and None not in serials and keys == {"ada", "boss"} and sum(term["seen"].values())
    )


def counting_steps(*names):
    """Steps that count how often they run, and wait in between for what others want to do."""
    ran = []

    def step(name):
        async def run(_tenant, _progress):
            ran.append(name)
            await asyncio.sleep(0)

        return Step(name, run)

    return tuple(map(step, names)), ran


async def test_a_tenant_of_an_older_version_is_upgraded_when_it_is_opened(database, older):
    assert not await is_upgraded(database, older.id)

    await tenants.enter(database, older.id)

    record = await database.tenants.find_one({"_id": older.id})
    assert (record.schema_number, record.schema_target) == (NEWEST, NEWEST)
    assert await is_upgraded(database, older.id)


async def test_serials_follow_the_order_of_creation_and_new_ones_come_after(database, older):
    tenant = await tenants.enter(database, older.id)
    eve = await somebody(tenant, "eve")

    by_age = [version["serial"] async for version in tenant.versions.records.find({}).sort("number", 1)]
    await items.create(eve, Kind.MODEL, new_item(name="new"))
    created = await drafts.begin(eve, Kind.MODEL, Reference("new"))

    assert by_age == sorted(by_age)
    assert created["serial"] > by_age[-1]


async def test_a_version_in_the_state_archived_leaves_lists_after_the_upgrade(database, older):
    versions = database.tenant(older).versions.records
    await versions.update_one({"number": 2}, {"$set": {"state": "ARCHIVED"}, "$unset": {"archived": ""}})

    await tenants.enter(database, older.id)

    archived = [version.get("archived", False) async for version in versions.find({}).sort("number", 1)]
    assert archived == [False, True, False]


async def test_a_new_tenant_begins_with_the_newest_schema(database, storage):
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    new = NewTenant(name=name, email="a@example.org", administrator=Administrator("boss", PASSWORD))

    await tenants.create(database, storage, new)

    assert (await database.tenants.find_one({"_id": name})).schema_number == NEWEST
    await database.drop(name)


async def test_of_several_servers_one_upgrades_and_the_others_wait(mongo, storage, monkeypatch):
    monkeypatch.setattr(upgrades, "LOOK_EVERY", 0.01)
    uri = in_database(mongo, f"{OURS}-{uuid.uuid4().hex[:8]}")
    servers = [connect(uri, storage) for _ in range(8)]
    for server in servers:
        await server.open()
    name = await one_tenant(servers[0], storage)
    all_there = asyncio.Barrier(len(servers))
    steps, ran = counting_steps("first", "second", "third")
    begun, all_have_looked = asyncio.Event(), asyncio.Event()

    async def slow(tenant, progress):
        begun.set()
        await all_have_looked.wait()
        await steps[1].run(tenant, progress)

    async def one(server):
        await all_there.wait()
        await upgrade(server, name, steps=(steps[0], Step("second", slow), steps[2]))
        return (await server.tenants.find_one({"_id": name})).schema_number

    async def look():
        await begun.wait()
        await asyncio.sleep(5 * upgrades.LOOK_EVERY)
        all_have_looked.set()

    *numbers, _ = await asyncio.gather(*map(one, servers), look())

    assert numbers == [3] * len(servers)
    assert ran == ["first", "second", "third"]
    for server in servers:
        server.close()


async def one_tenant(database, storage):
    """The name of a tenant with the schema number 0."""
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    new = NewTenant(name=name, email="a@example.org", administrator=Administrator("boss", PASSWORD))
    await tenants.create(database, storage, new)
    await database.tenants.records.update_one({"_id": name}, {"$unset": {"schema_number": ""}})
    return name


async def test_an_interrupted_upgrade_goes_on_with_the_interrupted_step(database, older):
    steps, ran = counting_steps("first", "second", "third")
    begun, never = asyncio.Event(), asyncio.Event()

    async def endless(_tenant, _progress):
        begun.set()
        await never.wait()

    task = asyncio.create_task(upgrade(database, older.id, steps=(steps[0], Step("second", endless), steps[2])))
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    number = (await database.tenants.find_one({"_id": older.id})).schema_number
    await upgrade(database, older.id, steps=steps)  # at once: the lease was released

    assert number == 1
    assert ran == ["first", "second", "third"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
async def test_a_step_can_run_twice_at_the_same_time_and_again(database, older, step):
    await database.tenants.records.update_one({"_id": older.id}, {"$set": {"schema_number": NEWEST}})
    tenant = database.tenant(older)
    for other in STEPS:
        if other is not step:
            await other.run(tenant, Progress("", print))

    await asyncio.gather(step.run(tenant, Progress("", print)), step.run(tenant, Progress("", print)))
    first = [version async for version in tenant.versions.records.find({})]
    await step.run(tenant, Progress("", print))

    assert await is_upgraded(database, older.id)
    assert [version async for version in tenant.versions.records.find({})] == first


async def test_a_request_waits_for_a_moment_and_is_told_when_to_come_back(database, older):
    other = Lease(database.tenants.records, older.id, timedelta(minutes=1), until="migrating", owner="migrator")
    await other.acquire()

    with pytest.raises(Refused) as refused:
        await open_tenant(database, older, patience=0.01)
    await other.release()
    opened = await open_tenant(database, older, patience=30)

    assert (refused.value.fault, refused.value.headers) == (TENANT_UPGRADING, {"Retry-After": "5"})
    assert opened.name == older.id
    assert await is_upgraded(database, older.id)


async def test_a_lease_of_a_dead_server_ends(database, older):
    dead = Lease(database.tenants.records, older.id, -timedelta(seconds=1), until="migrating", owner="migrator")
    await dead.acquire()

    await open_tenant(database, older, patience=30)

    assert await is_upgraded(database, older.id)


async def test_requests_of_one_server_share_an_upgrade(database, older):
    opened = await asyncio.gather(*(open_tenant(database, older, patience=30) for _ in range(10)))

    assert {tenant.name for tenant in opened} == {older.id}
    assert (await database.tenants.find_one({"_id": older.id})).schema_number == NEWEST


@pytest.mark.parametrize("field", ["schema_number", "schema_target"])
async def test_a_tenant_of_a_newer_version_is_refused_with_a_sentence(database, older, caplog, field):
    await database.tenants.records.update_one({"_id": older.id}, {"$set": {field: NEWEST + 7}})

    for _ in range(2):
        with pytest.raises(Refused, match=f"{older.id} has schema {NEWEST + 7}, this server knows") as refused:
            await tenants.enter(database, older.id)

    assert refused.value.fault is TENANT_NEWER
    assert [line.levelname for line in caplog.records if "run the newer version" in line.message] == ["WARNING"]


async def test_an_upgrade_that_fails_is_told_in_the_log_and_not_tried_by_each_request(database, older, caplog):
    tenant = database.tenant(older)
    await tenant.users.records.insert_one({"username": 5, "email": "five@example.org"})  # no version writes that

    for _ in range(3):
        with pytest.raises(Refused) as refused:
            await open_tenant(database, older)

    assert refused.value.fault is TENANT_UPGRADE_FAILED
    assert len([line for line in caplog.records if "the upgrade failed" in line.message]) == 1
    assert (await database.tenants.find_one({"_id": older.id})).migrating <= now()


async def test_jobs_go_on_with_the_other_tenants(database, storage, older):
    name = await one_tenant(database, storage)
    await database.tenants.records.update_one({"_id": older.id}, {"$set": {"schema_number": NEWEST + 1}})

    opened = {tenant.name async for tenant in open_all(database)}

    assert name in opened
    assert older.id not in opened
    await database.drop(name)


async def test_a_tenant_that_is_removed_meanwhile_ends_its_upgrade(database, older, monkeypatch):
    monkeypatch.setattr(upgrades, "BEAT", 0.001)

    async def removed(_tenant, _progress):
        await database.tenants.records.update_one({"_id": older.id}, {"$set": {"state": "removing"}})
        await asyncio.Event().wait()

    with pytest.raises(Refused) as refused:
        await upgrade(database, older.id, steps=(Step("removed", removed),))

    assert refused.value.fault is NOT_FOUND


async def test_indexes_of_an_older_version_become_those_of_this_one(database, storage):
    name = await one_tenant(database, storage)
    tenant = database.tenant(await database.tenants.find_one({"_id": name}))
    await tenant.versions.records.drop_index("serial_1")
    await tenant.versions.records.create_index("serial")  # of the same name, and not unique
    await tenant.models.records.create_index("nothing_any_more")
    await tenant.models.records.drop_index("name_1_serial_1")

    await tenants.enter(database, name)

    for document in OF_A_TENANT:
        bound = tenant.bound(document)
        assert (await bound.records.index_information()).keys() - {"_id_"} == bound.declared_indexes.keys()
    assert (await tenant.versions.records.index_information())["serial_1"]["unique"]


async def test_an_index_that_has_not_changed_is_not_built_again(database, storage):
    name = await one_tenant(database, storage)
    tenant = database.tenant(await database.tenants.find_one({"_id": name}))
    dropped = []

    class Watched:
        def __init__(self, watched):
            self.watched = watched

        def __getattr__(self, wanted):
            if wanted == "drop_index":
                dropped.append(self.watched.name)
            return getattr(self.watched, wanted)

    tenant.known.collections = {each.get_settings().name: Watched(tenant.bound(each).records) for each in OF_A_TENANT}

    await upgrade(database, name)

    assert dropped == []


async def test_the_command_upgrades_all_and_says_what_it_does(database, older, caplog):
    told, name = [], older.id

    before = await migrate(database, [name], told.append, dry_run=True)
    unchanged = await is_upgraded(database, name)
    done = await migrate(database, [name], told.append)
    again = await migrate(database, [name], told.append)
    repeated = await migrate(database, [name], told.append, repeat=True)

    assert (before, done, again, repeated) == (MigrationResult(behind=1), *[MigrationResult(current=1)] * 3)
    assert not unchanged
    assert await is_upgraded(database, name)
    assert told[0] == f"{name}: schema 0 of {NEWEST}, would write: {', '.join(step.name for step in STEPS)}"
    assert f"{name}: step 2 of {NEWEST}, serials of versions: done, {VERSIONS} records" in told
    assert f"{name}: schema {NEWEST}, nothing to do" in told


async def test_a_lease_that_an_older_server_holds_stays_held_under_its_newer_name(database, older):
    tenant, until, owner = database.tenant(older), now() + timedelta(minutes=1), ObjectId()
    held = {"held": until, "holder": owner, "asked": owner}
    await tenant.uploads.records.insert_many([{"_id": "a" * 32, **held}, {"_id": "b" * 32, "lease_until": until}])
    await tenant.trash.records.insert_one({"_id": owner, "held": until})
    await tenant.blob_records.records.insert_one({"_id": "c" * 64, "going": until})
    await tenant.users.records.update_one({"username": "boss"}, {"$set": {"leaving": owner}})

    await lease_fields.run(tenant, Progress("", print))

    lease = Lease(tenant.uploads.records, "a" * 32, timedelta(seconds=1), until="lease_until", owner="lease_owner")
    assert await lease.acquire() is None
    leased = {"lease_until": until, "lease_owner": owner, "lease_requested": owner}
    assert await tenant.uploads.records.find_one({"_id": "a" * 32}) == {"_id": "a" * 32, **leased}
    assert await tenant.uploads.records.find_one({"_id": "b" * 32}) == {"_id": "b" * 32, "lease_until": until}
    assert await tenant.trash.records.find_one({}) == {"_id": owner, "lease_until": until}
    assert await tenant.blob_records.records.find_one({}) == {"_id": "c" * 64, "deleting_since": until}
    boss = await tenant.users.records.find_one({"username": "boss"})
    assert boss["demotion_token"] == owner
    assert "leaving" not in boss


async def test_records_of_an_older_server_are_upgraded_by_a_repetition(database, older):
    await migrate(database, [older.id], print)
    tenant = database.tenant(older)
    await tenant.versions.records.update_one({"number": 2}, {"$unset": {"serial": ""}})

    await migrate(database, [older.id], print, repeat=True)

    assert await is_upgraded(database, older.id)


async def test_two_applications_open_one_tenant_over_http(mongo, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    name = f"{uuid.uuid4().hex[:8]}"
    settings, uri = settings_in(tmp_path, name), in_database(mongo, f"{OURS}-{name}-catalogue")
    async with client_of_app(settings, uri, started=True) as one, client_of_app(settings, uri, started=True) as other:
        org = await organisation(one)
        headers = org.as_("admin")
        (await one.post("/v1/models", json={"name": "iris"}, headers=headers)).raise_for_status()
        for _ in range(VERSIONS):
            (
                await one.post("/v1/models/iris/versions", files={"file": ("w", b"w")}, headers=headers)
            ).raise_for_status()
        database = connect(uri)
        await age(database, org.name)
        await asyncio.gather(
            *(
                client.put(f"/v1/tenants/{org.name}", json={"phone": "1"}, headers={"Authorization": API_TOKEN})
                for client in (one, other)
            )
        )  # forgets the cached tenant

        answers = await asyncio.gather(*(client.get("/v1/models/iris", headers=headers) for client in (one, other) * 8))

        assert {answer.status_code for answer in answers} == {200}
        assert len([line for line in caplog.records if "upgrade from schema 0" in line.message]) == 1
        await database.tenants.records.update_one({"_id": org.name}, {"$set": {"schema_number": NEWEST + 1}})
        await one.put(f"/v1/tenants/{org.name}", json={"phone": "1"}, headers={"Authorization": API_TOKEN})
        refused = await one.get("/v1/models/iris", headers=headers)
        assert (refused.status_code, refused.json()["value"]) == (503, 161)
        assert refused.headers["Retry-After"]
        database.close()


def test_the_progress_of_a_long_step_is_reported_from_time_to_time():
    told = []
    progress = Progress("acme: step 1 of 2, serials", told.append, every=0)

    progress.add(500)
    progress.add(500)

    assert told == [f"acme: step 1 of 2, serials: {count} records so far" for count in (500, 1000)]
    assert RegisteredTenant(id="a", database="a").schema_number is None


def stored_file(path, size=4):
    head = FileHead(path.rpartition("/")[2], "text/plain", "7bit")
    return StoredFile(head=head, blob=Blob("0" * 64, size), brief=BriefInspection("unknown", "", held=False), path=path)


async def test_the_files_of_folders_get_records_of_their_own(database):
    tenant = database.tenant(RegisteredTenant(id=f"{OURS}-{uuid.uuid4().hex[:8]}", database=database.catalogue))
    ada = await somebody(tenant)
    await items.create(ada, Kind.MODEL, new_item(name="iris"))
    draft = await drafts.begin(ada, Kind.MODEL, Reference("iris"))
    files = [stored_file(path, 3).record() for path in ("a", "b/c", "d")]
    older = {"$set": {"files": files, "file_count": 3, "size": 9}, "$unset": {"last_file": "", "closing": ""}}
    await tenant.versions.records.update_one({"_id": draft["_id"]}, older)
    await tenant.files.records.insert_one(version_files.numbered(draft["_id"], 1, files[0]))  # an interrupted run

    for _ in range(2):
        await folder_files.run(tenant, Progress("files of folders", lambda _: None))

    moved = await tenant.versions.records.find_one({"_id": draft["_id"]})
    assert (moved["files"], await version_files.all_of(tenant, moved)) == ([], files)
    await drafts.add(ada, moved, [stored_file("b/c")])
    await drafts.remove_file(ada, Kind.MODEL, Reference("iris", "1"), "d")
    closed = await closing.close(ada, Kind.MODEL, Reference("iris", "1"))
    assert [file["path"] for file in await version_files.all_of(tenant, closed)] == ["a", "b/c"]
    assert (closed["file_count"], closed["size"]) == (2, 7)

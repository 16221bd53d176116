"""Requests at the same time. On the real wire, as the mock never yields; with barriers, so that they do meet."""

import asyncio
import uuid
from datetime import timedelta

import pytest

from catalog.blobs.memory import MemoryStorage
from catalog.blobs.protocol import FileHead, StorageUnavailableError
from catalog.dialects.http.sessions import Sessions
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.domain.limits import LIMITS
from catalog.domain.people import users
from catalog.domain.people.authentication import sign_in
from catalog.domain.people.authentication.credentials import SessionTokens
from catalog.domain.tenants import removal, tenants
from catalog.domain.tenants.removal import STALE
from catalog.domain.tenants.tenants import Administrator
from catalog.domain.tracking import experiments, external_ids
from catalog.domain.tracking.experiments import NewExperiment
from catalog.domain.tracking.records import Details
from catalog.domain.versions import versions
from catalog.errors import AUTHENTICATION, EXTERNAL_ID_TAKEN, NAME_TAKEN, NOT_CREATED, NOT_FOUND, Refused
from catalog.store.clock import now
from catalog.store.concurrency import optimistic, shared_writes
from catalog.store.connection import connect
from catalog.store.documents.people import UserDocument
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.documents.terms import TagDocument
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind, Role
from tests.support.app import OURS, PASSWORD, in_database
from tests.support.inputs import item_change, new_item
from tests.support.tenants import somebody

pytestmark = pytest.mark.parametrize("database", ["wire"], indirect=True)

ADMIN = Administrator("admin", PASSWORD)
MANY = 30  # all of them wait for one lock at the same moment, as many more would
SOME = 20  # without the queue each attempt has one winner, so they cost the square of their number
LONG_AGO = now() - max(STALE.values()) - timedelta(seconds=1)


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


@pytest.fixture
async def iris(tenant, ada) -> str:
    """The id of ada's model."""
    return str((await items.create(ada, Kind.MODEL, new_item(name="iris")))["_id"])


@pytest.fixture
async def elsewhere(database, mongo):
    """The same database, as another server sees it."""
    opened = connect(in_database(mongo, database.catalogue))
    yield opened
    opened.close()


async def outcomes(*attempts):
    """What each came to: its result or its refusal. Any other failure is one of the test."""
    ends = await asyncio.gather(*attempts, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, Refused):
            raise end
    return [end for end in ends if not isinstance(end, Refused)], [end for end in ends if isinstance(end, Refused)]


# Versions


class Upload:
    """A file whose bytes arrive when `moment` has passed."""

    digest = ""
    announced = 0
    description = ""

    def __init__(self, moment, data=b"data") -> None:
        self._moment, self._data = moment, data

    async def open(self) -> FileHead:
        return FileHead("m.onnx", "application/octet-stream", "7bit")

    async def chunks(self):
        await self._moment()
        yield self._data


async def nothing():
    pass


async def records(tenant) -> list[dict]:
    return await tenant.versions.records.find({}).sort("number").to_list(None)


async def test_uploads_at_once_get_an_ordinal_each(tenant, ada, iris):
    blobs, all_have_begun = tenant.blobs, asyncio.Barrier(8)

    async def upload(data):
        return await versions.add(ada, Kind.MODEL, Reference(iris), Upload(all_have_begun.wait, data))

    await asyncio.gather(*(upload(bytes([number])) for number in range(8)))

    kept = await records(tenant)
    assert [version["ordinal"] for version in kept] == [str(number) for number in range(1, 9)]
    assert {version["files"][0]["digest"] for version in kept} == blobs.contents.keys()


@pytest.mark.parametrize("ordinals", [("7", "7"), ("v2", "v2"), ("Final", "FINAL")])
async def test_of_two_uploads_with_one_ordinal_one_wins(tenant, ada, iris, ordinals):
    both_have_begun = asyncio.Barrier(2)

    won, refused = await outcomes(*(
        versions.add(ada, Kind.MODEL, Reference(iris), Upload(both_have_begun.wait), ordinal=ordinal)
        for ordinal in ordinals
    ))  # fmt: skip

    [version] = await records(tenant)
    assert version["ordinal"] in ordinals
    assert (len(won), [refusal.fault for refusal in refused]) == (1, [NOT_CREATED])
    assert refused[0].details.startswith("Ordinal value duplicated: ")


async def test_a_number_that_is_an_ordinal_already_is_passed_over(tenant, ada, iris):
    await tenant.models.records.update_one({}, {"$set": {"last_version": 10**9 - 2}})

    for ordinal in (str(10**9), "", ""):  # so long that it counts as a label
        await versions.add(ada, Kind.MODEL, Reference(iris), Upload(nothing), ordinal=ordinal)

    assert [version["ordinal"] for version in await records(tenant)] == [str(10**9), str(10**9 - 1), str(10**9 + 1)]


@pytest.mark.parametrize("moment", ["while its bytes arrive", "when it has got its number"])
async def test_an_item_removed_during_an_upload_leaves_no_version(tenant, ada, iris, monkeypatch, moment):
    async def remove():
        await items.remove(ada, Kind.MODEL, Reference(iris))

    insert = shared_writes.insert

    async def removed_then_inserted(*args):
        await remove()
        return await insert(*args)

    at_first = moment == "while its bytes arrive"
    monkeypatch.setattr(shared_writes, "insert", insert if at_first else removed_then_inserted)
    upload = Upload(remove if at_first else nothing)

    with pytest.raises(Refused) as refusal:
        await versions.add(ada, Kind.MODEL, Reference(iris), upload)

    assert refusal.value.fault is NOT_FOUND
    assert await records(tenant) == []


# Items


async def test_of_items_made_at_once_with_one_name_at_two_servers_one_wins(tenant, ada, elsewhere, monkeypatch):
    there = elsewhere.tenant(RegisteredTenant(id=tenant.name, database=tenant.database.name))
    await tenant.next("serial")
    both_are_about_to_write, count = asyncio.Barrier(2), Tenant.next

    async def counted_together(self, counter, steps):
        await both_are_about_to_write.wait()
        return await count(self, counter, steps)

    monkeypatch.setattr(Tenant, "next", counted_together)

    won, refused = await outcomes(
        *(
            items.create(caller, Kind.MODEL, new_item(name="iris", tags=["flowers"]))
            for caller in (ada, ada.through(there))
        )
    )

    assert (len(won), [refusal.fault for refusal in refused]) == (1, [NOT_CREATED])
    assert await tenant.models.records.count_documents({}) == 1
    assert (await tenant.tags.get("flowers")).uses == 1


async def test_a_word_that_many_coin_at_once_is_counted_for_each(tenant, ada):
    await tenant.next("serial")
    body = {"tags": ["flowers"], "metadata": [{"name": "accuracy", "value": 1}]}

    await asyncio.gather(*(items.create(ada, Kind.MODEL, new_item(**body | {"name": f"m{n}"})) for n in range(8)))

    assert (await tenant.tags.get("flowers")).uses == 8
    assert (await tenant.metadata.get("accuracy")).uses == 8


async def test_a_count_that_many_begin_at_once_gives_each_a_number_of_its_own(tenant):
    await asyncio.gather(*(tenant.count("serial") for _ in range(8)))  # so that each has a connection

    numbers = await asyncio.gather(*(tenant.next("serial") for _ in range(8)))

    assert len(set(numbers)) == 8


async def staff(tenant, size) -> None:
    """The users user0, user1..., who never sign in."""
    await tenant.users.records.insert_many(
        [
            UserDocument(username=f"user{number}", password="-", role=Role.REGULAR, validityPasswordDays=0).model_dump(
                exclude={"id", "email"}
            )
            for number in range(size)
        ]
    )


def an_addition(number):
    """Words of its own, and one that every other adds too."""
    return {
        "tags": {"add": [f"tag{number}", "common"]},
        "users": {"add": [f"user{number}"]},
        "metadata": {"add": [{"name": f"pair{number}", "value": number}]},
    }


async def assert_all_have_arrived(tenant, size) -> None:
    item = await tenant.models.records.find_one({})
    uses = {tag.id: tag.uses for tag in await tenant.tags.find({}).to_list()}
    assert sorted(item["tags"]) == sorted(["common", *(f"tag{number}" for number in range(size))])
    assert {pair["name"]: pair["value"] for pair in item["metadata"]} == {f"pair{n}": n for n in range(size)}
    assert len(set(item["users"])) == size
    assert set(item["readers"]) == {item["owner"], *item["users"]}
    assert uses == dict.fromkeys(item["tags"], 1)
    assert item["revision"] == 1 + size


async def test_of_many_changes_at_once_none_is_lost(tenant, ada, iris):
    await staff(tenant, MANY)

    await asyncio.gather(
        *(
            changes.change(ada, Kind.MODEL, Reference(iris), item_change(**an_addition(number)))
            for number in range(MANY)
        )
    )

    await assert_all_have_arrived(tenant, MANY)


class NoQueue(dict):
    def setdefault(self, key, lock):
        return lock


async def test_nor_when_they_come_through_two_servers(tenant, ada, iris, elsewhere, monkeypatch):
    await staff(tenant, SOME)
    sides = [tenant, elsewhere.tenant(RegisteredTenant(id=tenant.name, database=tenant.name))]
    all_have_read, write, first = asyncio.Barrier(SOME), changes._fields, iter(range(SOME))

    async def written_when_all_have_read(*args):
        if next(first, None) is not None:
            await all_have_read.wait()
        return await write(*args)

    monkeypatch.setattr(optimistic, "_queues", NoQueue())
    monkeypatch.setattr(changes, "_fields", written_when_all_have_read)

    await asyncio.gather(
        *(
            changes.change(
                ada.through(sides[number % 2]), Kind.MODEL, Reference(iris), item_change(**an_addition(number))
            )
            for number in range(SOME)
        )
    )

    await assert_all_have_arrived(tenant, SOME)


# Tenants


@pytest.fixture
async def record(database, elsewhere):
    """A tenant to be made, and unmade at the end."""
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    yield RegisteredTenant(id=name, database=name)
    await database.drop(name)


@pytest.fixture
def both_have_looked(monkeypatch):
    """Two who make a tenant both see that it is not there before either begins."""
    barrier, clear = asyncio.Barrier(2), removal.clear

    async def cleared_together(*args):
        await clear(*args)
        await barrier.wait()

    monkeypatch.setattr(removal, "clear", cleared_together)


def is_of(record: RegisteredTenant, end: Refused) -> bool:
    return end.fault is NAME_TAKEN and record.id in end.details


async def administrators(database, record) -> list[str]:
    return [user["username"] async for user in database.tenant(record).users.records.find({})]


async def test_of_two_servers_that_make_a_tenant_one_wins(database, elsewhere, record, storage, both_have_looked):
    [made], [refused] = await outcomes(
        tenants.make(database, storage, record.model_copy(), ADMIN),
        tenants.make(elsewhere, storage, record.model_copy(), Administrator("other", PASSWORD)),
    )

    assert (made["_id"], made["state"], is_of(record, refused)) == (record.id, "ready", True)
    assert len(await administrators(database, record)) == 1
    assert await elsewhere.tenants.records.count_documents({}) == 1


async def test_of_two_tenants_that_want_one_database_one_wins(database, elsewhere, record, storage, both_have_looked):
    other = RegisteredTenant(id=f"{record.id}-other", database=record.database.upper())

    [made], [refused] = await outcomes(
        tenants.make(database, storage, record, ADMIN), tenants.make(elsewhere, storage, other, ADMIN)
    )

    assert refused.fault is NAME_TAKEN
    assert [tenant["_id"] async for tenant in database.tenants.records.find({})] == [made["_id"]]
    await database.drop(other.database)


async def test_two_servers_that_start_at_once_make_one_default_tenant(
    database, elsewhere, record, storage, monkeypatch
):
    both_have_looked, enter, first = asyncio.Barrier(2), tenants.enter, iter(range(2))

    async def entered_together(*args):
        entered = await enter(*args)
        if next(first, None) is not None:
            await both_have_looked.wait()
        return entered

    monkeypatch.setattr(tenants, "enter", entered_together)
    monkeypatch.setattr(tenants, "PATIENCE", 0.01)

    starts = await asyncio.gather(
        tenants.ensure_default(database, storage, record.model_copy(), "admin", ""),
        tenants.ensure_default(elsewhere, storage, record.model_copy(), "admin", ""),
    )

    [start] = [start for start in starts if start]
    assert await administrators(database, record) == ["admin"]
    assert await sign_in.sign_in(database.tenant(record), start.username, start.password)


@pytest.fixture
async def half_made(database, record, storage) -> RegisteredTenant:
    """What a server leaves that died while it made a tenant."""
    record.lastmod = LONG_AGO
    await database.tenants.insert(record)
    await database.tenant(record).prepare()
    await users.add(database.tenant(record), "half-made", PASSWORD, Role.ADMIN, email=None, days=0)
    storage.of(record.id).contents["digest"] = b"left behind"
    return record


async def test_a_tenant_whose_server_died_making_it_is_made_anew(database, half_made, storage):
    again = RegisteredTenant(id=half_made.id, database=half_made.database)

    assert await tenants.enter(database, half_made.id) is None
    made = await tenants.make(database, storage, again, ADMIN)

    assert made["state"] == "ready"
    assert await administrators(database, half_made) == ["admin"]
    assert storage.of(half_made.id).contents == {}


async def test_two_servers_that_start_after_such_a_death_make_one_default_tenant(
    database, elsewhere, half_made, storage, monkeypatch
):
    monkeypatch.setattr(tenants, "PATIENCE", 0.01)
    again = RegisteredTenant(id=half_made.id, database=half_made.database)

    starts = await asyncio.gather(
        tenants.ensure_default(database, storage, again.model_copy(), "admin", ""),
        tenants.ensure_default(elsewhere, storage, again.model_copy(), "admin", ""),
    )

    assert len([start for start in starts if start]) == 1
    assert await administrators(database, half_made) == ["admin"]


async def test_a_server_that_is_overtaken_while_it_makes_the_default_tenant_starts_with_that_of_the_other(
    database, elsewhere, record, storage, monkeypatch
):
    add, other, overtaken = users.add, record.model_copy(), []

    async def added_too_late(*args, **kwargs):
        if not overtaken:
            overtaken.append(True)
            await database.tenants.records.update_one({"_id": record.id}, {"$set": {"lastmod": LONG_AGO}})
            await removal.clear(elsewhere, storage)
            await tenants.make(elsewhere, storage, other, ADMIN)
        return await add(*args, **kwargs)

    monkeypatch.setattr(users, "add", added_too_late)
    monkeypatch.setattr(tenants, "PATIENCE", 0.01)

    assert await tenants.ensure_default(database, storage, record, "admin", "") is None
    assert await administrators(database, record) == ["admin"]


async def test_a_tenant_whose_removal_ends_while_its_name_is_taken_again_is_made(
    database, record, storage, monkeypatch
):
    await database.tenants.insert(record.model_copy(update={"state": "removed"}))
    find_holder = tenants._holder

    async def found_after_the_removal(*args):
        await database.tenants.records.delete_one({"_id": record.id})
        return await find_holder(*args)

    monkeypatch.setattr(tenants, "_holder", found_after_the_removal)
    monkeypatch.setattr(tenants, "PATIENCE", 0.01)

    start = await tenants.ensure_default(database, storage, record.model_copy(), "admin", "")

    assert start
    assert await administrators(database, record) == ["admin"]


async def test_a_default_tenant_whose_database_another_tenant_has_is_refused(database, record, storage):
    await database.tenants.insert(RegisteredTenant(id=f"{record.id}-other", database=record.database))

    with pytest.raises(Refused) as refusal:
        await tenants.ensure_default(database, storage, record, "admin", "")

    assert is_of(record, refusal.value)


async def test_a_start_beside_an_interrupted_restore_of_the_default_tenant_says_what_to_do(database, record, storage):
    await database.tenants.insert(record.model_copy(update={"state": tenants.RESTORING}))

    with pytest.raises(Refused, match="repeat the restore"):
        await tenants.ensure_default(database, storage, record.model_copy(), "admin", "")


async def test_a_tenant_that_another_server_is_making_is_left_alone(database, half_made, storage):
    await database.tenants.records.update_one({"_id": half_made.id}, {"$set": {"lastmod": now()}})

    await removal.clear(database, storage)
    with pytest.raises(Refused) as refusal:
        await tenants.make(database, storage, RegisteredTenant(id=half_made.id, database=half_made.database), ADMIN)

    assert is_of(half_made, refusal.value)
    assert await administrators(database, half_made) == ["half-made"]


async def made_with_something_in_it(database, record, storage) -> Tenant:
    await tenants.make(database, storage, record, ADMIN)
    tenant = database.tenant(record)
    await tenant.tags.insert(TagDocument(id="kept"))
    storage.of(record.id).contents["digest"] = b"kept"
    return tenant


async def test_a_tenant_removed_while_it_is_used_refuses_its_callers(database, elsewhere, record):
    seen_meanwhile = []

    class Watched(MemoryStorage):
        async def forget(self, tenant):
            seen_meanwhile.append(await tenants.enter(elsewhere, tenant))
            await super().forget(tenant)

    storage = Watched()
    tenant = await made_with_something_in_it(database, record, storage)
    sessions = Sessions(
        database, SessionTokens("a secret of the tests, long enough", timedelta(hours=1), timedelta(hours=1))
    )
    admin = await tenant.users.find_one({"username": "admin"})
    token = sessions.issue(admin.id, tenant)
    assert (await sessions.caller(token)).username == "admin"

    await removal.remove(database, storage, record.id, default="")
    sessions.forget(record.id)

    with pytest.raises(Refused) as refusal:
        await sessions.caller(token)
    assert refusal.value.fault is AUTHENTICATION
    assert seen_meanwhile == [None]
    assert await tenants.enter(elsewhere, record.id) is None
    assert not await database.holds(record.database)


async def test_what_a_server_writes_that_has_not_heard_of_a_removal_does_not_stay(database, elsewhere, record, storage):
    await made_with_something_in_it(database, record, storage)
    believed = await tenants.enter(elsewhere, record.id)

    await removal.remove(database, storage, record.id, default="")
    await believed.tags.insert(TagDocument(id="late"))
    storage.of(record.id).contents["digest"] = b"late"
    await removal.clear(database, storage)
    too_early = await database.tenants.records.count_documents({"state": "removed"})
    await database.tenants.records.update_one({"_id": record.id}, {"$set": {"lastmod": now() - removal.LINGERING}})
    await removal.clear(elsewhere, storage)

    assert too_early == 1
    assert not await database.holds(record.database)
    assert record.id not in storage.tenants
    assert await database.tenants.records.count_documents({}) == 0


async def test_a_tenant_of_the_same_name_waits_until_nobody_believes_in_the_old_one(
    database, elsewhere, record, storage
):
    await made_with_something_in_it(database, record, storage)
    believed = await tenants.enter(elsewhere, record.id)
    await removal.remove(database, storage, record.id, default="")
    waits = []

    async def sleep(seconds):
        """While it waits a late writer comes, then the time goes by."""
        waits.append(seconds)
        await believed.tags.insert(TagDocument(id="late"))
        await database.tenants.records.update_one({"_id": record.id}, {"$set": {"lastmod": LONG_AGO}})

    again = RegisteredTenant(id=record.id, database=record.database)
    await tenants.make(database, storage, again, ADMIN, sleep=sleep)

    assert waits == [tenants.PATIENCE]
    assert await database.tenant(record).tags.get("late") is None
    assert await administrators(database, record) == ["admin"]


async def test_a_name_that_is_being_given_free_for_too_long_is_refused(database, record, storage):
    await database.tenants.insert(record)
    await database.tenants.records.update_one({"_id": record.id}, {"$set": {"state": "removing"}})
    other = RegisteredTenant(id="other", database=record.database)

    with pytest.raises(Refused) as refusal:
        await tenants.make(database, storage, other, ADMIN, waiting=timedelta())

    assert refusal.value.details == f"{record.id} is still being removed, please try again in 10 seconds"
    assert refusal.value.headers == {"Retry-After": "10"}


async def renewed_since(database, record, moment):
    for _ in range(1000):
        seen = await database.tenants.records.find_one({"_id": record.id})
        if seen["lastmod"] > moment:
            break
        await asyncio.sleep(0.01)
    return seen


async def test_a_removal_that_takes_long_is_renewed_and_left_to_its_server(database, elsewhere, record, monkeypatch):
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(MemoryStorage):
        async def forget(self, tenant):
            begun.set()
            await go_on.wait()
            await super().forget(tenant)

    storage, other = Slow(), MemoryStorage()
    await made_with_something_in_it(database, record, storage)
    monkeypatch.setattr(removal, "RENEWED_EVERY", 0.01)
    removing = asyncio.create_task(removal.remove(database, storage, record.id, default=""))
    await begun.wait()
    claimed = await elsewhere.tenants.records.find_one({"_id": record.id})

    await elsewhere.tenants.records.update_one({"_id": record.id}, {"$set": {"lastmod": LONG_AGO}})
    seen = await renewed_since(elsewhere, record, LONG_AGO)
    await removal.clear(elsewhere, other)
    after = await elsewhere.tenants.records.find_one({"_id": record.id})
    go_on.set()
    await removing

    assert seen["lastmod"] >= claimed["lastmod"]
    assert after["remover"] == claimed["remover"]
    assert (await elsewhere.tenants.records.find_one({"_id": record.id}))["state"] == "removed"


async def test_a_removal_whose_server_died_is_taken_over_and_its_name_free_within_seconds(
    database, elsewhere, record, storage
):
    tenant = await made_with_something_in_it(database, record, storage)
    died = now() - removal.STALE["removing"] - timedelta(seconds=1)
    await database.tenants.records.update_one({"_id": record.id}, {"$set": {"state": "removing", "lastmod": died}})

    await tenants.make(elsewhere, storage, RegisteredTenant(id=record.id, database=record.database), ADMIN)

    assert removal.STALE["removing"] <= timedelta(seconds=10)
    assert removal.STALE["removing"] < tenants.WAITING
    assert await tenant.tags.get("kept") is None
    assert storage.of(record.id).contents == {}


async def test_a_server_that_was_taken_for_dead_drops_nothing_of_a_tenant_of_the_same_name(
    database, elsewhere, record, storage, monkeypatch
):
    stopped, go_on = asyncio.Event(), asyncio.Event()
    really_drop = type(database).drop

    async def drop(self, name):
        """As a process that is stopped after its first step: it wakes up when all is over."""
        await really_drop(self, name)
        if self is database and not stopped.is_set():
            stopped.set()
            await go_on.wait()

    await made_with_something_in_it(database, record, storage)
    monkeypatch.setattr(type(database), "drop", drop)
    removing = asyncio.create_task(removal.remove(database, storage, record.id, default=""))
    await stopped.wait()
    await elsewhere.tenants.records.update_one({"_id": record.id}, {"$set": {"lastmod": LONG_AGO}})
    await tenants.make(elsewhere, storage, RegisteredTenant(id=record.id, database=record.database), ADMIN)
    storage.of(record.id).contents["digest"] = b"the new tenant's"
    go_on.set()
    await removing

    assert storage.of(record.id).contents == {"digest": b"the new tenant's"}
    assert await tenants.enter(elsewhere, record.id) is not None


async def test_a_tenant_whose_files_cannot_be_cleared_away_keeps_no_other_from_it(database, record):
    class ReadOnly(MemoryStorage):
        async def forget(self, tenant):
            if tenant == record.id:
                raise StorageUnavailableError("the disk says: read-only file system")
            await super().forget(tenant)

    storage = ReadOnly()
    other = RegisteredTenant(id=f"{record.id}-z", database=f"{record.database}-z")
    for each in (record, other):
        await made_with_something_in_it(database, each, storage)
    died = {"$set": {"state": "removing", "lastmod": LONG_AGO}}
    await database.tenants.records.update_many({"_id": {"$in": [record.id, other.id]}}, died)

    await removal.clear(database, storage)

    left = [each["_id"] async for each in database.tenants.records.find({})]
    assert left == [record.id]
    assert other.id not in storage.tenants


async def test_an_interrupted_removal_is_finished_later(database, elsewhere, record):
    class Broken(MemoryStorage):
        async def forget(self, tenant):
            raise OSError("the server was killed here")

    storage = Broken()
    await made_with_something_in_it(database, record, storage)
    with pytest.raises(OSError, match="killed"):
        await removal.remove(database, storage, record.id, default="")

    assert await tenants.enter(elsewhere, record.id) is None
    whole = MemoryStorage()
    whole.tenants = storage.tenants
    await database.tenants.records.update_one({"_id": record.id}, {"$set": {"lastmod": LONG_AGO}})
    await removal.clear(elsewhere, whole)

    assert await database.tenants.records.count_documents({}) == 0
    assert not await database.holds(record.database)
    assert record.id not in whole.tenants
    assert (await tenants.make(database, whole, RegisteredTenant(id=record.id, database=record.database), ADMIN))[
        "state"
    ]


async def test_of_a_model_and_an_experiment_with_one_external_id_at_two_servers_one_is_made(
    tenant, ada, elsewhere, monkeypatch
):
    there = ada.through(elsewhere.tenant(RegisteredTenant(id=tenant.name, database=tenant.database.name)))
    look = external_ids.refuse_taken

    async def looking(*given):
        await look(*given)
        await asyncio.sleep(0.05)  # without the lease the other one looks now

    async def model(caller):
        async with external_ids.reserved(caller.tenant, "one"):
            return await items.create(caller, Kind.MODEL, new_item(name="m", external_id="one"))

    monkeypatch.setattr(external_ids, "refuse_taken", looking)
    monkeypatch.setattr(external_ids, "queue_of", lambda *_: asyncio.Lock())  # servers share none
    new = NewExperiment(details=Details(name="e", external_id="one"))

    made, refused = await outcomes(model(ada), experiments.create(there, new, LIMITS))

    assert (len(made), [each.fault for each in refused]) == (1, [EXTERNAL_ID_TAKEN])

"""Writes to several collections: one command for all of them, or one for each, with the same effect."""

import asyncio
import math

import pytest
from bson import ObjectId
from pymongo.errors import AutoReconnect, BulkWriteError, ClientBulkWriteException, InvalidOperation, WriteError

from catalog.domain.items import items
from catalog.errors import NOT_FOUND, Refused
from catalog.store.concurrency.combined_writes import Writes, most_apart, write_all
from catalog.store.concurrency.fence import Fence
from catalog.store.tenant_documents import Update
from catalog.vocabulary import Kind
from tests.support.inputs import new_item
from tests.support.tenants import somebody

on_the_wire = pytest.mark.parametrize("database", ["wire"], indirect=True)

TOGETHER, APART = 0, math.inf


@pytest.fixture(params=[TOGETHER, APART], ids=["together", "apart"])
def most(request, tenant) -> float:
    tenant.known.most_apart = request.param
    return request.param


@pytest.fixture
def shared(tenant, monkeypatch) -> list[int]:
    """How many writes each command for several collections has."""
    counted, client = [], tenant.database.client
    bulk_write = client.bulk_write

    async def counting(operations, **options):
        counted.append(len(operations))
        return await bulk_write(operations, **options)

    monkeypatch.setattr(client, "bulk_write", counting)
    return counted


class LateWrites(Writes):
    """Writes whose command of their own reaches the database after the others are answered."""

    async def write(self) -> None:
        await asyncio.sleep(0.1)
        await super().write()


def counted(terms) -> Writes:
    return Writes(terms, [Update({"_id": "a"}, {"$inc": {"uses": 1}}, upsert=True)])


@pytest.mark.parametrize(
    ("server", "most"),
    [
        ({"version": "5"}, math.inf),
        ({"versionArray": [7, 0, 14, 0]}, math.inf),
        ({"versionArray": [8, 0, 4, 0]}, 0),
        ({"versionArray": [8, 2, 11, 0], "secantusVersion": "0.5.3"}, 16),
    ],
)
def test_what_a_server_says_of_itself_decides(server, most):
    assert most_apart(server) == most


@on_the_wire
async def test_an_item_is_found_by_its_terms_and_texts(tenant, most, shared):
    ada = await somebody(tenant)

    made = await items.create(
        ada, Kind.MODEL, new_item(name="iris", tags=["vision"], metadata=[{"name": "by", "value": "ada"}])
    )

    tag = await tenant.tags.records.find_one({"_id": "vision"})
    name = await tenant.metadata.records.find_one({"_id": "by"})
    entry = await tenant.search_entries.records.find_one({"_id": made["_id"]})
    assert [tag["uses"], name["uses"], entry["serial"]] == [1, 1, made["serial"]]
    assert shared == ([3] if most is TOGETHER else [])


@on_the_wire
async def test_a_record_that_is_there_stays_and_the_other_writes_are_made(tenant, most):
    entry = {"_id": ObjectId(), "serial": 1, "revision": 1, "names": [], "texts": []}
    other = {**entry, "_id": ObjectId(), "serial": 2}
    await write_all(tenant, [Writes(tenant.search_entries, records=[entry])])

    again = Writes(tenant.search_entries, records=[{**entry, "serial": 9}, other])
    await write_all(tenant, [again, counted(tenant.tags)])

    assert await tenant.search_entries.records.distinct("serial") == [1, 2]
    assert (await tenant.tags.records.find_one({"_id": "a"}))["uses"] == 1


@on_the_wire
async def test_a_write_that_the_database_refuses_is_raised_and_the_others_are_made(tenant, most):
    await tenant.tags.records.insert_one({"_id": "a", "uses": "many"})
    wrong = Update({"_id": "a"}, {"$inc": {"uses": 1}})
    good = Update({"_id": "b"}, {"$inc": {"uses": 1}}, upsert=True)

    with pytest.raises(WriteError if most is TOGETHER else BulkWriteError):
        await write_all(tenant, [Writes(tenant.tags, [wrong]), LateWrites(tenant.metadata, [good])])

    assert await tenant.metadata.records.find_one({"_id": "b"})


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        ({"error": AutoReconnect("gone")}, AutoReconnect),
        ({"error": None, "writeErrors": [], "writeConcernErrors": [{"code": 64}]}, ClientBulkWriteException),
    ],
)
@on_the_wire
async def test_what_is_not_acknowledged_is_raised(tenant, monkeypatch, failure, raised):
    async def fails(operations, **_):
        raise ClientBulkWriteException(failure, verbose=False)

    tenant.known.most_apart = TOGETHER
    monkeypatch.setattr(tenant.database.client, "bulk_write", fails)

    with pytest.raises(raised):
        await write_all(tenant, [counted(tenant.tags), counted(tenant.metadata)])


@on_the_wire
async def test_a_server_that_has_been_downgraded_gets_a_command_for_each_collection(tenant, monkeypatch):
    async def has_no_such_command(operations, **_):
        raise InvalidOperation("requires MongoDB server version 8.0+")

    tenant.known.most_apart = TOGETHER
    monkeypatch.setattr(tenant.database.client, "bulk_write", has_no_such_command)

    await write_all(tenant, [counted(tenant.tags), counted(tenant.metadata)])

    assert await tenant.tags.records.find_one({"_id": "a"})
    assert await tenant.metadata.records.find_one({"_id": "a"})


@on_the_wire
async def test_a_tenant_that_was_removed_is_not_written_to(tenant, most):
    async def removed(_: float) -> None:
        raise Refused(NOT_FOUND, "the tenant was removed meanwhile")

    gone = tenant.of_caller(Fence(removed))

    with pytest.raises(Refused):
        await write_all(gone, [counted(gone.tags), counted(gone.metadata)])

    assert await tenant.tags.records.find_one({}) is None

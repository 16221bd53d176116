"""Reads of one record that wait at the same time share a command, and none is older than its request."""

import asyncio

import pytest

from catalog.store.concurrency.shared_reads import SharedReads
from tests.support.heard import Heard, tenant_heard_by

MANY = 10


class Slow:
    """A collection whose reads wait until they may go on, after the database has answered them."""

    def __init__(self, collection):
        self._collection = collection
        self.has_read, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.failure: Exception | None = None

    def __getattr__(self, name):
        return getattr(self._collection, name)

    async def find_one(self, *args):
        found = await self._collection.find_one(*args)
        self.has_read.set()
        await self.may_go_on.wait()
        if self.failure:
            raise self.failure
        return found


@pytest.fixture
async def records(tenant):
    collection = tenant.collection("examples")
    await collection.insert_one({"_id": "iris", "tags": ["a"]})
    return collection


async def test_readers_of_one_record_share_commands_and_each_has_its_own_copy(mongo, storage):
    heard, reads = Heard(), SharedReads()
    async with tenant_heard_by(heard, mongo, storage) as tenant:
        records = tenant.collection("examples")
        await records.insert_one({"_id": "iris", "tags": ["a"]})
        heard.commands.clear()

        found = await asyncio.gather(*(reads.find_one(records, {"_id": "iris"}) for _ in range(MANY)))
        commands = list(heard.commands)

    for each in found:
        each["tags"].append(str(id(each)))
    assert commands == ["find", "find"]
    assert [len(each["tags"]) for each in found] == [2] * MANY


async def test_a_read_sees_what_was_written_before_it_began(records):
    reads, slow = SharedReads(), Slow(records)
    first = asyncio.ensure_future(reads.find_one(slow, {"_id": "iris"}))
    await slow.has_read.wait()
    await records.update_one({"_id": "iris"}, {"$set": {"tags": ["b"]}})

    second = asyncio.ensure_future(reads.find_one(slow, {"_id": "iris"}))
    slow.may_go_on.set()

    assert [each["tags"] for each in await asyncio.gather(first, second)] == [["a"], ["b"]]


async def test_readers_of_different_records_and_fields_do_not_wait_for_each_other(records):
    reads, slow = SharedReads(), Slow(records)
    first = asyncio.ensure_future(reads.find_one(slow, {"_id": "iris"}))
    await slow.has_read.wait()

    others = [
        await reads.find_one(records, {"_id": "rose"}),
        await reads.find_one(records, {"_id": "iris"}, {"_id": 1}),
    ]
    slow.may_go_on.set()
    await first

    assert others == [None, {"_id": "iris"}]


async def test_a_reader_who_gives_up_keeps_no_other_waiting(records):
    reads, slow = SharedReads(), Slow(records)
    first, second, third = (asyncio.ensure_future(reads.find_one(slow, {"_id": "iris"})) for _ in range(3))
    await slow.has_read.wait()

    first.cancel()
    second.cancel()
    slow.may_go_on.set()

    assert (await third)["tags"] == ["a"]
    assert [each.cancelled() for each in await settled(first, second)] == [True, True]


async def test_each_reader_hears_of_a_failure_and_the_next_one_reads(records):
    reads, slow = SharedReads(), Slow(records)
    readers = [asyncio.ensure_future(reads.find_one(slow, {"_id": "iris"})) for _ in range(3)]
    await slow.has_read.wait()
    slow.failure = OSError("the connection ends")
    slow.may_go_on.set()

    ended = await asyncio.gather(*readers, return_exceptions=True)

    assert [type(end) for end in ended] == [OSError] * 3
    assert (await reads.find_one(records, {"_id": "iris"}))["tags"] == ["a"]


async def settled(*tasks):
    await asyncio.gather(*tasks, return_exceptions=True)
    return tasks

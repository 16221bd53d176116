"""One server at a time works on a record, also when a clock is wrong or a server is away."""

import asyncio
from datetime import timedelta

import pytest

from catalog.store.clock import AHEAD, now
from catalog.store.concurrency.leases import Lease, LeaseLostError, free

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def lease(database):
    collection = database.client["leases"]["records"]
    await collection.insert_one({"_id": "record", "state": "ready"})

    def lease(length=MINUTE, **more):
        return Lease(collection, "record", length, until="until", owner="owner", where={"state": "ready"}, **more)

    lease.collection = collection
    yield lease
    await collection.drop()


async def test_a_lease_is_acquired_once_until_it_is_released(lease):
    first, second = lease(), lease()

    acquired = [await each.acquire() is not None for each in (first, second)]
    await first.release()
    after = await second.acquire()

    assert acquired == [True, False]
    assert after["owner"] == second.token


async def test_of_many_who_ask_at_once_one_acquires_the_lease(lease):
    acquired = await asyncio.gather(*(lease().acquire() for _ in range(16)))

    assert [record is not None for record in acquired].count(True) == 1


async def test_a_lease_that_is_not_renewed_ends(lease):
    first, second = lease(-timedelta(seconds=1)), lease()
    await first.acquire()

    assert await second.acquire() is not None
    assert not await first.renew()
    await first.release()
    with pytest.raises(LeaseLostError):
        await first.check()
    assert await second.renew()
    assert (await second.read("until"))["until"] > now()


async def test_a_lease_from_a_clock_that_was_far_ahead_is_free(lease):
    await lease(AHEAD * 2).acquire()

    assert await lease.collection.count_documents(free("until")) == 1
    assert await lease().acquire() is not None


async def test_a_condition_is_part_of_the_same_write(lease):
    assert await lease().acquire({"due": True}) is None
    assert await lease().take({"state": "gone"}) is None
    assert await lease().take({"state": "ready"}, {"note": "taken"}) is not None
    assert (await lease.collection.find_one({}))["note"] == "taken"


async def test_a_body_whose_lease_is_lost_is_cancelled(lease):
    first, second = lease(), lease()
    await first.acquire()

    async def body():
        async with first.renewed(0.001):
            await second.take({})
            await asyncio.Event().wait()

    with pytest.raises(LeaseLostError):
        await body()
    assert (await lease.collection.find_one({}))["owner"] == second.token


async def test_a_time_out_of_the_body_is_no_lost_lease(lease):
    first = lease()
    await first.acquire()

    with pytest.raises(TimeoutError, match="of the body"):
        async with first.renewed(MINUTE.total_seconds()):
            raise TimeoutError("of the body")


async def test_a_lease_is_lost_when_its_record_changes_state(lease):
    first = lease()
    await first.acquire()

    async def body():
        async with first.renewed(0.001):
            await lease.collection.update_one({}, {"$set": {"state": "removing"}})
            await asyncio.Event().wait()

    with pytest.raises(LeaseLostError):
        await body()

"""A change that another overtakes is made again on what the other wrote."""

import pytest

from catalog.errors import BUSY, Refused
from catalog.store.concurrency import optimistic
from catalog.store.concurrency.optimistic import RecordGoneError, revise


@pytest.fixture
async def records(database):
    records = database.client["optimistic"]["records"]
    await records.insert_one({"_id": 1, "revision": 1, "sum": 0})
    yield records
    await records.drop()


def overtaken(records, times):
    """Changes that add one to the sum, and that another change overtakes so many times."""
    seen = []

    async def changes(record):
        if len(seen) < times:
            await records.update_one({"_id": 1}, {"$inc": {"revision": 1, "sum": 10}})
        seen.append(record["revision"])
        return {"sum": record["sum"] + 1}

    return changes


async def test_a_change_is_made_again_until_nobody_was_first(records):
    before, after = await revise(records, lambda: records.find_one({"_id": 1}), overtaken(records, 3))

    assert (before["sum"], after["sum"]) == (30, 31)
    assert after["revision"] == 5


async def test_a_record_that_was_read_already_is_not_read_again(records):
    async def read():
        raise AssertionError

    revised = await revise(records, read, overtaken(records, 0), first=await records.find_one({"_id": 1}))

    assert revised.after["sum"] == 1


async def test_a_record_that_is_gone_ends_the_attempts(records):
    with pytest.raises(RecordGoneError):
        await revise(records, lambda: records.find_one({"_id": 2}), overtaken(records, 0))


async def test_the_attempts_are_bounded(records, monkeypatch):
    monkeypatch.setattr(optimistic, "ATTEMPTS", 3)

    with pytest.raises(Refused) as refusal:
        await revise(records, lambda: records.find_one({"_id": 1}), overtaken(records, 4))

    assert refusal.value.fault is BUSY


async def test_a_condition_besides_the_revision_must_hold(records, monkeypatch):
    monkeypatch.setattr(optimistic, "ATTEMPTS", 2)

    with pytest.raises(Refused):
        await revise(records, lambda: records.find_one({"_id": 1}), overtaken(records, 0), where={"state": "draft"})

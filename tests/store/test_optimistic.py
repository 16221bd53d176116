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


async def test_of_a_long_list_only_what_is_new_is_written(records):
    words = [{"name": f"n{at}", "value": at} for at in range(40)]
    await records.update_one({"_id": 1}, {"$set": {"words": words}})

    async def changes(record):
        one, *others = record["words"]
        return {"words": [{**one, "value": False}, *others, {"name": "last", "value": 40}]}

    _, after = await revise(records, lambda: records.find_one({"_id": 1}), changes)

    stored = await records.find_one({"_id": 1})
    assert stored == after
    assert stored["words"][0]["value"] is False  # though it equals the 0 that was there
    assert [word["name"] for word in stored["words"][1:]] == [*(f"n{at}" for at in range(1, 40)), "last"]


@pytest.mark.parametrize("shape", [lambda words: words[1:], lambda words: words[::-1], lambda _: []])
async def test_a_long_list_that_is_another_is_written_whole(records, shape):
    await records.update_one({"_id": 1}, {"$set": {"words": list(range(300, 340))}})

    async def changes(record):
        return {"words": shape(record["words"])}

    await revise(records, lambda: records.find_one({"_id": 1}), changes)

    assert (await records.find_one({"_id": 1}))["words"] == shape(list(range(300, 340)))

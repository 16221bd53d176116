"""A record gets a key that no record has, although the database refuses to insert it: `secantusd-rs` keeps old keys."""

import pytest
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from catalog.store.failures import Duplicate

NAMED = {"owner": ObjectId(), "name": "iris", "name_key": "iris"}


@pytest.fixture
def groups(tenant, monkeypatch):
    """The groups in a database that keeps the key of a group which was renamed."""
    records = tenant.groups.records
    insert_many = records.insert_many

    async def refusing(inserted, **options):
        for record in inserted:
            record.setdefault("_id", ObjectId())
        if any(record["name_key"] == "iris" for record in inserted):
            raise DuplicateKeyError("E11000 duplicate key error", 11000, {"keyValue": {"name_key": "iris"}})
        return await insert_many(inserted, **options)

    monkeypatch.setattr(records, "insert_many", refusing)
    return tenant.groups


async def all_of(groups) -> list[dict]:
    return await groups.records.find({}, {"_id": 0, "owner": 0}).to_list(None)


async def test_a_key_that_no_record_has_any_more_is_taken(groups):
    await groups.insert_record(dict(NAMED))

    assert await all_of(groups) == [{"name": "iris", "name_key": "iris"}]


async def test_the_other_records_of_the_command_are_inserted(groups):
    roses = {**NAMED, "name": "roses", "name_key": "roses"}

    assert await groups.insert_each([dict(NAMED), roses]) == [None, None]

    assert [group["name"] for group in await all_of(groups)] == ["iris", "roses"]


async def test_a_key_that_another_record_has_is_refused(groups):
    await groups.insert_record(dict(NAMED))

    with pytest.raises(Duplicate):
        await groups.insert_record(dict(NAMED))

    assert await all_of(groups) == [{"name": "iris", "name_key": "iris"}]


async def test_a_key_that_another_record_gets_at_that_moment_is_refused(groups, monkeypatch):
    await groups.insert_record({**NAMED, "name": "Iris"})
    find_one = groups.records.find_one

    async def before_it_was_there(query, *_):
        return None if "name_key" in query else await find_one(query)

    monkeypatch.setattr(groups.records, "find_one", before_it_was_there)

    with pytest.raises(Duplicate):
        await groups.insert_record(dict(NAMED))

    assert await all_of(groups) == [{"name": "Iris", "name_key": "iris"}]

"""Writes of several records in one command: what the database does not acknowledge is never taken for written."""

import pytest
from pymongo.errors import BulkWriteError

NOT_REPLICATED = {"code": 64, "errmsg": "waiting for replication timed out"}
NAME_IS_TAKEN = {"index": 1, "code": 11000, "errmsg": "duplicate key"}


@pytest.fixture
def unacknowledged(tenant, monkeypatch):
    """The collection of tags of a server that loses its majority while it writes."""

    async def fails(records, **_):
        raise BulkWriteError({"writeErrors": [NAME_IS_TAKEN], "writeConcernErrors": [NOT_REPLICATED]})

    monkeypatch.setattr(tenant.tags.records, "insert_many", fails)
    return tenant.tags


@pytest.mark.parametrize("method", ["insert_each", "insert_new", "insert_missing"])
async def test_records_that_are_not_acknowledged_are_not_inserted(unacknowledged, method):
    with pytest.raises(BulkWriteError):
        await getattr(unacknowledged, method)([{"_id": "a"}, {"_id": "b"}])


async def test_records_that_are_there_already_are_told_apart_from_new_ones(tenant):
    await tenant.tags.insert_missing([{"_id": "a", "uses": 1}])

    assert await tenant.tags.insert_new([{"_id": "b", "uses": 1}, {"_id": "a", "uses": 2}]) == [1]
    assert await tenant.tags.records.distinct("uses") == [1]

"""Writes to several collections of one tenant, in one command where that takes the least time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import InsertOne, UpdateOne
from pymongo.errors import ClientBulkWriteException, InvalidOperation, PyMongoError

from catalog.gathering import gather_all
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import DUPLICATE_KEY, BoundCollection, Update, write_error

BULK_WRITE = 8
"""The first version of MongoDB that has `bulkWrite`, the command for several collections."""

FEW = 16
"""Up to so many writes go to an embedded engine as one command for each collection. It syncs its disk for each write of
a `bulkWrite`: a lone writer waits less for several commands at the same time."""


@dataclass(frozen=True)
class Writes:
    """Writes to one collection, in any order: updates of one record each, and new records, unless they are there."""

    collection: BoundCollection[Any, Any]
    updates: Sequence[Update] = ()
    records: Sequence[Mapping[str, Any]] = ()

    @property
    def total(self) -> int:
        return len(self.updates) + len(self.records)

    def operations(self) -> list[InsertOne[Any] | UpdateOne]:
        namespace = f"{self.collection.records.database.name}.{self.collection.name}"
        return [
            *(UpdateOne(*update, namespace=namespace) for update in self.updates),
            *(InsertOne(record, namespace=namespace) for record in self.records),
        ]

    async def write(self) -> None:
        if self.updates:
            await self.collection.modify_all(self.updates)
        if self.records:
            await self.collection.insert_missing(self.records)


def most_apart(server: Mapping[str, Any]) -> float:
    """Up to how many writes go as a command for each collection, by what the server says of itself in `buildInfo`."""
    if server.get("versionArray", [0])[0] < BULK_WRITE:
        return math.inf
    return FEW if "secantusVersion" in server else 0


async def write_all(tenant: Tenant, requested: Sequence[Writes]) -> None:
    """Make several writes, in any order. Raises DatabaseError; all have ended then, and some of them may be made."""
    writes = [each for each in requested if each.total]
    is_together = len(writes) > 1 and sum(each.total for each in writes) > tenant.known.most_apart
    if not (is_together and await _write_at_once(writes)):
        await gather_all(each.write() for each in writes)


async def _write_at_once(writes: Sequence[Writes]) -> bool:
    """False when the server has no command for it: it has been downgraded since the start."""
    for each in writes:
        await each.collection.cross_fence()
    operations = [operation for each in writes for operation in each.operations()]
    client: Any = writes[0].collection.records.database.client
    try:
        await client.bulk_write(operations, ordered=False)
    except InvalidOperation:
        return False
    except ClientBulkWriteException as failure:
        if isinstance(failure.error, PyMongoError):  # what other commands raise as it is, such as a lost connection
            raise failure.error from None
        if failure.write_concern_errors:  # none is acknowledged
            raise
        errors: Sequence[Mapping[str, Any]] = failure.details["writeErrors"]
        for error in errors:
            if not ("insert" in error["op"] and error["code"] == DUPLICATE_KEY):
                raise write_error(error) from None
    return True

"""Updates of several collections of one tenant, in one command where the server has one for that."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import UpdateOne
from pymongo.errors import ClientBulkWriteException, InvalidOperation, PyMongoError

from catalog.store.tenant_collections import TermCollection
from catalog.store.tenant_documents import Update

FEW = 16
"""Updates that go as one command for each collection, at the same time: a writer who comes alone waits less for them,
since the embedded engines sync once for each update of a command. More of them share one command."""


async def update_all(updates: Mapping[TermCollection, Sequence[Update]]) -> None:
    """Make updates, each on one record, in any order.

    More than FEW are one command for all collections on a server that has `bulkWrite` (MongoDB 8). Else it is one for
    each collection, at the same time.
    """
    wanted = {collection: several for collection, several in updates.items() if several}
    are_many = sum(map(len, wanted.values())) > FEW
    if are_many and len(wanted) > 1 and await _update_at_once(wanted):
        return
    await asyncio.gather(*(collection.modify_all(several) for collection, several in wanted.items()))


async def _update_at_once(updates: Mapping[TermCollection, Sequence[Update]]) -> bool:
    """False when the server has no such command."""
    for collection in updates:
        await collection.cross_fence()
    client: Any = next(iter(updates)).raw.database.client
    if type(client) is not AsyncIOMotorClient:  # the mock of the tests has no such command
        return False
    operations = [
        UpdateOne(*update, namespace=f"{collection.raw.database.name}.{collection.raw.name}")
        for collection, several in updates.items()
        for update in several
    ]
    try:
        await client.bulk_write(operations, ordered=False)
    except InvalidOperation:
        return False
    except ClientBulkWriteException as failure:
        # The driver wraps what other commands raise as it is, such as a lost connection.
        raise (failure.error if isinstance(failure.error, PyMongoError) else failure) from None
    return True

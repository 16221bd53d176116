"""Reads by several conditions: the first one finds the records, and the others are compared with those alone.

Each condition has a `$match` of its own, as the embedded engines choose an index by the first `$match` (see
`serial_scan`).
"""

from collections.abc import Sequence

from motor.motor_asyncio import AsyncIOMotorCollection

from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.records import Query
from catalog.store.tenant_documents import R


async def find_all(
    collection: AsyncIOMotorCollection[R], conditions: Sequence[Query], limit: int, fields: Query | None = None
) -> list[R]:
    """The records that match all conditions, at most `limit`, in any order."""
    return await _read(collection, conditions, [{"$limit": limit}], limit, fields)


async def find_newest(
    collection: AsyncIOMotorCollection[R], conditions: Sequence[Query], limit: int, fields: Query | None = None
) -> list[R]:
    """The records that match all conditions, at most `limit`, in descending order of their serials."""
    newest: list[Query] = [{"$sort": {"serial": DESCENDING}}, {"$limit": limit}]
    return await _read(collection, conditions, newest, limit, fields)


async def _read(
    collection: AsyncIOMotorCollection[R],
    conditions: Sequence[Query],
    chosen: Sequence[Query],
    limit: int,
    fields: Query | None,
) -> list[R]:
    stages: list[Query] = [*({"$match": condition} for condition in conditions), *chosen]
    if fields:
        stages.append({"$project": fields})
    return await collection.aggregate(stages, batchSize=limit).to_list(limit)

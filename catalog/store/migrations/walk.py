"""A walk through a whole collection, in batches and in the order of ids."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from pymongo import ASCENDING

from catalog.store.tenant_documents import BoundCollection, D, R

BATCH = 500
"""Records of a batch. Each is a read of its own: a cursor does not live as long as a step may take."""


async def batches(
    collection: BoundCollection[D, R], fields: Mapping[str, Any], size: int = BATCH
) -> AsyncIterator[list[R]]:
    """The records of a collection with these fields. Records that are created meanwhile may be missing."""
    after: dict[str, Any] = {}
    while True:
        batch = await collection.records.find(after, dict(fields)).sort("_id", ASCENDING).limit(size).to_list(size)
        if batch:
            yield batch
        if len(batch) < size:
            return
        after = {"_id": {"$gt": batch[-1]["_id"]}}

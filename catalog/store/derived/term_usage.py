"""How items use terms, counted by the database. `field` is `tags` or `metadata.name`. Answers are sorted by term.

Archived items do not count.
"""

from collections.abc import AsyncIterator
from typing import Any

from pymongo import ASCENDING

from catalog.store.tenant_collections import ItemCollection
from catalog.vocabulary import PUBLIC_READER

Stages = list[dict[str, Any]]

MOST_VIEWERS = 50
"""How many readers of a private item, the owner first, have its terms counted for them.

The counts must not grow as the product of terms and readers. The other readers see the terms on the item only.
"""
COUNTED: Stages = [{"$match": {"archived": {"$ne": True}}}]


async def uses(items: ItemCollection, field: str) -> AsyncIterator[tuple[str, int]]:
    """Each term, and how many items have it."""
    stages: Stages = [
        *COUNTED,
        {"$project": {field: 1}},
        {"$unwind": f"${field.partition('.')[0]}"},
        {"$group": {"_id": f"${field}", "uses": {"$sum": 1}}},
        {"$sort": {"_id": ASCENDING}},
    ]
    async for line in items.aggregate(stages, allowDiskUse=True):
        yield line["_id"], line["uses"]


async def views(items: ItemCollection, field: str) -> AsyncIterator[tuple[str, str, int]]:
    """Each term with each of its viewers, and on how many items that viewer sees it.

    The viewers of an item are its first readers, MOST_VIEWERS of them, or `public` alone.
    """
    public = {"$in": [PUBLIC_READER, "$readers"]}
    viewers = {"$cond": [public, [PUBLIC_READER], {"$slice": ["$readers", MOST_VIEWERS]}]}
    stages: Stages = [
        *COUNTED,
        {"$project": {field: 1, "viewer": viewers}},
        {"$unwind": f"${field.partition('.')[0]}"},
        {"$unwind": "$viewer"},
        {"$group": {"_id": {"term": f"${field}", "viewer": "$viewer"}, "items": {"$sum": 1}}},
        {"$sort": {"_id": ASCENDING}},
    ]
    async for line in items.aggregate(stages, allowDiskUse=True):
        yield line["_id"]["term"], str(line["_id"]["viewer"]), line["items"]

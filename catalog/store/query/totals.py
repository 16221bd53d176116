"""What the database computes over the versions of a tenant: sums and highest numbers."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from bson import ObjectId

from catalog.store.records import Query
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

LONGEST_MS = 30_000
"""For how long the database adds up the sizes of all versions; then it counts as unavailable."""


class ItemSize(NamedTuple):
    """What the versions of an item weigh together. Bytes that two of them share count twice."""

    item: ObjectId
    kind: Kind
    versions: int
    bytes: int


class HighestNumber(NamedTuple):
    """The highest number that a version of an item has."""

    item: ObjectId
    kind: Kind
    number: int


async def largest_items(tenant: Tenant, limit: int) -> list[ItemSize]:
    """The items whose versions weigh most, the heaviest first, with those in the trash."""
    by_item = {"_id": {"item": "$item", "kind": "$kind"}, "bytes": {"$sum": "$size"}, "versions": {"$sum": 1}}
    stages: Sequence[Query] = [{"$group": by_item}, {"$sort": {"bytes": -1}}, {"$limit": limit}]
    found = await tenant.versions.aggregate(stages, allowDiskUse=True, maxTimeMS=LONGEST_MS).to_list(None)
    return [ItemSize(line["_id"]["item"], Kind(line["_id"]["kind"]), line["versions"], line["bytes"]) for line in found]


async def highest_numbers(tenant: Tenant) -> AsyncIterator[HighestNumber]:
    """The highest number of each item that has versions, in any order."""
    by_item = {"_id": {"item": "$item", "kind": "$kind"}, "number": {"$max": "$number"}}
    async for line in tenant.versions.aggregate([{"$group": by_item}]):
        yield HighestNumber(line["_id"]["item"], Kind(line["_id"]["kind"]), line["number"])


async def highest_number(tenant: Tenant, equal: Query, condition: Query) -> int | None:
    """The highest number of the versions that match both; None if there is none.

    The equalities have a `$match` of their own: the embedded engine chooses an index by that (see `serial_scan`).
    """
    stages: Sequence[Query] = [
        {"$match": equal},
        {"$match": condition},
        {"$group": {"_id": None, "number": {"$max": "$number"}}},
    ]
    found = await tenant.versions.aggregate(stages).to_list(1)
    return int(found[0]["number"]) if found else None

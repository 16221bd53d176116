"""The items of a tenant that take the most storage."""

from typing import Any, NamedTuple

from bson import ObjectId

from catalog.store.records import ItemRecord, TrashRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

MOST = 100

LONGEST_MS = 30_000
"""For how long the database adds up the sizes of all versions; then it counts as unavailable."""


class ItemUsage(NamedTuple):
    """What the versions of an item weigh together. Bytes that two of them share count twice."""

    item: ObjectId
    kind: Kind
    name: str
    owner: ObjectId | None
    is_removed: bool  # it is in the trash
    versions: int
    bytes: int


async def largest(tenant: Tenant, limit: int) -> list[ItemUsage]:
    """The items whose versions weigh most, the heaviest first, with those in the trash."""
    by_item = {"_id": {"item": "$item", "kind": "$kind"}, "bytes": {"$sum": "$size"}, "versions": {"$sum": 1}}
    stages: list[dict[str, Any]] = [{"$group": by_item}, {"$sort": {"bytes": -1}}, {"$limit": min(limit, MOST)}]
    found = await tenant.versions.raw.aggregate(stages, allowDiskUse=True, maxTimeMS=LONGEST_MS).to_list(None)
    among = {"_id": {"$in": [line["_id"]["item"] for line in found]}}
    records: dict[ObjectId, ItemRecord | TrashRecord] = {}
    async for entry in tenant.trash.records.find(among, {"name": 1, "owner": 1}):
        records[entry["_id"]] = entry
    removed = set(records)
    for kind in Kind:
        async for item in tenant.items(kind).records.find(among, {"name": 1, "owner": 1}):
            records[item["_id"]] = item
    return [
        ItemUsage(
            item=identity,
            kind=Kind(line["_id"]["kind"]),
            name=record["name"] if record else "",
            owner=record["owner"] if record else None,
            is_removed=identity in removed,
            versions=line["versions"],
            bytes=line["bytes"],
        )
        for line in found
        for identity in [line["_id"]["item"]]
        for record in [records.get(identity)]
    ]

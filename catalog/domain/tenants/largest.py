"""The items of a tenant that take the most storage."""

from typing import NamedTuple

from bson import ObjectId

from catalog.store.query.totals import largest_items
from catalog.store.records import ItemRecord, TrashRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

MOST = 100


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
    found = await largest_items(tenant, min(limit, MOST))
    among = {"_id": {"$in": [size.item for size in found]}}
    records: dict[ObjectId, ItemRecord | TrashRecord] = {}
    async for entry in tenant.trash.records.find(among, {"name": 1, "owner": 1}):
        records[entry["_id"]] = entry
    removed = set(records)
    for kind in Kind:
        async for item in tenant.items(kind).records.find(among, {"name": 1, "owner": 1}):
            records[item["_id"]] = item
    return [
        ItemUsage(
            item=size.item,
            kind=size.kind,
            name=record["name"] if record else "",
            owner=record["owner"] if record else None,
            is_removed=size.item in removed,
            versions=size.versions,
            bytes=size.bytes,
        )
        for size in found
        for record in [records.get(size.item)]
    ]

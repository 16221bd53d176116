"""What the search knows of items: the n-grams of their texts, in a collection of their own.

They are not part of the item: the embedded engine writes all index entries of a record again whenever it changes, and
n-grams are many. An entry is written after its item, so that a crash may leave it missing, out of date, or without an
item. A search reads the items that it finds, and a repair, which runs once a day, writes what is wrong.
"""

from collections.abc import Iterable, Sequence

from bson import ObjectId

from catalog.store.concurrency.combined_writes import Writes
from catalog.store.failures import Duplicate
from catalog.store.migrations.walk import batches
from catalog.store.query.text_grams import name_grams, text_grams
from catalog.store.records import ItemRecord, Query, SearchEntryRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

FIELDS = {"serial": 1, "revision": 1, "name": 1, "description": 1, "metadata": 1}
"""Fields of an item that its entry is made of."""


def entry_of(kind: Kind, item: ItemRecord) -> SearchEntryRecord:
    return {
        "_id": item["_id"],
        "serial": item["serial"],
        "revision": item["revision"],
        "names": name_grams(kind, item["name"]),
        "texts": text_grams(kind, _values(item), item.get("description", "")),
    }


def _values(item: ItemRecord) -> Iterable[str]:
    return (pair["value"] for pair in item["metadata"] if isinstance(pair["value"], str))


def of_new(tenant: Tenant, kind: Kind, items: Sequence[ItemRecord]) -> Writes:
    """The entries of new items, to be written."""
    return Writes(tenant.search_entries, records=[entry_of(kind, item) for item in items])


async def update(tenant: Tenant, kind: Kind, before: ItemRecord | None, after: ItemRecord | None) -> None:
    """Write the entry of an item after a change of it, if the change concerns the search."""
    if after is None:
        if before is not None:
            await tenant.search_entries.records.delete_one({"_id": before["_id"]})
        return
    if before is not None and not _differ(before, after):
        return
    entry = entry_of(kind, after)
    if before is None or not _is_same(entry_of(kind, before), entry):
        await write(tenant, entry)


def _differ(before: ItemRecord, after: ItemRecord) -> bool:
    return any(before.get(field) != after.get(field) for field in ("name", "description", "metadata"))


async def write(tenant: Tenant, entry: SearchEntryRecord) -> None:
    """Write an entry, unless one of a later revision is there."""
    older: Query = {"_id": entry["_id"], "revision": {"$lte": entry["revision"]}}
    try:
        await tenant.search_entries.records.replace_one(older, entry, upsert=True)
    except Duplicate:
        return


async def repair(tenant: Tenant) -> int:
    """Write the entries that are missing or wrong, remove those without an item, and return how many there were."""
    repaired = 0
    for kind in Kind:
        async for items in batches(tenant.items(kind), FIELDS):
            repaired += await _repair_some(tenant, kind, items)
    async for entries in batches(tenant.search_entries, {"_id": 1}):
        repaired += await _remove_orphans(tenant, [entry["_id"] for entry in entries])
    return repaired


async def _repair_some(tenant: Tenant, kind: Kind, items: list[ItemRecord]) -> int:
    keys = [item["_id"] for item in items]
    there = {entry["_id"]: entry async for entry in tenant.search_entries.records.find({"_id": {"$in": keys}})}
    expected = [entry_of(kind, item) for item in items]
    missing = [entry for entry in expected if entry["_id"] not in there]
    if missing:
        await tenant.search_entries.insert_missing(missing)
    wrong = [entry for entry in expected if entry["_id"] in there and not _is_same(there[entry["_id"]], entry)]
    for entry in wrong:
        await write(tenant, entry)
    return len(missing) + len(wrong)


def _is_same(one: SearchEntryRecord, other: SearchEntryRecord) -> bool:
    return one["names"] == other["names"] and one["texts"] == other["texts"] and one["serial"] == other["serial"]


async def _remove_orphans(tenant: Tenant, keys: list[ObjectId]) -> int:
    left = set(keys)
    for kind in Kind:
        async for item in tenant.items(kind).records.find({"_id": {"$in": list(left)}}, {"_id": 1}):
            left.discard(item["_id"])
    if left:
        await tenant.search_entries.records.delete_many({"_id": {"$in": list(left)}})
    return len(left)

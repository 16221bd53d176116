"""What is shown with items: their users, datasets and versions, with one query of each for a whole page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING

from catalog.domain.access import Caller, may_read
from catalog.store.database import Tenant
from catalog.store.seam import Raw

NEWEST = 1000
"""How many versions an item shows."""


class Related(NamedTuple):
    """By id: users, the datasets that the caller may read, and each item's newest versions, oldest first."""

    users: Mapping[ObjectId, Raw]
    datasets: Mapping[ObjectId, Raw]
    versions: Mapping[ObjectId, Sequence[Raw]]


async def related(tenant: Tenant, items: Sequence[Raw], caller: Caller) -> Related:
    datasets = await _by_id(tenant.datasets.raw, (key for item in items for key in item.get("datasets", ())))
    readable = {key: dataset for key, dataset in datasets.items() if may_read(caller, dataset)}
    shown = [*items, *readable.values()]
    users = await _by_id(tenant.users.raw, (key for item in shown for key in item["users"]))
    return Related(users, readable, await _versions(tenant, shown))


async def users_of(tenant: Tenant, words: Sequence[Raw]) -> Mapping[ObjectId, Raw]:
    """Whoever first used the words, by id."""
    return await _by_id(tenant.users.raw, (word["owner"] for word in words if word.get("owner")))


async def _by_id(collection: Any, keys: Iterable[ObjectId]) -> dict[ObjectId, Raw]:
    wanted = list(set(keys))
    if not wanted:
        return {}
    return {found["_id"]: found async for found in collection.find({"_id": {"$in": wanted}})}


async def _versions(tenant: Tenant, items: Sequence[Raw]) -> dict[ObjectId, list[Raw]]:
    collection = tenant.versions.raw
    few = [item["_id"] for item in items if 0 < item["last_version"] <= NEWEST]
    many = [item["_id"] for item in items if item["last_version"] > NEWEST]
    versions: dict[ObjectId, list[Raw]] = {item["_id"]: [] for item in items}
    if few:
        async for version in collection.find({"item": {"$in": few}}).sort([("item", ASCENDING), ("number", ASCENDING)]):
            versions[version["item"]].append(version)
    for item in many:
        newest = await collection.find({"item": item}).sort("number", DESCENDING).limit(NEWEST).to_list(NEWEST)
        versions[item] = newest[::-1]
    return versions

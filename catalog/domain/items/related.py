"""What is shown with items: their users, datasets and versions.

For a page of items each is one query. For one item by its id they are read with the item itself, in one command: a
command costs the server more than the rest of such a request.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING

from catalog.domain.access import Caller, may_read
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.store.database import Tenant
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, VersionState

NEWEST = 100
"""How many versions an item shows. The rest is in the list of its versions."""

SHOWN: Raw = {"state": {"$ne": VersionState.DRAFT.value}}
"""Drafts are shown in the list of versions only, to users who may change the item."""

BRIEF = {"files": {"$slice": 1}, "inspection": 0}
"""A folder may have thousands of files, and an inspection may be long."""

BRIEF_STAGES: list[Raw] = [{"$set": {"files": {"$slice": ["$files", 1]}}}, {"$project": {"inspection": 0}}]
"""The same in a pipeline."""


class Related(NamedTuple):
    """What belongs to items, by id."""

    users: Mapping[ObjectId, Raw]
    datasets: Mapping[ObjectId, Raw]  # that the caller may read
    versions: Mapping[ObjectId, Sequence[Raw]]  # of each item the newest, oldest first
    totals: Mapping[ObjectId, int]  # versions of each item that has more than are shown

    def total(self, item: ObjectId) -> int:
        """How many versions an item has, drafts aside."""
        return self.totals.get(item, len(self.versions[item]))


async def load_related(caller: Caller, shown: Sequence[Raw]) -> Related:
    tenant = caller.tenant
    datasets = await _by_id(tenant.datasets.raw, (key for item in shown for key in item.get("datasets", ())))
    readable = {key: dataset for key, dataset in datasets.items() if may_read(caller, dataset)}
    shown = [*shown, *readable.values()]
    users = await _by_id(tenant.users.raw, (key for item in shown for key in item["users"]))
    versions = await _versions(tenant, shown)
    return Related(users, readable, versions, await _totals(tenant, versions))


async def read_with_related(caller: Caller, kind: Kind, reference: Reference) -> tuple[Raw, Related]:
    """Return the item that a reference names, and what is shown with it.

    Raises Refused: NOT_FOUND, CANNOT_READ, AMBIGUOUS.
    """
    tenant, identity = caller.tenant, reference.identity
    found: list[Raw] = []
    if identity is not None:
        stages = [{"$match": {"_id": identity}}, *_with_related(tenant, kind)]
        found = await tenant.items(kind).raw.aggregate(stages).to_list(1)
    if not found:  # a name, also one that looks like an id
        item = await items.read(caller, kind, reference)
        return item, await load_related(caller, [item])
    item = items.readable(caller, found[0], reference)
    datasets = {dataset["_id"]: dataset for dataset in item.pop("_datasets", ()) if may_read(caller, dataset)}
    shown = [item, *datasets.values()]
    users = {user["_id"]: user for each in shown for user in each.pop("_users")}
    versions = {each["_id"]: each.pop("_versions")[::-1] for each in shown}
    return item, Related(users, datasets, versions, await _totals(tenant, versions))


def _with_related(tenant: Tenant, kind: Kind) -> list[Raw]:
    """Pipeline stages that add `_users`, `_versions` (newest first) and `_datasets` to each item."""
    newest: list[Raw] = [{"$match": SHOWN}, {"$sort": {"number": DESCENDING}}, {"$limit": NEWEST}, *BRIEF_STAGES]
    own = [
        _lookup(tenant.users.raw, "users", "_id", "_users"),
        _lookup(tenant.versions.raw, "_id", "item", "_versions", newest),
    ]
    return own if kind is Kind.DATASET else [*own, _lookup(tenant.datasets.raw, "datasets", "_id", "_datasets", own)]


def _lookup(collection: Any, local: str, foreign: str, name: str, stages: Sequence[Raw] = ()) -> Raw:
    asked = {"from": collection.name, "localField": local, "foreignField": foreign, "as": name}
    return {"$lookup": {**asked, "pipeline": list(stages)} if stages else asked}


async def load_owners(caller: Caller, terms: Sequence[Raw]) -> Mapping[ObjectId, Raw]:
    """The users who first used the terms, by id."""
    return await _by_id(caller.tenant.users.raw, (term["owner"] for term in terms if term.get("owner")))


async def _by_id(collection: Any, keys: Iterable[ObjectId]) -> dict[ObjectId, Raw]:
    wanted = list(set(keys))
    if not wanted:
        return {}
    return {found["_id"]: found async for found in collection.find({"_id": {"$in": wanted}})}


async def _versions(tenant: Tenant, shown: Sequence[Raw]) -> dict[ObjectId, list[Raw]]:
    collection = tenant.versions.raw
    few = [item["_id"] for item in shown if 0 < item["last_version"] <= NEWEST]
    many = [item["_id"] for item in shown if item["last_version"] > NEWEST]
    versions: dict[ObjectId, list[Raw]] = {item["_id"]: [] for item in shown}
    if few:
        found = collection.find({"item": {"$in": few}, **SHOWN}, BRIEF)
        async for version in found.sort([("item", ASCENDING), ("number", ASCENDING)]):
            versions[version["item"]].append(version)
    for item in many:
        found = collection.find({"item": item, **SHOWN}, BRIEF)
        newest = await found.sort("number", DESCENDING).limit(NEWEST).to_list(NEWEST)
        versions[item] = newest[::-1]
    return versions


async def _totals(tenant: Tenant, versions: Mapping[ObjectId, Sequence[Raw]]) -> dict[ObjectId, int]:
    """Only items that show as many versions as they may can have more."""
    full = [item for item, found in versions.items() if len(found) == NEWEST]
    return {item: await tenant.versions.raw.count_documents({"item": item, **SHOWN}) for item in full}

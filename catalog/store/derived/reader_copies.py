"""Copies of who may read an item or an experiment, on the records that belong to it: an index serves lists of them.

The item or the experiment decides. A copy may be out of date for a moment, so what a list shows is checked against
them. A change of the readers is spread at once; the item keeps the moment (`readers_changed`), and a later sweep
spreads it again, for records that were written meanwhile and after a crash.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from bson import ObjectId
from pymongo import ASCENDING

from catalog.store.clock import now
from catalog.store.migrations.walk import batches
from catalog.store.records import ItemRecord, Query, TrackedRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import BoundCollection, Update
from catalog.vocabulary import PUBLIC_READER, Kind

Readers = list[ObjectId | str]
Tracked = BoundCollection[Any, TrackedRecord]

MOST = 32
"""Readers that a copy names. An item that is shared with more of them one by one has copies that say MANY."""

MANY = "many"
"""Stands in a copy for readers who are too many to name: a list asks the item."""

AT_ONCE = 500

WRITTEN_WITHIN = timedelta(minutes=1)
"""Records that were begun before a change of the readers are written by then."""

FIELDS = {"own_readers": 1, "readers": 1, "items": 1, "experiments": 1}


def copied(*readers: Iterable[ObjectId | str]) -> Readers:
    """The copy for a record that has several groups of readers."""
    everyone = list(dict.fromkeys(reader for group in readers for reader in group))
    if PUBLIC_READER in everyone:
        return [PUBLIC_READER]
    return everyone if len(everyone) <= MOST else [MANY]


async def spread(tenant: Tenant, kind: Kind, item: ItemRecord) -> None:
    """Write the readers of an item on its versions, and on what is tracked of it."""
    tenant, copy, of_item = tenant.base, copied(item["readers"]), {"item": item["_id"]}
    await tenant.versions.records.update_many(of_item | _other_than(copy), {"$set": {"readers": copy}})
    if kind is not Kind.MODEL:
        return
    alone = {"items": [item["_id"]], "experiments": [], "own_readers": []}
    artifacts = cast("Tracked", tenant.artifacts)
    await artifacts.records.update_many(alone | _other_than(copy), {"$set": {"readers": copy}})
    await _renew(tenant, artifacts, {"items": item["_id"], "$nor": [alone]})
    for bound in _of_serving(tenant):
        await _renew(tenant, bound, of_item)


async def spread_experiment(tenant: Tenant, experiment: ObjectId) -> None:
    """Write the readers of an experiment on its runs, and on what belongs to these."""
    tenant = tenant.base
    for bound in _of_experiments(tenant):
        await _renew(tenant, bound, {"experiments": experiment})


async def renew(tenant: Tenant, bound: BoundCollection[Any, Any], query: Query) -> None:
    """Write the copies of some records again, because what they belong to has changed."""
    await _renew(tenant.base, bound, query)


async def withdraw(tenant: Tenant, identity: ObjectId) -> None:
    """Take a user or a group that is gone from all copies."""
    await tenant.versions.records.update_many({"readers": identity}, {"$pull": {"readers": identity}})
    for bound in _all(tenant):
        lists = dict.fromkeys(("readers", "own_readers"), identity)
        await bound.records.update_many({"readers": identity}, {"$pull": lists})


async def spread_again(tenant: Tenant) -> None:
    """Spread the readers of items that changed a while ago, and forget that they changed."""
    changed = {"readers_changed": {"$lt": now() - WRITTEN_WITHIN}}
    for kind in Kind:
        async for item in tenant.items(kind).records.find(changed):
            await spread(tenant, kind, item)
            same = {"_id": item["_id"], "readers_changed": item["readers_changed"]}
            await tenant.items(kind).records.update_one(same, {"$unset": {"readers_changed": ""}})


async def repair(tenant: Tenant) -> None:
    """Write every copy that is missing or wrong."""
    async for versions in batches(tenant.versions, {"item": 1, "readers": 1}):
        await _renew_versions(tenant, versions)
    for bound in _all(tenant):
        await _renew(tenant, bound, {})


def _of_serving(tenant: Tenant) -> tuple[Tracked, ...]:
    return cast("tuple[Tracked, ...]", (tenant.services, tenant.served_models))


def _of_experiments(tenant: Tenant) -> tuple[Tracked, ...]:
    return cast("tuple[Tracked, ...]", (tenant.runs, tenant.artifacts, tenant.metric_points))


def _all(tenant: Tenant) -> tuple[Tracked, ...]:
    alone = cast("tuple[Tracked, ...]", (tenant.experiments, tenant.environments))
    return (*alone, *_of_serving(tenant), *_of_experiments(tenant))


def _other_than(copy: Readers) -> Query:
    return {"readers": {"$ne": copy}}


async def _renew(tenant: Tenant, bound: Tracked, query: Query) -> None:
    async for records in _batches(bound, query):
        copies = await _of_all(tenant, records)
        await bound.modify_all(
            Update({"_id": record["_id"], **_sources(record)}, {"$set": {"readers": copy}})
            for record, copy in zip(records, copies, strict=True)
            if copy != record.get("readers")
        )


async def _renew_versions(tenant: Tenant, versions: Sequence[VersionRecord]) -> None:
    keys = list({version["item"] for version in versions})
    readers: dict[ObjectId, Readers] = {}
    for kind in Kind:
        found = tenant.items(kind).records.find({"_id": {"$in": keys}}, {"readers": 1})
        readers |= {item["_id"]: item["readers"] async for item in found}
    copies = {key: copied(readers.get(key, ())) for key in keys}
    await tenant.versions.modify_all(
        Update({"_id": version["_id"]}, {"$set": {"readers": copies[version["item"]]}})
        for version in versions
        if version.get("readers") != copies[version["item"]]
    )


def _sources(record: Mapping[str, Any]) -> Query:
    """What a copy follows from: it is not written where that has changed."""
    return {name: record[name] for name in ("own_readers", "items", "experiments")}


async def _batches(bound: Tracked, query: Query) -> AsyncIterator[list[TrackedRecord]]:
    after: Query = {}
    while True:
        found = bound.records.find({**query, **after}, FIELDS).sort("_id", ASCENDING).limit(AT_ONCE)
        batch = await found.to_list(AT_ONCE)
        if batch:
            yield batch
        if len(batch) < AT_ONCE:
            return
        after = {"_id": {"$gt": batch[-1]["_id"]}}


async def _of_all(tenant: Tenant, records: Sequence[Mapping[str, Any]]) -> list[Readers]:
    items = await _readers(tenant.models.records, records, "items")
    experiments = await _readers(tenant.experiments.records, records, "experiments")
    return [
        copied(
            record["own_readers"],
            *(items.get(key, ()) for key in record["items"]),
            *(experiments.get(key, ()) for key in record["experiments"]),
        )
        for record in records
    ]


async def _readers(collection: Any, records: Sequence[Mapping[str, Any]], field: str) -> dict[ObjectId, Readers]:
    """The readers of what the records belong to. What is gone has none."""
    keys = list({key for record in records for key in record[field]})
    if not keys:
        return {}
    return {found["_id"]: found["readers"] async for found in collection.find({"_id": {"$in": keys}}, {"readers": 1})}

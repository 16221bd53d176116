"""Records that are shown with items: their users, datasets and versions.

For a page of items each is one query. For one item by its id, users and datasets are read with the item itself, in one
command: a command costs the server more than the rest of such a request. Its versions are a second command, because the
embedded engines use no index for a `$lookup` with a pipeline: among 6 000 versions it took 37 ms, a query 0.7 ms.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import Caller, may_read
from catalog.domain.items import items
from catalog.domain.items.reading import newest_versions
from catalog.domain.items.reading.newest_versions import NewestVersions
from catalog.domain.items.references import Reference
from catalog.domain.items.sharing import shared_with
from catalog.store.query.joined_items import read_joined
from catalog.store.records import GroupRecord, ItemRecord, TermRecord, UserRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import BoundCollection, D, R
from catalog.vocabulary import Kind


class Related(NamedTuple):
    """What belongs to items, by id."""

    users: Mapping[ObjectId, UserRecord]
    groups: Mapping[ObjectId, GroupRecord]
    datasets: Mapping[ObjectId, ItemRecord]  # that the caller may read
    newest: Mapping[ObjectId, NewestVersions]  # versions of each item


async def load_related(caller: Caller, items: Sequence[ItemRecord]) -> Related:
    if not any(map(_has_related, items)):
        return Related({}, {}, {}, {item["_id"]: NewestVersions((), 0) for item in items})
    tenant = caller.tenant
    datasets = await _by_id(tenant.datasets, (key for item in items for key in item.get("datasets", ())))
    readable = {key: dataset for key, dataset in datasets.items() if may_read(caller, dataset)}
    shown = [*items, *readable.values()]
    users = await _by_id(tenant.users, (key for item in shown for key in shared_with(item)))
    return await _related(tenant, shown, users, readable)


def _has_related(item: ItemRecord) -> bool:
    return bool(item["last_version"] or item["users"] or item.get("editors") or item.get("datasets"))


async def _related(
    tenant: Tenant,
    shown: Sequence[ItemRecord],
    users: Mapping[ObjectId, UserRecord],
    datasets: Mapping[ObjectId, ItemRecord],
) -> Related:
    """With the groups and versions of the items. If they are shared with users alone, no groups are asked for."""
    groups = await _by_id(tenant.groups, {key for item in shown for key in shared_with(item)} - users.keys())
    return Related(users, groups, datasets, await newest_versions.of_items(tenant, shown))


async def read_with_related(caller: Caller, kind: Kind, reference: Reference) -> tuple[ItemRecord, Related]:
    """Return the item that a reference names, and what is shown with it.

    Raises Refused: NOT_FOUND, CANNOT_READ, AMBIGUOUS.
    """
    loaded = await read_joined(caller.tenant, kind, reference.identity) if reference.identity else None
    if loaded is None:  # a name, also one that looks like an id
        item = await items.read(caller, kind, reference)
        return item, await load_related(caller, [item])
    items.readable(caller, loaded, reference)
    datasets = {dataset["_id"]: dataset for dataset in loaded.pop("_datasets", ()) if may_read(caller, dataset)}
    shown = [loaded, *datasets.values()]
    users = {user["_id"]: user for user in loaded.pop("_users")}
    of_datasets = (key for dataset in datasets.values() for key in shared_with(dataset))
    if others := {*loaded.get("editors", ()), *of_datasets} - users.keys():
        users |= await _by_id(caller.tenant.users, others)
    return loaded, await _related(caller.tenant, shown, users, datasets)


async def load_owners(caller: Caller, terms: Sequence[TermRecord]) -> Mapping[ObjectId, UserRecord]:
    """The users who first used the terms, by id."""
    return await _by_id(caller.tenant.users, (owner for term in terms if (owner := term.get("owner"))))


async def load_users(caller: Caller, keys: Iterable[ObjectId]) -> Mapping[ObjectId, UserRecord]:
    """The users that still exist, by id."""
    return await _by_id(caller.tenant.users, keys)


async def _by_id(bound: BoundCollection[D, R], keys: Iterable[ObjectId]) -> dict[ObjectId, R]:
    ids = list(set(keys))
    if not ids:
        return {}
    return {found["_id"]: found async for found in bound.records.find({"_id": {"$in": ids}})}

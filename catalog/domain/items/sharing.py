"""With whom an item is shared: users and groups who may read it, and those who may edit it, too."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from bson import ObjectId

from catalog.store.derived import reader_copies
from catalog.store.records import GroupRecord, ItemRecord, Query, UserRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


class May(StrEnum):
    """What a user or a group may do with an item."""

    MANAGE = "manage"
    EDIT = "edit"
    READ = "read"


class Grantee(NamedTuple):
    """A user or a group."""

    identity: ObjectId
    name: str
    is_group: bool


class AccessGrant(NamedTuple):
    party: Grantee
    may: May


def shared_with(item: ItemRecord) -> Iterator[ObjectId]:
    """The ids of the users and groups with whom an item is shared."""
    yield from item["users"]
    yield from item.get("editors", ())


def party(
    identity: ObjectId, users: Mapping[ObjectId, UserRecord], groups: Mapping[ObjectId, GroupRecord]
) -> Grantee | None:
    """The user or the group with this id, or None when it is gone."""
    if user := users.get(identity):
        return Grantee(identity, user["username"], is_group=False)
    group = groups.get(identity)
    return Grantee(identity, group["name"], is_group=True) if group else None


async def grants(tenant: Tenant, item: ItemRecord) -> list[AccessGrant]:
    """Who may do what with an item by name: each once, with the most. A public item is readable for all others, too."""
    rights = {item["owner"]: May.MANAGE}
    for identities, may in ((item.get("editors", ()), May.EDIT), (item["users"], May.READ)):
        for identity in identities:
            rights.setdefault(identity, may)
    among: Query = {"_id": {"$in": list(rights)}}
    users = {user["_id"]: user async for user in tenant.users.records.find(among, {"username": 1})}
    groups = {group["_id"]: group async for group in tenant.groups.records.find(among, {"name": 1})}
    return [AccessGrant(found, may) for identity, may in rights.items() if (found := party(identity, users, groups))]


async def unshare_all(tenant: Tenant, identity: ObjectId) -> None:
    """Take a user or a group that is gone from all items, also from those in the trash."""
    lists = dict.fromkeys(("users", "editors", "readers"), identity)
    for kind in Kind:
        change = {"$pull": lists, "$inc": {"revision": 1}}
        await tenant.items(kind).records.update_many({"readers": identity}, change)
    await reader_copies.withdraw(tenant, identity)
    of_entry = {f"item.{name}": identity for name in lists}
    await tenant.trash.records.update_many({"item.readers": identity}, {"$pull": of_entry})

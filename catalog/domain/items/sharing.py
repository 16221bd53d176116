"""With whom an item is shared: users and groups who may read it, and those who may edit it, too."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from bson import ObjectId

from catalog.store.clock import now
from catalog.store.derived import reader_copies
from catalog.store.records import GroupRecord, ItemRecord, Query, ShareRecord, UserRecord
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
    by: str = ""  # the username of who has shared it, if that is known and the user still exists
    since: datetime | None = None


PARTIES = ("users", "editors")
"""The lists of those with whom an item is shared."""


def shares_of(parties: Iterable[ObjectId], by: ObjectId, before: Sequence[ShareRecord] = ()) -> list[ShareRecord]:
    """The shares of an item that is shared with these users and groups now. Those that are new are by this user."""
    earlier = {share["party"]: share for share in before}
    date = now()
    return [earlier.get(party) or {"party": party, "by": by, "date": date} for party in dict.fromkeys(parties)]


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
    shares = {share["party"]: share for share in item.get("shares", ())}
    among: Query = {"_id": {"$in": list({*rights, *(share["by"] for share in shares.values())})}}
    users = {user["_id"]: user async for user in tenant.users.records.find(among, {"username": 1})}
    groups = {group["_id"]: group async for group in tenant.groups.records.find(among, {"name": 1})}

    def grant(found: Grantee, may: May) -> AccessGrant:
        share = shares.get(found.identity) if may != May.MANAGE else None
        sharer = users.get(share["by"]) if share else None
        return AccessGrant(found, may, sharer["username"] if sharer else "", share["date"] if share else None)

    return [grant(found, may) for identity, may in rights.items() if (found := party(identity, users, groups))]


async def unshare_all(tenant: Tenant, identity: ObjectId) -> None:
    """Take a user or a group that is gone from all items, also from those in the trash."""
    lists = {**dict.fromkeys((*PARTIES, "readers"), identity), "shares": {"party": identity}}
    for kind in Kind:
        change = {"$pull": lists, "$inc": {"revision": 1}}
        await tenant.items(kind).records.update_many({"readers": identity}, change)
    await reader_copies.withdraw(tenant, identity)
    of_entry = {f"item.{name}": value for name, value in lists.items()}
    await tenant.trash.records.update_many({"item.readers": identity}, {"$pull": of_entry})

"""Groups: users with whom an item is shared under one name.

The record of a user has the ids of the user's groups, so that a caller's groups are read with the caller. The name of a
group is unlike every other group's and every username, in any case.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bson import ObjectId

from catalog.domain import naming
from catalog.domain.access import GROUPS, Caller, refuse_out_of_scope
from catalog.domain.items.inputs import ListChange, ReferencesChange
from catalog.domain.items.reading.lookup import user_ids
from catalog.domain.items.sharing import unshare_all
from catalog.domain.limits import LIMITS, LONGEST_NAME
from catalog.domain.people.usernames import new_username, user_named
from catalog.domain.validation import Validator
from catalog.errors import (
    CANNOT_CREATE,
    CANNOT_DELETE,
    CANNOT_MODIFY,
    INVALID_FIELD,
    LIMIT_REACHED,
    NAME_TAKEN,
    NOT_FOUND,
    Refused,
)
from catalog.folding import folded
from catalog.store.clock import now
from catalog.store.documents.people import GroupDocument
from catalog.store.failures import Duplicate
from catalog.store.ids import document_id, object_id
from catalog.store.query.paging.cursors import ASCENDING
from catalog.store.records import Changes, GroupRecord, UserRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import record_of

MOST_MEMBERS = 1000
"""How many users a group has. Requests at the same time may exceed it by what they add."""

MOST_GROUPS = 100
"""How many groups a user is in: a caller carries the ids of all of them."""

NO_CHANGE: ReferencesChange = ListChange()

CHECK = Validator(INVALID_FIELD, LIMITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGroup:
    name: str
    description: str = ""
    members: Sequence[str] = ()  # ids or usernames
    identity: ObjectId | None = None  # its id, if the server has chosen one; never a client's


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChange:
    """Changes to a group. What is None stays as it is."""

    name: str | None = None
    description: str | None = None
    members: ReferencesChange = NO_CHANGE


@dataclass(frozen=True, slots=True)
class ChangedGroup:
    """A group after a change, and the users who joined or left."""

    group: GroupRecord
    moved: Collection[ObjectId] = ()


def may_see_members(caller: Caller, group: GroupRecord) -> bool:
    """Administrators and members see who is in a group. Its name is visible to every user of the tenant."""
    return caller.is_admin or group["_id"] in caller.groups


async def create(caller: Caller, new: NewGroup) -> ChangedGroup:
    """Create a group.

    Raises Refused: INVALID_FIELD, NAME_TAKEN, LIMIT_REACHED, CANNOT_CREATE for a personal access token.
    """
    refuse_out_of_scope(caller, GROUPS, CANNOT_CREATE)
    tenant, name = caller.tenant, _checked_name(new.name)
    members = await _users(caller, "members", new.members)
    await _refuse_too_many(tenant, members, 0)
    await _refuse_username(tenant, name)
    group = GroupDocument(
        id=document_id(new.identity or ObjectId()),
        name=name,
        name_key=folded(name),
        description=CHECK.description(new.description),
    )
    try:
        await tenant.groups.insert(group)
    except Duplicate:
        raise _taken(name) from None
    record: GroupRecord = record_of(group)  # type: ignore[assignment]
    try:
        # A user of this name may have been created since: of the two, at least one finds the other.
        await _refuse_username(tenant, name)
    except Refused:
        await tenant.groups.records.delete_one({"_id": record["_id"]})
        raise
    await _join(tenant, record, members)
    return ChangedGroup(record, members)


async def read(caller: Caller, key: str) -> GroupRecord:
    """The group with this id or name. Raises Refused: NOT_FOUND."""
    return await _find(caller.tenant, key)


async def members_of(tenant: Tenant, group: ObjectId) -> list[UserRecord]:
    """The members of a group, by name."""
    return await tenant.users.records.find({"groups": group}).sort("username", ASCENDING).to_list(None)


async def change(caller: Caller, key: str, change: GroupChange) -> ChangedGroup:
    """Change the name, the description and the members of a group.

    Raises Refused: NOT_FOUND, INVALID_FIELD, NAME_TAKEN, LIMIT_REACHED, CANNOT_MODIFY for a personal access token.
    """
    refuse_out_of_scope(caller, GROUPS, CANNOT_MODIFY)
    tenant, group = caller.tenant, await _find(caller.tenant, key)
    leave = await _users(caller, "members.remove", change.members.remove)
    join = [user for user in await _users(caller, "members.add", change.members.add) if user not in set(leave)]
    present = await tenant.users.records.count_documents({"groups": group["_id"], "_id": {"$nin": [*leave, *join]}})
    await _refuse_too_many(tenant, join, present)
    fields: Changes = {"lastmod": now()}
    if change.description is not None:
        fields["description"] = CHECK.description(change.description)
    if change.name is not None and (name := _checked_name(change.name)) != group["name"]:
        fields |= {"name": name, "name_key": folded(name)}
    changed = await _write(tenant, group, fields)
    if leave:
        await tenant.users.records.update_many({"_id": {"$in": leave}}, {"$pull": {"groups": group["_id"]}})
    await _join(tenant, changed, join)
    return ChangedGroup(changed, [*leave, *join])


async def remove(caller: Caller, key: str) -> ChangedGroup:
    """Remove a group. What was shared with it no longer is. After a crash half-way, the same request continues.

    Raises Refused: NOT_FOUND, CANNOT_DELETE for a personal access token.
    """
    refuse_out_of_scope(caller, GROUPS, CANNOT_DELETE)
    tenant, group = caller.tenant, await _find(caller.tenant, key)
    members = [user["_id"] async for user in tenant.users.records.find({"groups": group["_id"]}, {"_id": 1})]
    await _empty(tenant, group["_id"])
    await unshare_all(tenant, group["_id"])
    await tenant.groups.records.delete_one({"_id": group["_id"]})
    await _empty(tenant, group["_id"])  # of who joined in the meantime
    return ChangedGroup(group, members)


async def _find(tenant: Tenant, key: str) -> GroupRecord:
    identity = object_id(key)
    for query in [{"_id": identity}] if identity else [{"name": name} for name in naming.spellings(key)]:
        if group := await tenant.groups.records.find_one(query):
            return group
    raise Refused(NOT_FOUND, key)


async def _write(tenant: Tenant, group: GroupRecord, fields: Changes) -> GroupRecord:
    """Raises Refused: NAME_TAKEN, NOT_FOUND."""
    if "name" in fields:
        await _refuse_username(tenant, fields["name"])
    try:
        changed = await tenant.groups.modify({"_id": group["_id"]}, {"$set": fields})
    except Duplicate:
        raise _taken(fields["name"]) from None
    if changed is None:
        raise Refused(NOT_FOUND, group["name"])
    if "name" in fields:
        try:
            await _refuse_username(tenant, fields["name"])  # again, as in `create`
        except Refused:
            before = {"name": group["name"], "name_key": group["name_key"]}
            await tenant.groups.records.update_one({"_id": group["_id"], "name": fields["name"]}, {"$set": before})
            raise
    return changed


async def _join(tenant: Tenant, group: GroupRecord, users: Sequence[ObjectId]) -> None:
    """Raises Refused: LIMIT_REACHED for users who joined other groups meanwhile, NOT_FOUND when the group is gone."""
    if not users:
        return
    room = {"groups": {"$ne": group["_id"]}, f"groups.{MOST_GROUPS - 1}": {"$exists": False}}
    await tenant.users.records.update_many({"_id": {"$in": users}, **room}, {"$push": {"groups": group["_id"]}})
    if not await tenant.groups.records.find_one({"_id": group["_id"]}, {"_id": 1}):
        await _empty(tenant, group["_id"])
        raise Refused(NOT_FOUND, group["name"])
    await _refuse_full(tenant, [{"groups": {"$ne": group["_id"]}}, {"_id": {"$in": users}}])


async def _empty(tenant: Tenant, group: ObjectId) -> None:
    await tenant.users.records.update_many({"groups": group}, {"$pull": {"groups": group}})


async def _refuse_too_many(tenant: Tenant, users: Sequence[ObjectId], present: int) -> None:
    """Raises Refused: LIMIT_REACHED."""
    if users and present + len(users) > MOST_MEMBERS:
        raise Refused(LIMIT_REACHED, f"members: at most {MOST_MEMBERS} are allowed, not {present + len(users)}")
    if users:
        await _refuse_full(tenant, [{"_id": {"$in": users}}, {f"groups.{MOST_GROUPS - 1}": {"$exists": True}}])


async def _refuse_full(tenant: Tenant, conditions: Sequence[Changes]) -> None:
    """Raises Refused: LIMIT_REACHED, naming a user who is in as many groups as are allowed."""
    if full := await tenant.users.records.find_one({"$and": conditions}, {"username": 1}):
        raise Refused(LIMIT_REACHED, f"members: {full['username']} is in {MOST_GROUPS} groups, more are not allowed")


async def _refuse_username(tenant: Tenant, name: str) -> None:
    """Raises Refused: NAME_TAKEN."""
    if user := await user_named(tenant, name):
        raise Refused(NAME_TAKEN, f"name: a user has this name already ({user})")


def _taken(name: str) -> Refused:
    return Refused(NAME_TAKEN, f"name: a group has this name already ({name})")


def _checked_name(text: str) -> str:
    """Raises Refused: INVALID_FIELD."""
    name = new_username(text, "name")
    if object_id(name):
        raise Refused(INVALID_FIELD, "name: 24 hexadecimal digits are an id, please choose another name")
    return name


async def _users(caller: Caller, name: str, keys: Sequence[str]) -> list[ObjectId]:
    """Raises Refused: INVALID_FIELD."""
    if len(keys) > MOST_MEMBERS:
        raise Refused(INVALID_FIELD, f"{name}: at most {MOST_MEMBERS} are allowed, not {len(keys)}")
    for key in keys:
        CHECK.text(name, key, LONGEST_NAME)
    return await user_ids(caller, keys, INVALID_FIELD, name)

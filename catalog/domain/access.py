"""Permissions. Each rule is a predicate and, where lists need it, a filter that says the same, side by side."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self, TypedDict

from bson import ObjectId

from catalog.errors import CANNOT_CREATE, CANNOT_MODIFY, READ_ONLY_TOKEN, Fault, Refused
from catalog.store.concurrency.fence import Permits, anything
from catalog.store.records import ItemRecord, Query, RobotRecord, UserRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import PUBLIC_READER, Role, Scope, Visibility


class OwnedRecord(TypedDict):
    """A record that belongs to a user."""

    owner: ObjectId


class SharedRecord(OwnedRecord):
    """A record that users other than its owner may read."""

    _id: ObjectId
    readers: list[ObjectId | str]


@dataclass(frozen=True, slots=True)
class Reach:
    """The items that a robot is limited to, besides its own: some by id, and all with one of some tags."""

    items: frozenset[ObjectId]
    tags: frozenset[str]

    def includes(self, record: Mapping[str, object]) -> bool:
        tags = record.get("tags")  # only items have some
        return record["_id"] in self.items or (isinstance(tags, list) and not self.tags.isdisjoint(tags))

    @classmethod
    def of(cls, robot: RobotRecord | None) -> Self | None:
        """None for a person, and for a robot that is not limited."""
        if not robot or not (robot["items"] or robot["tags"]):
            return None
        return cls(frozenset(each["item"] for each in robot["items"]), frozenset(robot["tags"]))


class Caller(NamedTuple):
    """The user of a tenant who makes a request: a person, or a robot."""

    tenant: Tenant
    user: ObjectId
    username: str
    role: Role
    scope: Scope | None = None  # of a personal access token; None for a session
    token: ObjectId | None = None  # the id of that token
    groups: frozenset[ObjectId] = frozenset()  # that the user is a member of
    reach: Reach | None = None  # of a robot that is limited to some items

    @classmethod
    def of(cls, tenant: Tenant, user: UserRecord, scope: Scope | None = None, token: ObjectId | None = None) -> Self:
        """The caller that a user is. `user` has the fields of CALLER_FIELDS."""
        groups = frozenset(user.get("groups", ()))
        reach = Reach.of(user.get("robot"))
        return cls(tenant, user["_id"], user["username"], Role(user["role"]), scope, token, groups, reach)

    def through(self, tenant: Tenant) -> Self:
        """The caller with another handle of the same tenant."""
        return type(self)(tenant, *self[1:])

    async def still_allowed(self) -> None:
        """Check again that the tenant, the user, the role and the token are as they were when the request began.

        Every write through `tenant` repeats this check. Calling it between the steps of long work ends that work
        earlier.

        Raises Refused: AUTHENTICATION.
        """
        await self.tenant.still_allowed()

    @property
    def may_write(self) -> bool:
        """Whether the caller may change anything at all: a token may be read-only."""
        return self.scope is not Scope.READ

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def identities(self) -> list[ObjectId]:
        """The ids under which an item may be shared with the caller: the user's, and those of the groups."""
        return [self.user, *self.groups]

    @property
    def viewers(self) -> "list[ObjectId | str]":
        """The ids under which the caller reads what others share or publish; none for a robot, which has a `reach`."""
        return [] if self.reach else [PUBLIC_READER, *self.identities]


CALLER_FIELDS = {"username": 1, "role": 1, "groups": 1, "robot": 1}
"""The fields of a user that make a caller."""

CHANGE_FIELDS = {"owner": 1, "editors": 1, "tags": 1}
"""The fields of an item that `may_change` reads."""

ACCESS_FIELDS = CHANGE_FIELDS | {"readers": 1}
"""Those that `may_read` and `may_change` read."""

USERS = "users"
GROUPS = "groups"
ACCESS_TOKENS = "access_tokens"

IN_PERSON = "not with a personal access token: sign in with the password"

IN_PERSON_ONLY = frozenset({USERS, GROUPS, ACCESS_TOKENS, "password_resets"})
"""Collections that no personal access token changes, not even an administrator's: it could raise its own rights."""


def permits(scope: Scope | None) -> Permits:
    """Which collections a scope permits to change. The handle of a caller asks it before each write."""
    return anything if scope is None else lambda collection: _refuse_scope(scope, collection, CANNOT_MODIFY)


def refuse_out_of_scope(caller: Caller, collection: str, fault: Fault) -> None:
    """Refuse a change of several steps that the scope of the caller does not permit, before the first step.

    Raises Refused: READ_ONLY_TOKEN, or `fault` for a collection that no personal access token changes.
    """
    if caller.scope:
        _refuse_scope(caller.scope, collection, fault)


def _refuse_scope(scope: Scope, collection: str, fault: Fault) -> None:
    if scope is Scope.READ:
        raise Refused(READ_ONLY_TOKEN)
    if collection in IN_PERSON_ONLY:
        raise Refused(fault, IN_PERSON)


def readers(
    owner: ObjectId, users: Iterable[ObjectId], editors: Iterable[ObjectId], visibility: str
) -> list[ObjectId | str]:
    """The field `readers` of an item: its owner, users, editors and groups, and `public`. Each change writes it."""
    everyone = [PUBLIC_READER] if visibility == Visibility.PUBLIC else []
    return list(dict.fromkeys([owner, *users, *editors, *everyone]))


def readers_of(item: ItemRecord) -> list[ObjectId | str]:
    """The readers that follow from the other fields of an item."""
    return readers(item["owner"], item["users"], item.get("editors", ()), item["visibility"])


def may_read(caller: Caller, item: SharedRecord) -> bool:
    if caller.reach:
        return may_manage(caller, item) or caller.reach.includes(item)
    return caller.is_admin or not {PUBLIC_READER, *caller.identities}.isdisjoint(item["readers"])


def readable_by(caller: Caller) -> Query:
    """The filter of what the caller may read.

    (Beside a bare `$in` the planner of the embedded engine ignores a range.)
    """
    if caller.reach:
        return _within_reach(caller, caller.reach)
    return {} if caller.is_admin else {"readers": {"$elemMatch": {"$in": [*caller.identities, PUBLIC_READER]}}}


def _within_reach(caller: Caller, reach: Reach) -> Query:
    among: list[Query] = [{"owner": caller.user}]
    among += [{"_id": {"$in": sorted(reach.items)}}] if reach.items else []
    among += [{"tags": {"$in": sorted(reach.tags)}}] if reach.tags else []
    return {"$and": [{"$or": among}]}  # beside an `_id` or an `$or` of the caller's


def refuse_beyond_reach(caller: Caller, tags: Collection[str]) -> None:
    """A robot that is limited to tags creates items with one of them; one that is limited to items creates none.

    Raises Refused: CANNOT_CREATE.
    """
    if caller.reach and caller.reach.tags.isdisjoint(tags):
        needed = ", ".join(sorted(caller.reach.tags))
        raise Refused(CANNOT_CREATE, f"tags: this robot needs one of {needed}" if needed else "not with this robot")


def may_change(caller: Caller, item: ItemRecord) -> bool:
    """Whether the caller may change the content of an item: its versions, aliases, card, texts, tags and metadata.

    Its owner and its editors may, and a limited robot all that it may read. See `may_manage` for the rest.
    """
    if caller.reach:
        return may_read(caller, item)
    return may_manage(caller, item) or not set(caller.identities).isdisjoint(item.get("editors") or ())


def fields_that_let_change(caller: Caller, item: ItemRecord) -> frozenset[str]:
    """The fields of an item by which the caller may change it: as long as they stay, `may_change` stays true.

    (A write compares them, and each field that has an index costs the embedded engines a look into it.)
    """
    if caller.reach:
        return frozenset(CHANGE_FIELDS)
    if caller.is_admin:
        return frozenset()
    return frozenset({"owner"}) if may_manage(caller, item) else frozenset({"editors"})


def may_manage(caller: Caller, item: OwnedRecord) -> bool:
    """Whether the caller may also share, rename, archive and delete an item."""
    return caller.is_admin or item["owner"] == caller.user


def manageable_by(caller: Caller) -> Query:
    """The filter of the items that the caller may manage."""
    return {} if caller.is_admin else {"owner": caller.user}

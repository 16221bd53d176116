"""Robots: accounts of a tenant that belong to no person, for pipelines.

A robot is an account with the role `regular`, without a password and an email. It shares the set of names with users
and groups, so the journal and the owner of an item show it by its name, and items can be shared with it. It signs in
with a token, which administrators create, rotate and revoke. A robot may be limited to some items and to the items with
some tags; with the scope `write` it may change their content, as an editor.

What a robot creates belongs to the robot: it stays when people leave, and goes to another user when the robot is
removed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bson import ObjectId

from catalog.domain import naming
from catalog.domain.access import USERS, Caller, refuse_out_of_scope
from catalog.domain.items.reading.lookup import find as find_item
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, LONGEST_NAME
from catalog.domain.people import account_removal, usernames, users
from catalog.domain.people.authentication import access_tokens
from catalog.domain.people.authentication.access_tokens import TokenInput
from catalog.domain.people.usernames import new_username
from catalog.domain.validation import Validator
from catalog.errors import CANNOT_CREATE, CANNOT_DELETE, CANNOT_MODIFY, INVALID_FIELD, LIMIT_REACHED, NOT_FOUND, Refused
from catalog.folding import folded
from catalog.store.clock import now
from catalog.store.documents.people import RobotItemSubdocument, RobotSubdocument, UserDocument
from catalog.store.ids import document_id, object_id
from catalog.store.records import AccessTokenRecord, Changes, Query, RobotItemRecord, UserRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import record_of
from catalog.vocabulary import Kind, Role, Scope

MOST = 1000
"""How many robots a tenant has."""

MOST_ITEMS = MOST_TAGS = 100
"""How many items and tags a robot is limited to."""

LONGEST_OVERLAP = timedelta(days=30)
"""For how long the old token of a robot stays valid beside a new one."""

LONGEST_REFERENCE = 4 * LONGEST_NAME

CHECK = Validator(INVALID_FIELD, LIMITS)

ROBOTS: Query = {"robot": {"$ne": None}}
PERSONS: Query = {"robot": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRobot:
    username: str
    description: str = ""
    scopes: Sequence[Scope] = ()
    items: Sequence[str] = ()  # [kind/][owner/]name, or ids; without a kind, models
    tags: Sequence[str] = ()
    expires: datetime | None = None
    life: timedelta = access_tokens.LIFE


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotChange:
    """Changes to a robot. What is None stays as it is."""

    description: str | None = None
    scopes: Sequence[Scope] | None = None
    items: Sequence[str] | None = None
    tags: Sequence[str] | None = None


class RobotToken(NamedTuple):
    """A robot with a new token, which is shown only once. `ended` are the digests of tokens that are gone."""

    robot: UserRecord
    token: str
    ended: Sequence[str] = ()


class ChangedRobot(NamedTuple):
    robot: UserRecord
    ended: Sequence[str] = ()


async def create(caller: Caller, new: NewRobot) -> RobotToken:
    """Create a robot with its first token.

    Raises Refused: INVALID_FIELD, NAME_TAKEN, LIMIT_REACHED, CANNOT_CREATE for a token.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_CREATE)
    tenant, name = caller.tenant, new_username(new.username)
    if object_id(name):
        raise Refused(INVALID_FIELD, "username: 24 hexadecimal digits are an id, please choose another name")
    if await tenant.users.records.count_documents(ROBOTS, limit=MOST) >= MOST:
        raise Refused(LIMIT_REACHED, f"A tenant may have {MOST} robots: remove some")
    robot = RobotSubdocument(
        description=CHECK.description(new.description),
        scopes=_scopes(new.scopes),
        items=await _items(caller, new.items),
        tags=_tags(new.tags),
        created_by=caller.username,
        expires=access_tokens.expiry(_token(new.scopes, new.expires, new.life)),
    )
    account = UserDocument(
        id=document_id(ObjectId()),
        username=name,
        username_key=folded(name),
        password="",
        role=Role.REGULAR,
        validityPasswordDays=0,
        robot=robot,
    )
    record: UserRecord = record_of(await users.add_account(tenant, account))  # type: ignore[assignment]
    return await _issue(tenant, record, _token(robot.scopes, new.expires, new.life))


async def read(caller: Caller, key: str) -> UserRecord:
    """The robot with this id or name. Raises Refused: NOT_FOUND, also for a person."""
    account = await usernames.find(caller.tenant, key)
    if not account.get("robot"):
        raise Refused(NOT_FOUND, key)
    return account


async def last_uses(tenant: Tenant, robots: Sequence[UserRecord]) -> dict[ObjectId, datetime]:
    """When each of the robots was last seen, to the minute or so."""
    found = {each["_id"]: used for each in robots if (robot := each.get("robot")) and (used := robot.get("used"))}
    ids = [each["_id"] for each in robots]
    async for token in tenant.access_tokens.records.find({"user": {"$in": ids}, "used": {"$ne": None}}):
        if (used := token.get("used")) and used > found.get(token["user"], used.min.replace(tzinfo=used.tzinfo)):
            found[token["user"]] = used
    return found


async def owners_and_names(caller: Caller, robots: Sequence[UserRecord]) -> dict[ObjectId, str]:
    """The `owner/name` of the items that robots are limited to, by id. Items that are gone are left out."""
    found: dict[ObjectId, tuple[ObjectId, str]] = {}
    for kind in Kind:
        ids = [each["item"] for robot in robots for each in items_of(robot) if each["kind"] == kind]
        if ids:
            async for item in caller.tenant.items(kind).records.find({"_id": {"$in": ids}}, {"owner": 1, "name": 1}):
                found[item["_id"]] = item["owner"], item["name"]
    among = {"_id": {"$in": list({owner for owner, _ in found.values()})}}
    names = {user["_id"]: user["username"] async for user in caller.tenant.users.records.find(among, {"username": 1})}
    return {item: f"{names.get(owner, owner)}/{name}" for item, (owner, name) in found.items()}


def items_of(account: UserRecord) -> list[RobotItemRecord]:
    robot = account.get("robot")
    return robot["items"] if robot else []


async def change(caller: Caller, key: str, change: RobotChange) -> ChangedRobot:
    """Change what a robot may do. Its tokens stay, and requests that are under way are checked against the new rights.

    Raises Refused: NOT_FOUND, INVALID_FIELD, CANNOT_MODIFY for a token.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_MODIFY)
    robot = await read(caller, key)
    fields: Changes = {}
    if change.description is not None:
        fields["robot.description"] = CHECK.description(change.description)
    if change.scopes is not None:
        fields["robot.scopes"] = [scope.value for scope in _scopes(change.scopes)]
    if change.items is not None:
        items = await _items(caller, change.items)
        fields["robot.items"] = [{"kind": each.kind.value, "item": ObjectId(each.item)} for each in items]
    if change.tags is not None:
        fields["robot.tags"] = _tags(change.tags)
    changed = await _write(caller.tenant, robot, fields)
    of_robot = {"user": robot["_id"]}
    if "robot.scopes" in fields:
        await caller.tenant.access_tokens.records.update_many(of_robot, {"$set": {"scopes": fields["robot.scopes"]}})
    tokens = await caller.tenant.access_tokens.records.find(of_robot, {"digest": 1}).to_list(None)
    return ChangedRobot(changed, [token["digest"] for token in tokens])


async def rotate(
    caller: Caller,
    key: str,
    *,
    life: timedelta = access_tokens.LIFE,
    expires: datetime | None = None,
    overlap: timedelta = timedelta(),
) -> RobotToken:
    """Give a robot a new token. Older ones end now, or after the time `overlap`.

    Raises Refused: NOT_FOUND, INVALID_FIELD, CANNOT_MODIFY for a token.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_MODIFY)
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise Refused(INVALID_FIELD, f"overlap: at most {LONGEST_OVERLAP.days} days are allowed")
    robot = await read(caller, key)
    tenant = caller.tenant
    old = await tenant.access_tokens.records.find({"user": robot["_id"]}).to_list(None)
    made = await _issue(tenant, robot, _token(_scopes_of(robot), expires, life))
    ids = {"_id": {"$in": [token["_id"] for token in old]}}
    if overlap:
        end = now() + overlap
        await tenant.access_tokens.records.update_many({**ids, "expires": {"$gt": end}}, {"$set": {"expires": end}})
    else:
        await _end(tenant, robot, old)
    return made._replace(ended=[token["digest"] for token in old])


async def revoke(caller: Caller, key: str) -> ChangedRobot:
    """End all tokens of a robot. The robot stays, and can be given a new token.

    Raises Refused: NOT_FOUND, CANNOT_DELETE for a token.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_DELETE)
    robot, tenant = await read(caller, key), caller.tenant
    old = await tenant.access_tokens.records.find({"user": robot["_id"]}).to_list(None)
    await _end(tenant, robot, old)
    return ChangedRobot(await _write(tenant, robot, {"robot.expires": None}), [token["digest"] for token in old])


async def remove(caller: Caller, key: str, new_owner: str = "") -> UserRecord:
    """Remove a robot that owns nothing, or whose items all go to `new_owner`.

    Raises Refused: as `users.remove`.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_DELETE)
    return await account_removal.remove_account(caller, await read(caller, key), new_owner)


async def add_tag_beside(tenant: Tenant, tag: str, other: str) -> None:
    """Let the robots that are limited to a tag also touch what has another one.

    Without such a robot nothing is written, so that a personal access token, which changes no robots, is no reason to
    refuse.
    """
    named: Query = {"robot.tags": tag}
    if await tenant.users.records.find_one(named, {"_id": 1}) is None:
        return
    await tenant.users.records.update_many(named, {"$addToSet": {"robot.tags": other}, "$set": {"lastmod": now()}})


async def replace_tag(tenant: Tenant, tag: str, other: str) -> None:
    """Limit the robots that are limited to a tag to another one in its place."""
    await add_tag_beside(tenant, tag, other)
    # A robot without items and tags is not limited at all: the filter makes sure that the other tag is left.
    both: Query = {"robot.tags": {"$all": [tag, other]}}
    if await tenant.users.records.find_one(both, {"_id": 1}) is None:
        return
    await tenant.users.records.update_many(both, {"$pull": {"robot.tags": tag}, "$set": {"lastmod": now()}})


async def _issue(tenant: Tenant, robot: UserRecord, new: TokenInput) -> RobotToken:
    made = await access_tokens.issue(tenant, robot["_id"], new)
    return RobotToken(await _write(tenant, robot, {"robot.expires": made.record.expires}), made.token)


async def _end(tenant: Tenant, robot: UserRecord, tokens: Sequence[AccessTokenRecord]) -> None:
    """Remove tokens, and remember on the robot when they were last used."""
    if used := max((used for token in tokens if (used := token.get("used"))), default=None):
        await tenant.users.records.update_one({"_id": robot["_id"], **ROBOTS}, {"$max": {"robot.used": used}})
    await tenant.access_tokens.records.delete_many({"_id": {"$in": [token["_id"] for token in tokens]}})


async def _write(tenant: Tenant, robot: UserRecord, fields: Changes) -> UserRecord:
    """Raises Refused: NOT_FOUND."""
    changed = await tenant.users.modify({"_id": robot["_id"], **ROBOTS}, {"$set": {**fields, "lastmod": now()}})
    if changed is None:
        raise Refused(NOT_FOUND, robot["username"])
    return changed


def _token(scopes: Sequence[Scope], expires: datetime | None, life: timedelta) -> TokenInput:
    return TokenInput(str(ObjectId()), tuple(scopes), expires, life)


def _scopes(scopes: Sequence[Scope]) -> list[Scope]:
    return list(dict.fromkeys(scopes)) or [Scope.READ]


def _scopes_of(account: UserRecord) -> list[Scope]:
    robot = account.get("robot")
    return [Scope(scope) for scope in robot["scopes"]] if robot else []


def _tags(tags: Sequence[str]) -> list[str]:
    """Raises Refused: INVALID_FIELD."""
    if len(tags) > MOST_TAGS:
        raise Refused(INVALID_FIELD, f"tags: at most {MOST_TAGS} are allowed, not {len(tags)}")
    return list(dict.fromkeys(map(naming.normalized, tags)))


async def _items(caller: Caller, references: Sequence[str]) -> list[RobotItemSubdocument]:
    """The items that references name, each once. Raises Refused: INVALID_FIELD, AMBIGUOUS."""
    if len(references) > MOST_ITEMS:
        raise Refused(INVALID_FIELD, f"items: at most {MOST_ITEMS} are allowed, not {len(references)}")
    found: dict[ObjectId, RobotItemSubdocument] = {}
    for reference in references:
        one = await _item(caller, CHECK.text("items", reference, LONGEST_REFERENCE))
        found[ObjectId(one.item)] = one
    return list(found.values())


async def _item(caller: Caller, reference: str) -> RobotItemSubdocument:
    kind, slash, rest = reference.partition("/")
    readings = [(Kind(kind), rest)] if slash and kind in set(Kind) else []
    for each, text in [*readings, (Kind.MODEL, reference)]:
        if item := await find_item(caller, each, Reference(text)):
            return RobotItemSubdocument(kind=each, item=document_id(item["_id"]))
    raise Refused(INVALID_FIELD, f"items: Item not existent ({reference})")

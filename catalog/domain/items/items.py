"""Models, datasets and algorithms: made, read, found and removed. How they change is told in `changes`."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any

from bson import ObjectId

from catalog.domain import naming
from catalog.domain.access import Caller, may_change, may_read, readable_by, readers
from catalog.domain.body_fields import Form
from catalog.domain.items import trash
from catalog.domain.items.in_use import refuse_while_used
from catalog.domain.limits import LIMITS, LONGEST_DESCRIPTION, Limits
from catalog.domain.terms import terms
from catalog.errors import (
    AMBIGUOUS,
    CANNOT_DELETE,
    CANNOT_MODIFY,
    CANNOT_READ,
    NOT_CREATED,
    NOT_FOUND,
    Fault,
    Refused,
)
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import ITEMS, object_id
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, Status, Visibility

FIELDS = frozenset({"name", "users", "visibility", "tags", "metadata", "description"})
TRAINED_FIELDS = FIELDS | {"status", "datasets"}
TRAINED = (Kind.MODEL, Kind.ALGORITHM)

CHOICES = 10
"""How many items a refusal lists when several have the name."""

SPLITS = 8
"""How many of a reference's slashes may be the one behind the owner."""


def fields_of(kind: Kind) -> frozenset[str]:
    """What a client may say of an item."""
    return TRAINED_FIELDS if kind in TRAINED else FIELDS


async def create(
    tenant: Tenant,
    kind: Kind,
    body: Any,
    caller: Caller,
    limits: Limits = LIMITS,
    allowance: terms.Allowance | None = None,
) -> Raw:
    """Keep a new item of the caller's.

    `users` and `datasets` may be ids or names. The items of one request share an `allowance` of new words.

    Raises Refused: NOT_CREATED, QUOTA_EXCEEDED when the tenant has too many words.
    """
    form = Form(body, NOT_CREATED, fields_of(kind), limits)
    fields: dict[str, Any] = {
        "name": form.named("name", "Please, supply a valid name", limits.name, naming.item_name),
        "description": form.text("description", LONGEST_DESCRIPTION) or "",
        "visibility": form.one_of("visibility", Visibility) or Visibility.PRIVATE,
        "tags": form.words("tags"),
        "metadata": form.pairs("metadata"),
        "users": await user_ids(tenant, form.keys("users"), NOT_CREATED),
    }
    if kind in TRAINED:
        fields["status"] = form.one_of("status", Status) or Status.TRAINING
        fields["datasets"] = await dataset_ids(tenant, form.keys("datasets"), caller, NOT_CREATED)
    words = terms.Words(frozenset(fields["tags"]), frozenset(pair.name for pair in fields["metadata"]))
    await terms.allow(tenant, terms.NONE, words, allowance or terms.Allowance(limits), NOT_CREATED)
    fields["readers"] = readers(caller.user, fields["users"], fields["visibility"])
    document = ITEMS[kind](serial=await tenant.next("serial"), owner=caller.user, **fields)
    try:
        await tenant.items(kind).insert(document)
    except Duplicate:
        raise Refused(NOT_CREATED, f"A {kind.one} with the same name already exists for this user") from None
    item = document.model_dump(by_alias=True)
    await terms.used(tenant, terms.NONE, terms.words_of(item), caller.user)
    return item


async def read(tenant: Tenant, kind: Kind, key: str, caller: Caller) -> Raw:
    """The item with this id or, among what the caller may read, this name or owner/name.

    Raises Refused: NOT_FOUND, CANNOT_READ, AMBIGUOUS when the name is that of several readable items and none of them
    is the caller's.
    """
    return readable(await _sought(tenant, kind, key, caller), key, caller)


def readable(item: Raw | None, key: str, caller: Caller) -> Raw:
    """What was found, for somebody who may read it.

    Raises Refused: NOT_FOUND, CANNOT_READ.
    """
    if item is None:
        raise Refused(NOT_FOUND, key)
    if not may_read(caller, item):
        raise Refused(CANNOT_READ, key)
    return item


async def changeable(tenant: Tenant, kind: Kind, key: str, caller: Caller, fault: Fault = CANNOT_MODIFY) -> Raw:
    """The item, for somebody who may change it.

    Raises Refused: NOT_FOUND, AMBIGUOUS, or `fault`.
    """
    item = await _sought(tenant, kind, key, caller)
    if item is None:
        raise Refused(NOT_FOUND, key)
    if not may_change(caller, item):
        raise Refused(fault, key)
    return item


async def remove(tenant: Tenant, kind: Kind, key: str, caller: Caller, *, days: int = 0) -> Raw:
    """Remove an item, for so many `days` into the trash, and return it as it was.

    Without any, it only passes through, so that a crash on the way is finished later, and its versions go at once;
    the bytes that nothing names any more are left to the sweep.

    Raises Refused: NOT_FOUND, CANNOT_DELETE, NOT_DELETED while a model or an algorithm uses the dataset.
    """
    item = await changeable(tenant, kind, key, caller, CANNOT_DELETE)
    if kind is Kind.DATASET:
        await refuse_while_used(tenant, {"datasets": item["_id"]}, TRAINED)
    while not await trash.take(tenant, kind, item, caller, days):
        item = await changeable(tenant, kind, str(item["_id"]), caller, CANNOT_DELETE)
    await terms.used(tenant, terms.words_of(item), terms.NONE, caller.user)
    if not days:
        await trash.empty_of(tenant, item["_id"])
    await trash.purge(tenant)
    return item


async def user_ids(tenant: Tenant, keys: Iterable[str], fault: Fault, field: str = "users") -> list[ObjectId]:
    """The ids of users who are given in `field` by id or by username, each once.

    Raises Refused: `fault` for a user who does not exist.
    """
    keys = list(keys)
    return _all(keys, await _users(tenant, keys), f"{field}: User", fault)


async def _users(tenant: Tenant, keys: Collection[str]) -> dict[str, ObjectId]:
    """The ids of those users who exist, by the ids and the usernames that they are given by."""
    if not keys:
        return {}
    ids = [given for key in keys if (given := object_id(key))]
    terms = [name for key in keys for name in naming.spellings(key)]
    found: dict[str, ObjectId] = {}
    for query in ({"_id": {"$in": ids}}, {"username": {"$in": terms}}):
        async for user in tenant.users.raw.find(query, {"username": 1}):
            found[str(user["_id"])] = found[user["username"]] = user["_id"]
    return found | {key: found[name] for key in keys if (name := naming.spelling_in(found, key)) in found}


async def dataset_ids(tenant: Tenant, keys: Iterable[str], caller: Caller, fault: Fault) -> list[ObjectId]:
    """The ids of datasets that are given by id or by name, each once.

    A dataset that the caller may not read is as good as none. Raises Refused: `fault`.
    """
    found: dict[str, ObjectId] = {}
    keys = list(keys)
    for key in keys:
        dataset = await _sought(tenant, Kind.DATASET, key, caller)
        if dataset is not None and may_read(caller, dataset):
            found[key] = dataset["_id"]
    return _all(keys, found, "datasets: Dataset", fault)


def _all(keys: Iterable[str], found: Mapping[str, ObjectId], what: str, fault: Fault) -> list[ObjectId]:
    for key in keys:
        if key not in found:
            raise Refused(fault, f"{what} not existent ({key})")
    return list(dict.fromkeys(found[key] for key in keys))


async def _sought(tenant: Tenant, kind: Kind, key: str, caller: Caller) -> Raw | None:
    return await _by_id(tenant, kind, key) or await _by_name(tenant, kind, key, caller)


async def _by_id(tenant: Tenant, kind: Kind, key: str) -> Raw | None:
    identity = object_id(key)
    found: Raw | None = await tenant.items(kind).raw.find_one({"_id": identity}) if identity else None
    return found


async def _by_name(tenant: Tenant, kind: Kind, key: str, caller: Caller) -> Raw | None:
    """The item that a reference means: the key is taken as a whole name first, then split into owner and name."""
    for name in naming.spellings(key):
        if found := await _named(tenant, kind, name, caller):
            return found
    return await _owned(tenant, kind, key, caller)


async def _named(tenant: Tenant, kind: Kind, name: str, caller: Caller) -> Raw | None:
    """The caller's own item of this name, else the only one that the caller may read."""
    collection = tenant.items(kind).raw
    mine: Raw | None = await collection.find_one({"owner": caller.user, "name": name})
    if mine is not None:
        return mine
    others: list[Raw] = await collection.find({"name": name, **readable_by(caller)}).limit(2).to_list(2)
    if len(others) > 1:
        raise await _ambiguous(tenant, kind, name, caller)
    return others[0] if others else None


async def _ambiguous(tenant: Tenant, kind: Kind, name: str, caller: Caller) -> Refused:
    """The refusal that lists what a name may mean."""
    query = {"name": name, **readable_by(caller)}
    found = await tenant.items(kind).raw.find(query, {"owner": 1}).limit(CHOICES + 1).to_list(CHOICES + 1)
    owners = tenant.users.raw.find({"_id": {"$in": [item["owner"] for item in found]}}, {"username": 1})
    usernames = {owner["_id"]: owner["username"] async for owner in owners}
    choices = sorted(f"{usernames.get(item['owner'], item['owner'])}/{name} ({item['_id']})" for item in found)
    more = ", and more" if len(choices) > CHOICES else ""
    return Refused(
        AMBIGUOUS,
        f"Several {kind} are called {name}, give the owner/name or the id of one: {', '.join(choices[:CHOICES])}{more}",
    )


async def _owned(tenant: Tenant, kind: Kind, key: str, caller: Caller) -> Raw | None:
    """The item that `owner/name` means, if the caller may read it. The owner is a username or an id."""
    slashes = islice((at for at, sign in enumerate(key) if sign == "/"), SPLITS)
    split = {key[:at]: key[at + 1 :] for at in slashes}  # a new username has no slash, an older one may
    owners = await _users(tenant, split)
    for owner, rest in split.items():
        for name in naming.spellings(rest) if owner in owners else ():
            found: Raw | None = await tenant.items(kind).raw.find_one({"owner": owners[owner], "name": name})
            if found is not None and may_read(caller, found):
                return found
    return None

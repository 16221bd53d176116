"""Models, datasets and algorithms: made, read, found and removed. How they change is told in `changes`."""

from collections.abc import Iterable, Mapping
from typing import Any

from bson import ObjectId

from catalog.domain import names, trash
from catalog.domain.access import Caller, may_change, may_read, readable_by, readers
from catalog.domain.forms import LIMITS, LONGEST_DESCRIPTION, Form, Limits
from catalog.domain.references import refuse_while_used
from catalog.errors import (
    CANNOT_DELETE,
    CANNOT_MODIFY,
    CANNOT_READ,
    NOT_CREATED,
    NOT_FOUND,
    REQUEST,
    Fault,
    Refused,
)
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import ITEMS, object_id
from catalog.store.seam import Raw
from catalog.vocabulary import Kind, Status, Visibility

FIELDS = frozenset({"name", "users", "visibility", "tags", "metadata", "description"})
TRAINED_FIELDS = FIELDS | {"status", "datasets"}
TRAINED = (Kind.MODEL, Kind.ALGORITHM)


def fields_of(kind: Kind) -> frozenset[str]:
    """What a client may say of an item."""
    return TRAINED_FIELDS if kind in TRAINED else FIELDS


async def create(
    tenant: Tenant,
    kind: Kind,
    body: Any,
    caller: Caller,
    limits: Limits = LIMITS,
    allowance: names.Allowance | None = None,
) -> Raw:
    """Keep a new item of the caller's.

    `users` and `datasets` may be ids or names. The items of one request share an `allowance` of new words.

    Raises Refused: NOT_CREATED, QUOTA_EXCEEDED when the tenant has too many words.
    """
    form = Form(body, NOT_CREATED, fields_of(kind), limits)
    fields: dict[str, Any] = {
        "name": form.required("name", "Please, supply a valid name", limits.name),
        "description": form.text("description", LONGEST_DESCRIPTION) or "",
        "visibility": form.one_of("visibility", Visibility) or Visibility.PRIVATE,
        "tags": form.words("tags"),
        "metadata": form.pairs("metadata"),
        "users": await user_ids(tenant, form.keys("users"), NOT_CREATED),
    }
    if kind in TRAINED:
        fields["status"] = form.one_of("status", Status) or Status.TRAINING
        fields["datasets"] = await dataset_ids(tenant, form.keys("datasets"), caller, NOT_CREATED)
    words = names.Words(frozenset(fields["tags"]), frozenset(pair.name for pair in fields["metadata"]))
    await names.allow(tenant, names.NONE, words, allowance or names.Allowance(limits), NOT_CREATED)
    fields["readers"] = readers(caller.user, fields["users"], fields["visibility"])
    document = ITEMS[kind](serial=await tenant.next("serial"), owner=caller.user, **fields)
    try:
        await tenant.items(kind).insert(document)
    except Duplicate:
        raise Refused(NOT_CREATED, f"A {kind.one} with the same name already exists for this user") from None
    item = document.model_dump(by_alias=True)
    await names.used(tenant, names.NONE, words, caller.user)
    return item


async def read(tenant: Tenant, kind: Kind, key: str, caller: Caller) -> Raw:
    """The item with this id or, among what the caller may read, this name.

    Raises Refused: NOT_FOUND, CANNOT_READ, REQUEST when several readable items bear the name.
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

    Raises Refused: NOT_FOUND, REQUEST, or `fault`.
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
    await names.used(tenant, names.words_of(item), names.NONE, caller.user)
    if not days:
        await trash.empty_of(tenant, item["_id"])
    await trash.purge(tenant)
    return item


async def user_ids(tenant: Tenant, keys: Iterable[str], fault: Fault, field: str = "users") -> list[ObjectId]:
    """The ids of users who are given in `field` by id or by username, each once.

    Raises Refused: `fault` for a user who does not exist.
    """
    keys = list(keys)
    if not keys:
        return []
    ids = [given for key in keys if (given := object_id(key))]
    either = [{"_id": {"$in": ids}}, {"username": {"$in": keys}}]
    found: dict[str, ObjectId] = {}
    for query in either:
        async for user in tenant.users.raw.find(query, {"username": 1}):
            found[str(user["_id"])] = found[user["username"]] = user["_id"]
    return _all(keys, found, f"{field}: User", fault)


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


async def _by_name(tenant: Tenant, kind: Kind, name: str, caller: Caller) -> Raw | None:
    """The caller's own item of this name, else the only one that he may read."""
    collection = tenant.items(kind).raw
    mine: Raw | None = await collection.find_one({"owner": caller.user, "name": name})
    if mine is not None:
        return mine
    others: list[Raw] = await collection.find({"name": name, **readable_by(caller)}).limit(2).to_list(2)
    if len(others) > 1:
        raise Refused(REQUEST, f"Several {kind} are called {name}, please give an id")
    return others[0] if others else None

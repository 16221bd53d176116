"""The trash: what becomes of a removed item until it is restored or purged.

An item goes into the trash before it leaves its collection, and comes back before it leaves
the trash. A crash between the two leaves it in both: then the one in its collection counts.
Whoever moves an item, either way, holds its record meanwhile, so that nobody else does.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast
from weakref import WeakKeyDictionary

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING

from catalog.domain.access import Caller, changeable_by, may_change
from catalog.domain.terms import terms
from catalog.errors import BUSY, CANNOT_DELETE, CANNOT_MODIFY, NOT_CREATED, NOT_FOUND, Fault, Refused
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import TrashEntry, now, object_id
from catalog.store.leases import Lease, free
from catalog.store.records import TrashRecord
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

NEWEST_FIRST = [("removed", DESCENDING), ("_id", DESCENDING)]

HOLD = timedelta(seconds=20)
"""After this long a record that is still held is one whose server died."""

PURGED_EVERY = timedelta(hours=1)

MOST_AT_ONCE = 100
"""How many items one request purges by the way."""

_purged: WeakKeyDictionary[Tenant, datetime] = WeakKeyDictionary()


def seen_by(caller: Caller) -> Raw:
    """The filter of what the caller finds in the trash."""
    return {**changeable_by(caller), **restorable()}


def restorable() -> Raw:
    """The filter of what there is a way back for."""
    return {"purging": False, "until": {"$gt": now()}}


async def present(tenant: Tenant, found: Sequence[Raw]) -> list[Raw]:
    """Those of the records whose items are nowhere else."""
    elsewhere = set()
    for kind in {record["kind"] for record in found}:
        ids = [record["_id"] for record in found if record["kind"] == kind]
        async for item in tenant.items(Kind(kind)).raw.find({"_id": {"$in": ids}}, {"_id": 1}):
            elsewhere.add(item["_id"])
    return [record for record in found if record["_id"] not in elsewhere]


async def take(tenant: Tenant, kind: Kind, item: Raw, caller: Caller, days: int) -> bool:
    """Move an item, as it was read, into the trash. False when it is not so any more."""
    record = _record(kind, item, caller, days)
    try:
        # A record of an older revision was left by a crash. One of a later revision is not ours to replace.
        written = await tenant.trash.raw.replace_one(
            {"_id": item["_id"], "item.revision": {"$lte": item["revision"]}}, record, upsert=True
        )
    except Duplicate:
        return False
    mine = {"_id": item["_id"], "removal": record["removal"]}
    gone = await tenant.items(kind).raw.delete_one({"_id": item["_id"], "revision": item["revision"]})
    if gone.deleted_count:
        await _lease(tenant, record).release()
    elif written.upserted_id is not None:
        await tenant.trash.raw.delete_one(mine)
    return bool(gone.deleted_count)


def _record(kind: Kind, item: Raw, caller: Caller, days: int) -> Raw:
    moment = now()
    removed = TrashEntry(
        id=item["_id"],
        kind=kind,
        name=item["name"],
        owner=item["owner"],
        item=item,
        removed_by=caller.user,
        removed=moment,
        until=moment + timedelta(days=days),
        held=moment + HOLD,
    )
    record: Raw = removed.model_dump(by_alias=True)
    return record | {"kind": kind.value}


async def restore(tenant: Tenant, key: str, caller: Caller) -> Raw:
    """Bring an item back, with its versions, and return it.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, BUSY, NOT_CREATED when its owner has another item of that name meanwhile.
    """
    record = await _held(tenant, await _find(tenant, key, caller, CANNOT_MODIFY))
    kind = Kind(record["kind"])
    # A revision of its own: whoever saw the item before it went must look again.
    item: Raw = record["item"] | {"revision": record["item"]["revision"] + 1}
    mine = {"_id": record["_id"], "removal": record["removal"]}
    try:
        await tenant.items(kind).raw.insert_one(item)  # the unique index decides, not a look beforehand
    except Duplicate:
        there: Raw | None = await tenant.items(kind).raw.find_one({"_id": record["_id"]})
        if there is None:
            await _lease(tenant, record).release()
            raise Refused(NOT_CREATED, f"A {kind.one} with the same name already exists for this user") from None
        item = there
    else:
        await terms.used(tenant, terms.NONE, terms.words_of(item), caller.user)
    await tenant.trash.raw.delete_one(mine)
    return item


async def drop(tenant: Tenant, key: str, caller: Caller) -> Raw:
    """Purge an item at once.

    Raises Refused: NOT_FOUND, CANNOT_DELETE, BUSY.
    """
    record = await _find(tenant, key, caller, CANNOT_DELETE)
    if not await _purge(tenant, record):
        raise Refused(BUSY, key)
    return record


async def empty_of(tenant: Tenant, item: ObjectId) -> None:
    """Purge an item that has just been taken, unless somebody else has done so."""
    if record := await tenant.trash.raw.find_one({"_id": item}):
        await _purge(tenant, record)


async def purge(tenant: Tenant) -> None:
    """Forget what has been in the trash for long enough, with its versions; once an hour, and not too much at once.

    The bytes are left to the sweep.
    """
    tenant = tenant.base  # housekeeping, which a caller only happens to pass by
    if tenant in _purged and now() - _purged[tenant] < PURGED_EVERY:
        return
    if await purge_some(tenant) < MOST_AT_ONCE:
        _purged[tenant] = now()


async def purge_some(tenant: Tenant) -> int:
    """Forget MOST_AT_ONCE of what has been in the trash for long enough. Says how many there were of them."""
    query = {"until": {"$lte": now()}, **free("held")}
    over = await tenant.trash.raw.find(query).sort("until", ASCENDING).limit(MOST_AT_ONCE).to_list(MOST_AT_ONCE)
    for record in over:
        await _purge(tenant, record)
    return len(over)


async def _purge(tenant: Tenant, record: Raw) -> bool:
    """Versions first, but only when there is no way back. False when somebody is moving the item just now."""
    mine = {"_id": record["_id"], "removal": record["removal"]}
    marked = await tenant.trash.raw.find_one_and_update(
        {**mine, **free("held")}, {"$set": {"purging": True, "until": record["removed"]}}
    )
    if marked is None:
        return False
    there = await tenant.items(Kind(record["kind"])).raw.find_one({"_id": record["_id"]}, {"_id": 1})
    # Asked after that: whoever took the item away meanwhile has put a record of his own here first.
    if there is None and await tenant.trash.raw.find_one(mine, {"_id": 1}):
        await tenant.versions.raw.delete_many({"item": record["_id"]})
    await tenant.trash.raw.delete_one(mine)
    return True


async def _find(tenant: Tenant, key: str, caller: Caller, fault: Fault) -> Raw:
    """A record that can be restored, for somebody who may.

    Raises Refused: NOT_FOUND, or `fault`.
    """
    record: Raw | None = await tenant.trash.raw.find_one({"_id": object_id(key), **restorable()})
    if record is None:
        raise Refused(NOT_FOUND, key)
    if not may_change(caller, record):
        raise Refused(fault, key)
    return record


async def _held(tenant: Tenant, record: Raw) -> Raw:
    """Let nobody else restore or purge the item for a while.

    Raises Refused: NOT_FOUND, BUSY.
    """
    lease = _lease(tenant, record)
    held = await lease.acquire()
    if held is None:
        there = await tenant.trash.records.find_one(lease.mine, {"_id": 1})
        raise Refused(BUSY if there else NOT_FOUND, str(record["_id"]))
    return cast("Raw", held)


def _lease(tenant: Tenant, record: Raw) -> Lease[TrashRecord]:
    """On one stay of an item in the trash, which `removal` names."""
    where = {"removal": record["removal"], "purging": False}
    return Lease(tenant.trash.records, record["_id"], HOLD, until="held", where=where)

"""The trash: where a removed item stays until it is restored or purged.

An item is written to the trash before it leaves its collection, and to its collection before it leaves the trash. After
a crash between the two it is in both: then the one in its collection counts. A lease on the record (`lease_until`)
keeps two requests from moving an item at once.
"""

from collections.abc import Sequence
from datetime import timedelta

from bson import ObjectId

from catalog.domain.access import Caller, manageable_by, may_manage
from catalog.domain.items.writing.duplicates import taken
from catalog.domain.items.writing.indexing import reindex
from catalog.domain.tracking.removal import forget_model
from catalog.domain.versions.files import version_files
from catalog.domain.versions.touching import summarize
from catalog.errors import BUSY, CANNOT_DELETE, CANNOT_MODIFY, NOT_CREATED, NOT_FOUND, Fault, Refused
from catalog.store.clock import now
from catalog.store.concurrency.leases import Lease, free
from catalog.store.concurrency.unique_writes import write_unless_taken
from catalog.store.database import Database
from catalog.store.derived import reader_copies
from catalog.store.documents.around_items import TrashDocument
from catalog.store.failures import Duplicate
from catalog.store.ids import object_id
from catalog.store.migrations.opening import open_all
from catalog.store.query.paging.cursors import ASCENDING, DESCENDING
from catalog.store.records import ItemRecord, Query, TrashRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

NEWEST_FIRST = [("removed", DESCENDING), ("_id", DESCENDING)]

LEASE = timedelta(seconds=20)
"""A lease older than this belongs to a server that died."""

PURGED_EVERY = 3600.0  # seconds

MOST_AT_ONCE = 100
"""How many items one query reads for a purge."""


def visible_to(caller: Caller) -> Query:
    """The filter of what the caller sees in the trash."""
    return {**manageable_by(caller), **restorable()}


def restorable() -> Query:
    """The filter of what can still be restored."""
    return {"purging": False, "until": {"$gt": now()}}


async def without_restored(caller: Caller, records: Sequence[TrashRecord]) -> list[TrashRecord]:
    """The records whose items are not in their collections: a crash may leave an item in both."""
    restored = set()
    for kind in {record["kind"] for record in records}:
        ids = [record["_id"] for record in records if record["kind"] == kind]
        async for item in caller.tenant.items(Kind(kind)).records.find({"_id": {"$in": ids}}, {"_id": 1}):
            restored.add(item["_id"])
    return [record for record in records if record["_id"] not in restored]


async def take(caller: Caller, kind: Kind, item: ItemRecord, days: int) -> bool:
    """Move an item, as it was read, to the trash. False if it has changed since."""
    tenant, record = caller.tenant, _record(caller, kind, item, days)
    try:
        # A record of an older revision was left by a crash. One of a later revision belongs to another request.
        written = await tenant.trash.records.replace_one(
            {"_id": item["_id"], "item.revision": {"$lte": item["revision"]}}, record, upsert=True
        )
    except Duplicate:
        return False
    removed = await tenant.items(kind).records.delete_one({"_id": item["_id"], "revision": item["revision"]})
    if removed.deleted_count or written.upserted_id is None:  # of several removals at once, the last record stays
        await _lease(tenant, record).release()
    else:
        await tenant.trash.records.delete_one(_stay(record))
    return bool(removed.deleted_count)


def _record(caller: Caller, kind: Kind, item: ItemRecord, days: int) -> TrashRecord:
    moment = now()
    removed = TrashDocument(
        id=item["_id"],
        kind=kind,
        name=item["name"],
        owner=item["owner"],
        item=item,
        removed_by=caller.user,
        removed=moment,
        until=moment + timedelta(days=days),
        lease_until=moment + LEASE,
    )
    record: TrashRecord = removed.model_dump(by_alias=True)
    return record | {"kind": kind.value}


async def restore(caller: Caller, key: str) -> ItemRecord:
    """Bring an item back, with its versions, and return it.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, BUSY, NOT_CREATED when its owner has another item of that name by now,
    EXTERNAL_ID_TAKEN when another item has its external id.
    """
    tenant = caller.tenant
    record = await _acquire(tenant, await _find(caller, key, CANNOT_MODIFY))
    kind = Kind(record["kind"])
    # A new revision: a client that saw the item before its removal must read it again.
    item: ItemRecord = {**record["item"], "revision": record["item"]["revision"] + 1}
    if there := await _insert_restored(tenant, kind, item, record):
        item = there
    else:
        await reindex(tenant, kind, None, item, caller.user)
    await tenant.trash.records.delete_one(_stay(record))
    await summarize(tenant, kind, item["_id"])  # what changed its versions meanwhile did not find it
    await reader_copies.spread(tenant, kind, item)  # in the trash, what an item is shared with may have changed
    return item


async def _insert_restored(tenant: Tenant, kind: Kind, item: ItemRecord, record: TrashRecord) -> ItemRecord | None:
    """Insert an item of the trash, whose lease is held. Returns the item where a crash has left it in its collection.

    Raises Refused: NOT_CREATED, EXTERNAL_ID_TAKEN, BUSY.
    """
    items = tenant.items(kind)

    async def write() -> ItemRecord | None:
        try:
            await items.insert_record(item)  # the unique index decides, not a look beforehand
        except Duplicate:
            if there := await items.records.find_one({"_id": item["_id"]}):
                return there
            raise
        return None

    async def refusal() -> Refused | None:
        return await taken(tenant, kind, item["owner"], item["name"], item.get("external_id"), NOT_CREATED)

    try:
        return await write_unless_taken(write, refusal)
    except Refused:
        await _lease(tenant, record).release()
        raise


async def purge_now(caller: Caller, key: str) -> TrashRecord:
    """Purge an item before its time, and return its record. Raises Refused: NOT_FOUND, CANNOT_DELETE, BUSY."""
    record = await _find(caller, key, CANNOT_DELETE)
    if not await _purge(caller.tenant, record):
        raise await _not_free(caller.tenant, record)
    return record


async def purge_item(tenant: Tenant, item: ObjectId, removal: ObjectId | None = None) -> None:
    """Purge an item that was moved to the trash, unless another request has done so.

    With `removal` only that stay ends: the item may have been restored, and removed again.
    """
    if record := await tenant.trash.records.find_one({"_id": item, **({"removal": removal} if removal else {})}):
        await _purge(tenant, record)


async def purge_all(database: Database) -> None:
    """Purge the trash of each tenant."""
    async for tenant in open_all(database):
        await purge(tenant)


async def purge(tenant: Tenant) -> None:
    """Remove items whose time in the trash is over, with their versions. The bytes are left to the sweep."""
    while await _purge_some(tenant) == MOST_AT_ONCE:
        pass


async def _purge_some(tenant: Tenant) -> int:
    """Purge MOST_AT_ONCE items at most, and return how many there were."""
    query = {"until": {"$lte": now()}, **free("lease_until")}
    over = await tenant.trash.records.find(query).sort("until", ASCENDING).limit(MOST_AT_ONCE).to_list(MOST_AT_ONCE)
    for record in over:
        await _purge(tenant, record)
    return len(over)


async def _purge(tenant: Tenant, record: TrashRecord) -> bool:
    """Remove an item's versions, the history of its aliases, then its record. False while another request moves it."""
    purging = {"$set": {"purging": True, "until": record["removed"]}}
    if not (await tenant.trash.records.update_one({**_stay(record), **free("lease_until")}, purging)).matched_count:
        return False
    there = await tenant.items(Kind(record["kind"])).records.find_one({"_id": record["_id"]}, {"_id": 1})
    # Asked after that: a request that removed the item in between has replaced this record by its own first.
    if there is None and await tenant.trash.records.find_one(_stay(record), {"_id": 1}):
        of_item = {"item": record["_id"]}
        folders = [each["_id"] async for each in tenant.versions.records.find(of_item | {"folder": True}, {"_id": 1})]
        await tenant.versions.records.delete_many(of_item)
        await version_files.remove(tenant, folders)
        await tenant.alias_moves.records.delete_many(of_item)
        await tenant.cards.records.delete_one({"_id": record["_id"]})
        await tenant.retention.records.delete_one({"_id": str(record["_id"])})
        await forget_model(tenant, record["_id"])
    await tenant.trash.records.delete_one(_stay(record))
    return True


async def _find(caller: Caller, key: str, fault: Fault) -> TrashRecord:
    """A record that the caller may restore. Raises Refused: NOT_FOUND, or `fault`."""
    record = await caller.tenant.trash.records.find_one({"_id": object_id(key), **restorable()})
    if record is None:
        raise Refused(NOT_FOUND, key)
    if not may_manage(caller, record):
        raise Refused(fault, key)
    return record


async def _acquire(tenant: Tenant, record: TrashRecord) -> TrashRecord:
    """Keep other requests from restoring or purging the item for a while. Raises Refused: NOT_FOUND, BUSY."""
    lease = _lease(tenant, record)
    leased = await lease.acquire()
    if leased is None:
        raise await _not_free(tenant, record)
    return leased


async def _not_free(tenant: Tenant, record: TrashRecord) -> Refused:
    """The refusal of a record that another request moves, or has moved by now."""
    there = await tenant.trash.records.find_one(_stay(record), {"_id": 1})
    return Refused(BUSY if there else NOT_FOUND, str(record["_id"]))


def _stay(record: TrashRecord) -> Query:
    """The filter of one stay of an item in the trash, which `removal` names."""
    return {"_id": record["_id"], "removal": record["removal"]}


def _lease(tenant: Tenant, record: TrashRecord) -> Lease[TrashRecord]:
    """The lease on one stay of an item in the trash."""
    where = {"removal": record["removal"], "purging": False}
    return Lease(tenant.trash.records, record["_id"], LEASE, until="lease_until", where=where)

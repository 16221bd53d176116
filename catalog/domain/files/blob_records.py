"""A record of each blob that a tenant stores. A sweep respects it, and the quota counts it.

A blob is held between the moment its bytes are whole and the moment a version names it. Only a sweep removes bytes: it
marks the record first (`deleting_since`), and an upload of the same bytes waits until they are gone.
`docs/decisions.md` says why a version never lacks its bytes.

A disk may lose or change bytes. A record is marked `damaged` once that is known, until the same bytes are sent again: a
storage replaces what it has by what it receives.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from bson import ObjectId

from catalog.blobs.protocol import Blob, UnknownBlobError
from catalog.domain.files import quota
from catalog.domain.files.named_blobs import is_named
from catalog.errors import BUSY, Refused
from catalog.store.clock import now
from catalog.store.failures import Duplicate
from catalog.store.ids import in_parts
from catalog.store.records import BlobRecord, Changes, Query
from catalog.store.tenant import Tenant

LEASE = timedelta(minutes=10)
"""How long a blob is safe from every sweep once it is held. Until a version names it takes milliseconds."""

GIVEN_UP = timedelta(minutes=10)
"""After this time the server of a removal is presumed dead. Dropping bytes takes seconds at most."""

PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between two looks at a blob that a sweep is removing."""

VERIFIED_AT_ONCE = asyncio.Semaphore(2)
"""Reading all of a blob keeps a disk and a processor busy."""


class BlobCondition(StrEnum):
    """The state of a blob's bytes after all of them were read."""

    INTACT = "intact"
    DAMAGED = "damaged"
    MISSING = "missing"


class RemovedParts(NamedTuple):
    """Which parts of a blob a removal found and removed."""

    bytes: bool = False
    record: bool = False


async def hold(tenant: Tenant, blob: Blob, *, is_reserved: bool = False) -> ObjectId | None:
    """Keep stored bytes from every sweep, so that a version may name them within LEASE.

    Returns the id of this hold if the tenant did not have them: `release` removes them, unless anything else has held
    them since.

    Call it after `tenant.blobs.put`, or for a known digest, and before the version's record is written. Bytes that the
    tenant did not have yet are counted, or refused and dropped when they exceed its quota, unless room for them is
    reserved.
    A mark that the bytes are damaged is removed: for a digest alone, ask `is_intact` first.

    Raises Refused: QUOTA_EXCEEDED; BUSY when a sweep is removing the very same bytes, which have to be sent again.
    """
    hold_id, is_new = ObjectId(), False
    for pause in PAUSES:
        is_new = await _try_insert(tenant, blob, hold_id, is_reserved=is_reserved)
        if is_new or await _touch(tenant, blob):
            break
        await asyncio.sleep(pause)
    else:
        await _take_over(tenant, blob)
    # From here on no sweep begins to remove them. One that began earlier may have been quicker.
    if await tenant.blobs.size(blob.digest) is None:
        await release(tenant, blob, hold_id)
        raise Refused(BUSY, "the same bytes were being removed")
    return hold_id if is_new else None


async def hold_all(tenant: Tenant, blobs: Sequence[Blob]) -> None:
    """Hold many stored blobs, as `hold` does, in a few commands.

    Raises Refused: QUOTA_EXCEEDED, BUSY. Those that were held before that stay so.
    """
    hold_id, distinct = ObjectId(), list({blob.digest: blob for blob in blobs}.values())
    records = [_held(blob, hold_id) for blob in distinct]
    known = set(await tenant.blob_records.insert_new(records))
    new = [blob for at, blob in enumerate(distinct) if at not in known]
    if not await tenant.add(quota.BYTES, sum(blob.size for blob in new), tenant.quota or None):
        for blob in new:
            if not (await _remove_held(tenant, blob, hold_id)).record:
                await tenant.add(quota.BYTES, blob.size)
        raise quota.exceeded(tenant)
    for old in in_parts([distinct[at] for at in sorted(known)]):
        staying = {"_id": {"$in": [blob.digest for blob in old]}, "deleting_since": None}
        if (await tenant.blob_records.records.update_many(staying, _touched())).matched_count < len(old):
            for blob in old:
                await hold(tenant, blob)
    sizes = await tenant.blobs.sizes([blob.digest for blob in distinct])
    for blob, size in zip(distinct, sizes, strict=True):
        if size is None:  # a sweep that began earlier was quicker
            await hold(tenant, blob)


async def _touch(tenant: Tenant, blob: Blob) -> bool:
    """Note that a blob is in use again. False when a sweep is removing its bytes."""
    staying = {"_id": blob.digest, "deleting_since": None}
    return bool((await tenant.blob_records.records.update_one(staying, _touched())).matched_count)


def _touched() -> Changes:
    """The change of a blob that is held again: the request that recorded it does not remove the bytes any more."""
    return {"$max": {"touched": now()}, "$unset": {"damaged": "", "hold": ""}}


def _held(blob: Blob, hold_id: ObjectId) -> BlobRecord:
    """The record of new bytes."""
    return {"_id": blob.digest, "size": blob.size, "touched": now(), "hold": hold_id}


async def _try_insert(tenant: Tenant, blob: Blob, hold_id: ObjectId, *, is_reserved: bool) -> bool:
    """Record and count bytes that are new. False when they have a record."""
    try:
        await tenant.blob_records.records.insert_one(_held(blob, hold_id))
    except Duplicate:
        return False
    if not await tenant.add(quota.BYTES, blob.size, None if is_reserved else tenant.quota or None):
        if not (await _remove_held(tenant, blob, hold_id)).record:
            await tenant.add(quota.BYTES, blob.size)  # another upload of the same bytes at the same time keeps them
        raise quota.exceeded(tenant)
    return True


async def _take_over(tenant: Tenant, blob: Blob) -> None:
    """Hold a blob whose sweep died half-way.

    Raises Refused: BUSY when it did not.
    """
    moment = now()
    held = await tenant.blob_records.records.update_one(
        {"_id": blob.digest, "deleting_since": {"$lt": moment - GIVEN_UP}},
        {"$set": {"touched": moment}, "$unset": {"deleting_since": "", "damaged": "", "hold": ""}},
    )
    if not held.matched_count:
        raise Refused(BUSY, "the same bytes are being removed")


async def is_intact(tenant: Tenant, blob: Blob) -> bool:
    """Whether the storage has all bytes of a blob, and they are not known to be damaged. Reads none of them."""
    damaged = await tenant.blob_records.records.find_one({"_id": blob.digest, "damaged": {"$ne": None}}, {"_id": 1})
    return await tenant.blobs.size(blob.digest) == blob.size and damaged is None


async def not_intact(tenant: Tenant, blobs: Sequence[Blob]) -> set[str]:
    """The digests of those blobs whose bytes are missing, cut or known to be damaged. Reads none of them."""
    digests = [blob.digest for blob in blobs]
    damaged: set[str] = set()
    for part in in_parts(digests):
        known = tenant.blob_records.records.find({"_id": {"$in": part}, "damaged": {"$ne": None}}, {"_id": 1})
        damaged |= {record["_id"] async for record in known}
    sizes = await tenant.blobs.sizes(digests)
    return damaged | {blob.digest for blob, size in zip(blobs, sizes, strict=True) if size != blob.size}


async def mark_damaged(tenant: Tenant, digest: str, since: datetime) -> None:
    """Mark bytes as damaged that were examined at `since`, unless they were sent again after that."""
    examined = {"_id": digest, "touched": {"$lte": since}}
    await tenant.base.blob_records.records.update_one(examined, {"$set": {"damaged": now()}})


async def verify(tenant: Tenant, blob: Blob) -> BlobCondition:
    """Read all bytes of a blob, and record whether they match its digest, even for a caller who may only read."""
    began, digest = now(), sha256()
    try:
        async with VERIFIED_AT_ONCE, aclosing(tenant.blobs.read(blob.digest)) as chunks:
            async for chunk in chunks:
                await asyncio.to_thread(digest.update, chunk)
    except UnknownBlobError:
        condition = BlobCondition.MISSING
    else:
        condition = BlobCondition.INTACT if digest.hexdigest() == blob.digest else BlobCondition.DAMAGED
    if condition is BlobCondition.INTACT:
        await tenant.base.blob_records.records.update_one({"_id": blob.digest}, {"$unset": {"damaged": ""}})
    else:
        await mark_damaged(tenant, blob.digest, began)
    return condition


async def remove_unused(tenant: Tenant, blob: Blob, untouched: datetime) -> bool:
    """Remove a blob that no version names and that nothing has touched since `untouched`.

    True when there were bytes to remove; another sweep may have been quicker.
    """
    moment = now()
    if not await _mark_going(tenant, blob, untouched, moment):
        return False
    return await _uncounted(tenant, blob, await _remove(tenant, blob, moment))


async def release(tenant: Tenant, blob: Blob, hold_id: ObjectId) -> bool:
    """Remove the bytes that a hold recorded, unless anything else has held them since, or names them.

    Nothing is compared with a clock: those of servers differ. True when there were bytes to remove.
    """
    return await _uncounted(tenant, blob, await _remove_held(tenant, blob, hold_id))


async def _uncounted(tenant: Tenant, blob: Blob, removed: RemovedParts) -> bool:
    if removed.record:
        await tenant.add(quota.BYTES, -blob.size)
    return removed.bytes


async def _remove_held(tenant: Tenant, blob: Blob, hold_id: ObjectId) -> RemovedParts:
    moment = now()
    if not await _mark(tenant, {"_id": blob.digest, "hold": hold_id, "deleting_since": None}, moment):
        return RemovedParts()
    return await _remove(tenant, blob, moment)


async def _remove(tenant: Tenant, blob: Blob, moment: datetime) -> RemovedParts:
    """Remove a blob that was marked at `moment`. The record goes last: `hold` waits for as long as the bytes may still
    be removed.
    """
    mine = {"_id": blob.digest, "deleting_since": moment}
    # Asked after the mark: an upload that held the bytes before it has written its version by now.
    if await is_named(tenant, blob.digest):
        await tenant.blob_records.records.update_one(mine, {"$unset": {"deleting_since": ""}})
        return RemovedParts()
    had_bytes = await tenant.blobs.size(blob.digest) is not None
    await tenant.blobs.drop(blob.digest)
    return RemovedParts(had_bytes, bool((await tenant.blob_records.records.delete_one(mine)).deleted_count))


async def _mark_going(tenant: Tenant, blob: Blob, untouched: datetime, moment: datetime) -> bool:
    """Mark a blob as being removed since `moment`. False when it was touched, or another sweep is removing it."""
    idle = {"_id": blob.digest, "touched": {"$lte": untouched}}
    for free in ({"deleting_since": None}, {"deleting_since": {"$lt": moment - GIVEN_UP}}):
        if await _mark(tenant, idle | free, moment):
            return True
    # Bytes without a record: their server died before it was written.
    return await _adopt(tenant, {"_id": blob.digest, "size": blob.size, "touched": untouched, "deleting_since": moment})


async def _mark(tenant: Tenant, query: Query, moment: datetime) -> bool:
    """Mark the blob that fits as being removed since `moment`. False when there is none."""
    marked = await tenant.blob_records.records.update_one(query, {"$set": {"deleting_since": moment}})
    return bool(marked.matched_count)


async def adopt(tenant: Tenant, blob: Blob, touched: datetime) -> bool:
    """Record bytes that are stored without a record, and count them. False when they have one."""
    return await _adopt(tenant, {"_id": blob.digest, "size": blob.size, "touched": touched})


async def _adopt(tenant: Tenant, record: BlobRecord) -> bool:
    try:
        await tenant.blob_records.records.insert_one(record)
    except Duplicate:
        return False
    await tenant.add(quota.BYTES, record["size"])
    return True

"""The bytes that a tenant keeps: a record of each blob, which a sweep respects, and the quota.

A blob is held between the moment its bytes are whole and the moment a version names it. Only
a sweep removes bytes: it marks the record first (`going`), and whoever holds the blob waits
until it has gone. `docs/decisions.md` tells why no version is ever without its bytes.

A disk may lose or change bytes. A record says so (`damaged`) once that is known, until the same
bytes are sent again: a storage replaces what it has by what it is given.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from catalog.blobs.protocol import Blob, Blobs, UnknownBlobError
from catalog.errors import BUSY, QUOTA_EXCEEDED, Refused
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import now
from catalog.store.tenant_documents import Raw

LEASE = timedelta(minutes=10)
"""How long a blob is safe from every sweep once it is held. Until a version names it takes milliseconds."""

GIVEN_UP = timedelta(minutes=10)
"""After this long a blob that is still going is one whose sweep died. Dropping bytes takes seconds at most."""

PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between two looks at a blob that a sweep is removing."""

BYTES = "bytes"
"""The count of a tenant's distinct bytes, and of those that unfinished uploads have reserved. A crash at the wrong
moment leaves it off by a blob or an upload; a sweep recounts."""

RESERVED_AT_ONCE = 8 * 2**20
"""Bytes by which the reservation of an upload grows that did not say its size."""


VERIFIED_AT_ONCE = asyncio.Semaphore(2)
"""Reading all of a blob keeps a disk and a processor busy."""


class Condition(StrEnum):
    """What was found when all bytes of a blob were read."""

    INTACT = "intact"
    DAMAGED = "damaged"
    MISSING = "missing"


class Gone(NamedTuple):
    """What was removed of a blob."""

    bytes: bool = False
    record: bool = False


async def usage(tenant: Tenant) -> int:
    """Bytes that the tenant keeps, equal ones counted once, and those that unfinished uploads have reserved."""
    return await tenant.count(BYTES)


async def refuse_over_quota(tenant: Tenant, size: int) -> int | None:
    """The bytes that there is room for, when `size` more fit the quota; None without a quota.

    Raises Refused: QUOTA_EXCEEDED.
    """
    if not tenant.quota:
        return None
    room = tenant.quota - await usage(tenant)
    if size > room:
        raise over_quota(tenant)
    return room


async def within_quota(tenant: Tenant, chunks: AsyncIterator[bytes], announced: int = 0) -> AsyncGenerator[bytes, None]:
    """Pass `chunks` on for as long as there is room for them. `announced` is how many bytes will come, if known.

    Uploads that this process receives at the same time count as well, equal bytes too. Those of other processes are not
    seen here; `hold` decides.

    Raises Refused: QUOTA_EXCEEDED, before the first chunk when `announced` is too much.
    """
    used = await usage(tenant) if tenant.quota else 0
    size, counted = 0, announced
    tenant.arriving += announced
    try:
        _refuse_arriving(tenant, used)
        async for chunk in chunks:
            size += len(chunk)
            if size > counted:
                tenant.arriving += size - counted
                counted = size
                _refuse_arriving(tenant, used)
            yield chunk
    finally:
        tenant.arriving -= counted


def _refuse_arriving(tenant: Tenant, used: int) -> None:
    if tenant.quota and used + tenant.arriving > tenant.quota:
        raise over_quota(tenant)


def over_quota(tenant: Tenant) -> Refused:
    return Refused(QUOTA_EXCEEDED, f"the files of {tenant.name} may weigh {tenant.quota} bytes together")


class Reservation:
    """The bytes of an unfinished upload that count against the quota, on all servers, before they are a blob's."""

    def __init__(self, tenant: Tenant, upload: str, size: int) -> None:
        self.size = size
        self._tenant = tenant.base  # it is given back whatever has become of the caller
        self._upload = upload

    async def cover(self, size: int, at_once: int = 0) -> None:
        """Reserve as much as is missing of `size` bytes, or `at_once` if there is room for that.

        Raises Refused: QUOTA_EXCEEDED.
        """
        missing = size - self.size
        if missing <= 0:
            return
        if at_once > missing and await self._grown(at_once):
            return
        if not await self._grown(missing):
            raise over_quota(self._tenant)

    async def settle(self, blobs: Blobs, blob: Blob) -> None:
        """Hold the upload's bytes, which are a blob by now, in the place of what is reserved.

        Doing it again after a crash half-way is safe. Raises Refused: QUOTA_EXCEEDED without a reservation, BUSY.
        """
        await hold(self._tenant, blobs, blob, is_reserved=self.size >= blob.size)
        await self.shrink(0)

    async def shrink(self, size: int) -> None:
        """Reserve no more than `size` bytes."""
        smaller = {"_id": self._upload, "reserved": {"$gt": size}}
        before = await self._tenant.uploads.raw.find_one_and_update(
            smaller, {"$set": {"reserved": size}}, {"reserved": 1}
        )
        if before:
            await self._tenant.add(BYTES, size - before["reserved"])
            self.size = size

    async def _grown(self, more: int) -> bool:
        if not await self._tenant.add(BYTES, more, self._tenant.quota or None):
            return False
        grown = await self._tenant.uploads.raw.update_one({"_id": self._upload}, {"$inc": {"reserved": more}})
        if not grown.matched_count:  # somebody has removed the upload
            await self._tenant.add(BYTES, -more)
        self.size += more
        return True


async def reserve(tenant: Tenant, size: int) -> None:
    """Count bytes of an upload that is about to be recorded with them as `reserved`.

    Raises Refused: QUOTA_EXCEEDED.
    """
    if not await tenant.add(BYTES, size, tenant.quota or None):
        raise over_quota(tenant)


async def unreserve(tenant: Tenant, size: int) -> None:
    """Count bytes no more that an upload had reserved whose record is gone."""
    if size:
        await tenant.base.add(BYTES, -size)


async def unfinished(tenant: Tenant) -> int:
    """Bytes that unfinished uploads have reserved."""
    total: list[Raw] = await tenant.uploads.raw.aggregate(
        [{"$group": {"_id": None, "bytes": {"$sum": "$reserved"}}}]
    ).to_list(1)
    return int(total[0]["bytes"] if total else 0)


async def hold(tenant: Tenant, blobs: Blobs, blob: Blob, *, is_reserved: bool = False) -> None:
    """Make sure of bytes that are kept, so that a version may name them within LEASE.

    Call it after `blobs.put`, or for a digest that is known, and before the version's record is
    written. Bytes that the tenant did not have yet are counted, or refused and dropped when they
    exceed its quota, unless room for them is reserved. Bytes that were known to be damaged are not any more: for a
    digest alone, ask `is_intact` first.

    Raises Refused: QUOTA_EXCEEDED; BUSY when a sweep is removing the very same bytes, which have to be sent again.
    """
    moment = now()
    for pause in PAUSES:
        if await _held(tenant, blobs, blob, moment, is_reserved=is_reserved):
            break
        await asyncio.sleep(pause)
        moment = now()
    else:
        await _taken_over(tenant, blob, moment)
    # From here on no sweep begins to remove them. One that did before may have been quicker.
    if await blobs.size(blob.digest) is None:
        await let_go(tenant, blobs, blob, moment)
        raise Refused(BUSY, "the same bytes were being removed")


async def _held(tenant: Tenant, blobs: Blobs, blob: Blob, moment: datetime, *, is_reserved: bool) -> bool:
    """Count bytes that are new, touch others. False when a sweep is removing them."""
    try:
        await tenant.blob_records.raw.insert_one({"_id": blob.digest, "size": blob.size, "touched": moment})
    except Duplicate:
        touched = {"$max": {"touched": moment}, "$unset": {"damaged": ""}}
        return bool(
            (await tenant.blob_records.raw.update_one({"_id": blob.digest, "going": None}, touched)).matched_count
        )
    if not await tenant.add(BYTES, blob.size, None if is_reserved else tenant.quota or None):
        if not (await _removed(tenant, blobs, blob, moment)).record:
            await tenant.add(BYTES, blob.size)  # somebody else, who sent the same bytes at once, keeps them
        raise over_quota(tenant)
    return True


async def _taken_over(tenant: Tenant, blob: Blob, moment: datetime) -> None:
    """Hold a blob whose sweep died half-way.

    Raises Refused: BUSY when it did not.
    """
    held = await tenant.blob_records.raw.update_one(
        {"_id": blob.digest, "going": {"$lt": moment - GIVEN_UP}},
        {"$set": {"touched": moment}, "$unset": {"going": "", "damaged": ""}},
    )
    if not held.matched_count:
        raise Refused(BUSY, "the same bytes are being removed")


async def is_intact(tenant: Tenant, blobs: Blobs, blob: Blob) -> bool:
    """Whether a blob is here with all of its bytes, and is not known to be damaged. Reads none of them."""
    damaged = await tenant.blob_records.raw.find_one({"_id": blob.digest, "damaged": {"$ne": None}}, {"_id": 1})
    return await blobs.size(blob.digest) == blob.size and damaged is None


async def mark_damaged(tenant: Tenant, digest: str, since: datetime) -> None:
    """Note that bytes which were looked at `since` then are damaged, unless they were sent again meanwhile."""
    looked_at = {"_id": digest, "touched": {"$lte": since}}
    await tenant.base.blob_records.raw.update_one(looked_at, {"$set": {"damaged": now()}})


async def verify(tenant: Tenant, blobs: Blobs, blob: Blob) -> Condition:
    """Read all bytes of a blob, and note whether they are those of its digest: also for somebody who may only read."""
    began, digest = now(), sha256()
    try:
        async with VERIFIED_AT_ONCE, aclosing(blobs.read(blob.digest)) as chunks:
            async for chunk in chunks:
                await asyncio.to_thread(digest.update, chunk)
    except UnknownBlobError:
        condition = Condition.MISSING
    else:
        condition = Condition.INTACT if digest.hexdigest() == blob.digest else Condition.DAMAGED
    if condition is Condition.INTACT:
        await tenant.base.blob_records.raw.update_one({"_id": blob.digest}, {"$unset": {"damaged": ""}})
    else:
        await mark_damaged(tenant, blob.digest, began)
    return condition


async def let_go(tenant: Tenant, blobs: Blobs, blob: Blob, untouched: datetime) -> bool:
    """Remove a blob that no version names and that nobody has touched since `untouched`.

    True when there were bytes to remove; another sweep may have been quicker.
    """
    gone = await _removed(tenant, blobs, blob, untouched)
    if gone.record:
        await tenant.add(BYTES, -blob.size)
    return gone.bytes


async def _removed(tenant: Tenant, blobs: Blobs, blob: Blob, untouched: datetime) -> Gone:
    """The record goes last: for as long as the bytes may go, whoever wants to hold them has to wait."""
    moment = now()
    if not await _marked(tenant, blob, untouched, moment):
        return Gone()
    mine = {"_id": blob.digest, "going": moment}
    # Asked after that: whoever has held the bytes in time has written his version by now.
    if await tenant.versions.raw.find_one({"files.digest": blob.digest}, {"_id": 1}):
        await tenant.blob_records.raw.update_one(mine, {"$unset": {"going": ""}})
        return Gone()
    had_bytes = await blobs.size(blob.digest) is not None
    await blobs.drop(blob.digest)
    return Gone(had_bytes, bool((await tenant.blob_records.raw.delete_one(mine)).deleted_count))


async def _marked(tenant: Tenant, blob: Blob, untouched: datetime, moment: datetime) -> bool:
    """Say that a blob is going since `moment`. False when somebody has touched it, or is removing it already."""
    idle = {"_id": blob.digest, "touched": {"$lte": untouched}}
    for nobody_else in ({"going": None}, {"going": {"$lt": moment - GIVEN_UP}}):
        marked = await tenant.blob_records.raw.update_one(idle | nobody_else, {"$set": {"going": moment}})
        if marked.matched_count:
            return True
    # Bytes without a record: their server died before it was written.
    return await adopt(tenant, blob, untouched, going=moment)


async def adopt(tenant: Tenant, blob: Blob, touched: datetime, **going: datetime) -> bool:
    """Record bytes that lie there unrecorded, and count them. False when they have a record."""
    try:
        await tenant.blob_records.raw.insert_one({"_id": blob.digest, "size": blob.size, "touched": touched, **going})
    except Duplicate:
        return False
    await tenant.add(BYTES, blob.size)
    return True

"""The sweep: removes the bytes that nothing names any more, what killed uploads left behind, and unused folk words.

It may run while uploads do, on any server and on several at once: what it removes it marks
first, and whatever somebody has touched lately it lets be (see `kept`). It walks through the
storage in batches, so that its memory does not grow with the number of blobs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple

from catalog.blobs.protocol import Blob, Blobs, StoredBlob
from catalog.domain.files import blob_records, resumable
from catalog.domain.items import trash
from catalog.domain.terms import terms
from catalog.domain.versions import drafts
from catalog.store.database import Tenant
from catalog.store.documents import now
from catalog.store.tenant_documents import Raw

logger = logging.getLogger(__name__)

BATCH = 500
"""Blobs that the database is asked about at once."""

DRAFT_LIFE = timedelta(days=7)
"""After this long without a change a draft is abandoned."""

SETTLED = 1.0
"""Seconds after which whoever is between his record and his count has counted."""


class Swept(NamedTuple):
    """What a sweep removed of a tenant, or would remove."""

    blobs: int = 0
    bytes: int = 0
    leftovers: int = 0  # of uploads that were cut off
    leftover_bytes: int = 0
    uploads: int = 0  # resumable ones that nobody resumed in time
    drafts: int = 0  # that nobody went on with; their bytes go with a later sweep
    words: int = 0  # whose count of uses was wrong
    damaged: int = 0  # blobs that lost bytes, or have more than there were; marked so, and not removed
    unused_words: int = 0  # tags and metadata names, coined by use, that nothing uses any more


async def sweep(tenant: Tenant, blobs: Blobs, *, grace: timedelta, dry_run: bool = False) -> Swept:
    """Remove what nothing names and what nobody has touched for `grace`.

    While anybody uploads, `grace` must be `kept.LEASE` or more.
    """
    untouched = now() - grace
    abandoned = await _abandoned(tenant, dry_run=dry_run)
    expired = await resumable.expire(tenant, blobs, dry_run=dry_run)
    if not dry_run:
        await trash.purge(tenant)
        await _finish_what_died(tenant, blobs, untouched)
    count = size = 0
    damaged: list[str] = []
    async for blob in _unnamed(tenant, blobs, untouched, damaged):
        if dry_run or await blob_records.let_go(tenant, blobs, blob, untouched):
            count, size = count + 1, size + blob.size
    leftovers = await _leftovers(tenant, blobs, untouched, dry_run=dry_run)
    unused = await terms.remove_unused(tenant, untouched, dry_run=dry_run)
    if not dry_run:
        await recount(tenant)
    for digest in damaged:
        logger.warning("%s: the bytes of %s are damaged: they are not as many as they were", tenant.name, digest)
        if not dry_run:
            await blob_records.mark_damaged(tenant, digest, untouched)
    return Swept(count, size, *leftovers, expired, abandoned, damaged=len(damaged), unused_words=unused)


async def _unnamed(tenant: Tenant, blobs: Blobs, untouched: datetime, damaged: list[str]) -> AsyncIterator[Blob]:
    """Blobs that are old, that no version names and that nobody holds. `damaged` gets named ones of another size."""
    async for batch in _batches(blobs, untouched):
        digests = [listed.digest for listed in batch]
        records = {record["_id"]: record async for record in tenant.blob_records.raw.find({"_id": {"$in": digests}})}
        named = await _named(tenant, digests)
        for blob in (Blob(listed.digest, listed.size) for listed in batch):
            record = records.get(blob.digest)
            if blob.digest not in named:
                if record is None or record["touched"] <= untouched:
                    # What was counted is given back, though the disk may have lost some of it.
                    yield blob if record is None else Blob(blob.digest, record["size"])
            elif record is None:
                await blob_records.adopt(tenant, blob, untouched)
            elif record["size"] != blob.size:
                damaged.append(blob.digest)


async def _batches(blobs: Blobs, untouched: datetime) -> AsyncIterator[list[StoredBlob]]:
    batch: list[StoredBlob] = []
    async for listed in blobs.listing():
        if listed.modified <= untouched:
            batch.append(listed)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _named(tenant: Tenant, digests: list[str]) -> set[str]:
    asked, named = frozenset(digests), set()
    async for version in tenant.versions.raw.find({"files.digest": {"$in": digests}}, {"_id": 0, "files.digest": 1}):
        named |= {file["digest"] for file in version["files"]} & asked
    return named


async def _finish_what_died(tenant: Tenant, blobs: Blobs, untouched: datetime) -> None:
    """Remove the blobs that an earlier sweep had marked when its server died; their bytes may be gone already."""
    left = {"going": {"$lt": now() - blob_records.GIVEN_UP}}
    async for record in tenant.blob_records.raw.find(left):
        await blob_records.let_go(tenant, blobs, Blob(record["_id"], record["size"]), untouched)


async def _abandoned(tenant: Tenant, *, dry_run: bool) -> int:
    query = drafts.abandoned(now() - DRAFT_LIFE)
    if dry_run:
        return await tenant.versions.raw.count_documents(query)
    return (await tenant.versions.raw.delete_many(query)).deleted_count


async def _leftovers(tenant: Tenant, blobs: Blobs, untouched: datetime, *, dry_run: bool) -> tuple[int, int]:
    count = size = 0
    async for leftover in blobs.leftovers():
        if leftover.modified <= untouched and not await _is_resumable(tenant, leftover.name):
            count, size = count + 1, size + leftover.size
            if not dry_run:
                await blobs.discard(leftover.name)
    return count, size


async def _is_resumable(tenant: Tenant, leftover: str) -> bool:
    """Whether somebody may still go on with it; its record is there before its first byte."""
    folder, _, upload = leftover.partition("/")
    return folder == "uploads" and await tenant.uploads.raw.find_one({"_id": upload}, {"_id": 1}) is not None


async def recount(tenant: Tenant) -> int:
    """Mend the count of bytes where a crash left it wrong, and say by how many.

    Uploads go on meanwhile. What is wrong twice, with time between for a hold to be counted, is wrong for good.
    """
    wrong = await _miscounted(tenant)
    if not wrong:
        return 0
    await asyncio.sleep(SETTLED)
    if await _miscounted(tenant) != wrong:
        return 0  # too busy to tell: the next sweep will
    await tenant.add(blob_records.BYTES, wrong)
    return wrong


async def _miscounted(tenant: Tenant) -> int:
    """Bytes that the count lacks; 0 also when it changed meanwhile."""
    before = await blob_records.usage(tenant)
    total: list[Raw] = await tenant.blob_records.raw.aggregate(
        [{"$group": {"_id": None, "bytes": {"$sum": "$size"}}}]
    ).to_list(1)
    reserved = await blob_records.unfinished(tenant)
    after = await blob_records.usage(tenant)
    return int(total[0]["bytes"] if total else 0) + reserved - before if before == after else 0

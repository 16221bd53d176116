"""The sweep removes bytes that no version names, the leftovers of interrupted uploads, and unused folk terms.

It may run while uploads do, on any server and on several at once: it marks a blob before it removes it, and leaves
what was touched lately (see `blob_records`). It walks through the storage in batches, so that its memory does not grow
with the number of blobs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from catalog.blobs.protocol import Blob, Blobs, ListedBlob
from catalog.domain.artifacts import parts
from catalog.domain.files import blob_records, quota, uploads
from catalog.domain.files.named_blobs import named
from catalog.domain.items import trash
from catalog.domain.retention import applying, policies
from catalog.domain.terms import terms
from catalog.domain.versions.drafts import drafts
from catalog.domain.versions.files import version_files
from catalog.store.clock import Sleep, now
from catalog.store.derived import reader_copies
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

logger = logging.getLogger(__name__)

BATCH = 500
"""Blobs that the database is asked about at once."""

DRAFT_LIFE = timedelta(days=7)
"""After this long without a change a draft is abandoned."""

SETTLED = 1.0
"""Seconds after which a request that has written its record has counted its bytes."""


class SweepResult(NamedTuple):
    """What a sweep removed from a tenant, or would remove."""

    blobs: int = 0
    bytes: int = 0
    leftovers: int = 0  # of interrupted uploads
    leftover_bytes: int = 0
    uploads: int = 0  # resumable uploads that expired
    drafts: int = 0  # abandoned drafts; a later sweep removes their bytes
    words: int = 0  # tags and metadata names whose counts were wrong
    damaged: int = 0  # blobs of another size than recorded; marked, and not removed
    unused_words: int = 0  # folk tags and metadata names that no item uses
    versions: int = 0  # old ones, by the policies of retention, as the next two
    purged: int = 0  # items of the trash
    entries: int = 0  # of the journal


async def sweep(tenant: Tenant, *, grace: timedelta, dry_run: bool = False) -> SweepResult:
    """Remove what no version names and what was not touched for `grace`.

    While uploads are under way, `grace` must be `blob_records.LEASE` or more.
    """
    untouched = now() - grace
    applied = await applying.apply(tenant, dry_run=dry_run)
    abandoned = await _abandoned(tenant, dry_run=dry_run)
    expired = await uploads.expire(tenant, dry_run=dry_run) + await parts.expire(tenant, dry_run=dry_run)
    if not dry_run:
        await trash.purge(tenant)
        await reader_copies.spread_again(tenant)
        await version_files.remove_orphans(tenant, untouched)
        await _finish_interrupted(tenant, untouched)
    damaged: list[str] = []
    count, size = await _remove_unnamed(tenant, untouched, damaged, dry_run=dry_run)
    leftovers = await _leftovers(tenant, untouched, dry_run=dry_run)
    unused = applied.terms
    if (await policies.of_tenant(tenant)).terms_days is None:
        unused = await terms.remove_unused(tenant, untouched, dry_run=dry_run)
    if not dry_run:
        await recount(tenant)
    await _report_damaged(tenant, damaged, untouched, dry_run=dry_run)
    return SweepResult(
        count,
        size,
        *leftovers,
        expired,
        abandoned,
        damaged=len(damaged),
        unused_words=unused,
        versions=applied.versions,
        purged=applied.purged,
        entries=applied.entries,
    )


async def _remove_unnamed(tenant: Tenant, untouched: datetime, damaged: list[str], *, dry_run: bool) -> tuple[int, int]:
    """Remove old blobs that no version names; return how many, and their bytes. `damaged` is as in `_unnamed`."""
    count = size = 0
    async for blob in _unnamed(tenant, untouched, damaged):
        if dry_run or await blob_records.remove_unused(tenant, blob, untouched):
            count, size = count + 1, size + blob.size
    return count, size


async def _report_damaged(tenant: Tenant, digests: Sequence[str], untouched: datetime, *, dry_run: bool) -> None:
    """Log the blobs that have another size than recorded, and mark them."""
    for digest in digests:
        logger.warning("%s: the bytes of %s are damaged: they are not as many as they were", tenant.name, digest)
        if not dry_run:
            await blob_records.mark_damaged(tenant, digest, untouched)


async def _unnamed(tenant: Tenant, untouched: datetime, damaged: list[str]) -> AsyncIterator[Blob]:
    """Old blobs that no version names and no upload holds. `damaged` receives named blobs of another size."""
    async for batch in _batches(tenant.blobs, untouched):
        digests = [listed.digest for listed in batch]
        records = {
            record["_id"]: record async for record in tenant.blob_records.records.find({"_id": {"$in": digests}})
        }
        names = await named(tenant, digests)
        for blob in (Blob(listed.digest, listed.size) for listed in batch):
            record = records.get(blob.digest)
            if blob.digest not in names:
                if record is None or record["touched"] <= untouched:
                    # The recorded size was counted, even if the disk has lost some of it.
                    yield blob if record is None else Blob(blob.digest, record["size"])
            elif record is None:
                await blob_records.adopt(tenant, blob, untouched)
            elif record["size"] != blob.size:
                damaged.append(blob.digest)


async def _batches(blobs: Blobs, untouched: datetime) -> AsyncIterator[list[ListedBlob]]:
    batch: list[ListedBlob] = []
    async for listed in blobs.listing():
        if listed.modified <= untouched:
            batch.append(listed)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _finish_interrupted(tenant: Tenant, untouched: datetime) -> None:
    """Remove the blobs that an earlier sweep marked before its server died. Their bytes may be gone already."""
    left = {"deleting_since": {"$lt": now() - blob_records.GIVEN_UP}}
    async for record in tenant.blob_records.records.find(left):
        await blob_records.remove_unused(tenant, Blob(record["_id"], record["size"]), untouched)


async def _abandoned(tenant: Tenant, *, dry_run: bool) -> int:
    query = drafts.abandoned(now() - DRAFT_LIFE)
    if dry_run:
        return await tenant.versions.records.count_documents(query)
    async for draft in tenant.versions.records.find(query, {"item": 1, "kind": 1, "number": 1}):
        # A crash may have kept its number from its item.
        used = {"$max": {"last_removed": draft["number"]}, "$inc": {"revision": 1}}
        await tenant.items(Kind(draft["kind"])).records.update_one({"_id": draft["item"]}, used)
    return (await tenant.versions.records.delete_many(query)).deleted_count


async def _leftovers(tenant: Tenant, untouched: datetime, *, dry_run: bool) -> tuple[int, int]:
    count = size = 0
    async for leftover in tenant.blobs.leftovers():
        if leftover.modified <= untouched and not await _is_resumable(tenant, leftover.name):
            count, size = count + 1, size + leftover.size
            if not dry_run:
                await tenant.blobs.discard(leftover.name)
    return count, size


async def _is_resumable(tenant: Tenant, leftover: str) -> bool:
    """Whether an upload can still be resumed: its record is written before its first byte."""
    folder, _, upload = leftover.partition("/")
    return folder == "uploads" and await tenant.uploads.records.find_one({"_id": upload}, {"_id": 1}) is not None


async def recount(tenant: Tenant, sleep: Sleep = asyncio.sleep) -> int:
    """Correct the count of bytes after a crash, and return by how many.

    Uploads may be under way: only a difference that is found twice, with a pause in which they are counted, is an
    error.
    """
    wrong = await _miscounted(tenant)
    if not wrong:
        return 0
    await sleep(SETTLED)
    if await _miscounted(tenant) != wrong:
        return 0  # uploads keep changing the count: the next sweep tries again
    await tenant.add(quota.BYTES, wrong)
    return wrong


async def _miscounted(tenant: Tenant) -> int:
    """Bytes that the count lacks; 0 also when it changed meanwhile."""
    before = await quota.usage(tenant)
    stored = await tenant.blob_records.total("size")
    reserved = await quota.reserved(tenant)
    after = await quota.usage(tenant)
    return stored + reserved - before if before == after else 0

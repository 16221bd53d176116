"""A backup: the records and the bytes of tenants, in one archive that can be restored onto any database and storage.

`streaming.stream` yields one beside a running server. docs/backup.md says what it contains of what changes meanwhile.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple, Self

from catalog import __version__
from catalog.blobs.protocol import Storage
from catalog.domain.cleanup.sweep_schedule import BEAT, sweep_lease
from catalog.domain.files import blob_records
from catalog.errors import Refused
from catalog.operations.backup.archive import (
    BEGINNING,
    CONTINUED,
    END,
    FORMAT,
    ArchiveBeginning,
    Emit,
    TenantSummary,
    Writer,
)
from catalog.operations.backup.blob_dump import BlobDump, Held, LostBlob
from catalog.operations.backup.record_dump import RecordDump
from catalog.store import raw_documents
from catalog.store.clock import AHEAD, now
from catalog.store.concurrency.leases import Lease, LeaseLostError
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.ids import object_id
from catalog.store.migrations.upgrade import missing_steps
from catalog.store.records import Query, TenantRecord


class UnknownTenantError(Exception):
    """There is no tenant of that name."""


PATIENCE = 600.0
PAUSE = 0.5
"""Seconds for which a backup waits for a sweep of the same tenant, and between two looks."""


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""No backup was made before."""


class TenantBackup(NamedTuple):
    """The result for one tenant. Its backup contains all blobs except those that are `lost`."""

    tenant: str
    records: int
    blobs: int
    size: int  # bytes of the blobs
    lost: list[LostBlob]
    omitted: int = 0  # blobs that the backup which this one continues has

    @classmethod
    def of(cls, tenant: str, summary: TenantSummary) -> Self:
        """From the summary at the end of a tenant in the archive."""
        count = summary["blobs"] + summary.get("held", 0)
        size = summary["bytes"] + summary.get("held_bytes", 0)
        lost = [LostBlob(**each) for each in summary.get("lost", ())]
        return cls(tenant, sum(summary["records"].values()), count, size, lost, summary.get("omitted", 0))


class BackupError(Exception):
    """The message says what prevents the backup, and what to do."""


class ResumptionRefusedError(Exception):
    """An interrupted backup cannot be continued: it is of other tenants than these."""


class Increment(NamedTuple):
    """The backup that an increment continues: bytes that it has, or may have, are left out."""

    identity: str
    made: datetime  # when it was begun

    @classmethod
    def of(cls, identity: str, made: str) -> Self:
        """`made` is as ISO 8601. Raises ValueError for what cannot be the moment of a backup."""
        try:
            moment = datetime.fromisoformat(made)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except OverflowError as wrong:
            raise ValueError(made) from wrong
        # With a moment to come, bytes would be left out that no backup has.
        if not EARLIEST <= moment <= now() + AHEAD:
            raise ValueError(made)
        return cls(identity, moment)


class Resumption(NamedTuple):
    """What an interrupted backup has, and its continuation leaves out."""

    began: Increment
    done: Mapping[str, str]
    """The generations of the tenants that are complete, by name."""

    tenant: str = ""
    """The one that was being written, if bytes of it are there."""

    generation: str = ""
    after: str = ""
    """The last digest of it. Blobs are written in the order of their digests."""

    def remaining(self, records: Sequence[RegisteredTenant]) -> list[RegisteredTenant]:
        """Those that are not complete; the one that was being written first. Raises ResumptionRefusedError."""
        there = {record.id: record.generation or "" for record in records}
        known = {**self.done, **({self.tenant: self.generation} if self.tenant else {})}
        if any(there.get(name) != generation for name, generation in known.items()):
            raise ResumptionRefusedError("The tenants of the interrupted backup are not those of this catalog")
        left = [record for record in records if record.id not in self.done]
        return sorted(left, key=lambda record: record.id != self.tenant)


async def write(
    emit: Emit,
    database: Database,
    storage: Storage,
    records: Sequence[RegisteredTenant],
    report: Callable[[TenantBackup], None],
    *,
    since: Increment | None = None,
    resume: Resumption | None = None,
) -> None:
    """Give an archive of the tenants to `emit`, in constant memory but for the digests of a tenant.

    With `resume`, only what comes after the end of an interrupted one.

    Raises BackupError, ResumptionRefusedError, StorageUnavailableError, and what `emit` raises. The archive has no end
    then.
    """
    remaining = resume.remaining(records) if resume else records
    for record in records:
        _refuse_newer(record)
    writer = Writer(emit)
    beginning: ArchiveBeginning = {
        "format": CONTINUED if resume else FORMAT,
        "catalog": __version__,
        "made": datetime.now(UTC).isoformat(),
        "tenants": [record.id for record in records],
    }
    if since:
        beginning["base"], beginning["since"] = since.identity, since.made.isoformat()
    await writer.add_json(BEGINNING, beginning)
    for record in remaining:
        report(await _tenant(writer, database, storage, record, since, resume))
    await writer.add_json(END, {"tenants": len(records)})
    await writer.close()


async def find_tenants(database: Database, names: Collection[str]) -> list[RegisteredTenant]:
    """Raises UnknownTenantError."""
    query: Query = {"state": "ready", **({"_id": {"$in": list(names)}} if names else {})}
    records = await database.tenants.find(query).to_list()
    unknown = set(names) - {record.id for record in records}
    if unknown:
        raise UnknownTenantError(f"There is no tenant {', '.join(sorted(unknown))}")
    return sorted(records, key=lambda record: record.id)


def _refuse_newer(record: RegisteredTenant) -> None:
    """Raises BackupError for a schema that this version does not know: it may name bytes elsewhere."""
    try:
        missing_steps(record)
    except Refused as newer:
        raise BackupError(newer.details) from None


async def _tenant(
    writer: Writer,
    database: Database,
    storage: Storage,
    record: RegisteredTenant,
    since: Increment | None,
    resume: Resumption | None,
) -> TenantBackup:
    """Write one tenant. No sweep removes bytes meanwhile: the backup holds the lease of the sweep.

    Raises BackupError.
    """
    tenant, name = database.tenant(record), record.id
    lease = sweep_lease(database, name)
    await _acquire(lease, name)
    try:
        async with lease.renewed(BEAT):
            known = await database.tenants.records.find_one({"_id": name})
            await writer.add(f"{name}/tenant.bson", raw_documents.encode(known or {}))
            records = RecordDump(writer, tenant)
            await records.everything()
            there = _touched_after(record, resume.began) if resume and resume.tenant == name else None
            held = Held(resume.after, there) if resume and there else None
            blobs = BlobDump(writer, tenant, storage.of(name), _touched_after(record, since), held)
            await blobs.write(records.digests)
    except LeaseLostError:
        raise BackupError(f"{name} was removed or taken over by another server meanwhile: start again") from None
    finally:
        await lease.release()
    summary = _summary(records, blobs)
    await writer.add_json(f"{name}/{END}", summary)
    return TenantBackup.of(name, summary)


def _summary(records: RecordDump, blobs: BlobDump) -> TenantSummary:
    return {
        "records": records.counts,
        "sha256": records.seen.hexdigest(),
        "blobs": blobs.count,
        "bytes": blobs.size,
        "omitted": blobs.omitted,
        "held": blobs.held,
        "held_bytes": blobs.held_size,
        "lost": [{"digest": lost.digest, "why": lost.why, "named": lost.named} for lost in blobs.lost],
    }


async def _acquire(lease: Lease[TenantRecord], name: str) -> None:
    """Raises BackupError."""
    until = monotonic() + PATIENCE
    while await lease.acquire() is None:
        if monotonic() > until:
            raise BackupError(f"{name} is being swept or removed: try again later")
        await asyncio.sleep(PAUSE)


def _touched_after(record: RegisteredTenant, since: Increment | None) -> datetime | None:
    """From when on a blob may be missing in the backup that is continued. None: all may."""
    if since is None:
        return None
    earliest = since.made - blob_records.LEASE - AHEAD
    # Records of blobs that were restored have their old dates; the tenant has a new generation then.
    made = object_id(record.generation)
    return None if made is None or made.generation_time >= earliest else earliest

"""A backup: the records and the bytes of tenants, in one archive that can be restored onto any database and storage.

`streaming.stream` yields one beside a running server. docs/backup.md says what it contains of what changes meanwhile.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any, NamedTuple, Self

from catalog import __version__
from catalog.blobs.protocol import Storage
from catalog.domain.cleanup.sweep_schedule import BEAT, sweep_lease
from catalog.domain.files import blob_records
from catalog.operations.archive import BEGINNING, END, FORMAT, Emit, Writer
from catalog.operations.blob_dump import BlobDump, LostBlob
from catalog.operations.record_dump import RecordDump
from catalog.store import raw_documents
from catalog.store.clock import AHEAD, now
from catalog.store.concurrency.leases import Lease, LeaseLostError
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.ids import object_id
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


class BackupError(Exception):
    """The message says what prevents the backup, and what to do."""


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


async def write(
    emit: Emit,
    database: Database,
    storage: Storage,
    records: Sequence[RegisteredTenant],
    report: Callable[[TenantBackup], None],
    *,
    since: Increment | None = None,
) -> None:
    """Give an archive of the tenants to `emit`, in constant memory but for the digests of a tenant.

    Raises BackupError, StorageUnavailableError, and what `emit` raises. The archive has no end then.
    """
    writer = Writer(emit)
    beginning: dict[str, Any] = {"format": FORMAT, "catalog": __version__, "made": datetime.now(UTC).isoformat()}
    if since:
        beginning |= {"base": since.identity, "since": since.made.isoformat()}
    await writer.add_json(BEGINNING, beginning)
    for record in records:
        report(await _tenant(writer, database, storage, record, since))
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


async def _tenant(
    writer: Writer, database: Database, storage: Storage, record: RegisteredTenant, since: Increment | None
) -> TenantBackup:
    """Write one tenant. No sweep removes bytes meanwhile: the backup holds the lease of the sweep.

    Raises BackupError.
    """
    tenant, name = database.tenant(record), record.id
    lease = sweep_lease(database, name)
    await _acquire(lease, name)
    try:
        async with lease.renewed(BEAT):
            known = await database.tenants.raw.find_one({"_id": name}) or {}
            await writer.add(f"{name}/tenant.bson", raw_documents.encode(known))
            records = RecordDump(writer, tenant)
            await records.everything()
            blobs = BlobDump(writer, tenant, storage.of(name), _touched_after(record, since))
            await blobs.write(records.digests)
    except LeaseLostError:
        raise BackupError(f"{name} was removed or taken over by another server meanwhile: start again") from None
    finally:
        await lease.release()
    result = TenantBackup(name, sum(records.counts.values()), blobs.count, blobs.size, blobs.lost, blobs.omitted)
    summary = {
        "records": records.counts,
        "sha256": records.seen.hexdigest(),
        "blobs": result.blobs,
        "bytes": result.size,
        "omitted": result.omitted,
        "lost": [lost._asdict() for lost in result.lost],
    }
    await writer.add_json(f"{name}/{END}", summary)
    return result


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

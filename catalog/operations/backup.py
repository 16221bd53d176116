"""A backup: the records and the bytes of tenants, in one archive that can be restored onto any database and storage.

It is made beside a running server. docs/backup.md says what it contains of what changes meanwhile.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from bson import ObjectId

from catalog import __version__
from catalog.atomic_files import new_file
from catalog.blobs.protocol import Blobs, Storage, StorageUnavailableError, UnknownBlobError
from catalog.domain.cleanup.sweep_schedule import BEAT, sweep_lease
from catalog.domain.files import blob_records
from catalog.operations.archive import BEGINNING, END, FORMAT, ContentMismatchError, Emit, Writer, refuse_irregular
from catalog.store import raw_documents
from catalog.store.clock import AHEAD, now
from catalog.store.concurrency.leases import Lease, LeaseLostError
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.ids import object_id
from catalog.store.raw_documents import RawDocument
from catalog.store.records import TenantRecord, VersionRecord
from catalog.store.tenant import COUNTERS, Tenant
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

TRANSIENT = frozenset({"uploads", "part_uploads", "password_resets"})
"""Collections of work in progress, which a backup leaves out."""

PART = 8 * 2**20
"""Bytes of documents in a member of the archive. A single document may have 16 MiB."""


class UnknownTenantError(Exception):
    """There is no tenant of that name."""


RESTORED = 900_000
"""The number of the part with items that were restored from the trash meanwhile."""

BATCH = 500
"""Blobs that the database is asked about at once."""

PATIENCE = 600.0
PAUSE = 0.5
"""Seconds for which a backup waits for a sweep of the same tenant, and between two looks."""

MOST_FAILURES = 5
"""Consecutive files that cannot be read, after which the storage counts as unavailable."""

MOST_NAMED = 5
"""Files that a report names for each lost blob."""


class LostBlob(NamedTuple):
    """A blob that a version names, and that the storage cannot return unchanged."""

    digest: str
    why: str  # "missing", "damaged: ..." or "unreadable: ..."
    named: list[str]  # "model iris, version 3, file weights.bin": at most MOST_NAMED


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


async def backup(
    database: Database,
    storage: Storage,
    file: Path,
    names: Collection[str],
    report: Callable[[TenantBackup], None],
    *,
    since: Increment | None = None,
    replace: bool = False,
) -> None:
    """Write the tenants with these `names` (none: all) into `file`, which appears only when it is complete.

    Only its owner can read the file: it contains password hashes.

    Raises UnknownTenantError; BackupError; NotRegularFileError; FileExistsError without `replace`;
    StorageUnavailableError; OSError when `file` cannot be written.
    """
    refuse_irregular(file)
    if not replace and await asyncio.to_thread(file.exists):
        raise FileExistsError(errno.EEXIST, "is there already: --force replaces it", str(file))
    records = await find_tenants(database, names)
    with new_file(file, replace=replace) as raw:

        async def emit(data: bytes) -> None:
            await asyncio.to_thread(raw.write, data)

        await write(emit, database, storage, records, report, since=since)


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
    query: Raw = {"state": "ready", **({"_id": {"$in": list(names)}} if names else {})}
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
            dump = Dump(writer, tenant)
            await dump.everything()
            bytes_ = BlobsDump(writer, tenant, storage.of(name), _touched_after(record, since))
            await bytes_.write(dump.digests)
    except LeaseLostError:
        raise BackupError(f"{name} was removed or taken over by another server meanwhile: start again") from None
    finally:
        await lease.release()
    result = TenantBackup(name, sum(dump.counts.values()), bytes_.count, bytes_.size, bytes_.lost, bytes_.omitted)
    summary = {
        "records": dump.counts,
        "sha256": dump.seen.hexdigest(),
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


class Dump:
    """Writes the documents of a tenant, and collects the digests that they name: about 90 bytes each.

    Nothing is locked. The order makes a whole of what is read one after the other: items before the versions that they
    point to, so that an alias finds its version; versions with their files; counters last, so that no number is used
    again; the trash around the items, so that an item which is being restored is seen.
    """

    def __init__(self, writer: Writer, tenant: Tenant) -> None:
        self.counts: dict[str, int] = {}
        self.digests: dict[bytes, int] = {}
        self.seen = sha256()
        self._writer = writer
        self._tenant = tenant
        self._restorable: set[ObjectId] = set()  # items that were in the trash at the beginning
        self._written: set[ObjectId] = set()  # those of them that were written as items

    async def everything(self) -> None:
        tenant = self._tenant
        items = [str(kind) for kind in Kind]
        trash, versions, files = tenant.trash.raw.name, tenant.versions.raw.name, tenant.files.raw.name
        last = [versions, tenant.alias_moves.raw.name, COUNTERS]
        there = set(await tenant.database.list_collection_names())
        others = sorted(
            name for name in there - {*items, trash, files, *last} - TRANSIENT if not name.startswith("system.")
        )
        self._restorable = {entry["_id"] async for entry in tenant.trash.raw.find({}, {"_id": 1})}
        for name in (*items, trash, *others, *last):
            if name == versions:
                await self._versions()
            elif name in there:
                await self._collection(name)
            if name == trash:
                await self._restored()

    async def _collection(self, name: str) -> None:
        part = self._part(name)
        names_blobs, is_kind = name == self._tenant.artifact_files.raw.name, name in set(Kind)
        async for document in raw_documents.read_all(self._tenant, name):
            await part.add(bytes(document.raw))
            if names_blobs:
                self._name([document])
            if self._restorable:
                if is_kind and document["_id"] in self._restorable:
                    self._written.add(document["_id"])
                elif name == self._tenant.trash.raw.name:
                    self._restorable.discard(document["_id"])
        await part.end()

    async def _restored(self) -> None:
        """Write items that left the trash for their collection after that was read."""
        for kind in Kind:
            missing = {"_id": {"$in": sorted(self._restorable - self._written)}}
            if self._restorable - self._written:
                part = Part(self._writing(kind.value), RESTORED)
                async for document in raw_documents.read_all(self._tenant, kind.value, missing):
                    await part.add(bytes(document.raw))
                await part.end()

    async def _versions(self) -> None:
        """Write each folder with its files, so that none is without them, whatever is added or removed meanwhile."""
        parts = self._part(self._tenant.versions.raw.name), self._part(self._tenant.files.raw.name)
        async for version in raw_documents.read_all(self._tenant, self._tenant.versions.raw.name):
            files = await self._files(version) if version["folder"] else []
            if files is None:
                continue  # removed a moment ago
            self._name(version["files"])
            self._name(files)
            await parts[0].add(bytes(version.raw))
            for file in files:
                await parts[1].add(bytes(file.raw))
        for part in parts:
            await part.end()

    async def _files(self, version: RawDocument) -> list[RawDocument] | None:
        """The files of a folder as they were when its record was read. None when both are gone."""
        tenant = self._tenant
        asked = {"version": version["_id"], "path": {"$gt": ""}, "number": {"$lte": version.get("last_file", 0)}}
        files = [file async for file in raw_documents.read_all(tenant, tenant.files.raw.name, asked)]
        if len(files) < version["file_count"] and not version["files"]:
            there = await tenant.versions.raw.find_one({"_id": version["_id"]}, {"_id": 1})
            return None if there is None else files
        return files

    def _part(self, name: str) -> "Part":
        return Part(self._writing(name))

    def _writing(self, name: str) -> "WritePart":
        async def write(index: int, part: Sequence[bytes]) -> None:
            self.counts[name] = self.counts.get(name, 0) + len(part)
            content = b"".join(part)
            self.seen.update(content)
            await self._writer.add(f"{self._tenant.name}/records/{name}/{index:06}", content)

        return write

    def _name(self, files: Iterable[Mapping[str, Any]]) -> None:
        for file in files:
            if file["digest"]:
                self.digests[bytes.fromhex(file["digest"])] = file["size"]


WritePart = Callable[[int, Sequence[bytes]], Awaitable[None]]


class Part:
    """Documents of a collection that are not written yet."""

    def __init__(self, write: WritePart, index: int = 0) -> None:
        self._documents: list[bytes] = []
        self._size = 0
        self._index = index
        self._write = write

    async def add(self, document: bytes) -> None:
        self._documents.append(document)
        self._size += len(document)
        if self._size >= PART:
            await self.end()

    async def end(self) -> None:
        """Write what is left."""
        if self._documents:
            await self._write(self._index, self._documents)
            self._documents, self._size, self._index = [], 0, self._index + 1


class BlobsDump:
    """Writes the blobs that records name, and lists those whose bytes are lost.

    With `touched`, only those that somebody has held from that moment on; the others are in an earlier backup.
    """

    def __init__(self, writer: Writer, tenant: Tenant, blobs: Blobs, touched: datetime | None) -> None:
        self.count = self.size = self.omitted = 0
        self.lost: list[LostBlob] = []
        self._away = 0
        self._writer = writer
        self._tenant = tenant
        self._blobs = blobs
        self._touched = touched

    async def write(self, sizes: Mapping[bytes, int]) -> None:
        """Raises StorageUnavailableError."""
        keys = sorted(sizes)
        for start in range(0, len(keys), BATCH):
            digests = {key.hex(): sizes[key] for key in keys[start : start + BATCH]}
            old = await self._old(digests)
            self.omitted += len(old)
            for digest, size in digests.items():
                if digest not in old:
                    await self._one(digest, size)

    async def _old(self, digests: Iterable[str]) -> set[str]:
        if self._touched is None:
            return set()
        query = {"_id": {"$in": list(digests)}, "touched": {"$lt": self._touched}, "damaged": None}
        return {record["_id"] async for record in self._tenant.blob_records.records.find(query, {"_id": 1})}

    async def _one(self, digest: str, size: int) -> None:
        began = now()
        try:
            async with aclosing(self._blobs.read(digest)) as chunks:
                await self._writer.stream(f"{self._tenant.name}/blobs/{digest}", digest, size, chunks)
        except UnknownBlobError:
            why = "missing"
        except ContentMismatchError as difference:
            why = f"damaged: {difference}"
            await blob_records.mark_damaged(self._tenant, digest, began)
        except StorageUnavailableError as failure:
            self._away += 1
            if self._away == MOST_FAILURES:
                raise
            why = f"unreadable: {failure}"
        else:
            self._away, self.count, self.size = 0, self.count + 1, self.size + size
            return
        lost = LostBlob(digest, why, await _files(self._tenant, digest))
        await self._writer.add_json(f"{self._tenant.name}/lost/{digest}", {"why": why})
        self.lost.append(lost)


async def _files(tenant: Tenant, digest: str) -> list[str]:
    """The files of versions that have this digest, for people."""
    fields = {"item": 1, "kind": 1, "ordinal": 1, "files": {"$elemMatch": {"digest": digest}}}
    single = tenant.versions.records.find({"files.digest": digest}, fields).limit(MOST_NAMED)
    found = [await _described(tenant, version, version["files"][0]["path"]) async for version in single]
    async for file in tenant.files.records.find({"digest": digest}).limit(MOST_NAMED - len(found) or 1):
        version = await tenant.versions.records.find_one({"_id": file["version"]}, fields)
        if version:
            found.append(await _described(tenant, version, file["path"]))
    return found[:MOST_NAMED]


async def _described(tenant: Tenant, version: VersionRecord, path: str) -> str:
    kind = Kind(version["kind"])
    item = await tenant.items(kind).raw.find_one({"_id": version["item"]}, {"name": 1})
    name = item["name"] if item else f"{version['item']}, which is in the trash"
    return f"{kind.one} {name}, version {version['ordinal']}, file {path}"

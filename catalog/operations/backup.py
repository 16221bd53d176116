"""A backup: the records and the bytes of tenants, in one file that can be restored onto any database and storage."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from catalog import __version__
from catalog.atomic_files import new_file
from catalog.blobs.protocol import Blobs, Storage, StorageUnavailableError, UnknownBlobError
from catalog.domain.files import blob_records
from catalog.operations.archive import BEGINNING, END, FORMAT, ContentMismatchError, Writer, refuse_irregular
from catalog.store import raw_documents
from catalog.store.clock import now
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.raw_documents import RawDocument
from catalog.store.records import VersionRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

TRANSIENT = frozenset({"uploads", "part_uploads", "password_resets"})
"""Collections of work in progress, which a backup leaves out."""

PART = 8 * 2**20
"""Bytes of documents in a member of the archive. A single document may have 16 MiB."""


class UnknownTenantError(Exception):
    """There is no tenant of that name."""


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


async def backup(
    database: Database, storage: Storage, file: Path, names: Collection[str], report: Callable[[TenantBackup], None]
) -> None:
    """Write the tenants with these `names` (none: all) into `file`, which appears only when it is complete.

    Only its owner can read the file: it contains password hashes.

    Raises UnknownTenantError; NotRegularFileError; StorageUnavailableError; OSError when `file` cannot be written.
    """
    refuse_irregular(file)
    records = await _records(database, names)
    with new_file(file, replace=True) as raw:
        writer = Writer(raw)
        beginning = {"format": FORMAT, "catalog": __version__, "made": datetime.now(UTC).isoformat()}
        writer.add_json(BEGINNING, beginning)
        for record in records:
            report(await _tenant(writer, database, storage, record))
        writer.add_json(END, {"tenants": len(records)})
        writer.close()


async def _records(database: Database, names: Collection[str]) -> list[RegisteredTenant]:
    query: Raw = {"state": "ready", **({"_id": {"$in": list(names)}} if names else {})}
    records = await database.tenants.find(query).to_list()
    unknown = set(names) - {record.id for record in records}
    if unknown:
        raise UnknownTenantError(f"There is no tenant {', '.join(sorted(unknown))}")
    return sorted(records, key=lambda record: record.id)


async def _tenant(writer: Writer, database: Database, storage: Storage, record: RegisteredTenant) -> TenantBackup:
    tenant, name = database.tenant(record), record.id
    writer.add(f"{name}/tenant.bson", raw_documents.encode(await database.tenants.raw.find_one({"_id": name}) or {}))
    dump = Dump(writer, name)
    for collection in await _collections(tenant):
        if collection == tenant.versions.raw.name:
            await dump.versions(tenant)
        elif collection != tenant.files.raw.name:
            await dump.collection(tenant, collection)
    # Blobs after records: a blob is stored before the record that names it, and a sweep spares recent ones.
    blobs = await _blobs(writer, tenant, storage.of(name), dump.digests)
    result = TenantBackup(name, sum(dump.counts.values()), *blobs)
    summary = {"records": dump.counts, "sha256": dump.seen.hexdigest(), "blobs": result.blobs, "bytes": result.size}
    writer.add_json(f"{name}/{END}", summary)
    return result


async def _collections(tenant: Tenant) -> list[str]:
    names = await tenant.database.list_collection_names()
    kept = sorted(name for name in names if name not in TRANSIENT and not name.startswith("system."))
    # The history of aliases comes last: a move leaves the outbox of its item only when the history has it.
    return sorted(kept, key=tenant.alias_moves.raw.name.__eq__)


class Dump:
    """Writes the documents of a tenant, and collects the digests that they name: about 90 bytes each."""

    def __init__(self, writer: Writer, tenant: str) -> None:
        self.counts: dict[str, int] = {}
        self.digests: dict[bytes, int] = {}
        self.seen = sha256()
        self._writer = writer
        self._tenant = tenant

    async def collection(self, tenant: Tenant, name: str) -> None:
        part = self._part(name)
        async for document in raw_documents.read_all(tenant, name):
            part.add(bytes(document.raw))
            if name == tenant.artifact_files.raw.name:
                self._name([document])
        part.end()

    async def versions(self, tenant: Tenant) -> None:
        """Write each folder with its files, so that none is without them, whatever is added or removed meanwhile."""
        parts = self._part(tenant.versions.raw.name), self._part(tenant.files.raw.name)
        async for version in raw_documents.read_all(tenant, tenant.versions.raw.name):
            files = await self._files(tenant, version) if version["folder"] else []
            if files is None:
                continue  # removed a moment ago
            self._name(version["files"])
            self._name(files)
            parts[0].add(bytes(version.raw))
            for file in files:
                parts[1].add(bytes(file.raw))
        for part in parts:
            part.end()

    async def _files(self, tenant: Tenant, version: RawDocument) -> list[RawDocument] | None:
        """The files of a folder as they were when its record was read. None when both are gone."""
        asked = {"version": version["_id"], "path": {"$gt": ""}, "number": {"$lte": version.get("last_file", 0)}}
        files = [file async for file in raw_documents.read_all(tenant, tenant.files.raw.name, asked)]
        if len(files) < version["file_count"] and not version["files"]:
            there = await tenant.versions.raw.find_one({"_id": version["_id"]}, {"_id": 1})
            return None if there is None else files
        return files

    def _part(self, name: str) -> "Part":
        return Part(lambda index, documents: self._write(name, index, documents))

    def _write(self, name: str, index: int, part: Sequence[bytes]) -> None:
        self.counts[name] = self.counts.get(name, 0) + len(part)
        content = b"".join(part)
        self.seen.update(content)
        self._writer.add(f"{self._tenant}/records/{name}/{index:06}", content)

    def _name(self, files: Iterable[Mapping[str, Any]]) -> None:
        for file in files:
            if file["digest"]:
                self.digests[bytes.fromhex(file["digest"])] = file["size"]


class Part:
    """Documents of a collection that are not written yet."""

    def __init__(self, write: Callable[[int, Sequence[bytes]], None]) -> None:
        self._documents: list[bytes] = []
        self._size = 0
        self._index = 0
        self._write = write

    def add(self, document: bytes) -> None:
        self._documents.append(document)
        self._size += len(document)
        if self._size >= PART:
            self.end()

    def end(self) -> None:
        """Write what is left."""
        if self._documents:
            self._write(self._index, self._documents)
            self._documents, self._size, self._index = [], 0, self._index + 1


async def _blobs(
    writer: Writer, tenant: Tenant, blobs: Blobs, sizes: dict[bytes, int]
) -> tuple[int, int, list[LostBlob]]:
    count, size, away, lost = 0, 0, 0, []
    for key in sorted(sizes):
        digest, began = key.hex(), now()
        try:
            await _blob(writer, f"{tenant.name}/blobs/{digest}", blobs, digest, sizes[key])
        except UnknownBlobError:
            why = "missing"
        except ContentMismatchError as difference:
            why = f"damaged: {difference}"
            await blob_records.mark_damaged(tenant, digest, began)
        except StorageUnavailableError as failure:
            away += 1
            if away == MOST_FAILURES:
                raise
            why = f"unreadable: {failure}"
        else:
            away, count, size = 0, count + 1, size + sizes[key]
            continue
        lost.append(LostBlob(digest, why, await _files(tenant, digest)))
    return count, size, lost


async def _blob(writer: Writer, name: str, blobs: Blobs, digest: str, size: int) -> None:
    async with aclosing(blobs.read(digest)) as chunks:
        await writer.stream(name, digest, size, chunks)


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

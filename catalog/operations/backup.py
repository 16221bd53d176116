"""A backup: the records and the bytes of tenants, in one file that can be restored onto any database and storage."""

from collections.abc import Callable, Collection, Iterable
from contextlib import aclosing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from catalog import __version__
from catalog.atomic_files import new_file
from catalog.blobs.protocol import Blobs, Storage, StorageUnavailableError, UnknownBlobError
from catalog.domain.files import blob_records
from catalog.operations.archive import BEGINNING, END, FORMAT, ContentMismatchError, Writer, refuse_irregular
from catalog.store.database import Database, Tenant
from catalog.store.documents import RegisteredTenant, now
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

TRANSIENT = frozenset({"uploads", "password_resets"})
"""Collections of work in progress, which a backup leaves out."""

PART = 8 * 2**20
"""Bytes of documents in a member of the archive. A single document may have 16 MiB."""

RAW_BSON = CodecOptions(document_class=RawBSONDocument)


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
    writer.add(f"{name}/tenant.bson", bson.encode(await database.tenants.raw.find_one({"_id": name}) or {}))
    dump = Dump(writer, name)
    for collection in await _collections(tenant):
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
    """Writes the documents of a tenant, and collects the digests that its versions name: about 90 bytes each."""

    def __init__(self, writer: Writer, tenant: str) -> None:
        self.counts: dict[str, int] = {}
        self.digests: dict[bytes, int] = {}
        self.seen = sha256()
        self._writer = writer
        self._tenant = tenant

    async def collection(self, tenant: Tenant, name: str) -> None:
        self.counts[name] = 0
        documents = tenant.database[name].with_options(RAW_BSON).find({})
        part, index = bytearray(), 0
        async for document in documents:
            self.counts[name] += 1
            part += document.raw
            if name == tenant.versions.raw.name:
                self._name(document["files"])
            if len(part) >= PART:
                self._write(f"{name}/{index:06}", part)
                part, index = bytearray(), index + 1
        if part:
            self._write(f"{name}/{index:06}", part)

    def _write(self, name: str, part: bytearray) -> None:
        self.seen.update(part)
        self._writer.add(f"{self._tenant}/records/{name}", bytes(part))

    def _name(self, files: Iterable[Raw]) -> None:
        for file in files:
            self.digests[bytes.fromhex(file["digest"])] = file["size"]


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
    found = []
    async for version in tenant.versions.raw.find({"files.digest": digest}, fields).limit(MOST_NAMED):
        kind = Kind(version["kind"])
        item = await tenant.items(kind).raw.find_one({"_id": version["item"]}, {"name": 1})
        name = item["name"] if item else f"{version['item']}, which is in the trash"
        found.append(f"{kind.one} {name}, version {version['ordinal']}, file {version['files'][0]['path']}")
    return found

"""A backup: the records and the bytes of tenants, in one file that can be restored onto any database and storage."""

import os
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
from catalog.blobs.protocol import Blobs, Storage, StorageUnavailableError, UnknownBlobError
from catalog.domain.files import blob_records
from catalog.operations.archive import BEGINNING, END, FORMAT, NotAnnounced, Writer, refuse_irregular
from catalog.store.database import Database, Tenant
from catalog.store.documents import RegisteredTenant, now
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

PASSING = frozenset({"uploads", "password_resets"})
"""Collections of what is under way: it ends in minutes or days, and its bytes are in no backup."""

PART = 8 * 2**20
"""Bytes of documents in a member of the archive: MongoDB allows 16 MiB for one."""

AS_KEPT = CodecOptions(document_class=RawBSONDocument)


class NoSuchTenant(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """A tenant was asked for that is not there."""


AWAY_IN_A_ROW = 5
"""After so many files that cannot be read, one after the other, it is the storage that is away."""

MOST_NAMED = 5
"""Files of versions that are named for bytes which are lost."""


class Lost(NamedTuple):
    """Bytes that a version names and the storage does not give as they were."""

    digest: str
    why: str  # "missing", "damaged: ..." or "unreadable: ..."
    named: list[str]  # "model iris, version 3, file weights.bin": at most MOST_NAMED


class BackedUp(NamedTuple):
    """What became of a tenant. Its backup has all but the bytes that are `lost`."""

    tenant: str
    records: int
    blobs: int
    size: int  # bytes of the blobs
    lost: list[Lost]


async def backup(
    database: Database, storage: Storage, file: Path, wanted: Collection[str], tell: Callable[[BackedUp], None]
) -> None:
    """Write the `wanted` tenants (none: all) into `file`, which appears only when it is whole. It holds password
    hashes, so nobody else may read it.

    Raises NoSuchTenant; NotRegular for what is no file; StorageUnavailableError; OSError when `file` cannot be written.
    """
    refuse_irregular(file)
    records = await _records(database, wanted)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as raw:
            writer = Writer(raw)
            writer.tell(BEGINNING, {"format": FORMAT, "catalog": __version__, "made": datetime.now(UTC).isoformat()})
            for record in records:
                tell(await _tenant(writer, database, storage, record))
            writer.tell(END, {"tenants": len(records)})
            writer.close()
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


async def _records(database: Database, wanted: Collection[str]) -> list[RegisteredTenant]:
    query: Raw = {"state": "ready", **({"_id": {"$in": list(wanted)}} if wanted else {})}
    records = await database.tenants.find(query).to_list()
    unknown = set(wanted) - {record.id for record in records}
    if unknown:
        raise NoSuchTenant(f"There is no tenant {', '.join(sorted(unknown))}")
    return sorted(records, key=lambda record: record.id)


async def _tenant(writer: Writer, database: Database, storage: Storage, record: RegisteredTenant) -> BackedUp:
    tenant, name = database.tenant(record), record.id
    writer.add(f"{name}/tenant.bson", bson.encode(await database.tenants.raw.find_one({"_id": name}) or {}))
    dump = Dump(writer, name)
    for collection in await _collections(tenant):
        await dump.collection(tenant, collection)
    # Bytes after records: what a record names was there before it, and a sweep lets it be for a while.
    blobs = await _blobs(writer, tenant, storage.of(name), dump.digests)
    result = BackedUp(name, sum(dump.counts.values()), *blobs)
    told = {"records": dump.counts, "sha256": dump.seen.hexdigest(), "blobs": result.blobs, "bytes": result.size}
    writer.tell(f"{name}/{END}", told)
    return result


async def _collections(tenant: Tenant) -> list[str]:
    names = await tenant.database.list_collection_names()
    return sorted(name for name in names if name not in PASSING and not name.startswith("system."))


class Dump:
    """The documents of a tenant on their way into the archive, and what their versions name.

    The digests are the one thing that grows: some 90 bytes each.
    """

    def __init__(self, writer: Writer, tenant: str) -> None:
        self.counts: dict[str, int] = {}
        self.digests: dict[bytes, int] = {}
        self.seen = sha256()
        self._writer = writer
        self._tenant = tenant

    async def collection(self, tenant: Tenant, name: str) -> None:
        self.counts[name] = 0
        documents = tenant.database[name].with_options(AS_KEPT).find({})
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


async def _blobs(writer: Writer, tenant: Tenant, blobs: Blobs, named: dict[bytes, int]) -> tuple[int, int, list[Lost]]:
    count, size, away, lost = 0, 0, 0, []
    for key in sorted(named):
        digest, began = key.hex(), now()
        try:
            await _blob(writer, f"{tenant.name}/blobs/{digest}", blobs, digest, named[key])
        except UnknownBlobError:
            why = "missing"
        except NotAnnounced as difference:
            why = f"damaged: {difference}"
            await blob_records.mark_damaged(tenant, digest, began)
        except StorageUnavailableError as failure:
            away += 1
            if away == AWAY_IN_A_ROW:
                raise
            why = f"unreadable: {failure}"
        else:
            away, count, size = 0, count + 1, size + named[key]
            continue
        lost.append(Lost(digest, why, await _files(tenant, digest)))
    return count, size, lost


async def _blob(writer: Writer, name: str, blobs: Blobs, digest: str, size: int) -> None:
    async with aclosing(blobs.read(digest)) as chunks:
        await writer.stream(name, digest, size, chunks)


async def _files(tenant: Tenant, digest: str) -> list[str]:
    """The files of versions that have these bytes, in words."""
    fields = {"item": 1, "kind": 1, "ordinal": 1, "files": {"$elemMatch": {"digest": digest}}}
    found = []
    async for version in tenant.versions.raw.find({"files.digest": digest}, fields).limit(MOST_NAMED):
        kind = Kind(version["kind"])
        item = await tenant.items(kind).raw.find_one({"_id": version["item"]}, {"name": 1})
        name = item["name"] if item else f"{version['item']}, which is in the trash"
        found.append(f"{kind.one} {name}, version {version['ordinal']}, file {version['files'][0]['path']}")
    return found

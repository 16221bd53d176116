"""A backup: the records and the bytes of tenants, in one file that can be restored onto any database and storage."""

import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import aclosing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from catalog import __version__
from catalog.blobs import Blobs, BlobUnknown, Storage
from catalog.operations.archive import BEGINNING, END, FORMAT, Writer
from catalog.store.database import Database, Tenant
from catalog.store.documents import TenantRecord
from catalog.store.seam import Raw

PASSING = frozenset({"uploads", "password_resets"})
"""Collections of what is under way: it ends in minutes or days, and its bytes are in no backup."""

PART = 8 * 2**20
"""Bytes of documents in a member of the archive: MongoDB allows 16 MiB for one."""

AS_KEPT = CodecOptions(document_class=RawBSONDocument)


class NoSuchTenant(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """A tenant was asked for that is not there."""


class BackedUp(NamedTuple):
    """What became of a tenant. `missing` are digests that a version names and the storage does not have."""

    tenant: str
    records: int
    blobs: int
    size: int  # bytes of the blobs
    missing: list[str]


async def backup(
    database: Database, storage: Storage, file: Path, wanted: Collection[str], tell: Callable[[BackedUp], None]
) -> None:
    """Write the `wanted` tenants (none: all) into `file`, which appears only when it is whole. It holds password
    hashes, so nobody else may read it.

    Raises NoSuchTenant, and OSError when `file` cannot be written.
    """
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


async def _records(database: Database, wanted: Collection[str]) -> list[TenantRecord]:
    query: Raw = {"state": "ready", **({"_id": {"$in": list(wanted)}} if wanted else {})}
    records = await database.tenants.find(query).to_list()
    unknown = set(wanted) - {record.id for record in records}
    if unknown:
        raise NoSuchTenant(f"There is no tenant {', '.join(sorted(unknown))}")
    return sorted(records, key=lambda record: record.id)


async def _tenant(writer: Writer, database: Database, storage: Storage, record: TenantRecord) -> BackedUp:
    tenant, name = database.tenant(record), record.id
    writer.add(f"{name}/tenant.bson", bson.encode(await database.tenants.raw.find_one({"_id": name}) or {}))
    dump = Dump(writer, name)
    for collection in await _collections(tenant):
        await dump.collection(tenant, collection)
    # Bytes after records: what a record names was there before it, and a sweep lets it be for a while.
    blobs = await _blobs(writer, name, storage.of(name), dump.digests)
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


async def _blobs(writer: Writer, tenant: str, blobs: Blobs, named: dict[bytes, int]) -> tuple[int, int, list[str]]:
    count, size, missing = 0, 0, []
    for key in sorted(named):
        digest = key.hex()
        try:
            await _blob(writer, f"{tenant}/blobs/{digest}", blobs, digest, named[key])
        except BlobUnknown:
            missing.append(digest)
        else:
            count, size = count + 1, size + named[key]
    return count, size, missing


async def _blob(writer: Writer, name: str, blobs: Blobs, digest: str, size: int) -> None:
    async with aclosing(blobs.read(digest)) as chunks:
        first = await anext(chunks, b"")  # before the header: it is not too late to say that there is none

        async def whole() -> AsyncIterator[bytes]:
            yield first
            async for chunk in chunks:
                yield chunk

        found = await writer.stream(name, size, whole())
    if found != digest:
        raise ValueError(f"The bytes of {digest} are damaged in the storage: they are {found}")

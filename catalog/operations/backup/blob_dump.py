"""The bytes of a tenant in a backup, and those that are lost."""

from collections.abc import Iterable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple

from catalog.blobs.protocol import Blobs, StorageUnavailableError, UnknownBlobError
from catalog.domain.files import blob_records
from catalog.operations.backup.archive import ContentMismatchError, Writer
from catalog.store.clock import now
from catalog.store.records import VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

BATCH = 500
"""Blobs that the database is asked about at once."""

MOST_FAILURES = 5
"""Consecutive files that cannot be read, after which the storage counts as unavailable."""

MOST_NAMED = 5
"""Files that a report names for each lost blob."""


class LostBlob(NamedTuple):
    """A blob that a version names, and that the storage cannot return unchanged."""

    digest: str
    why: str  # "missing", "damaged: ..." or "unreadable: ..."
    named: list[str]  # "model iris, version 3, file weights.bin": at most MOST_NAMED


class Held(NamedTuple):
    """What an interrupted backup has: the blobs up to a digest, but those that an upload has held from a moment on."""

    last: str
    touched: datetime


class BlobDump:
    """Writes the blobs that records name, and lists those whose bytes are lost.

    With `touched`, only those that an upload has held from that moment on; the others are in an earlier backup.
    """

    def __init__(
        self, writer: Writer, tenant: Tenant, blobs: Blobs, touched: datetime | None, held: Held | None = None
    ) -> None:
        self.count = self.size = self.omitted = self.held = self.held_size = 0
        self._held = held
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
            old = await self._old(digests, self._touched)
            self.omitted += len(old)
            held: set[str] = set()
            if self._held:
                held = await self._old(
                    {each for each in digests.keys() - old if each <= self._held.last}, self._held.touched
                )
            self.held, self.held_size = self.held + len(held), self.held_size + sum(digests[each] for each in held)
            for digest, size in digests.items():
                if digest not in old and digest not in held:
                    await self._one(digest, size)

    async def _old(self, digests: Iterable[str], touched: datetime | None) -> set[str]:
        """Those that no upload has held from that moment on."""
        if touched is None:
            return set()
        query = {"_id": {"$in": list(digests)}, "touched": {"$lt": touched}, "damaged": None}
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
    item = await tenant.items(kind).records.find_one({"_id": version["item"]}, {"name": 1})
    name = item["name"] if item else f"{version['item']}, which is in the trash"
    return f"{kind.one} {name}, version {version['ordinal']}, file {path}"

"""The CRC-32 of stored bytes, which a zip has before them: computed when it is first needed, then stored."""

import hashlib
import zlib
from asyncio import to_thread
from collections.abc import Sequence
from contextlib import aclosing

from catalog.blobs.protocol import UnknownBlobError
from catalog.errors import DOWNLOAD, Refused
from catalog.store.ids import in_parts
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Update

AT_ONCE = 500
"""Checksums that are written in one command."""


class Checksums:
    """The checksums of a tenant's blobs."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._known: dict[str, int] = {}
        self._new: list[str] = []

    async def recall(self, digests: Sequence[str]) -> None:
        """Read the stored checksums of these blobs."""
        for part in in_parts(digests):
            asked = {"_id": {"$in": list(part)}, "crc32": {"$type": "number"}}
            async for found in self._tenant.blob_records.records.find(asked, {"crc32": 1}):
                self._known[found["_id"]] = found["crc32"]

    async def of(self, digest: str) -> int:
        """The CRC-32 of a blob. Unless it was recalled, the blob is read once.

        Raises Refused: DOWNLOAD for bytes that are missing, or are not those of the digest.
        """
        if digest not in self._known:
            self._known[digest] = await self._computed(digest)
            self._new.append(digest)
            if len(self._new) == AT_ONCE:
                await self.remember()
        return self._known[digest]

    async def remember(self) -> None:
        """Store what was computed, so that no blob is read for it again."""
        computed = [Update({"_id": digest}, {"$set": {"crc32": self._known[digest]}}) for digest in self._new]
        self._new = []
        await self._tenant.blob_records.modify_all(computed)

    async def _computed(self, digest: str) -> int:
        hasher, crc = hashlib.sha256(), 0
        try:
            async with aclosing(self._tenant.blobs.read(digest)) as blocks:
                async for block in blocks:
                    await to_thread(hasher.update, block)
                    crc = await to_thread(zlib.crc32, block, crc)
        except UnknownBlobError:
            raise Refused(DOWNLOAD, f"the bytes of sha256:{digest} are missing") from None
        if hasher.hexdigest() != digest:  # the stored checksum must be right for ever
            raise Refused(DOWNLOAD, f"the bytes of sha256:{digest} are damaged")
        return crc

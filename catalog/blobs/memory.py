"""Blobs in memory: for tests, and gone with the process."""

from collections.abc import AsyncGenerator, AsyncIterator
from hashlib import sha256

from catalog.blobs import BLOCK, Blob, BlobUnknown


class MemoryBlobs:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, content: AsyncIterator[bytes]) -> Blob:
        whole = b"".join([chunk async for chunk in content])
        digest = sha256(whole).hexdigest()
        self.kept[digest] = whole
        return Blob(digest, len(whole))

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        if digest not in self.kept:
            raise BlobUnknown(digest)
        wanted = self.kept[digest][start:stop]
        for at in range(0, len(wanted), BLOCK):
            yield wanted[at : at + BLOCK]

    async def drop(self, digest: str) -> None:
        self.kept.pop(digest, None)


class MemoryStorage:
    def __init__(self) -> None:
        self.tenants: dict[str, MemoryBlobs] = {}

    def of(self, tenant: str) -> MemoryBlobs:
        return self.tenants.setdefault(tenant, MemoryBlobs())

    async def forget(self, tenant: str) -> None:
        self.of(tenant).kept.clear()
        del self.tenants[tenant]

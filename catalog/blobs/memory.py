"""Blobs in memory: for tests, and gone with the process."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256

from catalog.blobs.protocol import (
    BLOCK,
    Blob,
    BlobUnknown,
    Kept,
    Leftover,
    OffsetWrong,
    UploadBusy,
    nothing_more,
    plain_leftover,
    plain_tenant,
    plain_upload,
)


class MemoryBlobs:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.modified: dict[str, datetime] = {}
        """Of blobs by their digest, and of uploads by their name."""
        self.uploads: dict[str, bytearray] = {}
        self.finished: dict[str, Blob] = {}
        self._growing: set[str] = set()

    async def put(self, content: AsyncIterator[bytes]) -> Blob:
        return self._keep(b"".join([chunk async for chunk in content]))

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        if digest not in self.kept:
            raise BlobUnknown(digest)
        wanted = self.kept[digest][start:stop]
        for at in range(0, len(wanted), BLOCK):
            yield wanted[at : at + BLOCK]

    async def size(self, digest: str) -> int | None:
        return len(self.kept[digest]) if digest in self.kept else None

    async def drop(self, digest: str) -> None:
        self.kept.pop(digest, None)

    async def listing(self) -> AsyncGenerator[Kept, None]:
        for digest, content in list(self.kept.items()):
            yield Kept(digest, len(content), self.modified[digest])

    async def append(self, upload: str, offset: int, content: AsyncIterator[bytes]) -> int:
        length = await self.length(upload)
        if offset != length:
            raise OffsetWrong(length)
        if upload in self.finished:
            return await nothing_more(content, length)
        if upload in self._growing:
            raise UploadBusy(upload)
        self._growing.add(upload)
        try:
            await self._grow(upload, content)
        finally:
            self._growing.remove(upload)
        return await self.length(upload)

    async def _grow(self, upload: str, content: AsyncIterator[bytes]) -> None:
        so_far = self.uploads.setdefault(upload, bytearray())
        self.modified[upload] = datetime.now(UTC)
        async for chunk in content:
            so_far += chunk
            self.modified[upload] = datetime.now(UTC)

    async def length(self, upload: str) -> int:
        if upload in self.finished:
            return self.finished[upload].size
        return len(self.uploads.get(plain_upload(upload), b""))

    async def finish(self, upload: str) -> Blob:
        if upload in self._growing:
            raise UploadBusy(upload)
        if plain_upload(upload) not in self.finished:
            self.finished[upload] = self._keep(bytes(self.uploads.pop(upload, b"")))
            self.modified[upload] = datetime.now(UTC)
        blob = self.finished[upload]
        if blob.digest not in self.kept:
            raise BlobUnknown(blob.digest)
        return blob

    async def abandon(self, upload: str) -> None:
        self.uploads.pop(plain_upload(upload), None)
        self.finished.pop(upload, None)

    async def leftovers(self) -> AsyncGenerator[Leftover, None]:
        for upload, content in list(self.uploads.items()):
            yield Leftover(f"uploads/{upload}", len(content), self.modified[upload])
        for upload in list(self.finished):
            yield Leftover(f"uploads/{upload}", 0, self.modified[upload])

    async def discard(self, name: str) -> None:
        await self.abandon(plain_leftover(name).rpartition("/")[2])

    async def presigned(self, digest: str, *, seconds: int, name: str, mimetype: str) -> None:  # noqa: ARG002
        return None

    def _keep(self, content: bytes) -> Blob:
        digest = sha256(content).hexdigest()
        self.kept[digest] = content
        self.modified[digest] = datetime.now(UTC)
        return Blob(digest, len(content))


class MemoryStorage:
    def __init__(self) -> None:
        self.tenants: dict[str, MemoryBlobs] = {}

    def of(self, tenant: str) -> MemoryBlobs:
        return self.tenants.setdefault(plain_tenant(tenant), MemoryBlobs())

    async def forget(self, tenant: str) -> None:
        # Emptied, not only unhooked: somebody may hold the handle.
        forgotten = self.of(tenant)
        forgotten.kept.clear()
        forgotten.uploads.clear()
        forgotten.finished.clear()
        del self.tenants[tenant]

    async def check(self) -> None:
        """Memory is always there."""

    async def probe(self) -> None:
        """As `check`."""

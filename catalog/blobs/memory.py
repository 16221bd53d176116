"""Blobs in memory, for tests."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from catalog.blobs.protocol import (
    BLOCK,
    Blob,
    Leftover,
    ListedBlob,
    SmallContent,
    UnknownBlobError,
    UploadBusyError,
    WrongDigestError,
    WrongOffsetError,
    checked_leftover,
    checked_tenant,
    checked_upload,
    refuse_more,
)


class MemoryBlobs:
    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.modified: dict[str, datetime] = {}
        """By the digest of a blob, or the name of an upload."""
        self.uploads: dict[str, bytearray] = {}
        self.finished: dict[str, Blob] = {}
        self._appending: set[str] = set()

    async def put(self, content: AsyncIterator[bytes], announced: Blob | None = None) -> Blob:
        whole = b"".join([chunk async for chunk in content])
        if announced and (received := sha256(whole).hexdigest()) != announced.digest:
            raise WrongDigestError(received)
        return self._store(whole)

    async def put_small(self, contents: Sequence[SmallContent]) -> list[Blob | WrongDigestError]:
        received = [(sha256(each.content).hexdigest(), each) for each in contents]
        return [
            self._store(each.content) if each.announced in {"", digest} else WrongDigestError(digest)
            for digest, each in received
        ]

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        if digest not in self.contents:
            raise UnknownBlobError(digest)
        content = self.contents[digest][start:stop]
        for at in range(0, len(content), BLOCK):
            yield content[at : at + BLOCK]

    async def size(self, digest: str) -> int | None:
        return len(self.contents[digest]) if digest in self.contents else None

    async def sizes(self, digests: Sequence[str]) -> list[int | None]:
        return [await self.size(digest) for digest in digests]

    async def drop(self, digest: str) -> None:
        self.contents.pop(digest, None)

    async def listing(self) -> AsyncGenerator[ListedBlob, None]:
        for digest, content in list(self.contents.items()):
            yield ListedBlob(digest, len(content), self.modified[digest])

    async def append(self, upload: str, offset: int, content: AsyncIterator[bytes]) -> int:
        length = await self.length(upload)
        if offset != length:
            raise WrongOffsetError(length)
        if upload in self.finished:
            return await refuse_more(content, length)
        if upload in self._appending:
            raise UploadBusyError(upload)
        self._appending.add(upload)
        try:
            await self._append(upload, content)
        finally:
            self._appending.remove(upload)
        return await self.length(upload)

    async def _append(self, upload: str, content: AsyncIterator[bytes]) -> None:
        so_far = self.uploads.setdefault(upload, bytearray())
        self.modified[upload] = datetime.now(UTC)
        async for chunk in content:
            so_far += chunk
            self.modified[upload] = datetime.now(UTC)

    async def length(self, upload: str) -> int:
        if upload in self.finished:
            return self.finished[upload].size
        return len(self.uploads.get(checked_upload(upload), b""))

    async def finish(self, upload: str, digest: str = "") -> Blob:  # noqa: ARG002
        if upload in self._appending:
            raise UploadBusyError(upload)
        if checked_upload(upload) not in self.finished:
            self.finished[upload] = self._store(bytes(self.uploads.pop(upload, b"")))
            self.modified[upload] = datetime.now(UTC)
        blob = self.finished[upload]
        if blob.digest not in self.contents:
            raise UnknownBlobError(blob.digest)
        return blob

    async def abandon(self, upload: str) -> None:
        self.uploads.pop(checked_upload(upload), None)
        self.finished.pop(upload, None)

    async def leftovers(self) -> AsyncGenerator[Leftover, None]:
        for upload, content in list(self.uploads.items()):
            yield Leftover(f"uploads/{upload}", len(content), self.modified[upload])
        for upload in list(self.finished):
            yield Leftover(f"uploads/{upload}", 0, self.modified[upload])

    async def discard(self, name: str) -> None:
        await self.abandon(checked_leftover(name).rpartition("/")[2])

    async def presigned(self, digest: str, *, seconds: int, name: str, mimetype: str) -> None:  # noqa: ARG002
        return None

    def _store(self, content: bytes) -> Blob:
        digest = sha256(content).hexdigest()
        self.contents[digest] = content
        self.modified[digest] = datetime.now(UTC)
        return Blob(digest, len(content))


class MemoryStorage:
    def __init__(self) -> None:
        self.tenants: dict[str, MemoryBlobs] = {}

    def of(self, tenant: str) -> MemoryBlobs:
        return self.tenants.setdefault(checked_tenant(tenant), MemoryBlobs())

    async def forget(self, tenant: str) -> None:
        # Emptied, not only removed: a caller may hold the handle.
        forgotten = self.of(tenant)
        forgotten.contents.clear()
        forgotten.uploads.clear()
        forgotten.finished.clear()
        del self.tenants[tenant]

    async def check(self) -> None:
        """Memory is always available."""

    async def probe(self) -> None:
        """As `check`."""

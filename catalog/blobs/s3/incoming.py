"""A blob being received. Its digest, and so its name, is known only after its last byte."""

import asyncio
from contextlib import suppress
from hashlib import sha256
from uuid import uuid4

from catalog.blobs.protocol import BLOCK, Blob, StorageUnavailableError, WrongDigestError
from catalog.blobs.s3.bucket import Bucket
from catalog.blobs.s3.multipart import PART, MultipartWriter

SEGMENT = 4 * 2**30
"""Bytes after which the next object begins: a store copies at most 5 GiB, and an object has at most 10 000 parts."""

PARTS = 9000


class IncomingObject:
    """A small file is sent in one request under its final name. So is a larger one in parts as it arrives, if its
    digest and size are announced: its object appears only when it is completed, and with another digest it never is.
    Any other is sent in segments under `incoming/`, and copied to its name within the store when all of it is there.

    Equal bytes replace the existing object, so that its age starts again.
    """

    def __init__(self, bucket: Bucket, tenant: str, announced: Blob | None = None) -> None:
        self._bucket = bucket
        self._tenant = tenant
        self._folder = f"{tenant}/incoming/{uuid4().hex}"
        self._announced = announced.digest if announced else ""
        self._direct = announced if announced and announced.size else None
        self._hash = sha256()
        self._size = 0
        self._block = bytearray()
        self._held: list[bytes] = []
        self._segments: list[str] = []
        self._segment_size = 0
        self._writer: MultipartWriter | None = None

    async def write(self, chunk: bytes) -> None:
        self._block += chunk
        if len(self._block) >= BLOCK:
            await self._take_block()

    async def finish(self) -> Blob:
        await self._take_block()
        digest = self._hash.hexdigest()
        if self._announced not in {"", digest}:
            raise WrongDigestError(digest)  # `clean_up` aborts what was sent
        key, is_sent = self._key(digest), self._writer is not None and self._direct is not None
        if self._writer:
            await self._end_segment()
        if is_sent:
            return Blob(digest, self._size)
        if not self._segments:
            await self._bucket.write(key, b"".join(self._held))
        elif len(self._segments) == 1:
            await self._bucket.copy(self._segments[0], key)
        else:
            await self._join(key)
        return Blob(digest, self._size)

    async def clean_up(self) -> None:
        """Remove the segments; what the store does not remove now, the sweep will."""
        await asyncio.shield(asyncio.ensure_future(self._clean_up()))

    async def _clean_up(self) -> None:
        if self._writer:
            await self._writer.abort()
        with suppress(StorageUnavailableError, OSError):
            await self._bucket.drop_all(self._segments)

    async def _take_block(self) -> None:
        block, self._block = bytes(self._block), bytearray()
        await asyncio.to_thread(self._hash.update, block)
        self._size += len(block)
        self._held.append(block)
        if self._size > PART:
            held, self._held = self._held, []
            for held_block in held:
                await self._send(held_block)

    async def _send(self, block: bytes) -> None:
        if not block:
            return
        if self._direct:
            if self._writer is None:
                part = max(PART, -(-self._direct.size // PARTS))
                self._writer = MultipartWriter(self._bucket.store, self._key(self._direct.digest), part)
            await self._writer.write(block)
            return
        if self._writer is None:
            self._segments.append(f"{self._folder}/{self._size:020}")
            self._segment_size = 0
            self._writer = MultipartWriter(self._bucket.store, self._segments[-1])
        await self._writer.write(block)
        self._segment_size += len(block)
        if self._segment_size >= SEGMENT:
            await self._end_segment()

    def _key(self, digest: str) -> str:
        return f"{self._tenant}/{digest[:2]}/{digest}"

    async def _end_segment(self) -> None:
        if self._writer:
            await self._writer.finish()
            self._writer = None

    async def _join(self, key: str) -> None:
        """Read the segments and write them as one object, with parts large enough for its size."""
        self._writer = MultipartWriter(self._bucket.store, key, max(PART, -(-self._size // PARTS)))
        for segment in self._segments:
            async for block in self._bucket.read(segment):
                await self._writer.write(block)
        await self._end_segment()

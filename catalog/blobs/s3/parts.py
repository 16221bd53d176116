"""Uploads in parts as objects: `uploads/<upload>/<offset, 20 digits>`, and `kept`, the mark of a finished one.

A part is created only if there is none at its offset, so of two concurrent appends one gets WrongOffsetError, on
whatever servers they run. The caller must not run `finish` beside `append`: a part that is added after `finish` has
listed the parts would be removed with the upload.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import NamedTuple

from catalog.blobs.protocol import Blob, StorageUnavailableError, WrongOffsetError, refuse_more
from catalog.blobs.s3.bucket import Bucket

PART = 8 * 2**20
"""Bytes that are held in memory, and lost when the server is killed; more if one chunk is larger."""

MARK = "kept"
DIGITS = 20


class PartsState(NamedTuple):
    offsets: list[int]  # of the parts, without a gap
    length: int
    blob: Blob | None  # what a finished upload became


async def read_state(bucket: Bucket, folder: str) -> PartsState:
    offsets, length, is_marked = [], 0, False
    async for found in bucket.listing(folder):
        name = found.key.rpartition("/")[2]
        if name == MARK:
            is_marked = True
        elif int(name) == length:
            offsets.append(length)
            length += found.size
    blob = await _read_mark(bucket, folder) if is_marked else None
    return PartsState(offsets, blob.size if blob else length, blob)


def keys(folder: str, state: PartsState) -> list[str]:
    return [_key(folder, offset) for offset in state.offsets]


async def read_parts(bucket: Bucket, folder: str, state: PartsState) -> AsyncGenerator[bytes, None]:
    for key in keys(folder, state):
        async for block in bucket.read(key):
            yield block


async def append(bucket: Bucket, folder: str, offset: int, content: AsyncIterator[bytes]) -> int:
    """As `Blobs.append`."""
    before = await read_state(bucket, folder)
    if offset != before.length:
        raise WrongOffsetError(before.length)
    if before.blob:
        return await refuse_more(content, offset)
    writer = PartWriter(bucket, folder, offset)
    try:
        async for chunk in content:
            await writer.write(chunk)
    except BaseException:
        await asyncio.shield(asyncio.ensure_future(writer.save()))
        raise
    return await writer.finish()


class PartWriter:
    """Creates one part after the other. After a failure no further part is created, so the upload has no gaps."""

    def __init__(self, bucket: Bucket, folder: str, offset: int) -> None:
        self._bucket = bucket
        self._folder = folder
        self._offset = offset
        self._part = bytearray()
        self._failed = False

    async def write(self, chunk: bytes) -> None:
        self._part += chunk
        if len(self._part) >= PART:
            await self.finish()

    async def finish(self) -> int:
        part, self._part = self._part, bytearray()
        if part:
            await self._create(part)
        return self._offset

    async def save(self) -> None:
        """Store what arrived before a failure. The caller reports that failure, not one of this."""
        with suppress(WrongOffsetError, StorageUnavailableError, OSError):
            if not self._failed:
                await self.finish()

    async def _create(self, part: bytearray) -> None:
        self._failed = True
        if not await self._bucket.create(_key(self._folder, self._offset), part):
            raise WrongOffsetError((await read_state(self._bucket, self._folder)).length)
        self._offset += len(part)
        self._failed = False


async def write_mark(bucket: Bucket, folder: str, blob: Blob) -> None:
    await bucket.write(f"{folder}/{MARK}", f"{blob.digest} {blob.size}".encode())


async def _read_mark(bucket: Bucket, folder: str) -> Blob:
    digest, _, size = b"".join([block async for block in bucket.read(f"{folder}/{MARK}")]).decode().partition(" ")
    return Blob(digest, int(size))


def _key(folder: str, offset: int) -> str:
    return f"{folder}/{offset:0{DIGITS}}"

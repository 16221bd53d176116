"""Uploads in parts as objects: `uploads/<upload>/<offset, 20 digits>`, and `kept`, which says what they became.

A piece is made only where there is none, so of two who add at once one is told that its offset is
wrong, on whatever servers they are. That a `finish` does not run beside an `append` is for the
caller to see to: what is added after `finish` has looked would be forgotten with the upload.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import NamedTuple

from catalog.blobs.protocol import Blob, OffsetWrong, StorageAway, nothing_more
from catalog.blobs.s3.bucket import Bucket

PIECE = 8 * 2**20
"""Bytes that an upload may lose when a server is killed, and holds meanwhile; or as many as come at once."""

MARK = "kept"
DIGITS = 20


class State(NamedTuple):
    offsets: list[int]  # of the pieces, without a gap
    length: int
    became: Blob | None


async def state(bucket: Bucket, folder: str) -> State:
    offsets, length, is_marked = [], 0, False
    async for found in bucket.listing(folder):
        name = found.key.rpartition("/")[2]
        if name == MARK:
            is_marked = True
        elif int(name) == length:
            offsets.append(length)
            length += found.size
    became = await _read_mark(bucket, folder) if is_marked else None
    return State(offsets, became.size if became else length, became)


def keys(folder: str, state: State) -> list[str]:
    return [_key(folder, offset) for offset in state.offsets]


async def joined(bucket: Bucket, folder: str, state: State) -> AsyncGenerator[bytes, None]:
    for key in keys(folder, state):
        async for block in bucket.read(key):
            yield block


async def append(bucket: Bucket, folder: str, offset: int, content: AsyncIterator[bytes]) -> int:
    """As `Blobs.append`."""
    before = await state(bucket, folder)
    if offset != before.length:
        raise OffsetWrong(before.length)
    if before.became:
        return await nothing_more(content, offset)
    adding = Adding(bucket, folder, offset)
    try:
        async for chunk in content:
            await adding.write(chunk)
    except BaseException:
        await asyncio.shield(asyncio.ensure_future(adding.save()))
        raise
    return await adding.finish()


class Adding:
    """Pieces one after the other. After one that failed no other is written: what is kept has no gaps."""

    def __init__(self, bucket: Bucket, folder: str, offset: int) -> None:
        self._bucket = bucket
        self._folder = folder
        self._offset = offset
        self._piece = bytearray()
        self._unwell = False

    async def write(self, chunk: bytes) -> None:
        self._piece += chunk
        if len(self._piece) >= PIECE:
            await self.finish()

    async def finish(self) -> int:
        piece, self._piece = self._piece, bytearray()
        if piece:
            await self._create(piece)
        return self._offset

    async def save(self) -> None:
        """Keep what came before a failure, which matters more than one of this."""
        with suppress(OffsetWrong, StorageAway, OSError):
            if not self._unwell:
                await self.finish()

    async def _create(self, piece: bytearray) -> None:
        self._unwell = True
        if not await self._bucket.create(_key(self._folder, self._offset), piece):
            raise OffsetWrong((await state(self._bucket, self._folder)).length)
        self._offset += len(piece)
        self._unwell = False


async def write_mark(bucket: Bucket, folder: str, blob: Blob) -> None:
    await bucket.write(f"{folder}/{MARK}", f"{blob.digest} {blob.size}".encode())


async def _read_mark(bucket: Bucket, folder: str) -> Blob:
    digest, _, size = b"".join([block async for block in bucket.read(f"{folder}/{MARK}")]).decode().partition(" ")
    return Blob(digest, int(size))


def _key(folder: str, offset: int) -> str:
    return f"{folder}/{offset:0{DIGITS}}"

"""A blob on its way in. Its digest, and so its name, is known when its last byte is."""

import asyncio
from contextlib import suppress
from hashlib import sha256
from uuid import uuid4

from catalog.blobs.protocol import BLOCK, Blob, StorageAway
from catalog.blobs.s3.bucket import Bucket
from catalog.blobs.s3.sending import PART, Sending

PIECE = 4 * 2**30
"""Bytes after which another object is begun: a store copies at most 5 GiB, and an object has at most 10 000 parts."""

PARTS = 9000


class Arriving:
    """What fits into one request is sent in one, under its name. What does not is sent as it comes, in
    pieces under `incoming/`, and copied to its name within the store: the name is there when all of it is.

    Equal bytes are written over their like, so that their age begins anew.
    """

    def __init__(self, bucket: Bucket, tenant: str) -> None:
        self._bucket = bucket
        self._tenant = tenant
        self._folder = f"{tenant}/incoming/{uuid4().hex}"
        self._hash = sha256()
        self._size = 0
        self._block = bytearray()
        self._held: list[bytes] = []
        self._pieces: list[str] = []
        self._piece_size = 0
        self._sending: Sending | None = None

    async def write(self, chunk: bytes) -> None:
        self._block += chunk
        if len(self._block) >= BLOCK:
            await self._take()

    async def finish(self) -> Blob:
        await self._take()
        digest = self._hash.hexdigest()
        key = f"{self._tenant}/{digest[:2]}/{digest}"
        if self._sending:
            await self._end_piece()
        if not self._pieces:
            await self._bucket.write(key, b"".join(self._held))
        elif len(self._pieces) == 1:
            await self._bucket.copy(self._pieces[0], key)
        else:
            await self._join(key)
        return Blob(digest, self._size)

    async def clear_up(self) -> None:
        """Leave nothing that has no name; what the store does not drop now, a sweep will."""
        await asyncio.shield(asyncio.ensure_future(self._clear_up()))

    async def _clear_up(self) -> None:
        if self._sending:
            await self._sending.give_up()
        with suppress(StorageAway, OSError):
            await self._bucket.drop_all(self._pieces)

    async def _take(self) -> None:
        block, self._block = bytes(self._block), bytearray()
        await asyncio.to_thread(self._hash.update, block)
        self._size += len(block)
        self._held.append(block)
        if self._size > PART:
            held, self._held = self._held, []
            for each in held:
                await self._send(each)

    async def _send(self, block: bytes) -> None:
        if not block:
            return
        if self._sending is None:
            self._pieces.append(f"{self._folder}/{self._size:020}")
            self._piece_size = 0
            self._sending = Sending(self._bucket.store, self._pieces[-1])
        await self._sending.write(block)
        self._piece_size += len(block)
        if self._piece_size >= PIECE:
            await self._end_piece()

    async def _end_piece(self) -> None:
        if self._sending:
            await self._sending.finish()
            self._sending = None

    async def _join(self, key: str) -> None:
        """Read the pieces and write them as one. Its size is known now, and so is how large a part has to be."""
        self._sending = Sending(self._bucket.store, key, max(PART, -(-self._size // PARTS)))
        for piece in self._pieces:
            async for block in self._bucket.read(piece):
                await self._sending.write(block)
        await self._end_piece()

"""Write an object part by part, in bounded memory."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import obstore
from obstore.store import S3Store

from catalog.blobs.s3.connection import translated_errors

PART = 8 * 2**20
"""Bytes of a part. Three are held in memory: two being sent and one being filled."""


class AbortedError(Exception):
    """Passed to the store's client, which then aborts the multipart upload."""


class MultipartWriter:
    """One object being written from blocks. End it with `finish` or `abort`, or its parts stay in the store."""

    def __init__(self, store: S3Store, key: str, part: int = PART) -> None:
        self._blocks: asyncio.Queue[bytes | AbortedError | None] = asyncio.Queue(maxsize=1)
        self._sent = asyncio.create_task(self._send(store, key, part))

    async def write(self, block: bytes) -> None:
        """Queue a block, once the one before has been taken. Raises StorageUnavailableError, OSError."""
        await self._put(block)

    async def finish(self) -> None:
        """Complete the object. Raises StorageUnavailableError, OSError."""
        await self._put(None)
        with translated_errors():
            await asyncio.shield(self._sent)

    async def abort(self) -> None:
        """Abort the multipart upload. Raises nothing: the caller handles the failure that made it abort."""
        while not self._sent.done():
            # The queue may be full, with a block that is no longer needed.
            with suppress(asyncio.QueueEmpty):
                self._blocks.get_nowait()
            self._blocks.put_nowait(AbortedError())
            await asyncio.wait({self._sent}, timeout=60)
        self._sent.cancelled() or self._sent.exception()  # retrieved, so that asyncio does not report it

    async def _send(self, store: S3Store, key: str, part: int) -> None:
        await obstore.put_async(
            store, key, self._queued_blocks(), use_multipart=True, chunk_size=part, max_concurrency=2
        )

    async def _put(self, block: bytes | None) -> None:
        placed = asyncio.create_task(self._blocks.put(block))
        try:
            await asyncio.wait({placed, self._sent}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            placed.cancel()
        if self._sent.done():
            await self._raise_failure()

    async def _raise_failure(self) -> None:
        with translated_errors():
            await self._sent

    async def _queued_blocks(self) -> AsyncGenerator[bytes, None]:
        while block := await self._blocks.get():
            if isinstance(block, AbortedError):
                raise block
            yield block

"""Bytes on their way into the store, part by part, in bounded memory."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import obstore
from obstore.store import S3Store

from catalog.blobs.s3.store import in_our_words

PART = 8 * 2**20
"""Bytes of a part, of which three are held: two on their way and one being filled."""


class GivenUp(Exception):  # noqa: N818
    """Told to the store's client, which then aborts the parts that it sent."""


class Sending:
    """One object being written from blocks. End it with `finish` or `give_up`, or its parts stay in the store."""

    def __init__(self, store: S3Store, key: str, part: int = PART) -> None:
        self._blocks: asyncio.Queue[bytes | GivenUp | None] = asyncio.Queue(maxsize=1)
        sending = obstore.put_async(
            store, key, self._handed_over(), use_multipart=True, chunk_size=part, max_concurrency=2
        )
        self._sent: asyncio.Future[Any] = asyncio.ensure_future(sending)

    async def write(self, block: bytes) -> None:
        """Hand over a block, when the one before is on its way. Raises StorageAway, OSError."""
        await self._put(block)

    async def finish(self) -> None:
        """Make the object appear. Raises StorageAway, OSError."""
        await self._put(None)
        with in_our_words():
            await asyncio.shield(self._sent)

    async def give_up(self) -> None:
        """Take back whatever was sent. Never raises: whoever gives up has a reason that matters more."""
        while not self._sent.done():
            # The place in the queue may be taken by a block that nobody needs any more.
            with suppress(asyncio.QueueEmpty):
                self._blocks.get_nowait()
            self._blocks.put_nowait(GivenUp())
            await asyncio.wait({self._sent}, timeout=60)
        self._sent.cancelled() or self._sent.exception()

    async def _put(self, block: bytes | None) -> None:
        placed = asyncio.create_task(self._blocks.put(block))
        try:
            await asyncio.wait({placed, self._sent}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            placed.cancel()
        if self._sent.done():
            await self._failed()

    async def _failed(self) -> None:
        with in_our_words():
            await self._sent

    async def _handed_over(self) -> AsyncGenerator[bytes, None]:
        while block := await self._blocks.get():
            if isinstance(block, GivenUp):
                raise block
            yield block

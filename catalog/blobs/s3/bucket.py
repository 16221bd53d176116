"""What is asked of a bucket, by whole keys. Raises StorageAway, and OSError when there is no room."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from catalog.blobs.protocol import BLOCK, BlobUnknown
from catalog.blobs.s3.store import Place, codes, connected, in_our_words

AT_ONCE = 1000
"""How many names a store lists, or drops, in one answer."""


class Found(NamedTuple):
    key: str
    size: int
    modified: datetime  # UTC, by the store's clock


class Bucket:
    def __init__(self, place: Place) -> None:
        self.store = connected(place)

    async def size(self, key: str) -> int | None:
        found = await self._head(key)
        return found.size if found else None

    async def clock(self, key: str) -> datetime:
        """What time it is in the store, told by an object made and dropped under `key`."""
        await self.write(key, b"")
        found = await self._head(key)
        await self.drop(key)
        if found is None:
            raise BlobUnknown(key)
        return found.modified

    async def _head(self, key: str) -> Found | None:
        with in_our_words():
            try:
                told = await obstore.head_async(self.store, key)
            except FileNotFoundError:
                return None
            return Found(key, told["size"], told["last_modified"])

    async def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Blocks of BLOCK bytes and a shorter last one. Raises BlobUnknown before the first."""
        if stop is not None and stop <= start:
            if await self.size(key) is None:
                raise BlobUnknown(key)
            return
        with in_our_words():
            try:
                answer = await obstore.get_async(
                    self.store, key, options={"range": (start, stop) if stop is not None else {"offset": start}}
                )
            except FileNotFoundError as error:
                if "NoSuchBucket" in codes(error):
                    raise
                raise BlobUnknown(key) from None
            except BaseError as error:
                if "416" in codes(error):  # nothing there: `start` is at the end or beyond
                    return
                raise
            waiting = bytearray()
            async for chunk in answer.stream(BLOCK):
                waiting += chunk
                while len(waiting) >= BLOCK:
                    yield bytes(waiting[:BLOCK])
                    del waiting[:BLOCK]
            if waiting:
                yield bytes(waiting)

    async def write(self, key: str, content: bytes) -> None:
        """In one request: the bytes are held."""
        with in_our_words():
            await obstore.put_async(self.store, key, content, use_multipart=False)

    async def create(self, key: str, content: bytearray) -> bool:
        """As `write`, unless there is an object of that key: then nothing happens, and the answer is False."""
        with in_our_words():
            try:
                await obstore.put_async(self.store, key, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    async def copy(self, source: str, target: str) -> None:
        """Within the store, which does so for at most 5 GiB."""
        with in_our_words():
            await obstore.copy_async(self.store, source, target)

    async def listing(self, folder: str) -> AsyncGenerator[Found, None]:
        """What stands below `folder`, at any depth, in the order of their keys."""
        with in_our_words():
            async for found in obstore.list(self.store, folder, chunk_size=AT_ONCE):
                for each in found:
                    yield Found(each["path"], each["size"], each["last_modified"])

    async def drop(self, key: str) -> None:
        await self.drop_all([key])

    async def drop_all(self, keys: Sequence[str]) -> None:
        """What is not there is not an error."""
        with in_our_words():
            for at in range(0, len(keys), AT_ONCE):
                await obstore.delete_async(self.store, keys[at : at + AT_ONCE])

    async def drop_below(self, folder: str, *, until: datetime | None = None) -> None:
        """Drop what stands below `folder`, or what is not younger than `until`."""
        with in_our_words():
            async for found in obstore.list(self.store, folder, chunk_size=AT_ONCE):
                old = [each["path"] for each in found if until is None or each["last_modified"] <= until]
                await self.drop_all(old)

"""Operations on a bucket, by key. Raise StorageUnavailableError, and OSError when there is no room."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import NamedTuple

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from catalog.blobs.protocol import BLOCK, UnknownBlobError
from catalog.blobs.s3.connection import BucketAddress, codes, connect, translated_errors

PAGE = 1000
"""How many keys a store lists, or removes, in one request."""


class S3Object(NamedTuple):
    key: str
    size: int
    modified: datetime  # UTC, by the store's clock


class Bucket:
    def __init__(self, address: BucketAddress) -> None:
        self.store = connect(address)

    async def size(self, key: str) -> int | None:
        found = await self.head(key)
        return found.size if found else None

    async def clock(self, key: str) -> datetime:
        """Return the time by the store's clock, from an object that is created and removed under `key`."""
        await self.write(key, b"")
        found = await self.head(key)
        await self.drop(key)
        if found is None:
            raise UnknownBlobError(key)
        return found.modified

    async def head(self, key: str) -> S3Object | None:
        with translated_errors():
            try:
                head = await obstore.head_async(self.store, key)
            except FileNotFoundError:
                return None
            return S3Object(key, head["size"], head["last_modified"])

    async def read(self, key: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield blocks of BLOCK bytes and a shorter last one. Raises UnknownBlobError before the first."""
        if stop is not None and stop <= start:
            if await self.size(key) is None:
                raise UnknownBlobError(key)
            return
        with translated_errors():
            try:
                answer = await obstore.get_async(
                    self.store, key, options={"range": (start, stop) if stop is not None else {"offset": start}}
                )
            except FileNotFoundError as error:
                if "NoSuchBucket" in codes(error):
                    raise
                raise UnknownBlobError(key) from None
            except BaseError as error:
                if "416" in codes(error):  # `start` is at the end or beyond
                    return
                raise
            buffer = bytearray()
            async for chunk in answer.stream(BLOCK):
                buffer += chunk
                while len(buffer) >= BLOCK:
                    yield bytes(buffer[:BLOCK])
                    del buffer[:BLOCK]
            if buffer:
                yield bytes(buffer)

    async def write(self, key: str, content: bytes) -> None:
        """Write an object in one request."""
        with translated_errors():
            await obstore.put_async(self.store, key, content, use_multipart=False)

    async def create(self, key: str, content: bytearray) -> bool:
        """Write an object if there is none of that key. Return whether it was written."""
        with translated_errors():
            try:
                await obstore.put_async(self.store, key, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    async def copy(self, source: str, target: str) -> None:
        """Copy within the store: at most 5 GiB."""
        with translated_errors():
            await obstore.copy_async(self.store, source, target)

    async def listing(self, folder: str) -> AsyncGenerator[S3Object, None]:
        """Yield the objects below `folder`, at any depth, in the order of their keys."""
        with translated_errors():
            async for page in obstore.list(self.store, folder, chunk_size=PAGE):
                for each in page:
                    yield S3Object(each["path"], each["size"], each["last_modified"])

    async def drop(self, key: str) -> None:
        await self.drop_all([key])

    async def drop_all(self, keys: Sequence[str]) -> None:
        """Remove objects. A missing one is not an error."""
        with translated_errors():
            for at in range(0, len(keys), PAGE):
                await obstore.delete_async(self.store, keys[at : at + PAGE])

    async def drop_below(self, folder: str, *, until: datetime | None = None) -> None:
        """Remove the objects below `folder` that are not younger than `until`, or all."""
        with translated_errors():
            async for page in obstore.list(self.store, folder, chunk_size=PAGE):
                old = [each["path"] for each in page if until is None or each["last_modified"] <= until]
                await self.drop_all(old)

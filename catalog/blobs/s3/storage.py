"""The blobs of all tenants in one bucket."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from time import monotonic
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError

from catalog.blobs.protocol import (
    Blob,
    Leftover,
    ListedBlob,
    SmallContent,
    UnknownBlobError,
    WrongDigestError,
    checked_leftover,
    checked_tenant,
    checked_upload,
    is_digest,
)
from catalog.blobs.s3 import credentials, parts
from catalog.blobs.s3.bucket import Bucket
from catalog.blobs.s3.connection import BucketAddress, refuse_unusable, setup_error
from catalog.blobs.s3.incoming import IncomingObject
from catalog.blobs.s3.presigning import attachment, presigned_get

FORGOTTEN = ".forgotten"
PROBE = ".probe"
"""No tenant's name begins with a dot."""

WRITE_EVERY = 60.0

SMALL_AT_ONCE = 8
"""Small files that are written at the same time."""


class S3Storage:
    """`redirects`: whether downloads are redirected to the store, which clients must be able to reach then."""

    def __init__(self, address: BucketAddress, *, redirects: bool = False) -> None:
        self._address = address
        self._redirects = redirects
        self._bucket = Bucket(address)
        self._write_at = 0.0
        """When `probe` writes next, by the monotonic clock."""

    def of(self, tenant: str) -> "S3Blobs":
        return S3Blobs(self._bucket, checked_tenant(tenant), self._address if self._redirects else None)

    async def forget(self, tenant: str) -> None:
        """Remove every object that is not younger than this call.

        A bucket has no folder that could be renamed in one step. The objects of a new tenant of the same name are
        younger by the store's clock, and stay; those of the second in which this begins are lost, because stores count
        in seconds.
        """
        now = await self._bucket.clock(f"{FORGOTTEN}/{uuid4().hex}")
        await self._bucket.drop_below(checked_tenant(tenant), until=now)

    async def check(self) -> None:
        """Write, list and remove one empty object."""
        refuse_unusable(self._address, redirects=self._redirects)
        try:
            await obstore.put_async(self._bucket.store, PROBE, b"", use_multipart=False)
            async for _ in obstore.list(self._bucket.store, offset=PROBE[:-1], chunk_size=1):
                break
            await obstore.delete_async(self._bucket.store, PROBE)
        except (BaseError, FileNotFoundError) as error:
            raise setup_error(self._address, error) from None

    async def probe(self) -> None:
        """Read each time, and write once every WRITE_EVERY seconds while that succeeds: stores charge for requests."""
        with suppress(UnknownBlobError):
            async with aclosing(self._bucket.read(PROBE)) as blocks:
                await anext(blocks, b"")
        if monotonic() >= self._write_at:
            with suppress(OSError):  # a full store still serves downloads
                await self._bucket.write(PROBE, b"")
            self._write_at = monotonic() + WRITE_EVERY


class S3Blobs:
    def __init__(self, bucket: Bucket, tenant: str, presigning: BucketAddress | None) -> None:
        self._bucket = bucket
        self._tenant = tenant
        self._presigning = presigning

    async def put(self, content: AsyncIterator[bytes], announced: Blob | None = None) -> Blob:
        incoming = IncomingObject(self._bucket, self._tenant, announced)
        try:
            async for chunk in content:
                await incoming.write(chunk)
            return await incoming.finish()
        finally:
            await incoming.clean_up()

    async def put_small(self, contents: Sequence[SmallContent]) -> list[Blob | WrongDigestError]:
        slots = asyncio.Semaphore(SMALL_AT_ONCE)

        async def put(each: SmallContent) -> Blob | WrongDigestError:
            announced = Blob(each.announced, len(each.content)) if each.announced else None
            try:
                async with slots:
                    return await self.put(_one(each.content), announced)
            except WrongDigestError as wrong:
                return wrong

        ends = await asyncio.gather(*(put(each) for each in contents), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException) and not isinstance(end, WrongDigestError):
                raise end
        return [end for end in ends if isinstance(end, Blob | WrongDigestError)]

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        async for block in self._bucket.read(self._key(digest), start, stop):
            yield block

    async def size(self, digest: str) -> int | None:
        return await self._bucket.size(self._key(digest)) if is_digest(digest) else None

    async def sizes(self, digests: Sequence[str]) -> list[int | None]:
        return await asyncio.gather(*(self.size(digest) for digest in digests))

    async def drop(self, digest: str) -> None:
        if is_digest(digest):
            await self._bucket.drop(self._key(digest))

    async def listing(self) -> AsyncGenerator[ListedBlob, None]:
        async for found in self._bucket.listing(self._tenant):
            folder, _, digest = found.key.removeprefix(f"{self._tenant}/").partition("/")
            if is_digest(digest) and folder == digest[:2]:
                yield ListedBlob(digest, found.size, found.modified)

    async def append(self, upload: str, offset: int, content: AsyncIterator[bytes]) -> int:
        return await parts.append(self._bucket, self._upload(upload), offset, content)

    async def length(self, upload: str) -> int:
        return (await parts.read_state(self._bucket, self._upload(upload))).length

    async def finish(self, upload: str, digest: str = "") -> Blob:
        folder = self._upload(upload)
        state = await parts.read_state(self._bucket, folder)
        blob = state.blob
        if blob is None:
            announced = Blob(digest, state.length) if digest else None
            blob = await self.put(parts.read_parts(self._bucket, folder, state), announced)
            await parts.write_mark(self._bucket, folder, blob)
        elif await self.size(blob.digest) != blob.size:
            raise UnknownBlobError(blob.digest)
        await self._bucket.drop_all(parts.keys(folder, state))
        return blob

    async def abandon(self, upload: str) -> None:
        await self._bucket.drop_below(self._upload(upload))

    async def leftovers(self) -> AsyncGenerator[Leftover, None]:
        for folder in ("incoming", "uploads"):
            leftover: Leftover | None = None
            async for found in self._bucket.listing(f"{self._tenant}/{folder}"):
                name, _, part = found.key.removeprefix(f"{self._tenant}/").rpartition("/")
                size, modified = 0 if part == parts.MARK else found.size, found.modified
                if leftover and leftover.name == name:
                    leftover = Leftover(name, leftover.size + size, max(leftover.modified, modified))
                    continue
                if leftover:
                    yield leftover
                leftover = Leftover(name, size, modified)
            if leftover:
                yield leftover

    async def discard(self, name: str) -> None:
        await self._bucket.drop_below(f"{self._tenant}/{checked_leftover(name)}")

    async def presigned(self, digest: str, *, seconds: int, name: str, mimetype: str) -> str | None:
        if self._presigning is None:
            return None
        answer = {"response-content-disposition": attachment(name), "response-content-type": mimetype}
        address = self._presigning
        keys = credentials.find(address.access_key, address.secret_key)
        return presigned_get(address, keys, self._key(digest), seconds, answer) if keys else None

    def _key(self, digest: str) -> str:
        if not is_digest(digest):
            raise UnknownBlobError(digest)
        return f"{self._tenant}/{digest[:2]}/{digest}"

    def _upload(self, upload: str) -> str:
        return f"{self._tenant}/uploads/{checked_upload(upload)}"


async def _one(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content

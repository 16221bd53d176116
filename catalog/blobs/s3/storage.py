"""The tenants' blobs in one bucket."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from time import monotonic
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError

from catalog.blobs.protocol import (
    Blob,
    BlobUnknown,
    Kept,
    Leftover,
    is_digest,
    plain_leftover,
    plain_tenant,
    plain_upload,
)
from catalog.blobs.s3 import pieces
from catalog.blobs.s3.arriving import Arriving
from catalog.blobs.s3.bucket import Bucket
from catalog.blobs.s3.presigning import attachment, presigned_get
from catalog.blobs.s3.store import Place, unusable

FORGOTTEN = ".forgotten"
PROBE = ".probe"
"""No tenant's name begins with a dot."""

WRITE_EVERY = 60.0


class S3Storage:
    """`redirects`: whether clients may be sent to the store, which then has to be reachable for them."""

    def __init__(self, place: Place, *, redirects: bool = False) -> None:
        self._place = place
        self._redirects = redirects
        self._bucket = Bucket(place)
        self._write_at = 0.0
        """When `probe` writes again, by the monotonic clock."""

    def of(self, tenant: str) -> "S3Blobs":
        return S3Blobs(self._bucket, plain_tenant(tenant), self._place if self._redirects else None)

    async def forget(self, tenant: str) -> None:
        """Drop everything that is not younger than this call.

        A bucket has no folder to put out of sight in one step. What a tenant of the same name, made
        meanwhile, keeps is younger by the store's own clock, and stays; of the second in which this
        begins it is lost, because stores count in seconds.
        """
        now = await self._bucket.clock(f"{FORGOTTEN}/{uuid4().hex}")
        await self._bucket.drop_below(plain_tenant(tenant), until=now)

    async def check(self) -> None:
        """Write, list and drop one empty object."""
        try:
            await obstore.put_async(self._bucket.store, PROBE, b"", use_multipart=False)
            async for _ in obstore.list(self._bucket.store, offset=PROBE[:-1], chunk_size=1):
                break
            await obstore.delete_async(self._bucket.store, PROBE)
        except (BaseError, FileNotFoundError) as error:
            raise unusable(self._place, error) from None

    async def probe(self) -> None:
        """Read each time, and write once every WRITE_EVERY seconds for as long as that works: stores count requests."""
        with suppress(BlobUnknown):
            async with aclosing(self._bucket.read(PROBE)) as blocks:
                await anext(blocks, b"")
        if monotonic() >= self._write_at:
            with suppress(OSError):  # a full store serves what it has
                await self._bucket.write(PROBE, b"")
            self._write_at = monotonic() + WRITE_EVERY


class S3Blobs:
    def __init__(self, bucket: Bucket, tenant: str, presigning: Place | None) -> None:
        self._bucket = bucket
        self._tenant = tenant
        self._presigning = presigning

    async def put(self, content: AsyncIterator[bytes]) -> Blob:
        arriving = Arriving(self._bucket, self._tenant)
        try:
            async for chunk in content:
                await arriving.write(chunk)
            return await arriving.finish()
        finally:
            await arriving.clear_up()

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        async for block in self._bucket.read(self._key(digest), start, stop):
            yield block

    async def size(self, digest: str) -> int | None:
        return await self._bucket.size(self._key(digest)) if is_digest(digest) else None

    async def drop(self, digest: str) -> None:
        if is_digest(digest):
            await self._bucket.drop(self._key(digest))

    async def listing(self) -> AsyncGenerator[Kept, None]:
        async for found in self._bucket.listing(self._tenant):
            folder, _, digest = found.key.removeprefix(f"{self._tenant}/").partition("/")
            if is_digest(digest) and folder == digest[:2]:
                yield Kept(digest, found.size, found.modified)

    async def append(self, upload: str, offset: int, content: AsyncIterator[bytes]) -> int:
        return await pieces.append(self._bucket, self._upload(upload), offset, content)

    async def length(self, upload: str) -> int:
        return (await pieces.state(self._bucket, self._upload(upload))).length

    async def finish(self, upload: str) -> Blob:
        folder = self._upload(upload)
        state = await pieces.state(self._bucket, folder)
        blob = state.became
        if blob is None:
            blob = await self.put(pieces.joined(self._bucket, folder, state))
            await pieces.write_mark(self._bucket, folder, blob)
        elif await self.size(blob.digest) != blob.size:
            raise BlobUnknown(blob.digest)
        await self._bucket.drop_all(pieces.keys(folder, state))
        return blob

    async def abandon(self, upload: str) -> None:
        await self._bucket.drop_below(self._upload(upload))

    async def leftovers(self) -> AsyncGenerator[Leftover, None]:
        for room in ("incoming", "uploads"):
            gathered: Leftover | None = None
            async for found in self._bucket.listing(f"{self._tenant}/{room}"):
                name, _, piece = found.key.removeprefix(f"{self._tenant}/").rpartition("/")
                size, modified = 0 if piece == pieces.MARK else found.size, found.modified
                if gathered and gathered.name == name:
                    gathered = Leftover(name, gathered.size + size, max(gathered.modified, modified))
                    continue
                if gathered:
                    yield gathered
                gathered = Leftover(name, size, modified)
            if gathered:
                yield gathered

    async def discard(self, name: str) -> None:
        await self._bucket.drop_below(f"{self._tenant}/{plain_leftover(name)}")

    async def presigned(self, digest: str, *, seconds: int, name: str, mimetype: str) -> str | None:
        if self._presigning is None:
            return None
        answer = {"response-content-disposition": attachment(name), "response-content-type": mimetype}
        return presigned_get(self._presigning, self._key(digest), seconds, answer)

    def _key(self, digest: str) -> str:
        if not is_digest(digest):
            raise BlobUnknown(digest)
        return f"{self._tenant}/{digest[:2]}/{digest}"

    def _upload(self, upload: str) -> str:
        return f"{self._tenant}/uploads/{plain_upload(upload)}"

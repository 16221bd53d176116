"""The quota of a tenant: the most bytes that it may store, with those that unfinished uploads have reserved."""

from collections.abc import AsyncGenerator, AsyncIterator

from catalog.errors import QUOTA_EXCEEDED, Refused
from catalog.store.tenant import Tenant

BYTES = "bytes"
"""The counter of a tenant's distinct bytes, and of those that unfinished uploads have reserved. A crash at the wrong
moment leaves it off by a blob or an upload; a sweep recounts."""

RESERVED_AT_ONCE = 8 * 2**20
"""Bytes by which the reservation of an upload grows that did not say its size."""


async def usage(tenant: Tenant) -> int:
    """Bytes that the tenant stores, equal ones counted once, and those that unfinished uploads have reserved."""
    return await tenant.count(BYTES)


async def refuse_excess(tenant: Tenant, size: int) -> None:
    """Raises Refused: QUOTA_EXCEEDED when `size` more bytes do not fit."""
    if tenant.quota and await usage(tenant) + size > tenant.quota:
        raise exceeded(tenant)


async def limit(tenant: Tenant, chunks: AsyncIterator[bytes], announced: int = 0) -> AsyncGenerator[bytes, None]:
    """Pass `chunks` on for as long as there is room for them. `announced` is how many bytes will come, if known.

    Uploads that this process receives at the same time count as well, equal bytes too. Those of other processes are not
    visible here; `blob_records.hold` decides.

    Raises Refused: QUOTA_EXCEEDED, before the first chunk when `announced` is too much.
    """
    used = await usage(tenant) if tenant.quota else 0
    size, counted = 0, announced
    tenant.arriving += announced
    try:
        _refuse_arriving(tenant, used)
        async for chunk in chunks:
            size += len(chunk)
            if size > counted:
                tenant.arriving += size - counted
                counted = size
                _refuse_arriving(tenant, used)
            yield chunk
    finally:
        tenant.arriving -= counted


def _refuse_arriving(tenant: Tenant, used: int) -> None:
    if tenant.quota and used + tenant.arriving > tenant.quota:
        raise exceeded(tenant)


def exceeded(tenant: Tenant) -> Refused:
    return Refused(QUOTA_EXCEEDED, f"the files of {tenant.name} may weigh {tenant.quota} bytes together")


class Reservation:
    """The bytes of an unfinished upload that count against the quota, on all servers, before they are a blob's."""

    def __init__(self, tenant: Tenant, upload: str, size: int) -> None:
        self.size = size
        self._tenant = tenant.base  # a reservation is released even when its caller has lost all rights
        self._upload = upload

    async def cover(self, size: int, at_once: int = 0) -> None:
        """Raise the reservation to `size` bytes, or by `at_once` if there is room for that.

        Raises Refused: QUOTA_EXCEEDED.
        """
        missing = size - self.size
        if missing <= 0:
            return
        if at_once > missing and await self._grow(at_once):
            return
        if not await self._grow(missing):
            raise exceeded(self._tenant)

    async def shrink(self, size: int) -> None:
        """Reserve no more than `size` bytes."""
        uploads, larger = self._tenant.uploads.records, {"_id": self._upload, "reserved": {"$gt": size}}
        while (before := await uploads.find_one(larger, {"reserved": 1})) is not None:
            as_read = {"_id": self._upload, "reserved": before["reserved"]}
            if (await uploads.update_one(as_read, {"$set": {"reserved": size}})).matched_count:
                await self._tenant.add(BYTES, size - before["reserved"])
                self.size = size
                return

    async def _grow(self, more: int) -> bool:
        """Reserve `more` bytes. False when there is no room for them."""
        if not await self._tenant.add(BYTES, more, self._tenant.quota or None):
            return False
        grown = await self._tenant.uploads.records.update_one({"_id": self._upload}, {"$inc": {"reserved": more}})
        if not grown.matched_count:  # another request has removed the upload
            await self._tenant.add(BYTES, -more)
        self.size += more
        return True


async def reserve(tenant: Tenant, size: int) -> None:
    """Count the bytes of an upload whose record, which is about to be written, has them as `reserved`.

    Raises Refused: QUOTA_EXCEEDED.
    """
    if not await tenant.add(BYTES, size, tenant.quota or None):
        raise exceeded(tenant)


async def release(tenant: Tenant, size: int) -> None:
    """Stop counting the bytes that an upload had reserved whose record is gone."""
    if size:
        await tenant.base.add(BYTES, -size)


async def reserved(tenant: Tenant) -> int:
    """Bytes that unfinished uploads have reserved."""
    return await tenant.uploads.total("reserved")

"""Uploads that arrive in parts, and continue after a crash of the client or the server.

The storage tells how many bytes have arrived: it stores them before it says so. One request at a time adds to an upload
(see `upload_lease`), and the request with the last byte completes it (see `completion`).
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import NamedTuple

from catalog.blobs.protocol import UploadBusyError, WrongOffsetError
from catalog.domain.access import Caller
from catalog.domain.files import completion, intake, quota, uploads
from catalog.domain.files.quota import Reservation
from catalog.domain.files.upload_lease import UploadLease, upload_lease
from catalog.errors import BODY_TOO_LARGE, OFFSET_CONFLICT, REQUEST, UPLOAD_BUSY, Refused
from catalog.store.records import UploadRecord
from catalog.store.tenant import Tenant


class UploadProgress(NamedTuple):
    """How far an upload is: `offset` bytes are stored. `ordinal` is that of the version which has them by now."""

    offset: int
    ordinal: str = ""


async def progress_of(caller: Caller, upload: UploadRecord) -> UploadProgress:
    """How far an upload is. One that is whole is completed here if its server died before it did so.

    So a client that learns that all bytes are stored also learns the version. Raises Refused as `append` does.
    """
    length = await caller.tenant.blobs.length(upload["_id"])
    upload = await uploads.find(caller, upload["_id"])  # after that: what it became is recorded before its bytes go
    size = upload.get("size")
    if upload.get("became"):
        return UploadProgress(size or 0, upload["became"])
    if size is None or length < size:
        return UploadProgress(length)
    return await append(caller, upload, length, _nothing())


async def append(
    caller: Caller,
    upload: UploadRecord,
    offset: int,
    content: AsyncIterator[bytes],
    *,
    size: int | None = None,
    most: int | None = None,
    coming: int = 0,
) -> UploadProgress:
    """Add `content` at `offset`. With the last byte the upload becomes a version.

    `size` is that of the whole file, for an upload that did not say; `most` the largest that is taken; `coming` is how
    many bytes `content` has, if that is known. What arrived before an error stays.

    Raises Refused: OFFSET_CONFLICT, REQUEST for a size that cannot be, UPLOAD_BUSY, UPLOAD_CUT_OFF, BODY_TOO_LARGE,
    QUOTA_EXCEEDED, what `content` raises, and what `completion.complete` raises, after which the same may be tried
    again.
    """
    if upload.get("became"):
        return _completed(upload, offset)
    tenant = caller.tenant
    async with upload_lease(tenant, upload["_id"]) as lease:
        upload = lease.upload
        size = await _sized(tenant, upload, size)
        if upload.get("became"):
            return _completed(upload, offset)
        limit = most if size is None else size
        if limit is not None and offset + coming > limit:
            _refuse_offset(offset, await tenant.blobs.length(upload["_id"]))  # the more precise reason
            raise _too_large(limit)
        reservation = Reservation(tenant, upload["_id"], upload.get("reserved", 0))
        if offset != size:  # else its bytes may be a blob's already
            await reservation.cover(offset + coming if size is None else size)
            await quota.refuse_excess(tenant, 0)  # it may have been lowered
        parts = _within(limit, reservation, offset, lease.received(content))
        try:
            reached = await _store(lease, tenant, upload["_id"], offset, parts)
        finally:
            if size is None:
                await reservation.shrink(await tenant.blobs.length(upload["_id"]))
        if size is None or reached < size:
            return UploadProgress(reached)
        return UploadProgress(size, await completion.complete(caller, upload, reservation))


async def terminate(caller: Caller, upload: UploadRecord) -> None:
    """Remove an upload and its bytes. A version that it became stays.

    Raises Refused: UPLOAD_BUSY.
    """
    async with upload_lease(caller.tenant, upload["_id"]):
        await uploads.remove(caller.tenant, upload["_id"])


async def _nothing() -> AsyncGenerator[bytes, None]:
    yield b""


async def _sized(tenant: Tenant, upload: UploadRecord, size: int | None) -> int | None:
    """The size of an upload, which a client may say only now. A size that the client has declared stays."""
    known = upload.get("size")
    if size is None or size == known:
        return known
    if known is not None:
        raise Refused(REQUEST, f"the file was to have {known} bytes, and now {size}")
    length = await tenant.blobs.length(upload["_id"])
    if size < length:
        raise Refused(REQUEST, f"the file is to have {size} bytes, and there are {length} already")
    await tenant.uploads.records.update_one({"_id": upload["_id"]}, {"$set": {"size": size}})
    return size


def _completed(upload: UploadRecord, offset: int) -> UploadProgress:
    _refuse_offset(offset, upload.get("size") or 0)
    return UploadProgress(offset, upload["became"])


def _refuse_offset(offset: int, length: int) -> None:
    if offset != length:
        raise Refused(OFFSET_CONFLICT, f"it goes on at {length}")


async def _store(
    lease: UploadLease, tenant: Tenant, upload: str, offset: int, content: AsyncGenerator[bytes, None]
) -> int:
    """How many bytes are stored with those of `content`."""
    async with aclosing(content):
        try:
            with intake.storage_failures_refused():
                return await lease.interruptible(tenant.blobs.append(upload, offset, content))
        except WrongOffsetError as wrong:
            raise Refused(OFFSET_CONFLICT, f"it goes on at {wrong.length}") from None
        except UploadBusyError:
            raise Refused(UPLOAD_BUSY, upload) from None


async def _within(
    limit: int | None, reservation: Reservation, offset: int, content: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(content):
        async for chunk in content:
            offset += len(chunk)
            if limit is not None and offset > limit:
                raise _too_large(limit)
            if offset > reservation.size:
                await reservation.cover(offset, quota.RESERVED_AT_ONCE)
            yield chunk


def _too_large(limit: int) -> Refused:
    return Refused(BODY_TOO_LARGE, f"the file was to have at most {limit} bytes")

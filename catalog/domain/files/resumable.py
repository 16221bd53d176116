"""Uploads that come in parts, and go on after either side has died.

What has come is told by the storage, which keeps it before it says so; the record here says
whose it is and what it becomes. One request at a time adds to an upload (see `turns`), and
whoever has the last byte makes the version, under an id that the upload has had from its
beginning: so an upload becomes one version, however often its end is repeated.
"""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import NamedTuple, cast

from bson import ObjectId

from catalog.blobs.protocol import Blob, Blobs, FileHead, UnknownBlobError, UploadBusyError, WrongOffsetError
from catalog.domain.access import Caller
from catalog.domain.files import acceptance, blob_records
from catalog.domain.files.upload_lease import Turn, turn
from catalog.domain.limits import LIMITS
from catalog.domain.versions import drafts, versions
from catalog.errors import (
    BODY_TOO_LARGE,
    DIGEST_MISMATCH,
    NOT_FOUND,
    OFFSET_CONFLICT,
    REQUEST,
    TOO_MANY_UPLOADS,
    UPLOAD_BUSY,
    UPLOAD_EXPIRED,
    Refused,
)
from catalog.store.database import Tenant
from catalog.store.documents import Pair, Upload, now
from catalog.store.leases import free
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind


class Wanted(NamedTuple):
    """What a client says of an upload before its first byte. `size` is None when it will be told later."""

    head: FileHead
    size: int | None
    digest: str = ""
    ordinal: str = ""
    description: str = ""
    metadata: Sequence[Pair] = ()
    path: str = ""  # of a file that goes into the draft `ordinal`; without, the upload becomes a version of its own
    note: str = ""  # given back as it came


class Progress(NamedTuple):
    """How far an upload is: `offset` bytes are kept. `ordinal` is that of the version which has them by now."""

    offset: int
    ordinal: str = ""


async def begin(
    tenant: Tenant,
    kind: Kind,
    key: str,
    wanted: Wanted,
    caller: Caller,
    life: timedelta,
    most: int = LIMITS.uploads,
) -> Raw:
    """Make room for a file that is to come, and return the upload's record. Its size counts against the quota from now.

    Raises Refused: QUOTA_EXCEEDED, TOO_MANY_UPLOADS when the caller has more than `most` unfinished ones, and what
    `versions.prepare` or, for a file of a draft, `drafts.ready` raises.
    """
    if wanted.path:
        draft = await drafts.ready(tenant, kind, key, wanted.ordinal, wanted.path, caller)
        item, version = draft["item"], draft["_id"]
    else:
        item, version = (await versions.prepare(tenant, kind, key, caller, wanted.ordinal))["_id"], ObjectId()
    await blob_records.reserve(tenant, wanted.size or 0)
    upload = Upload(
        id=uuid.uuid4().hex,
        user=caller.user,
        kind=kind,
        item=item,
        version=version,
        path=wanted.path,
        name=wanted.head.name,
        mimetype=wanted.head.mimetype,
        size=wanted.size,
        reserved=wanted.size or 0,
        digest=wanted.digest,
        ordinal=wanted.ordinal,
        description=wanted.description,
        metadata=list(wanted.metadata),
        note=wanted.note,
        expires=now() + life,
    )
    await tenant.uploads.insert(upload)
    # Counted with this one in it: of many that begin at once none passes unseen.
    unfinished = {"user": caller.user, "became": "", "expires": {"$gt": now()}}
    if await tenant.uploads.raw.count_documents(unfinished, limit=most + 1) > most:
        await _gone(tenant, {"_id": upload.id})
        raise Refused(TOO_MANY_UPLOADS, f"at most {most} may be unfinished at once: finish or remove some of them")
    record: Raw = upload.model_dump(by_alias=True)
    return record


async def find(tenant: Tenant, name: str, caller: Caller) -> Raw:
    """The caller's own upload of this name.

    Raises Refused: NOT_FOUND, UPLOAD_EXPIRED.
    """
    upload: Raw | None = await tenant.uploads.raw.find_one({"_id": name, "user": caller.user})
    if upload is None:
        raise Refused(NOT_FOUND, name)
    if upload["expires"] <= now():
        raise Refused(UPLOAD_EXPIRED, name)
    return {"size": None} | upload  # what is not known is not kept


async def look(tenant: Tenant, upload: Raw, caller: Caller, blobs: Blobs) -> Progress:
    """How far an upload is. Of one that is whole the version is made if nobody came to that: its server died, say.

    So who is told that all bytes are here is told of the version, too. Raises Refused as `append` does.
    """
    length = await blobs.length(upload["_id"])
    upload = await find(tenant, upload["_id"], caller)  # after that: what it became is noted before its bytes go
    if upload.get("became"):
        return Progress(upload["size"], upload["became"])
    if upload["size"] is None or length < upload["size"]:
        return Progress(length)
    return await append(tenant, upload, length, _nothing(), caller, blobs)


async def append(
    tenant: Tenant,
    upload: Raw,
    offset: int,
    content: AsyncIterator[bytes],
    caller: Caller,
    blobs: Blobs,
    *,
    size: int | None = None,
    most: int | None = None,
    coming: int = 0,
) -> Progress:
    """Add `content` at `offset`. With the last byte the upload becomes a version.

    `size` is that of the whole file, for an upload that did not say; `most` the largest that is taken; `coming` is how
    many bytes `content` has, as far as that is known. What came before it raised stays.

    Raises Refused: OFFSET_CONFLICT, REQUEST for a size that cannot be, UPLOAD_BUSY, UPLOAD_CUT_OFF, BODY_TOO_LARGE,
    QUOTA_EXCEEDED, DIGEST_MISMATCH, what `content` raises, and what `versions.finish` or `drafts.add` raises, after
    which the same may be tried again.
    """
    if upload.get("became"):
        return _still_there(upload, offset)
    async with turn(tenant, upload["_id"]) as mine:
        upload = await _sized(tenant, cast("Raw", mine.upload), size, blobs)
        if upload.get("became"):
            return _still_there(upload, offset)
        limit = most if upload["size"] is None else upload["size"]
        if limit is not None and offset + coming > limit:
            _refuse_offset(offset, await blobs.length(upload["_id"]))  # which is the better reason
            raise _too_large(limit)
        reservation = _reservation(tenant, upload)
        if offset != upload["size"]:  # else its bytes may be a blob's already
            await reservation.cover(offset + coming if upload["size"] is None else upload["size"])
            await blob_records.refuse_over_quota(tenant, 0)  # it may have been lowered
        parts = _within(limit, reservation, offset, mine.heard(content))
        try:
            reached = await _stored(mine, upload, offset, parts, blobs)
        finally:
            if upload["size"] is None:
                await reservation.shrink(await blobs.length(upload["_id"]))
        if upload["size"] is None or reached < upload["size"]:
            return Progress(reached)
        return await _completed(tenant, upload | {"reserved": reservation.size}, caller, blobs)


async def terminate(tenant: Tenant, upload: Raw, blobs: Blobs) -> None:
    """Forget an upload and what has come of it. A version that it became stays.

    Raises Refused: UPLOAD_BUSY.
    """
    async with turn(tenant, upload["_id"]):
        await _forget(tenant, {"_id": upload["_id"]}, blobs)


async def expire(tenant: Tenant, blobs: Blobs, *, dry_run: bool = False) -> int:
    """Forget the uploads whose time is over, and say how many there were."""
    over = {"expires": {"$lte": now()}, **free("held")}
    count = 0
    async for upload in tenant.uploads.raw.find(over, {"_id": 1}):
        count += dry_run or await _forget(tenant, {"_id": upload["_id"], **over}, blobs)
    return count


async def _forget(tenant: Tenant, which: Raw, blobs: Blobs) -> bool:
    """The record goes first: bytes without one are for the sweep, should nobody come to removing them."""
    gone = await _gone(tenant, which)
    if gone:
        await blobs.abandon(which["_id"])
    return gone


async def _gone(tenant: Tenant, which: Raw) -> bool:
    """Remove the record of an upload, and what it has reserved."""
    upload: Raw | None = await tenant.uploads.raw.find_one_and_delete(which, {"reserved": 1})
    if upload is not None:
        await blob_records.unreserve(tenant, upload.get("reserved", 0))
    return upload is not None


async def _nothing() -> AsyncGenerator[bytes, None]:
    yield b""


async def _sized(tenant: Tenant, upload: Raw, size: int | None, blobs: Blobs) -> Raw:
    """The upload, with a size that may be told only now. A size that was told stays."""
    if size is None or size == upload["size"]:
        return upload
    if upload["size"] is not None:
        raise Refused(REQUEST, f"the file was to have {upload['size']} bytes, and now {size}")
    length = await blobs.length(upload["_id"])
    if size < length:
        raise Refused(REQUEST, f"the file is to have {size} bytes, and there are {length} already")
    await tenant.uploads.raw.update_one({"_id": upload["_id"]}, {"$set": {"size": size}})
    return upload | {"size": size}


def _still_there(upload: Raw, offset: int) -> Progress:
    _refuse_offset(offset, upload["size"])
    return Progress(offset, upload["became"])


def _refuse_offset(offset: int, length: int) -> None:
    if offset != length:
        raise Refused(OFFSET_CONFLICT, f"it goes on at {length}")


async def _stored(mine: Turn, upload: Raw, offset: int, content: AsyncGenerator[bytes, None], blobs: Blobs) -> int:
    """How many bytes there are with those of `content`."""
    async with aclosing(content):
        try:
            return await mine.while_heard(acceptance.stored(blobs.append(upload["_id"], offset, content)))
        except WrongOffsetError as wrong:
            raise Refused(OFFSET_CONFLICT, f"it goes on at {wrong.length}") from None
        except UploadBusyError:
            raise Refused(UPLOAD_BUSY, upload["_id"]) from None


async def _within(
    limit: int | None, reservation: blob_records.Reservation, offset: int, content: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(content):
        async for chunk in content:
            offset += len(chunk)
            if limit is not None and offset > limit:
                raise _too_large(limit)
            if offset > reservation.size:
                await reservation.cover(offset, blob_records.RESERVED_AT_ONCE)
            yield chunk


def _too_large(limit: int) -> Refused:
    return Refused(BODY_TOO_LARGE, f"the file was to have at most {limit} bytes")


async def _completed(tenant: Tenant, upload: Raw, caller: Caller, blobs: Blobs) -> Progress:
    complete = _into_draft if upload.get("path") else _into_version
    ordinal = await complete(tenant, upload, caller, blobs)
    await _reservation(tenant, upload).shrink(0)
    await tenant.uploads.raw.update_one({"_id": upload["_id"]}, {"$set": {"became": ordinal}})
    await blobs.abandon(upload["_id"])  # the bytes are the version's by now
    return Progress(upload["size"], ordinal)


async def _into_version(tenant: Tenant, upload: Raw, caller: Caller, blobs: Blobs) -> str:
    """The ordinal of the version that the upload becomes, or became before a crash."""
    made = await _version(tenant, upload)
    if made is None:
        kind = Kind(upload["kind"])
        item = await versions.prepare(tenant, kind, str(upload["item"]), caller, upload["ordinal"])
        blob = await _finished(tenant, upload, blobs)
        told = versions.Told(upload["ordinal"], upload["description"], [Pair(**pair) for pair in upload["metadata"]])
        await versions.finish(tenant, kind, item, _head(upload), blob, caller, blobs, told, identity=upload["version"])
        made = await _version(tenant, upload)
    if made is None:
        raise Refused(NOT_FOUND, "the version was removed at once")
    return str(made["ordinal"])


async def _into_draft(tenant: Tenant, upload: Raw, caller: Caller, blobs: Blobs) -> str:
    """The ordinal of the draft that has the file by now, or had it before a crash."""
    blob = await _finished(tenant, upload, blobs)
    version = await _version(tenant, upload)
    if version is None:
        raise Refused(NOT_FOUND, upload["ordinal"])
    kind, ordinal, path = Kind(upload["kind"]), str(version["ordinal"]), upload["path"]
    if not any((file["path"], file["digest"]) == (path, blob.digest) for file in version["files"]):
        draft = await drafts.ready(tenant, kind, str(upload["item"]), ordinal, path, caller)
        await drafts.add(tenant, draft, path, _head(upload), blob, blobs)
    return ordinal


async def _version(tenant: Tenant, upload: Raw) -> Raw | None:
    version: Raw | None = await tenant.versions.raw.find_one({"_id": upload["version"]})
    return version


def _reservation(tenant: Tenant, upload: Raw) -> blob_records.Reservation:
    return blob_records.Reservation(tenant, upload["_id"], upload.get("reserved", 0))


def _head(upload: Raw) -> FileHead:
    return FileHead(upload["name"], upload["mimetype"], "binary")


async def _finished(tenant: Tenant, upload: Raw, blobs: Blobs) -> Blob:
    try:
        blob = await acceptance.stored(blobs.finish(upload["_id"]))
    except UploadBusyError:
        raise Refused(UPLOAD_BUSY, upload["_id"]) from None
    except UnknownBlobError:
        raise Refused(UPLOAD_EXPIRED, "its bytes were removed after its end was refused") from None
    if upload["digest"] and upload["digest"] != blob.digest:
        await _forget(tenant, {"_id": upload["_id"]}, blobs)  # nothing that comes can mend it
        raise Refused(DIGEST_MISMATCH, f"announced {upload['digest']}, received {blob.digest}")
    await _reservation(tenant, upload).settle(blobs, blob)
    return blob

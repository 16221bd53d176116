"""Uploads that come in parts, and go on after either side has died.

What has come is told by the storage, which keeps it before it says so; the record here says
whose it is and what it becomes. Whoever adds to an upload holds its record meanwhile, and
whoever has the last byte makes the version, under an id that the upload has had from its
beginning: so an upload becomes one version, however often its end is repeated.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import NamedTuple

from bson import ObjectId

from catalog.blobs import Blob, Blobs, BlobUnknown, FileHead, OffsetWrong
from catalog.blobs import UploadBusy as Busy
from catalog.domain import accepted, kept, versions
from catalog.domain.access import Caller
from catalog.errors import (
    BODY_TOO_LARGE,
    DIGEST_MISMATCH,
    NOT_FOUND,
    OFFSET_CONFLICT,
    UPLOAD_BUSY,
    UPLOAD_EXPIRED,
    Refused,
)
from catalog.store.database import Tenant
from catalog.store.documents import Pair, Upload, now
from catalog.store.seam import Raw
from catalog.vocabulary import Kind

LEASE = timedelta(seconds=10)
"""How long an upload is held, unless that is renewed."""

RENEWED_EVERY = 1.0
"""Seconds between two renewals by a server that lives."""

DEAD_AFTER = 3.0
"""Seconds without a renewal after which the server that holds an upload is taken for dead."""


class Wanted(NamedTuple):
    """What a client says of an upload before its first byte. `size` is None when it will be told later."""

    head: FileHead
    size: int | None
    digest: str = ""
    ordinal: str = ""
    description: str = ""
    metadata: Sequence[Pair] = ()
    note: str = ""  # given back as it came


class Progress(NamedTuple):
    """How far an upload is: `offset` bytes are kept. `ordinal` is that of the version it has become."""

    offset: int
    ordinal: str = ""


async def begin(tenant: Tenant, kind: Kind, key: str, wanted: Wanted, caller: Caller, life: timedelta) -> Raw:
    """Make room for a file that becomes the next version of an item, and return the upload's record.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED for an ordinal that is taken, QUOTA_EXCEEDED.
    """
    item = await versions.prepare(tenant, kind, key, caller, wanted.ordinal)
    await kept.refuse_over_quota(tenant, wanted.size or 0)
    upload = Upload(
        id=uuid.uuid4().hex,
        user=caller.user,
        kind=kind,
        item=item["_id"],
        version=ObjectId(),
        name=wanted.head.name,
        mimetype=wanted.head.mimetype,
        size=wanted.size,
        digest=wanted.digest,
        ordinal=wanted.ordinal,
        description=wanted.description,
        metadata=list(wanted.metadata),
        note=wanted.note,
        expires=now() + life,
    )
    await tenant.uploads.insert(upload)
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


async def progress(upload: Raw, blobs: Blobs) -> Progress:
    if upload.get("became"):
        return Progress(upload["size"], upload["became"])
    return Progress(await blobs.length(upload["_id"]))


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
) -> Progress:
    """Add `content` at `offset`. With the last byte the upload becomes a version.

    `size` is that of the whole file, for an upload that did not say; `most` the largest that is taken. What came before
    `content` raised stays. Raises Refused: OFFSET_CONFLICT, UPLOAD_BUSY, BODY_TOO_LARGE, what `content` raises, and
    what `versions.finish` raises, after which the same may be tried again.
    """
    upload = await _sized(tenant, upload, size)
    if upload.get("became"):
        return _still_there(upload, offset)
    async with _holding(tenant, upload):
        limit = most if upload["size"] is None else upload["size"]
        async with (
            aclosing(_within(limit, offset, content)) as parts,
            aclosing(kept.within_quota(tenant, parts, offset)) as allowed,
        ):
            try:
                reached = await accepted.stored(blobs.append(upload["_id"], offset, allowed))
            except OffsetWrong as wrong:
                raise Refused(OFFSET_CONFLICT, f"it goes on at {await blobs.length(upload['_id'])}") from wrong
            except Busy:
                raise Refused(UPLOAD_BUSY, upload["_id"]) from None
        if upload["size"] is None or reached < upload["size"]:
            return Progress(reached)
        return await _become_version(tenant, upload, caller, blobs)


async def terminate(tenant: Tenant, upload: Raw, blobs: Blobs) -> None:
    """Forget an upload and what has come of it. A version that it became stays.

    Raises Refused: UPLOAD_BUSY.
    """
    async with _holding(tenant, upload):
        await _forget(tenant, upload, blobs)


async def expire(tenant: Tenant, blobs: Blobs, *, dry_run: bool = False) -> int:
    """Forget the uploads whose time is over, and say how many there were."""
    over = {"expires": {"$lte": now()}, "held": {"$lte": now()}}
    count = 0
    async for upload in tenant.uploads.raw.find(over):
        count += 1
        if not dry_run:
            await _forget(tenant, upload, blobs)
    return count


async def _forget(tenant: Tenant, upload: Raw, blobs: Blobs) -> None:
    await blobs.abandon(upload["_id"])
    await tenant.uploads.raw.delete_one({"_id": upload["_id"]})


async def _sized(tenant: Tenant, upload: Raw, size: int | None) -> Raw:
    """The upload, with a size that is told only now. A size that was told stays."""
    if size is None or upload["size"] is not None:
        return upload
    await tenant.uploads.raw.update_one({"_id": upload["_id"], "size": None}, {"$set": {"size": size}})
    return upload | {"size": size}


def _still_there(upload: Raw, offset: int) -> Progress:
    if offset != upload["size"]:
        raise Refused(OFFSET_CONFLICT, f"it is whole, with {upload['size']} bytes")
    return Progress(offset, upload["became"])


async def _within(limit: int | None, offset: int, content: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    async for chunk in content:
        offset += len(chunk)
        if limit is not None and offset > limit:
            raise Refused(BODY_TOO_LARGE, f"the file was to have {limit} bytes")
        yield chunk


async def _become_version(tenant: Tenant, upload: Raw, caller: Caller, blobs: Blobs) -> Progress:
    ordinal = await _made_already(tenant, upload) or await _made(tenant, upload, caller, blobs)
    await tenant.uploads.raw.update_one({"_id": upload["_id"]}, {"$set": {"became": ordinal}})
    await blobs.abandon(upload["_id"])  # the bytes are the version's by now
    return Progress(upload["size"], ordinal)


async def _made_already(tenant: Tenant, upload: Raw) -> str:
    """The ordinal of the version that the upload became before a crash, or nothing."""
    version: Raw | None = await tenant.versions.raw.find_one({"_id": upload["version"]}, {"ordinal": 1})
    return str(version["ordinal"]) if version else ""


async def _made(tenant: Tenant, upload: Raw, caller: Caller, blobs: Blobs) -> str:
    kind = Kind(upload["kind"])
    item = await versions.prepare(tenant, kind, str(upload["item"]), caller, upload["ordinal"])
    blob = await _finished(upload, blobs)
    head = FileHead(upload["name"], upload["mimetype"], "binary")
    told = versions.Told(upload["ordinal"], upload["description"], [Pair(**pair) for pair in upload["metadata"]])
    await versions.finish(tenant, kind, item, head, blob, caller, blobs, told, identity=upload["version"])
    return await _made_already(tenant, upload)


async def _finished(upload: Raw, blobs: Blobs) -> Blob:
    try:
        blob = await accepted.stored(blobs.finish(upload["_id"]))
    except Busy:
        raise Refused(UPLOAD_BUSY, upload["_id"]) from None
    except BlobUnknown:
        raise Refused(UPLOAD_EXPIRED, "its bytes were removed after its end was refused") from None
    if upload["digest"] and upload["digest"] != blob.digest:
        raise Refused(DIGEST_MISMATCH, f"announced {upload['digest']}, received {blob.digest}")
    return blob


@asynccontextmanager
async def _holding(tenant: Tenant, upload: Raw) -> AsyncGenerator[None]:
    """Let nobody else add to the upload meanwhile, on any server.

    Raises Refused: UPLOAD_BUSY.
    """
    mine = {"_id": upload["_id"], "holder": ObjectId()}
    if not await _held(tenant, mine, {"held": {"$lte": now()}}):
        await _held_by_the_dead(tenant, mine)
    renewing = asyncio.create_task(_renewing(tenant, mine))
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await tenant.uploads.raw.update_one(mine, {"$set": {"held": now()}})


async def _held(tenant: Tenant, mine: Raw, condition: Raw) -> bool:
    """Hold the upload if the condition is true of it."""
    change = {"$set": {"holder": mine["holder"], "held": now() + LEASE}}
    taken = await tenant.uploads.raw.update_one({"_id": mine["_id"], **condition}, change)
    return bool(taken.matched_count)


async def _held_by_the_dead(tenant: Tenant, mine: Raw) -> None:
    """Hold an upload that somebody else holds, if he is dead.

    Should he only be slow, the storage takes the bytes of one of the two, and the upload still becomes one version.
    """
    before: Raw | None = await tenant.uploads.raw.find_one({"_id": mine["_id"]}, {"holder": 1, "held": 1})
    await asyncio.sleep(DEAD_AFTER)
    unchanged = before and {"holder": before.get("holder"), "held": before["held"]}
    if not unchanged or not await _held(tenant, mine, unchanged):
        raise Refused(UPLOAD_BUSY, mine["_id"])


async def _renewing(tenant: Tenant, mine: Raw) -> None:
    while True:
        await asyncio.sleep(RENEWED_EVERY)
        await tenant.uploads.raw.update_one(mine, {"$set": {"held": now() + LEASE}})

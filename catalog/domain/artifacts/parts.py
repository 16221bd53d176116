"""Multipart uploads: parts arrive in any order and in parallel. The file enters the artifact tree once all parts are
there.

Each part is stored as a blob. The last step reads the parts one after the other and stores them as one blob, so that no
file is ever held in memory; the parts are removed then, by the sweep if the server dies.
"""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import NamedTuple, cast

from catalog.blobs.protocol import Blob, Blobs, FileHead, UnknownBlobError
from catalog.domain.access import Caller
from catalog.domain.artifacts import tree
from catalog.domain.files import blob_records, intake, quota
from catalog.domain.files.filenames import media_type
from catalog.domain.limits import LIMITS
from catalog.errors import BODY_TOO_LARGE, INVALID_FIELD, NOT_FOUND, TOO_MANY_UPLOADS, UPLOAD_CUT_OFF, Refused
from catalog.store.clock import now
from catalog.store.documents.files import PartUploadDocument
from catalog.store.records import PartRecord, PartUploadRecord, Query
from catalog.store.tenant import Tenant
from catalog.vocabulary import Visibility

MOST_PARTS = 10_000
MOST_STORED = 2 * MOST_PARTS
"""Parts that an upload may store; one that is sent again counts again."""


WITHOUT_PARTS: Query = {"parts": 0}
"""The record without its list of parts, which is long: each part that arrives reads the record."""


class NamedPart(NamedTuple):
    """A part as the client names it at the end. Without a `digest` it is the one that arrived last."""

    number: int
    digest: str = ""


@dataclass(slots=True)
class JoinedParts:
    """The parts as one incoming file."""

    blobs: Blobs
    parts: Sequence[PartRecord]
    name: str
    digest: str = ""
    description: str = ""
    announced: int = 0  # the parts are counted already

    async def open(self) -> FileHead:
        return FileHead(self.name, media_type("", self.name), "7bit")

    async def chunks(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            try:
                async with aclosing(self.blobs.read(part["digest"])) as blocks:
                    async for block in blocks:
                        yield block
            except UnknownBlobError:
                raise Refused(UPLOAD_CUT_OFF, f"the bytes of part {part['number']} are missing") from None


async def begin(caller: Caller, path: str, count: int, life: timedelta, most: int = LIMITS.uploads) -> PartUploadRecord:
    """Begin an upload of `count` parts to a path, and return its record.

    Raises Refused: INVALID_FIELD, TOO_MANY_UPLOADS, and what `tree.prepare` raises.
    """
    if not 1 <= count <= MOST_PARTS:
        raise Refused(INVALID_FIELD, f"num_parts: a number from 1 to {MOST_PARTS} is needed")
    await tree.prepare(caller, path)
    uploads = caller.tenant.part_uploads
    upload = PartUploadDocument(
        id=uuid.uuid4().hex, user=caller.user, path=path, part_count=count, expires=now() + life
    )
    await uploads.insert(upload)
    # This upload counts as well: several that begin at once would otherwise miss each other.
    unfinished = {"user": caller.user, "became": "", "expires": {"$gt": now()}}
    if await uploads.records.count_documents(unfinished, limit=most + 1) > most:
        await uploads.records.delete_one({"_id": upload.id})
        raise Refused(TOO_MANY_UPLOADS, f"at most {most} may be unfinished at once: finish or remove some of them")
    return cast("PartUploadRecord", upload.model_dump(by_alias=True))


async def put(caller: Caller, name: str, number: int, content: AsyncIterator[bytes], announced: int) -> str:
    """Store a part, and return its digest. A part that is sent again takes the place of the first.

    Raises Refused: NOT_FOUND, INVALID_FIELD, BODY_TOO_LARGE, QUOTA_EXCEEDED, what `content` raises.
    """
    tenant, upload = caller.tenant, await _find(caller, name, WITHOUT_PARTS)
    if not 1 <= number <= upload["part_count"]:
        raise Refused(INVALID_FIELD, f"the upload has the parts 1 to {upload['part_count']}, not {number}")
    await quota.refuse_excess(tenant, announced)
    async with aclosing(quota.limit(tenant, content, announced)) as chunks:
        blob = await intake.store(tenant.blobs, chunks)
    hold_id = await blob_records.hold(tenant, blob)
    part: PartRecord = {"number": number, "digest": blob.digest, "size": blob.size, "hold": hold_id}
    room = {"_id": name, "became": "", f"parts.{MOST_STORED - 1}": {"$exists": False}}
    if not (await tenant.part_uploads.records.update_one(room, {"$push": {"parts": part}})).matched_count:
        await _find(caller, name, WITHOUT_PARTS)
        raise Refused(BODY_TOO_LARGE, f"an upload stores at most {MOST_STORED} parts")
    return blob.digest


async def complete(
    caller: Caller,
    name: str,
    path: str,
    named: Sequence[NamedPart],
    visibility: Visibility = Visibility.PRIVATE,
    largest: int = 0,
) -> None:
    """Put the file that the named parts make, of at most `largest` bytes (0: any size), into the tree.

    Without names it is made of all parts that the upload was begun for.

    Doing it again is not an error. Raises Refused: NOT_FOUND, INVALID_FIELD for a part that is not there,
    BODY_TOO_LARGE, and what `tree.put` raises.
    """
    upload = await _find(caller, name)
    if upload["path"] != path:
        raise Refused(NOT_FOUND, f"the upload {name} is not one to {path}")
    if upload["became"]:
        return
    parts = _chosen(upload, named)
    if largest and sum(part["size"] for part in parts) > largest:
        raise Refused(BODY_TOO_LARGE, f"at most {largest} bytes, in all parts together")
    joined = JoinedParts(caller.tenant.blobs, parts, PurePosixPath(path).name)
    artifact = await tree.put(caller, path, joined, visibility)
    uploads, became = caller.tenant.part_uploads.records, {"$set": {"became": artifact["digest"]}}
    if (await uploads.update_one({"_id": name, "became": ""}, became)).matched_count:  # no part is added from now on
        finished = await uploads.find_one({"_id": name})
        await uploads.update_one({"_id": name}, {"$set": {"parts": []}})
        await _drop(caller.tenant, finished)


async def abort(caller: Caller, name: str, path: str) -> None:
    """Remove an upload to a path, with its parts. An unknown one is not an error.

    A part that arrives meanwhile is left to the sweep.
    """
    mine = {"_id": name, "user": caller.user, "path": path}
    uploads = caller.tenant.part_uploads.records
    upload = await uploads.find_one(mine)
    if (await uploads.delete_one(mine)).deleted_count:
        await _drop(caller.tenant, upload)


async def expire(tenant: Tenant, *, dry_run: bool = False) -> int:
    """Remove the uploads whose time is over, and return how many there were. The sweep removes their bytes."""
    over = {"expires": {"$lte": now()}}
    if dry_run:
        return await tenant.part_uploads.records.count_documents(over)
    return (await tenant.part_uploads.records.delete_many(over)).deleted_count


async def _find(caller: Caller, name: str, fields: Query | None = None) -> PartUploadRecord:
    query = {"_id": name, "user": caller.user, "expires": {"$gt": now()}}
    upload = await caller.tenant.part_uploads.records.find_one(query, fields)
    if upload is None:
        raise Refused(NOT_FOUND, f"the upload {name} does not exist, or not any more")
    return upload


def _chosen(upload: PartUploadRecord, named: Sequence[NamedPart]) -> list[PartRecord]:
    """The parts in order. Raises Refused: INVALID_FIELD."""
    last = {part["number"]: part for part in upload["parts"]}
    exact = {(part["number"], part["digest"]): part for part in upload["parts"]}
    if not last:
        raise Refused(INVALID_FIELD, "parts: none has arrived")
    numbers = named or [NamedPart(number) for number in range(1, upload["part_count"] + 1)]
    chosen: list[PartRecord] = []
    for each in sorted(numbers):
        part = exact.get((each.number, each.digest)) if each.digest else last.get(each.number)
        if part is None or (chosen and chosen[-1]["number"] == each.number):
            raise Refused(INVALID_FIELD, f"parts: part {each.number} has not arrived as it is named here")
        chosen.append(part)
    return chosen


async def _drop(tenant: Tenant, upload: PartUploadRecord | None) -> None:
    """Remove the bytes of parts that nothing else has held since. Others are left to the sweep."""
    for part in upload["parts"] if upload else ():
        if hold_id := part.get("hold"):
            await blob_records.release(tenant, Blob(part["digest"], part["size"]), hold_id)

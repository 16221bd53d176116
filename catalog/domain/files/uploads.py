"""Records of resumable uploads: whose an upload is, how large, and what it becomes.

The storage, not the record, tells how many bytes have arrived; see `resumable`.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from bson import ObjectId

from catalog.blobs.protocol import FileHead
from catalog.domain.access import Caller
from catalog.domain.files import quota
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS
from catalog.domain.versions import versions
from catalog.domain.versions.details import NO_DETAILS, VersionDetails
from catalog.domain.versions.drafts import drafts
from catalog.errors import NOT_FOUND, TOO_MANY_UPLOADS, UPLOAD_EXPIRED, Refused
from catalog.store.clock import now
from catalog.store.concurrency.leases import free
from catalog.store.documents.files import UploadDocument
from catalog.store.documents.items import PairSubdocument
from catalog.store.records import Query, UploadRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRequest:
    """What a client says of an upload before its first byte. `size` is None when it will follow later."""

    head: FileHead
    size: int | None
    digest: str = ""
    details: VersionDetails = NO_DETAILS
    path: str = ""  # of a file for the draft `details.ordinal`; without, the upload becomes a version of its own
    note: str = ""  # returned as it came


async def begin(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    request: UploadRequest,
    life: timedelta,
    most: int = LIMITS.uploads,
) -> UploadRecord:
    """Make room for a file that is to come, and return the upload's record. Its size counts against the quota from now.

    Raises Refused: NOT_CREATED, QUOTA_EXCEEDED, TOO_MANY_UPLOADS when the caller has more than `most` unfinished ones,
    and what `versions.prepare` or, for a file of a draft, `drafts.prepare` raises.
    """
    tenant, details = caller.tenant, request.details.checked(LIMITS)
    item, version = await _target(caller, kind, reference, request)
    details = await details.resolved(caller)
    await quota.reserve(tenant, request.size or 0)
    upload = UploadDocument(
        id=uuid.uuid4().hex,
        user=caller.user,
        kind=kind,
        item=item,
        version=version,
        path=request.path,
        name=request.head.name,
        mimetype=request.head.mimetype,
        size=request.size,
        reserved=request.size or 0,
        digest=request.digest,
        ordinal=details.ordinal,
        metadata=[PairSubdocument(name=pair.name, value=pair.value) for pair in details.metadata],
        inputs=list(details.inputs),
        **details.fields(),
        strict=details.strict,
        note=request.note,
        expires=now() + life,
    )
    await tenant.uploads.insert(upload)
    # Counted with this one in it: of many that begin at once none goes uncounted.
    unfinished = {"user": caller.user, "became": "", "expires": {"$gt": now()}}
    if await tenant.uploads.records.count_documents(unfinished, limit=most + 1) > most:
        await _remove(tenant, {"_id": upload.id})
        raise Refused(TOO_MANY_UPLOADS, f"at most {most} may be unfinished at once: finish or remove some of them")
    return cast("UploadRecord", upload.model_dump(by_alias=True))


async def _target(
    caller: Caller, kind: Kind, reference: Reference, request: UploadRequest
) -> tuple[ObjectId, ObjectId]:
    """The item, and the version that the upload becomes or the draft that it goes into."""
    if request.path:
        draft = await drafts.prepare(caller, kind, Reference(reference.key, request.details.ordinal), request.path)
        return draft["item"], draft["_id"]
    return (await versions.prepare(caller, kind, reference, request.details))["_id"], ObjectId()


async def find(caller: Caller, name: str) -> UploadRecord:
    """The caller's own upload of this name.

    Raises Refused: NOT_FOUND, UPLOAD_EXPIRED.
    """
    upload = await caller.tenant.uploads.records.find_one({"_id": name, "user": caller.user})
    if upload is None:
        raise Refused(NOT_FOUND, name)
    if upload["expires"] <= now():
        raise Refused(UPLOAD_EXPIRED, name)
    return upload


async def remove(tenant: Tenant, name: str, condition: Query | None = None) -> bool:
    """Remove an upload and its bytes, unless they are a version's. False when `condition` is not true of it.

    The record goes first: a sweep removes bytes without a record, should the server die in between.
    """
    removed = await _remove(tenant, {"_id": name, **(condition or {})})
    if removed:
        await tenant.blobs.abandon(name)
    return removed


async def expire(tenant: Tenant, *, dry_run: bool = False) -> int:
    """Remove the uploads whose time is over, and return how many there were."""
    over = {"expires": {"$lte": now()}, **free("lease_until")}
    count = 0
    async for upload in tenant.uploads.records.find(over, {"_id": 1}):
        count += dry_run or await remove(tenant, upload["_id"], over)
    return count


async def _remove(tenant: Tenant, query: Query) -> bool:
    """Remove the record of an upload, and release what it has reserved."""
    uploads = tenant.uploads.records
    while (upload := await uploads.find_one(query, {"reserved": 1})) is not None:
        as_read = {**query, "_id": upload["_id"], "reserved": upload.get("reserved")}
        if (await uploads.delete_one(as_read)).deleted_count:
            await quota.release(tenant, upload.get("reserved", 0))
            return True
    return False

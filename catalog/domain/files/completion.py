"""A resumable upload that is whole becomes a version, or a file of a draft.

The version's id stands in the upload's record from its beginning. So an upload becomes one version, however often its
end is repeated.
"""

from catalog.blobs.protocol import Blob, FileHead, UnknownBlobError, UploadBusyError, WrongDigestError
from catalog.domain.access import Caller
from catalog.domain.files import blob_records, intake, uploads
from catalog.domain.files.quota import Reservation
from catalog.domain.items.references import Reference
from catalog.domain.versions import versions
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.drafts import drafts
from catalog.domain.versions.files import version_files
from catalog.errors import DIGEST_MISMATCH, NOT_FOUND, UPLOAD_BUSY, UPLOAD_EXPIRED, Refused
from catalog.store.records import UploadRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind


async def complete(caller: Caller, upload: UploadRecord, reservation: Reservation) -> str:
    """The ordinal of the version that has the upload's bytes from now on.

    Raises Refused: what `into_version` and `into_draft` raise, after which it may be tried again.
    """
    tenant = caller.tenant
    become = into_draft if upload.get("path") else into_version
    ordinal = await become(caller, upload, reservation)
    await reservation.shrink(0)
    await tenant.uploads.records.update_one({"_id": upload["_id"]}, {"$set": {"became": ordinal}})
    await tenant.blobs.abandon(upload["_id"])  # the bytes are the version's by now
    return ordinal


async def into_version(caller: Caller, upload: UploadRecord, reservation: Reservation) -> str:
    """The ordinal of the version that the upload becomes, or became before a crash.

    Raises Refused: UPLOAD_BUSY, UPLOAD_EXPIRED, DIGEST_MISMATCH, and what `versions.prepare`, `intake.accept` and
    `versions.record` raise.
    """
    tenant, kind = caller.tenant, Kind(upload["kind"])
    version = await _version(tenant, upload)
    if version is None:
        details = VersionDetails.of(upload)
        item = await versions.prepare(caller, kind, Reference(str(upload["item"])), details)
        blob = await _finished(tenant, upload, reservation)
        stored = await intake.accept(tenant, _head(upload), blob)
        await versions.record(caller, kind, item["_id"], [stored], details, identity=upload["version"])
        version = await _version(tenant, upload)
    if version is None:
        raise Refused(NOT_FOUND, "the version was removed at once")
    return version["ordinal"]


async def into_draft(caller: Caller, upload: UploadRecord, reservation: Reservation) -> str:
    """The ordinal of the draft that has the file by now, or had it before a crash.

    Raises Refused: UPLOAD_BUSY, UPLOAD_EXPIRED, DIGEST_MISMATCH, and what `drafts.prepare`, `intake.accept` and
    `drafts.add` raise.
    """
    tenant, path = caller.tenant, upload["path"]
    blob = await _finished(tenant, upload, reservation)
    version = await _version(tenant, upload)
    if version is None:
        raise Refused(NOT_FOUND, upload["ordinal"])
    file = await version_files.find(tenant, version, path)
    if file is None or file["digest"] != blob.digest:
        reference = Reference(str(upload["item"]), version["ordinal"])
        draft = await drafts.prepare(caller, Kind(upload["kind"]), reference, path)
        await drafts.add(caller, draft, [await intake.accept(tenant, _head(upload), blob, path)])
    return version["ordinal"]


async def _version(tenant: Tenant, upload: UploadRecord) -> VersionRecord | None:
    return await tenant.versions.records.find_one({"_id": upload["version"]})


async def _finished(tenant: Tenant, upload: UploadRecord, reservation: Reservation) -> Blob:
    """The upload's bytes as a blob, which is held and counted instead of what was reserved.

    May be repeated after a crash half-way.
    """
    try:
        with intake.storage_failures_refused():
            blob = await tenant.blobs.finish(upload["_id"], upload["digest"])
    except UploadBusyError:
        raise Refused(UPLOAD_BUSY, upload["_id"]) from None
    except UnknownBlobError:
        raise Refused(UPLOAD_EXPIRED, "its bytes were removed after its end was refused") from None
    except WrongDigestError as wrong:
        raise await _mismatch(tenant, upload, wrong.received) from None
    if upload["digest"] and upload["digest"] != blob.digest:
        raise await _mismatch(tenant, upload, blob.digest)
    # Without the caller's rights: what was reserved becomes the blob's, even if the caller has no rights any more.
    await blob_records.hold(tenant.base, blob, is_reserved=reservation.size >= blob.size)
    await reservation.shrink(0)
    return blob


async def _mismatch(tenant: Tenant, upload: UploadRecord, received: str) -> Refused:
    await uploads.remove(tenant, upload["_id"])  # no further bytes can make it right
    return Refused(DIGEST_MISMATCH, f"announced {upload['digest']}, received {received}")


def _head(upload: UploadRecord) -> FileHead:
    return FileHead(upload["name"], upload["mimetype"], "binary")

"""What happens to bytes between the moment they are kept and the moment a version names them."""

import errno
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from catalog.blobs.protocol import Blob, Blobs, FileHead
from catalog.domain.files import blob_records
from catalog.errors import DIGEST_MISMATCH, NOT_FOUND, STORAGE_FULL, UNSAFE_FILE, Refused
from catalog.inspection.inspector import Inspection, holds_back, inspect
from catalog.store.database import Tenant
from catalog.store.documents import File
from catalog.vocabulary import InspectionPolicy, VersionState

T = TypeVar("T")

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

LONGEST_VERDICT = 200  # characters of it that are kept with a file of a folder


async def put(blobs: Blobs, chunks: AsyncIterator[bytes], digest: str = "") -> Blob:
    """Keep the bytes, which have this `digest` if one was announced.

    Raises Refused: DIGEST_MISMATCH, STORAGE_FULL, NOT_FOUND when the tenant is gone.
    """
    blob = await stored(blobs.put(chunks))
    if digest and digest != blob.digest:
        raise Refused(DIGEST_MISMATCH, f"announced {digest}, received {blob.digest}")
    return blob


async def stored(storing: Awaitable[T]) -> T:
    """What the storage answers, with its failures as refusals.

    Raises Refused: STORAGE_FULL, NOT_FOUND when the tenant is gone.
    """
    try:
        return await storing
    except FileNotFoundError:
        raise Refused(NOT_FOUND, "the tenant was removed meanwhile") from None
    except OSError as failure:
        if failure.errno in FULL:
            raise Refused(STORAGE_FULL) from failure
        raise


async def look(tenant: Tenant, blobs: Blobs, head: FileHead, blob: Blob) -> Inspection:
    """Hold bytes that are kept, so that a version may name them, and look inside.

    Raises Refused: UNSAFE_FILE when the tenant will not have them, QUOTA_EXCEEDED, BUSY.
    """
    await blob_records.hold(tenant, blobs, blob)
    inspection = await inspect(blobs, blob.digest, blob.size, head.name)
    if tenant.inspection is InspectionPolicy.REJECT and holds_back(inspection):
        raise Refused(UNSAFE_FILE, inspection["verdict"])
    return inspection


def state(tenant: Tenant, *, held: bool) -> VersionState:
    """What a version becomes; `held` when there is something in it that a policy may hold back."""
    quarantined = held and tenant.inspection is InspectionPolicy.QUARANTINE
    return VersionState.QUARANTINED if quarantined else VersionState.LIVE


def kept_file(head: FileHead, blob: Blob, path: str = "", inspection: Inspection | None = None) -> File:
    """The record of a file. `inspection` is noted in short; a version of one file has it whole."""
    return File(
        original=head.name,
        digest=blob.digest,
        size=blob.size,
        mimetype=head.mimetype,
        encoding=head.encoding,
        path=path or head.name,
        format=inspection["format"] if inspection else "",
        verdict=inspection["verdict"][:LONGEST_VERDICT] if inspection else "",
        held=bool(inspection and holds_back(inspection)),
    )

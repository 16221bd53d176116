"""Versions made of bytes that the catalog stores already, by their digest, for a caller who may read them.

The answer does not reveal what others store: bytes that the caller cannot read are refused like bytes that nobody has,
after the same queries.
"""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId

from catalog.blobs.protocol import Blob, Blobs, FileHead, is_digest
from catalog.domain.access import Caller, changeable_by, readable_by
from catalog.domain.body_fields import Form
from catalog.domain.files import blob_records
from catalog.domain.files.filenames import file_name, media_type
from catalog.domain.limits import LIMITS, LONGEST_DESCRIPTION, Limits
from catalog.domain.versions import versions
from catalog.domain.versions.versions import Told
from catalog.errors import BYTES_NEEDED, NOT_CREATED, NOT_FOUND, Refused
from catalog.store.database import Tenant
from catalog.store.records import ItemRecord
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, VersionState

FIELDS = frozenset({"digest", "size", "name", "mimetype", "ordinal", "description", "metadata"})

BATCH = 500
"""Versions whose items are queried together."""


async def readable_size(tenant: Tenant, digest: str, caller: Caller, blobs: Blobs) -> int:
    """The size of stored bytes that the caller may read in some version.

    Raises Refused: NOT_FOUND, also for bytes that only others may read, and for bytes that are lost or damaged, so that
    the client sends them again.
    """
    blob = await _readable(tenant, digest, caller, blobs) if is_digest(digest) else None
    if blob is None:
        raise Refused(NOT_FOUND, digest)
    return blob.size


async def add(
    tenant: Tenant, kind: Kind, key: str, body: Any, caller: Caller, blobs: Blobs, limits: Limits = LIMITS
) -> ItemRecord:
    """Make stored bytes the next version of an item, and return the item: `{digest, size, name, mimetype, ordinal,
    description, metadata}`.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED; BYTES_NEEDED for bytes that the caller cannot read or that
    are not stored; and what `versions.finish` raises.
    """
    form = Form(body, NOT_CREATED, FIELDS, limits)
    digest, head, told = _digest(form), _head(form), _told(form)
    item = await versions.prepare(tenant, kind, key, caller, told.ordinal)
    blob = await _readable(tenant, digest, caller, blobs)
    if blob is None:
        raise Refused(BYTES_NEEDED, f"sha256:{digest}")
    return await versions.finish(tenant, kind, item, head, blob, caller, blobs, told)


async def _readable(tenant: Tenant, digest: str, caller: Caller, blobs: Blobs) -> Blob | None:
    """The blob, if the caller may open a version that has it and its bytes are not known to be lost or damaged."""
    fields = {"item": 1, "kind": 1, "state": 1, "files": {"$elemMatch": {"digest": digest}}}
    batch: list[Raw] = []
    file: Raw | None = None
    async for version in tenant.versions.raw.find({"files.digest": digest}, fields):
        batch.append(version)
        if len(batch) == BATCH:
            if file := await _first_readable(tenant, batch, caller):
                break
            batch = []
    file = file or await _first_readable(tenant, batch, caller)
    if file is None:
        return None
    blob = Blob(digest, file["size"])
    return blob if await blob_records.is_intact(tenant, blobs, blob) else None


async def _first_readable(tenant: Tenant, batch: Sequence[Raw], caller: Caller) -> Raw | None:
    """The first file that the caller may open. Sends the same number of queries whatever there is."""
    readable: set[ObjectId] = set()
    changeable: set[ObjectId] = set()
    for kind in Kind:
        ids = [version["item"] for version in batch if version["kind"] == kind]
        among = {"_id": {"$in": ids or [ObjectId()]}}
        for found, access in ((readable, readable_by(caller)), (changeable, changeable_by(caller))):
            async for item in tenant.items(kind).raw.find(among | access, {"_id": 1}):
                found.add(item["_id"])
    for version in batch:
        is_draft = version["state"] == VersionState.DRAFT
        is_open = caller.is_admin or version["state"] != VersionState.QUARANTINED
        if is_open and version["item"] in (changeable if is_draft else readable):
            file: Raw = version["files"][0]
            return file
    return None


def _digest(form: Form) -> str:
    sentence = "sha256: and 64 hexadecimal characters are needed"
    digest = form.required("digest", sentence).removeprefix("sha256:").lower()
    if not is_digest(digest):
        form.refuse(f"digest: {sentence}")
    form.size("size")  # clients send it; the stored size counts
    return digest


def _head(form: Form) -> FileHead:
    name = file_name(form.required("name", "the name of the file is needed"))
    return FileHead(name, media_type(form.text("mimetype") or "", name), "binary")


def _told(form: Form) -> Told:
    return Told(
        (form.text("ordinal") or "").strip(),
        form.text("description", LONGEST_DESCRIPTION) or "",
        form.pairs("metadata"),
    )

"""Versions made of bytes that the catalog stores already, by their digest, for a caller who may read them.

The answer does not reveal what others store: bytes that the caller cannot read are refused like bytes that are not
stored, after the same queries.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from bson import ObjectId

from catalog.blobs.protocol import Blob, FileHead, is_digest
from catalog.domain.access import ACCESS_FIELDS, Caller, may_change, may_read
from catalog.domain.files import blob_records, intake
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.versions import versions
from catalog.domain.versions.details import NO_DETAILS, VersionDetails
from catalog.errors import BYTES_NEEDED, NOT_FOUND, Refused
from catalog.store.records import ItemRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind, VersionState

FIELDS = {"item": 1, "kind": 1, "state": 1}

BATCH = 500
"""Versions whose items are queried together."""


async def readable_size(caller: Caller, digest: str) -> int:
    """The size of stored bytes that the caller may read in some version.

    Raises Refused: NOT_FOUND, also for bytes that only others may read, and for bytes that are lost or damaged, so that
    the client sends them again.
    """
    blob = await _readable(caller, digest) if is_digest(digest) else None
    if blob is None:
        raise Refused(NOT_FOUND, digest)
    return blob.size


async def add(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    digest: str,
    head: FileHead,
    details: VersionDetails = NO_DETAILS,
    limits: Limits = LIMITS,
) -> ItemRecord:
    """Make stored bytes the next version of an item, and return the item.

    Raises Refused: NOT_CREATED; what `versions.prepare` raises; BYTES_NEEDED for bytes that the caller cannot read or
    that are not stored; and what `intake.accept` and `versions.record` raise.
    """
    details = details.checked(limits)
    item = await versions.prepare(caller, kind, reference, details)
    details = await details.resolved(caller)
    blob = await _readable(caller, digest)
    if blob is None:
        raise Refused(BYTES_NEEDED, f"sha256:{digest}")
    stored = await intake.accept(caller.tenant, head, blob)
    return await versions.record(caller, kind, item["_id"], [stored], details)


async def _readable(caller: Caller, digest: str) -> Blob | None:
    """The blob, if the caller may download it in some version and its bytes are not known to be lost or damaged."""
    record = await caller.tenant.blob_records.records.find_one({"_id": digest}, {"size": 1})
    is_readable = await _any_readable(caller, _of_single_files(caller.tenant, digest))
    is_readable = await _any_readable(caller, _of_folders(caller.tenant, digest)) or is_readable
    if record is None or not is_readable:
        return None
    blob = Blob(digest, record["size"])
    return blob if await blob_records.is_intact(caller.tenant, blob) else None


async def _of_single_files(tenant: Tenant, digest: str) -> AsyncGenerator[list[VersionRecord], None]:
    """The versions whose record names the bytes, in batches; at least an empty one."""
    batch: list[VersionRecord] = []
    async for version in tenant.versions.records.find({"files.digest": digest}, FIELDS):
        batch.append(version)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


async def _of_folders(tenant: Tenant, digest: str) -> AsyncGenerator[list[VersionRecord], None]:
    """The versions with a file of their folder that names the bytes, in batches; at least an empty one."""
    folders: set[ObjectId] = set()
    async for file in tenant.files.records.find({"digest": digest}, {"version": 1}):
        folders.add(file["version"])
        if len(folders) == BATCH:
            yield await tenant.versions.records.find({"_id": {"$in": list(folders)}}, FIELDS).to_list(None)
            folders = set()
    yield await tenant.versions.records.find({"_id": {"$in": list(folders)}}, FIELDS).to_list(None)


async def _any_readable(caller: Caller, batches: AsyncGenerator[list[VersionRecord], None]) -> bool:
    async with aclosing(batches) as following:
        async for batch in following:
            if await _first_readable(caller, batch):
                return True
    return False


async def _first_readable(caller: Caller, batch: Sequence[VersionRecord]) -> VersionRecord | None:
    """The first version that the caller may download. Sends the same number of queries whatever there is."""
    readable: set[ObjectId] = set()
    changeable: set[ObjectId] = set()
    for kind in Kind:
        ids = [version["item"] for version in batch if version["kind"] == kind]
        among = {"_id": {"$in": ids or [ObjectId()]}}
        async for item in caller.tenant.items(kind).records.find(among, ACCESS_FIELDS):
            if may_read(caller, item):
                readable.add(item["_id"])
            if may_change(caller, item):
                changeable.add(item["_id"])
    for version in batch:
        is_draft = version["state"] == VersionState.DRAFT
        is_open = caller.is_admin or version["state"] != VersionState.QUARANTINED
        if is_open and version["item"] in (changeable if is_draft else readable):
            return version
    return None

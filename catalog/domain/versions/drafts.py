"""Drafts: versions of many files, which arrive one by one until the draft is closed. Then its files never change.

A file is one conditional write on its version's record, so that files that arrive at once are all there, and none gets
into a version that is closed.
"""

from datetime import datetime
from time import monotonic
from typing import cast

from catalog.domain.access import Caller
from catalog.domain.files import intake
from catalog.domain.files.filenames import file_path
from catalog.domain.files.intake import IncomingFile, StoredFile
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.versions import folders, lookup, versions
from catalog.domain.versions.details import NO_DETAILS, VersionDetails
from catalog.errors import BUSY, NOT_CREATED, NOT_FOUND, VERSION_CLOSED, Refused
from catalog.store.database import Tenant
from catalog.store.documents import now
from catalog.store.fence import FRESH
from catalog.store.records import Changes, FileRecord, Query, VersionRecord
from catalog.vocabulary import Kind, VersionState

MOST_FILES = 10_000
"""With paths of at most LONGEST_PATH their record stays under the 16 MB that the database takes."""

ATTEMPTS = 1000
"""How often a write is tried that others keep overtaking."""


async def begin(
    caller: Caller,
    kind: Kind,
    reference: Reference,
    details: VersionDetails = NO_DETAILS,
    limits: Limits = LIMITS,
) -> VersionRecord:
    """Make a draft without files, and return it.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED, EXTERNAL_ID_TAKEN.
    """
    details = details.checked(limits)
    if details.uri:
        raise Refused(NOT_CREATED, "uri: a version with files has none")
    item = await versions.prepare(caller, kind, reference, details)
    draft = versions.draft_of(caller, kind, item["_id"], details)
    await versions.insert(caller, draft)
    return cast("VersionRecord", draft.model_dump(by_alias=True))


async def put(
    caller: Caller, kind: Kind, reference: Reference, path: str, upload: IncomingFile, *, fresh: float = FRESH
) -> FileRecord:
    """Store a file under `path` in a draft, in the place of one that was there, and return its record.

    When it took longer than `fresh` seconds to arrive, the caller's rights are looked at again: the item may have
    another owner by now.

    Raises Refused: what `prepare`, `intake.receive` and `add` raise.
    """
    began = monotonic()
    draft = await prepare(caller, kind, reference, path)
    stored = await intake.receive(caller, upload, path)
    if monotonic() - began > fresh:
        draft = await prepare(caller, kind, Reference(str(draft["item"]), reference.which), path)
    return await add(caller, draft, stored)


async def prepare(caller: Caller, kind: Kind, reference: Reference, path: str) -> VersionRecord:
    """The draft that is to get a file, before anything of that is read.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, NOT_CREATED for an invalid path or one file too many.
    """
    draft = await _find(caller, kind, reference)
    _refuse_one_more(draft, file_path(path))
    return draft


async def add(caller: Caller, draft: VersionRecord, stored: StoredFile) -> FileRecord:
    """Make a stored file a file of a draft, in the place of one that was there, and return its record.

    Raises Refused: NOT_FOUND, VERSION_CLOSED, NOT_CREATED when there are too many by now, BUSY.
    """
    tenant, file = caller.tenant, stored.record()
    for _ in range(ATTEMPTS):
        if await _replace(tenant, draft, file) or await _append(tenant, draft, file):
            return file
        draft = await _read_again(tenant, draft)
        _refuse_one_more(draft, file["path"])
    raise Refused(BUSY, draft["ordinal"])


async def remove_file(caller: Caller, kind: Kind, reference: Reference, path: str) -> FileRecord:
    """Remove a file from a draft, and return its record.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED.
    """
    draft = await _find(caller, kind, reference)
    for _ in range(ATTEMPTS):
        file = file_at(draft, path)
        change = {"$pull": {"files": {"path": path}}, **_counted(-1, -file["size"])}
        if (await caller.tenant.versions.records.update_one(_with(draft, file), change)).matched_count:
            return file
        draft = await _read_again(caller.tenant, draft)
    raise Refused(BUSY, reference.which)


async def close(caller: Caller, kind: Kind, reference: Reference) -> VersionRecord:
    """Make a draft a version like others, and return it. From now on its files never change.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, NOT_CHANGED without files, or when one is a folder too.
    """
    tenant, draft = caller.tenant, await _find(caller, kind, reference)
    for _ in range(ATTEMPTS):
        # On the revision: a file that arrived meanwhile is included first.
        unchanged: Query = {"_id": draft["_id"], "state": VersionState.DRAFT.value, "revision": draft["revision"]}
        closed = await tenant.versions.modify(unchanged, {"$set": _closed(tenant, draft), "$inc": {"revision": 1}})
        if closed is not None:
            await versions.touch(tenant, kind, draft["item"])
            return closed
        draft = await _read_again(tenant, draft)
    raise Refused(BUSY, reference.which)


def file_at(version: VersionRecord, path: str) -> FileRecord:
    """Raises Refused: NOT_FOUND."""
    file = _at(version, path)
    if file is None:
        raise Refused(NOT_FOUND, path)
    return file


def abandoned(before: datetime) -> Query:
    """The filter of drafts in which nothing has happened since `before`."""
    return {"state": VersionState.DRAFT.value, "lastmod": {"$lt": before}}


def _closed(tenant: Tenant, draft: VersionRecord) -> Changes:
    files, moment = folders.in_order(draft["files"]), now()
    is_suspicious, archived = any(file["held"] for file in files), draft.get("archived", False)
    return {
        "files": files,
        "digest": folders.digest_of(files),
        "inspection": folders.inspection_of(files),
        "state": versions.initial_state(tenant, is_suspicious=is_suspicious, archived=archived).value,
        "timestamp": moment,
        "lastmod": moment,
    }


async def _find(caller: Caller, kind: Kind, reference: Reference) -> VersionRecord:
    item = await items.changeable(caller, kind, reference)
    return _refuse_closed(await lookup.find(caller, item, reference.which))


async def _read_again(tenant: Tenant, draft: VersionRecord) -> VersionRecord:
    found = await tenant.versions.records.find_one({"_id": draft["_id"]})
    if found is None:
        raise Refused(NOT_FOUND, draft["ordinal"])
    return _refuse_closed(found)


def _refuse_closed(version: VersionRecord) -> VersionRecord:
    if version["state"] != VersionState.DRAFT:
        raise Refused(VERSION_CLOSED, version["ordinal"])
    return version


def _refuse_one_more(draft: VersionRecord, path: str) -> None:
    if draft["file_count"] >= MOST_FILES and _at(draft, path) is None:
        raise Refused(NOT_CREATED, f"a version has at most {MOST_FILES} files")


def _at(version: VersionRecord, path: str) -> FileRecord | None:
    return next((file for file in version["files"] if file["path"] == path), None)


def _with(draft: VersionRecord, file: FileRecord) -> Query:
    """The filter of a draft that has this very file."""
    same = {"$elemMatch": {"path": file["path"], "digest": file["digest"], "size": file["size"]}}
    return {"_id": draft["_id"], "state": VersionState.DRAFT.value, "files": same}


async def _replace(tenant: Tenant, draft: VersionRecord, file: FileRecord) -> bool:
    before = _at(draft, file["path"])
    if before is None:
        return False
    change = _counted(0, file["size"] - before["size"])
    change["$set"] |= {"files.$": file}
    return bool((await tenant.versions.records.update_one(_with(draft, before), change)).matched_count)


async def _append(tenant: Tenant, draft: VersionRecord, file: FileRecord) -> bool:
    room = {"files.path": {"$ne": file["path"]}, "file_count": {"$lt": MOST_FILES}}
    query = {"_id": draft["_id"], "state": VersionState.DRAFT.value, **room}
    change = {"$push": {"files": file}, **_counted(1, file["size"])}
    return bool((await tenant.versions.records.update_one(query, change)).matched_count)


def _counted(files: int, size: int) -> Changes:
    return {"$inc": {"file_count": files, "size": size, "revision": 1}, "$set": {"lastmod": now()}}

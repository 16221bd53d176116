"""Drafts: versions of many files, which arrive one by one until the draft is closed. Then its files never change.

A file takes its number from the version's record, where a closed draft gives none, and is then a record of its own. A
close takes the numbers that were given and not used yet: so the files that arrived in time are all there, and no late
one gets into a version that is closed. See docs/decisions.md.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import cast

from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.files import intake
from catalog.domain.files.filenames import file_path
from catalog.domain.files.intake import IncomingFile, StoredFile
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.versions import insertion, lookup, versions
from catalog.domain.versions.details import NO_DETAILS, VersionDetails
from catalog.domain.versions.files import version_files
from catalog.errors import BUSY, NOT_CREATED, NOT_FOUND, VERSION_CLOSED, Refused
from catalog.store.clock import now
from catalog.store.concurrency.fence import FRESH
from catalog.store.concurrency.optimistic import queue_of
from catalog.store.records import Changes, FileRecord, Query, VersionFileRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind, VersionState

MOST_FILES = 10_000

MOST_NUMBERS = 10 * MOST_FILES
"""How many files a draft takes, those that are replaced included: a close reads the record of each."""

CLOSE_LASTS = timedelta(seconds=30)
"""A close that began longer ago is taken for one whose server has died."""

PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between two looks at a draft that another request is closing."""

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
    draft = insertion.draft_of(caller, kind, item["_id"], await details.resolved(caller))
    await insertion.insert(caller, draft, item)
    return cast("VersionRecord", draft.model_dump(by_alias=True))


async def put(
    caller: Caller, kind: Kind, reference: Reference, path: str, upload: IncomingFile, *, fresh: float = FRESH
) -> FileRecord:
    """Store a file under `path` in a draft, where it replaces an earlier one, and return its record.

    When it took longer than `fresh` seconds to arrive, the caller's rights are looked at again: the item may have
    another owner by now.

    Raises Refused: what `prepare`, `intake.receive` and `add` raise.
    """
    began = monotonic()
    draft = await prepare(caller, kind, reference, path)
    stored = await intake.receive(caller, upload, path)
    if monotonic() - began > fresh:
        draft = await prepare(caller, kind, Reference(str(draft["item"]), reference.which), path)
    [file] = await add(caller, draft, [stored])
    return file


async def prepare(caller: Caller, kind: Kind, reference: Reference, path: str) -> VersionRecord:
    """The draft that is to get a file, before anything of that is read.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED, NOT_CREATED for an invalid path or one file too many.
    """
    path = file_path(path)
    draft = await find(caller, kind, reference)
    if draft["file_count"] >= MOST_FILES and await version_files.find(caller.tenant, draft, path) is None:
        raise _too_many()
    return draft


async def find(caller: Caller, kind: Kind, reference: Reference) -> VersionRecord:
    """A draft that the caller may change. Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED."""
    item = await items.changeable(caller, kind, reference)
    return _refuse_closed(await lookup.find(caller, item, reference.which))


async def add(caller: Caller, draft: VersionRecord, files: Sequence[StoredFile]) -> list[FileRecord]:
    """Make stored files the files of a draft, where they replace the earlier ones, and return their records.

    Raises Refused: NOT_FOUND, VERSION_CLOSED, NOT_CREATED when there are too many by now, BUSY.
    """
    tenant, version, records = caller.tenant, draft["_id"], [file.record() for file in files]
    sizes = {record["path"]: record["size"] for record in records}
    present = await version_files.current_at(tenant, version, list(sizes))
    grown = sum(sizes.values()) - sum(file["size"] for file in present.values())
    last = await _take_numbers(tenant, draft, len(records), len(sizes) - len(present), grown)
    first = last - len(records) + 1
    numbered = [version_files.numbered(version, number, file) for number, file in enumerate(records, first)]
    await _insert(tenant, draft, numbered)
    if present or len(sizes) < len(records):
        for file in numbered:
            await version_files.supersede(tenant, version, [file["path"]], file["number"])
    return records


async def remove_file(caller: Caller, kind: Kind, reference: Reference, path: str) -> FileRecord:
    """Remove a file from a draft, and return its record.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, VERSION_CLOSED.
    """
    tenant, draft = caller.tenant, await find(caller, kind, reference)
    for _ in range(ATTEMPTS):
        present = (await version_files.current_at(tenant, draft["_id"], [path])).get(path)
        if present is None:
            raise Refused(NOT_FOUND, path)
        number = await _next_number(tenant, draft, _counted(1, -1, -present["size"]), {"revision": draft["revision"]})
        if number is None:
            draft = await when_open(tenant, draft)
            continue
        await _insert(tenant, draft, [version_files.no_file(draft["_id"], number, path)])
        if await _is_changed_between(tenant, draft, path, present["number"], number):
            again = {"file_count": 1, "size": present["size"], "revision": 1}
            await tenant.versions.records.update_one({"_id": draft["_id"]}, {"$inc": again})
            raise Refused(NOT_FOUND, path)
        await version_files.supersede(tenant, draft["_id"], [path], number)
        return version_files.file_of(present)
    raise Refused(BUSY, reference.which)


async def _is_changed_between(tenant: Tenant, draft: VersionRecord, path: str, after: int, before: int) -> bool:
    """Whether another request took a number between two for this path: of two that remove a file, the first one does.

    Numbers that were taken and are not written yet are waited for. After a crash they stay away.
    """
    between: Query = {"version": draft["_id"], "number": {"$gt": after, "$lt": before}}
    for pause in (0, *PAUSES):
        await asyncio.sleep(pause)
        if await tenant.files.records.count_documents(between) >= before - after - 1:
            break
    return await tenant.files.records.find_one({**between, "path": path}) is not None


async def when_open(tenant: Tenant, draft: VersionRecord) -> VersionRecord:
    """The draft as it is now, once no other request is closing it.

    Raises Refused: NOT_FOUND, VERSION_CLOSED, BUSY.
    """
    for pause in PAUSES:
        found = await tenant.versions.records.find_one({"_id": draft["_id"]})
        if found is None:
            raise Refused(NOT_FOUND, draft["ordinal"])
        closing = _refuse_closed(found).get("closing")
        if closing is None:
            return found
        if closing.generation_time < now() - CLOSE_LASTS:
            await reopen(tenant, draft["_id"], closing)
        else:
            await asyncio.sleep(pause)
    raise Refused(BUSY, draft["ordinal"])


async def reopen(tenant: Tenant, draft: ObjectId, closing: ObjectId) -> None:
    """End a close that has begun, and that does not succeed."""
    await tenant.versions.records.update_one({"_id": draft, "closing": closing}, {"$set": {"closing": None}})


def open_one(draft: VersionRecord) -> Query:
    """The filter of the draft, while no request has closed it or is closing it."""
    return {"_id": draft["_id"], "state": VersionState.DRAFT.value, "closing": None}


def abandoned(before: datetime) -> Query:
    """The filter of drafts in which nothing has happened since `before`."""
    return {"state": VersionState.DRAFT.value, "lastmod": {"$lt": before}}


def _refuse_closed(version: VersionRecord) -> VersionRecord:
    if version["state"] != VersionState.DRAFT:
        raise Refused(VERSION_CLOSED, version["ordinal"])
    return version


async def _take_numbers(tenant: Tenant, draft: VersionRecord, numbers: int, more: int, grown: int) -> int:
    """Take so many numbers that no other file of the draft has, and return the last. `more` of the files replace none.

    Raises Refused: NOT_FOUND, VERSION_CLOSED, NOT_CREATED, BUSY.
    """
    room: Query = {
        "file_count": {"$lte": MOST_FILES - more},
        "last_file": {"$lte": MOST_NUMBERS - numbers},
    }
    for _ in range(ATTEMPTS):
        last = await _next_number(tenant, draft, _counted(numbers, more, grown), room)
        if last is not None:
            return last
        draft = await when_open(tenant, draft)
        if draft["file_count"] > MOST_FILES - more:
            raise _too_many()
        if draft.get("last_file", 0) > MOST_NUMBERS - numbers:
            raise Refused(NOT_CREATED, f"a draft takes at most {MOST_NUMBERS} files, replaced ones included")
    raise Refused(BUSY, draft["ordinal"])


async def _next_number(tenant: Tenant, draft: VersionRecord, counted: Changes, where: Query) -> int | None:
    """Count files in a draft, and return the number of the last. None when the draft is not as `where` says."""
    records, query = tenant.versions.records, open_one(draft) | where
    async with queue_of("draft", draft["_id"]):  # only another server can overtake one
        while found := await records.find_one(query, {"last_file": 1}):
            same = query | {"last_file": found.get("last_file")}
            if (await records.update_one(same, counted)).matched_count:
                return found.get("last_file", 0) + int(counted["$inc"]["last_file"])
            await asyncio.sleep(PAUSES[0])
    return None


async def _insert(tenant: Tenant, draft: VersionRecord, files: Sequence[VersionFileRecord]) -> None:
    """Raises Refused: VERSION_CLOSED, BUSY when a close that failed afterwards has taken a number first."""
    if await tenant.files.insert_new(files):
        await when_open(tenant, draft)
        raise Refused(BUSY, draft["ordinal"])


def _counted(numbers: int, files: int, size: int) -> Changes:
    more = {"last_file": numbers, "file_count": files, "size": size, "revision": 1}
    return {"$inc": more, "$set": {"lastmod": now()}}


def _too_many() -> Refused:
    return Refused(NOT_CREATED, f"a version has at most {MOST_FILES} files")

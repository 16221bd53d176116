"""The files of a version. A single file is in the version's record; each file of a folder has a record of its own.

The files of a folder are numbered in the order of their arrival, and a record is never written twice: of several with
one path the last one counts. A record without a digest is no file. It takes a number, so that no late file gets it, or
says that the file of its path was removed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from bson import ObjectId

from catalog.domain.versions.files import file_pages
from catalog.errors import NOT_FOUND, Refused
from catalog.store.ids import in_parts
from catalog.store.query.paging.cursors import ASCENDING
from catalog.store.records import FileRecord, Query, VersionFileRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import VersionState

SHOWN = 1000
"""How many files the record of a version shows. The rest is in the list of its files."""

IN_ORDER = [("path", ASCENDING), ("number", ASCENDING)]
OF_A_FILE = ("original", "digest", "size", "mimetype", "encoding", "path", "format", "verdict", "held")
BATCH = 500


def numbered(version: ObjectId, number: int, file: FileRecord) -> VersionFileRecord:
    return {"_id": f"{version}/{number}", "version": version, "number": number, **file}


def no_file(version: ObjectId, number: int, path: str = "") -> VersionFileRecord:
    """A record that takes a number, or, with a `path`, says that its file was removed."""
    empty: FileRecord = {
        "original": "",
        "digest": "",
        "size": 0,
        "mimetype": "",
        "encoding": "",
        "path": path,
        "format": "",
        "verdict": "",
        "held": False,
    }
    return numbered(version, number, empty)


def has_files(version: VersionRecord) -> bool:
    """Whether the catalog has bytes of it: a draft without files has none yet, others may be kept elsewhere."""
    return version["file_count"] > 0


async def all_of(tenant: Tenant, version: VersionRecord) -> list[FileRecord]:
    """All files of a version, by path."""
    if version["files"]:
        return version["files"]
    entries = await tenant.files.records.find(_in(version["_id"])).sort(IN_ORDER).to_list(None)
    return [file_of(entry) for entry in current(entries)]


async def page_of(tenant: Tenant, version: VersionRecord, skip: int, limit: int) -> list[FileRecord]:
    """Some of the files of a version, by path."""
    if version["files"] or version["state"] == VersionState.DRAFT:
        return (await all_of(tenant, version))[skip : skip + limit]
    if skip >= version["file_count"] or not limit:
        return []
    within = await file_pages.range_of(tenant, version, skip, limit)
    named = {"version": version["_id"], "path": within.paths}
    found = tenant.files.records.find(named).sort(IN_ORDER).skip(within.skip).limit(limit)
    return [file_of(entry) for entry in await found.to_list(limit)]


async def shown(tenant: Tenant, version: VersionRecord) -> VersionRecord:
    """The version, with its first files in its record."""
    return {**version, "files": await page_of(tenant, version, 0, SHOWN)}


async def find(tenant: Tenant, version: VersionRecord, path: str) -> FileRecord | None:
    """The file of a version that has this path."""
    if version["files"]:
        return next((file for file in version["files"] if file["path"] == path), None)
    found = await current_at(tenant, version["_id"], [path])
    return file_of(found[path]) if path in found else None


async def at(tenant: Tenant, version: VersionRecord, path: str) -> FileRecord:
    """The file of a version that has this path. Raises Refused: NOT_FOUND."""
    file = await find(tenant, version, path)
    if file is None:
        raise Refused(NOT_FOUND, path)
    return file


async def current_at(tenant: Tenant, version: ObjectId, paths: Sequence[str]) -> dict[str, VersionFileRecord]:
    """The files of a folder that have these paths, by path."""
    entries: list[VersionFileRecord] = []
    for part in in_parts(paths):
        asked: Query = {"version": version, "path": part[0] if len(part) == 1 else {"$in": list(part)}}
        entries += await tenant.files.records.find(asked).to_list(None)
    entries.sort(key=itemgetter("path", "number"))
    return {entry["path"]: entry for entry in current(entries) if entry["path"]}


def current(entries: Iterable[VersionFileRecord]) -> list[VersionFileRecord]:
    """Of records in order, the last of each path, unless its file was removed."""
    last = [list(of_path)[-1] for _, of_path in groupby(entries, itemgetter("path"))]
    return [entry for entry in last if entry["digest"]]


async def supersede(tenant: Tenant, version: ObjectId, paths: Sequence[str], before: int) -> None:
    """Make records of these paths with a number below `before` no files, so that nothing keeps their bytes."""
    older = {"version": version, "path": {"$in": list(paths)}, "number": {"$lt": before}}
    await tenant.files.records.update_many(older, {"$set": {"path": "", "digest": "", "size": 0}})


async def remove(tenant: Tenant, versions: Sequence[ObjectId]) -> int:
    """Remove the files of folders, after the versions. Returns how many records there were."""
    removed = 0
    for start in range(0, len(versions), BATCH):
        query = {"version": {"$in": list(versions[start : start + BATCH])}}
        removed += (await tenant.files.records.delete_many(query)).deleted_count
    return removed


async def remove_orphans(tenant: Tenant, untouched: datetime) -> int:
    """Remove files whose version is gone, and return how many there were. A crash leaves them.

    A version that was begun after `untouched` may get its record later than its files.
    """
    removed, last = 0, ObjectId(bytes(12))
    while True:
        folders: list[ObjectId] = []
        while len(folders) < BATCH:
            following = tenant.files.records.find({"version": {"$gt": last}}, {"version": 1}).sort("version", ASCENDING)
            found = await following.limit(1).to_list(1)
            if not found:
                break
            last = found[0]["version"]
            folders.append(last)
        there = tenant.versions.records.find({"_id": {"$in": folders}}, {"_id": 1})
        known = {version["_id"] async for version in there}
        gone = [each for each in folders if each not in known and each.generation_time < untouched]
        removed += await remove(tenant, gone)
        if len(folders) < BATCH:
            return removed


def _in(version: ObjectId) -> Query:
    return {"version": version, "path": {"$gt": ""}}


def file_of(entry: VersionFileRecord) -> FileRecord:
    return {field: entry[field] for field in OF_A_FILE}  # type: ignore[literal-required,return-value]

"""The artifact tree of a tenant: files under paths, which a client stores before it makes a version of them.

A file belongs to the user who put it, and is read and changed by the owner and by administrators; a public one is read
by all users of the tenant. A version that is made of a path names the same blobs: it needs the path no longer.
"""

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from catalog.blobs.protocol import Blob, FileHead
from catalog.domain.access import Caller, manageable_by, may_manage, may_read, readable_by, readers
from catalog.domain.artifacts import paths
from catalog.domain.files import intake
from catalog.domain.files.intake import BriefInspection, IncomingFile, KnownFile, StoredFile
from catalog.domain.versions.drafts.drafts import MOST_FILES
from catalog.errors import CANNOT_DELETE, CANNOT_MODIFY, INVALID_FIELD, NOT_CREATED, NOT_FOUND, Refused
from catalog.store.clock import now
from catalog.store.concurrency.unique_writes import write_unless_taken
from catalog.store.query.paging.cursors import ASCENDING
from catalog.store.records import ArtifactFileRecord, Changes, FileRecord
from catalog.vocabulary import InspectionPolicy, Visibility

AT_ONCE = 1000
"""Paths that one query reads."""

STORED = ("digest", "size", "mimetype", "encoding", "format", "verdict", "held")
"""What the record of an artifact has of that of a file in a folder."""

MOST_LISTED = 10_000
"""Files and folders in one folder that a list shows. A list of some of them would make a download incomplete."""


class TreeEntry(NamedTuple):
    """A file or a folder in a folder."""

    name: str
    size: int | None  # of a file; a folder has none

    @property
    def is_folder(self) -> bool:
        return self.size is None


async def put(
    caller: Caller, path: str, upload: IncomingFile, visibility: Visibility = Visibility.PRIVATE
) -> ArtifactFileRecord:
    """Store a file under a path; it replaces a file of the caller at that path.

    Raises Refused: what `prepare`, `intake.receive` and `record` raise.
    """
    await prepare(caller, path)
    return await record(caller, await intake.receive(caller, upload, path), visibility)


async def prepare(caller: Caller, path: str) -> None:
    """Check that the caller may put a file under a path, before anything of it is read.

    Raises Refused: INVALID_FIELD for an invalid path, NOT_CREATED below VERSIONS and for a file that would replace a
    folder or the reverse, CANNOT_MODIFY for a file of another user.
    """
    paths.new(path)
    artifacts = caller.tenant.artifact_files.records
    there = {"path": {"$in": [*paths.folders_of(path), path]}}
    async for found in artifacts.find(there, {"path": 1, "owner": 1}):
        if found["path"] != path:
            raise Refused(NOT_CREATED, f"{found['path']} is a file, so nothing can be in it")
        if not may_manage(caller, found):
            raise Refused(CANNOT_MODIFY, path)
    if await artifacts.find_one({"path": paths.below(path)}, {"_id": 1}):
        raise Refused(NOT_CREATED, f"{path} is a folder, so it cannot be a file")


async def record(caller: Caller, stored: StoredFile, visibility: Visibility) -> ArtifactFileRecord:
    """Name a stored file in the tree. A suspicious one is private where the tenant has a quarantine.

    Raises Refused: CANNOT_MODIFY.
    """
    if stored.is_suspicious and caller.tenant.inspection is InspectionPolicy.QUARANTINE:
        visibility = Visibility.PRIVATE  # as a version of it is in quarantine
    file: Mapping[str, object] = stored.record()
    fields: Changes = {name: file[name] for name in STORED}
    fields |= {"owner": caller.user, "readers": readers(caller.user, (), (), visibility), "timestamp": now()}
    mine, artifacts = {"path": stored.path, **manageable_by(caller)}, caller.tenant.artifact_files.records

    async def write() -> None:
        await artifacts.update_one(mine, {"$set": fields}, upsert=True)

    async def refusal() -> Refused | None:
        """None also for a file of the caller that was put at the same moment: it is replaced."""
        there = await artifacts.find_one({"path": stored.path}, {"owner": 1})
        return Refused(CANNOT_MODIFY, stored.path) if there and not may_manage(caller, there) else None

    await write_unless_taken(write, refusal)
    found = await artifacts.find_one({"path": stored.path})
    if found is None:
        raise Refused(NOT_FOUND, f"{stored.path} was removed at once")
    return found


async def find(caller: Caller, path: str) -> ArtifactFileRecord:
    """The file under a path. Raises Refused: NOT_FOUND, INVALID_FIELD for a folder."""
    found = await caller.tenant.artifact_files.records.find_one({"path": paths.checked(path)})
    if found is not None and may_read(caller, found):
        return found
    if await _has_files(caller, path):
        raise Refused(INVALID_FIELD, f"{path} is a folder: its files are read one by one")
    raise Refused(NOT_FOUND, f"{path} does not exist")


async def list_(caller: Caller, folder: str) -> list[TreeEntry]:
    """The entries of a folder (empty: the root) that the caller may read, by name.

    Raises Refused: INVALID_FIELD for more than MOST_LISTED of them.
    """
    if folder:
        paths.checked(folder)
    start, skipped = (len(folder) + 1 if folder else 0), ""
    entries: dict[str, TreeEntry] = {}
    while True:
        within = {**paths.below(folder), **({"$gte": skipped} if skipped else {})}
        found = await _some(caller, within)
        for file in found:
            name, slash, _ = file["path"][start:].partition("/")
            entries[name] = TreeEntry(name, None if slash else file["size"])
        if len(entries) > MOST_LISTED:
            raise Refused(INVALID_FIELD, f"{folder or 'the root'} holds more than {MOST_LISTED} files and folders")
        if len(found) < AT_ONCE:
            return sorted(entries.values())
        last = found[-1]["path"]
        name, slash, _ = last[start:].partition("/")
        # After a folder its other files are skipped: `0` is the sign after the slash.
        skipped = f"{last[:start]}{name}0" if slash else f"{last}\0"


async def files_below(caller: Caller, path: str) -> list[ArtifactFileRecord]:
    """The file under a path, or all files in the folder under it, that the caller may read; none if there is nothing.

    Raises Refused: INVALID_FIELD for more than MOST_FILES.
    """
    found = await caller.tenant.artifact_files.records.find_one({"path": paths.checked(path)})
    if found is not None:
        return [found] if may_read(caller, found) else []
    files: list[ArtifactFileRecord] = []
    async for file in _readable(caller, paths.below(path)):
        files.append(file)
        if len(files) > MOST_FILES:
            raise Refused(INVALID_FIELD, f"{path} holds more than {MOST_FILES} files")
    return files


async def remove(caller: Caller, path: str) -> int:
    """Remove the file under a path, or the folder with all that is in it, and return how many files there were.

    The bytes are left to the sweep. Raises Refused: INVALID_FIELD, NOT_FOUND, CANNOT_DELETE when some of the files are
    another user's.
    """
    paths.new(path)
    records = caller.tenant.artifact_files.records
    removed = 0
    for where in (path, paths.below(path)):
        others = {"path": where, **readable_by(caller), "owner": {"$ne": caller.user}}
        if not caller.is_admin and await records.find_one(others, {"_id": 1}):
            raise Refused(CANNOT_DELETE, path)
        removed += (await records.delete_many({"path": where, **manageable_by(caller)})).deleted_count
    if not removed:
        raise Refused(NOT_FOUND, f"{path} does not exist")
    return removed


def known_file(file: ArtifactFileRecord | FileRecord, path: str) -> KnownFile:
    """A file of the tree or of a version as a file of a version to make, which has it under `path`."""
    name = (path or file["path"]).rpartition("/")[2]
    verdict = file.get("verdict")  # older artifacts have none, and the only file of a version has an empty one
    brief = BriefInspection(file["format"], verdict, file["held"]) if verdict else None
    return KnownFile(
        FileHead(name, file["mimetype"], file["encoding"]), Blob(file["digest"], file["size"]), path, brief
    )


async def _has_files(caller: Caller, folder: str) -> bool:
    query = {"path": paths.below(folder), **readable_by(caller)}
    return await caller.tenant.artifact_files.records.find_one(query, {"_id": 1}) is not None


async def _some(caller: Caller, within: dict[str, str]) -> list[ArtifactFileRecord]:
    query = {"path": within, **readable_by(caller)}
    found = (
        caller.tenant.artifact_files.records.find(query, {"path": 1, "size": 1}).sort("path", ASCENDING).limit(AT_ONCE)
    )
    return await found.to_list(AT_ONCE)


async def _readable(caller: Caller, within: dict[str, str]) -> AsyncIterator[ArtifactFileRecord]:
    query = {"path": within, **readable_by(caller)}
    async for file in caller.tenant.artifact_files.records.find(query).sort("path", ASCENDING):
        yield file

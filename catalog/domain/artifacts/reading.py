"""Reading files by their paths: those of the artifact tree, and those of versions below `versions/<id>/`."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import Caller, may_read
from catalog.domain.artifacts import paths, tree
from catalog.domain.artifacts.paths import VersionPath
from catalog.domain.artifacts.tree import TreeEntry
from catalog.domain.files import intake
from catalog.domain.files.intake import StoredFile
from catalog.domain.versions import reading
from catalog.domain.versions.files import version_files
from catalog.errors import INVALID_FIELD, NOT_FOUND, Refused
from catalog.store.records import ArtifactFileRecord, FileRecord, VersionRecord
from catalog.vocabulary import Kind


class FoundFile(NamedTuple):
    """A file that the caller may read."""

    name: str
    digest: str
    size: int
    mimetype: str
    modified: datetime


async def find(caller: Caller, path: str) -> FoundFile:
    """The file under a path. Raises Refused: NOT_FOUND, INVALID_FIELD for a folder, QUARANTINED, VERSION_DRAFT."""
    target = paths.version_path(path)
    if target is None:
        found = await tree.find(caller, path)
        return _found(path, found, found["timestamp"])
    version = await _readable_version(caller, target.version)
    if file := await version_files.find(caller.tenant, version, target.path):
        return _found(file["path"], file, version["timestamp"])
    if _entries(await version_files.all_of(caller.tenant, version), target.path):
        raise Refused(INVALID_FIELD, f"{path} is a folder: its files are read one by one")
    raise Refused(NOT_FOUND, f"{path} does not exist")


async def list_(caller: Caller, folder: str) -> list[TreeEntry]:
    """The entries of a folder, by name; none if there is no such folder. Raises Refused as `find` does."""
    target = paths.version_path(folder)
    if target is None:
        return await tree.list_(caller, folder)
    version = await _readable_version(caller, target.version)
    return _entries(await version_files.all_of(caller.tenant, version), target.path)


async def stored_files(caller: Caller, path: str) -> list[StoredFile]:
    """The file under a path, or the files in the folder under it, for a version that is to name the same bytes.

    A single file that stands for the whole path has no path of its own: it becomes a version of one file.

    Raises Refused: NOT_FOUND when there are none, INVALID_FIELD, QUARANTINED, VERSION_DRAFT, and what
    `intake.accept_all` raises.
    """
    target = paths.version_path(path)
    if target is None:
        found: Iterable[ArtifactFileRecord | FileRecord] = _of_one_owner(
            caller, path, await tree.files_below(caller, path)
        )
        whole = path
    else:
        version = await _readable_version(caller, target.version)
        found, whole = _within(await version_files.all_of(caller.tenant, version), target), target.path
        if not whole and not version["folder"]:
            whole = version["files"][0]["path"]
    known = [
        tree.known_file(file, "" if file["path"] == whole else file["path"][len(whole) :].lstrip("/")) for file in found
    ]
    if not known:
        raise Refused(NOT_FOUND, f"{path} does not exist")
    return await intake.accept_all(caller.tenant, known)


def _of_one_owner(caller: Caller, path: str, files: list[ArtifactFileRecord]) -> list[ArtifactFileRecord]:
    """The caller's own files if there are any, so that no other user can add a file to the caller's version.

    Raises Refused: INVALID_FIELD for files of several other users.
    """
    if own := [file for file in files if file["owner"] == caller.user]:
        return own
    if len({file["owner"] for file in files}) > 1:
        raise Refused(INVALID_FIELD, f"the files in {path} are of several users: each makes a version of their own")
    return files


def _within(files: list[FileRecord], target: VersionPath) -> list[FileRecord]:
    return [file for file in files if not target.path or f"{file['path']}/".startswith(f"{target.path}/")]


async def _readable_version(caller: Caller, identity: ObjectId) -> VersionRecord:
    version = await caller.tenant.versions.records.find_one({"_id": identity})
    item = version and await caller.tenant.items(Kind(version["kind"])).records.find_one({"_id": version["item"]})
    if version is None or item is None or not may_read(caller, item):
        raise Refused(NOT_FOUND, f"{paths.of_version(identity)} does not exist")
    reading.refuse_draft(version)
    reading.refuse_quarantined(version, caller)
    return version


def _entries(files: Iterable[FileRecord], folder: str) -> list[TreeEntry]:
    entries: dict[str, TreeEntry] = {}
    start = len(folder) + 1 if folder else 0
    for file in files:
        if not folder or file["path"].startswith(f"{folder}/"):
            name, slash, _ = file["path"][start:].partition("/")
            entries[name] = TreeEntry(name, None if slash else file["size"])
    return sorted(entries.values())


def _found(path: str, file: ArtifactFileRecord | FileRecord, modified: datetime) -> FoundFile:
    return FoundFile(path.rpartition("/")[2], file["digest"], file["size"], file["mimetype"], modified)

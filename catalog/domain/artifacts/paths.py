"""Paths in the artifact tree of a tenant.

Below VERSIONS are the files of versions, by the id of the version: `versions/65f.../weights.bin`. They are only read
there. All other paths are files that users put there.
"""

from typing import NamedTuple

from bson import ObjectId

from catalog.domain.files.filenames import file_path
from catalog.errors import INVALID_FIELD, NOT_CREATED, NOT_FOUND, Refused
from catalog.store.ids import object_id
from catalog.store.query.filters.patterns import prefix_range

VERSIONS = "versions"


class VersionPath(NamedTuple):
    """A path below VERSIONS: a version, and the path of a file or a folder of it (empty: all files)."""

    version: ObjectId
    path: str


def of_version(version: ObjectId, path: str = "") -> str:
    return f"{VERSIONS}/{version}/{path}".rstrip("/")


def checked(path: str) -> str:
    """A path of a file or folder. Raises Refused: INVALID_FIELD."""
    try:
        file_path(path)
    except Refused as refused:
        raise Refused(INVALID_FIELD, refused.details) from None
    if "#" in path:
        raise Refused(INVALID_FIELD, f"{path[:255]!a}: the sign # is not allowed in a path")
    return path


def new(path: str) -> str:
    """The path of a file to put. Raises Refused: INVALID_FIELD, NOT_CREATED below VERSIONS."""
    if checked(path).partition("/")[0] == VERSIONS:
        raise Refused(NOT_CREATED, f"the files below {VERSIONS}/ are those of versions, which do not change")
    return path


def version_path(path: str) -> VersionPath | None:
    """The version and file that a path below VERSIONS names; None for any other path. Raises Refused: NOT_FOUND."""
    first, _, rest = path.partition("/")
    if first != VERSIONS or not rest:
        return None
    key, _, inner = rest.partition("/")
    version = object_id(key)
    if version is None:
        raise Refused(NOT_FOUND, f"{path} does not exist")
    return VersionPath(version, inner)


def below(folder: str) -> dict[str, str]:
    """The range of the paths in a folder, at any depth; of all paths for the root (empty)."""
    return prefix_range(f"{folder}/") if folder else {"$gt": ""}


def folders_of(path: str) -> list[str]:
    """The folders that a path is in, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]

"""Versions, their files, aliases and links as the client returns them."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from msgspec import field

from catalog.client.results.people import User
from catalog.client.results.result import NEVER, Result, Value, pairs
from catalog.client.results.shapes import Document


class File(Result, frozen=True, kw_only=True):
    """A file of a version."""

    path: str = ""
    original: str = ""
    size: int = 0
    digest: str = ""
    """SHA-256, 64 lowercase hexadecimal characters."""
    mimetype: str = "application/octet-stream"
    format: str = ""
    verdict: str = ""


class VersionFinding(TypedDict):
    kind: str


class VersionInspection(TypedDict, total=False):
    """What the server found in the files. No file is ever called safe."""

    format: str
    summary: Document
    """What the header of the format says."""

    findings: list[VersionFinding]
    verdict: str
    """A sentence for people."""

    inspected: str


class VersionInput(TypedDict):
    """A version that another one was made from."""

    kind: str
    item: str
    number: int


class Version(Result, frozen=True, kw_only=True):
    """A numbered revision of an item: one file, or a folder of files.

    The versions in an `Item` have no `metadata`, `files` and `inspection`; `versions.get` returns them.
    """

    id: str
    ordinal: str
    original: str = ""
    """The name of its file."""
    size: int = 0
    digest: str = ""
    mimetype: str = "application/octet-stream"
    description: str = ""
    state: str = "LIVE"
    stage: str = "none"
    """`none`, `staging`, `production` or `archived`: where it stands, as its author says."""
    archived: bool = False
    """Archived versions are left out of lists."""
    pinned: bool = False
    """No policy of retention removes a pinned version."""
    author: str = ""
    external_id: str = ""
    run: Mapping[str, str] = {}
    """The training run that made it: `id` and `link`."""
    uri: str = ""
    """Where its bytes are, if they are not stored in the catalog."""
    inputs: tuple[VersionInput, ...] = ()
    """What it was made from. `item` is an id."""
    serial: int | None = None
    folder: bool = False
    file_count: int = 1
    files: tuple[File, ...] = ()
    aliases: tuple[str, ...] = ()
    """The aliases that point to it."""
    metadata: Mapping[str, Value] = {}
    inspection: VersionInspection = field(default_factory=VersionInspection)
    owner: str = ""
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER
    revision: int | None = None
    raw: Document = field(default_factory=dict)
    """The whole JSON document."""

    @classmethod
    def _values(cls, document: Document) -> dict[str, object]:
        return {
            **document,
            "_id": document.get("_id") or document.get("key", ""),
            "folder": document.get("folder", "file_count" in document),
            "metadata": pairs(document),
            "raw": document,
        }


class Alias(Result, frozen=True, kw_only=True):
    """A movable name for one version."""

    name: str
    version: str
    """The ordinal of the version."""
    moved: datetime = NEVER
    user: User | str = ""
    """Who moved it last; only the id of a user who was removed."""
    revision: int | None = None
    """For `set(..., revision=)`."""


class AliasMove(Result, frozen=True, kw_only=True):
    """A move of an alias from one version to another."""

    id: str
    alias: str
    version: str | None = None
    """The ordinal; None: the alias was removed."""
    previous: str | None = None
    """The ordinal that it pointed to before; None: it was new."""
    moved: datetime = NEVER
    user: User | str = ""
    is_rollback: bool = False


class Link(Result, frozen=True, kw_only=True):
    """A URL that serves a file without a token until `expires`."""

    url: str
    expires: datetime = NEVER


class PrunedVersion(Result, frozen=True, kw_only=True):
    """A version that retention removed, or would remove."""

    id: str
    kind: str = "models"
    name: str = ""
    number: int = 0
    ordinal: str = ""
    size: int = 0
    timestamp: datetime = NEVER


class Pruned(Result, frozen=True, kw_only=True):
    """Old versions of an item that were removed, or would be. `more`: there are more, ask again."""

    keep: int
    versions: tuple[PrunedVersion, ...]
    bytes: int
    more: bool

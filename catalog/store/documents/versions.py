"""Versions and their files."""

from datetime import datetime
from typing import Any

from beanie import PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from catalog.store.clock import now
from catalog.store.documents.indexes import filled, newest, sorted_by, unique, unique_number, unique_text
from catalog.store.documents.items import PairSubdocument
from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import Kind, Stage, VersionState


class FileSubdocument(BaseModel):
    """Bytes with a name in a version. The inspection is with the version; for a folder its result is here."""

    original: str  # a plain file name
    digest: str
    size: int
    mimetype: str
    encoding: str
    path: str  # the file name; in a folder with its directories
    format: str = ""
    verdict: str = ""
    held: bool = False  # a policy may quarantine or reject it


class RunSubdocument(BaseModel):
    """The training run that made a version, as its author names it."""

    id: str = ""
    link: str = ""


class InputSubdocument(BaseModel):
    """A version that another one was made from."""

    kind: Kind
    item: PydanticObjectId
    number: int


class VersionFileDocument(SealedDocument):
    """A file of a folder. `id` is the version's id, a slash and the number; see domain.versions.files.version_files."""

    id: str  # type: ignore[assignment]
    version: PydanticObjectId
    number: int
    path: str = ""
    original: str = ""
    digest: str = ""
    size: int = 0
    mimetype: str = ""
    encoding: str = ""
    format: str = ""
    verdict: str = ""
    held: bool = False

    class Settings:
        name = "files"
        indexes = (
            IndexModel([("version", ASCENDING), ("path", ASCENDING), ("number", ASCENDING)]),
            IndexModel([("digest", ASCENDING)]),
        )


class VersionDocument(SealedDocument):
    """One numbered revision of an item, which may have 100 000 of them."""

    serial: int | None = None  # unique in the tenant
    item: PydanticObjectId
    kind: Kind
    readers: list[Any] = Field(default_factory=list)  # of the item, see store.derived.reader_copies
    number: int
    ordinal: str
    ordinal_key: str  # the ordinal without regard to case
    files: list[FileSubdocument]  # its file; those of a folder are records of their own, see VersionFile
    folder: bool = False  # files with paths
    last_file: int = 0  # of a folder the highest number of a file, see domain.versions.drafts
    closing: PydanticObjectId | None = None  # the token of a close that has begun
    original: str = ""  # the name of its file; a folder has none
    file_count: int = 1
    size: int = 0  # bytes, of all files
    digest: str = ""  # of the file; of a folder the SHA-256 of its list of files, see domain.versions
    uri: str = ""  # where its bytes are, if they are kept elsewhere; then it has no files
    origin: str = ""  # what it was made from, as its author wrote it
    description: str = ""
    metadata: list[PairSubdocument] = Field(default_factory=list)
    author: str = ""
    stage: Stage = Stage.NONE
    stage_turn: int | None = None  # when it took its stage over, see domain.versions.stages
    archived: bool = False
    external_id: str | None = None
    run: RunSubdocument | None = None
    inputs: list[InputSubdocument] = Field(default_factory=list)
    pinned: bool = False  # no retention policy removes it
    pins: int | None = None  # raised before an alias is pointed to it, see domain.versions.removal
    state: VersionState = VersionState.LIVE
    inspection: dict[str, Any] | None = None
    owner: PydanticObjectId
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    revision: int = 1

    class Settings:
        name = "versions"
        indexes = (
            unique_number("serial"),
            unique("item", "number"),
            unique("item", "ordinal_key"),
            IndexModel([("item", ASCENDING), ("original", ASCENDING), ("number", DESCENDING)]),
            unique_text("external_id", within="item"),
            IndexModel([("files.digest", ASCENDING)]),
            # Of versions with inputs alone: what was made from a version.
            # (The embedded engine does not use a partial index with `$exists`.)
            IndexModel([("inputs.item", ASCENDING)], sparse=True),
            # Of drafts alone: the sweep looks for abandoned ones.
            IndexModel([("lastmod", ASCENDING)], partialFilterExpression={"state": VersionState.DRAFT.value}),
            # Lists of the versions of one item, of few items and of many, see domain.versions.across.
            IndexModel([("item", ASCENDING), ("stage", ASCENDING), ("number", DESCENDING)]),
            IndexModel([("item", ASCENDING), ("lastmod", ASCENDING), ("serial", ASCENDING)]),
            *(sorted_by(field) for field in ("lastmod", "timestamp", "number")),
            newest("metadata.name"),
            newest("readers"),
            filled("run.id"),
            filled("uri"),
            filled("origin"),
        )

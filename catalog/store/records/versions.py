"""Records of versions and their files."""

from datetime import datetime
from typing import NotRequired, TypedDict

from bson import ObjectId

from catalog.inspection.inspector import Inspection
from catalog.store.records.items import PairRecord


class FileRecord(TypedDict):
    original: str
    digest: str
    size: int
    mimetype: str
    encoding: str
    path: str
    format: str
    verdict: str
    held: bool


class VersionFileRecord(FileRecord):
    """A file of a folder."""

    _id: str
    version: ObjectId
    number: int


class RunRecord(TypedDict):
    id: str
    link: str


class InputRecord(TypedDict):
    kind: str
    item: ObjectId
    number: int


class VersionRecord(TypedDict):
    _id: ObjectId
    serial: NotRequired[int | None]
    item: ObjectId
    kind: str
    readers: NotRequired[list[ObjectId | str]]
    number: int
    ordinal: str
    ordinal_key: str
    files: list[FileRecord]
    folder: bool
    last_file: NotRequired[int]
    closing: NotRequired[ObjectId | None]
    original: str
    file_count: int
    size: int
    digest: str
    uri: NotRequired[str]
    origin: NotRequired[str]
    description: str
    metadata: list[PairRecord]
    author: NotRequired[str]
    stage: NotRequired[str]
    stage_turn: NotRequired[int | None]
    archived: NotRequired[bool]
    external_id: NotRequired[str | None]
    run: NotRequired[RunRecord | None]
    inputs: NotRequired[list[InputRecord]]
    pins: NotRequired[int | None]
    pinned: NotRequired[bool]
    state: str
    inspection: NotRequired[Inspection | None]
    owner: ObjectId
    timestamp: datetime
    lastmod: datetime
    revision: int

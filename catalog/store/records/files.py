"""Records of blobs, and of how bytes arrive."""

from datetime import datetime
from typing import NotRequired, TypedDict

from bson import ObjectId

from catalog.store.records.items import PairRecord
from catalog.store.records.versions import InputRecord, RunRecord


class BlobRecord(TypedDict):
    _id: str
    size: int
    touched: datetime
    hold: NotRequired[ObjectId | None]
    deleting_since: NotRequired[datetime | None]
    damaged: NotRequired[datetime | None]
    crc32: NotRequired[int | None]


class UploadRecord(TypedDict):
    _id: str
    user: ObjectId
    kind: str
    item: ObjectId
    version: ObjectId
    path: str
    name: str
    mimetype: str
    size: NotRequired[int | None]
    reserved: NotRequired[int]
    digest: str
    ordinal: str
    description: str
    metadata: list[PairRecord]
    inputs: NotRequired[list[InputRecord]]
    author: NotRequired[str]
    stage: NotRequired[str]
    archived: NotRequired[bool]
    external_id: NotRequired[str | None]
    run: NotRequired[RunRecord | None]
    strict: NotRequired[bool]
    note: str
    became: str
    expires: datetime
    lease_until: datetime
    lease_owner: NotRequired[ObjectId | None]
    lease_requested: NotRequired[ObjectId | None]


class ArtifactFileRecord(TypedDict):
    _id: ObjectId
    path: str
    digest: str
    size: int
    mimetype: str
    encoding: str
    format: NotRequired[str]
    verdict: NotRequired[str]
    held: NotRequired[bool]
    owner: ObjectId
    readers: list[ObjectId | str]
    timestamp: datetime


class PartRecord(TypedDict):
    number: int
    digest: str
    size: int
    hold: NotRequired[ObjectId | None]


class PartUploadRecord(TypedDict):
    _id: str
    user: ObjectId
    path: str
    part_count: int
    parts: list[PartRecord]
    became: str
    expires: datetime

"""The records of each collection, as the driver reads them: a TypedDict per document.

`tenant.models.records.find_one(...)` returns `ItemRecord | None`, and `find(...)` there yields `ItemRecord`.
The Beanie documents in `documents` declare the same fields with their indexes and checks; a test compares the two.

A field is `NotRequired` where a record may lack it: it has no value, or the record is older than the field.
Enumerations are read as strings. A projection leaves fields out although the type says that they are there.
"""

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from bson import ObjectId

from catalog.inspection.inspector import Inspection

Value = str | int | float | bool
"""The value of a metadata pair. Numbers compare as numbers."""

Query = dict[str, Any]
"""A condition on the records of a collection, in the database's query language."""

Changes = dict[str, Any]
"""New values of fields, by name."""


class PairRecord(TypedDict):
    name: str
    value: Value


class AliasRecord(TypedDict):
    name: str
    number: int
    ordinal: str
    user: ObjectId
    moved: datetime
    revision: int


class LatestRecord(TypedDict):
    """What an item says of its newest live version."""

    number: int
    metadata: list[PairRecord]


class SummaryRecord(TypedDict):
    """What an item says of its live versions, see `store.version_summaries`."""

    latest: LatestRecord | None
    stages: list[str]


class CardRecord(TypedDict):
    _id: ObjectId
    kind: str
    text: str
    revision: int
    lastmod: datetime


class AliasMoveRecord(TypedDict):
    _id: ObjectId
    item: ObjectId
    alias: str
    version: NotRequired[str | None]
    number: NotRequired[int | None]
    previous: NotRequired[str | None]
    previous_number: NotRequired[int | None]
    user: ObjectId
    moved: datetime
    revision: int
    is_rollback: bool


class ItemRecord(TypedDict):
    """A model, a dataset or an algorithm."""

    _id: ObjectId
    serial: int
    name: str
    owner: ObjectId
    users: list[ObjectId]
    editors: NotRequired[list[ObjectId]]
    visibility: str
    tags: list[str]
    metadata: list[PairRecord]
    description: str
    license: NotRequired[str]
    license_link: NotRequired[str]
    languages: NotRequired[list[str]]
    tasks: NotRequired[list[str]]
    library: NotRequired[str]
    provider: NotRequired[str]
    logo: NotRequired[str]
    maturity: NotRequired[str]
    aliases: NotRequired[list[AliasRecord]]
    alias_outbox: NotRequired[list[AliasMoveRecord] | None]
    external_id: NotRequired[str | None]
    archived: NotRequired[bool]
    timestamp: datetime
    lastmod: datetime
    revision: int
    last_version: NotRequired[int]
    last_ordinal: NotRequired[int | None]
    latest: NotRequired[LatestRecord | None]
    stages: NotRequired[list[str]]
    readers: list[ObjectId | str]
    readers_changed: NotRequired[datetime | None]
    name_key: NotRequired[str]
    status: NotRequired[str]  # a dataset has none
    datasets: NotRequired[list[ObjectId]]  # a dataset has none


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


class RobotItemRecord(TypedDict):
    kind: str
    item: ObjectId


class RobotRecord(TypedDict):
    description: str
    scopes: list[str]
    items: list[RobotItemRecord]
    tags: list[str]
    created_by: str
    expires: NotRequired[datetime | None]
    used: NotRequired[datetime | None]


class UserRecord(TypedDict):
    _id: ObjectId
    username: str
    username_key: NotRequired[str | None]
    password: str
    email: NotRequired[str | None]
    role: str
    createdPassword: datetime
    validityPasswordDays: int
    timestamp: datetime
    lastmod: datetime
    signed_out: NotRequired[datetime | None]
    demotion_token: NotRequired[ObjectId | None]
    groups: NotRequired[list[ObjectId]]
    robot: NotRequired[RobotRecord | None]


class GroupRecord(TypedDict):
    _id: ObjectId
    name: str
    name_key: str
    description: str
    timestamp: datetime
    lastmod: datetime


class AccessTokenRecord(TypedDict):
    _id: ObjectId
    user: ObjectId
    name: str
    digest: str
    scopes: list[str]
    timestamp: datetime
    expires: datetime
    used: NotRequired[datetime | None]


class PasswordResetRecord(TypedDict):
    _id: str
    user: ObjectId
    status: str
    timestamp: datetime
    expires: datetime


class BlobRecord(TypedDict):
    _id: str
    size: int
    touched: datetime
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
    author: NotRequired[str]
    stage: NotRequired[str]
    archived: NotRequired[bool]
    external_id: NotRequired[str | None]
    run: NotRequired[RunRecord | None]
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
    owner: ObjectId
    readers: list[ObjectId | str]
    timestamp: datetime


class PartRecord(TypedDict):
    number: int
    digest: str
    size: int
    held: NotRequired[datetime | None]


class PartUploadRecord(TypedDict):
    _id: str
    user: ObjectId
    path: str
    part_count: int
    parts: list[PartRecord]
    became: str
    expires: datetime


class RetentionRecord(TypedDict):
    _id: str
    kind: NotRequired[str | None]
    keep_versions: NotRequired[int | None]
    trash_days: NotRequired[int | None]
    trash_bytes: NotRequired[int | None]
    log_days: NotRequired[int | None]
    log_bytes: NotRequired[int | None]
    terms_days: NotRequired[int | None]
    user: NotRequired[ObjectId | None]
    lastmod: NotRequired[datetime]


class TrashRecord(TypedDict):
    _id: ObjectId
    kind: str
    name: str
    owner: ObjectId
    item: ItemRecord
    removal: ObjectId
    removed_by: ObjectId
    removed: datetime
    until: datetime
    lease_until: datetime
    purging: bool


class SearchEntryRecord(TypedDict):
    """The n-grams of an item."""

    _id: ObjectId
    serial: int
    revision: int
    names: list[str]
    texts: list[str]


class TermRecord(TypedDict):
    """A tag or a metadata name."""

    _id: str
    usage: str
    owner: NotRequired[ObjectId | None]
    timestamp: datetime
    uses: NotRequired[int]
    seen: NotRequired[dict[str, int]]
    key: NotRequired[str]
    pieces: NotRequired[list[str]]


class LogRecord(TypedDict):
    _id: ObjectId
    serial: int
    date: datetime
    user: NotRequired[str | None]
    method: str
    route: NotRequired[str | None]
    path: str
    item: NotRequired[str | None]
    address: NotRequired[str | None]
    result: int
    fault: NotRequired[int | None]
    duration: float
    request_id: str
    requests: NotRequired[int | None]
    end: NotRequired[int]


class TrackedRecord(TypedDict):
    """What experiments, runs, artifacts, metrics, environments, services and served models have in common."""

    _id: ObjectId
    serial: int
    name: str
    owner: ObjectId
    own_readers: list[ObjectId | str]
    readers: list[ObjectId | str]
    items: list[ObjectId]
    experiments: list[ObjectId]
    keys: list[str]
    description: str
    external_id: NotRequired[str | None]
    metadata: list[PairRecord]
    timestamp: datetime
    lastmod: datetime
    revision: int


class ExperimentRecord(TrackedRecord):
    author: str
    archived: bool


class ExperimentRunRecord(TrackedRecord):
    experiment: ObjectId
    status: str
    started: NotRequired[int | None]
    ended: NotRequired[int | None]
    author: str
    archived: bool


class ArtifactRecord(TrackedRecord):
    type: str
    versions: list[ObjectId]
    runs: list[ObjectId]
    run: NotRequired[ObjectId | None]
    uri: str
    state: str
    details: dict[str, Value]


class MetricPointRecord(TrackedRecord):
    run: ObjectId
    state: str
    details: dict[str, Value]


class EnvironmentRecord(TrackedRecord):
    """Where models are served."""


class ServiceRecord(TrackedRecord):
    environment: ObjectId
    item: ObjectId
    version: NotRequired[ObjectId | None]
    runtime: NotRequired[str | None]
    desired_state: str


class ServedModelRecord(TrackedRecord):
    service: ObjectId
    item: ObjectId
    version: ObjectId
    state: str


class TenantRecord(TypedDict):
    _id: str
    database: str
    generation: NotRequired[str | None]
    organization: NotRequired[str | None]
    address: NotRequired[str | None]
    email: NotRequired[str | None]
    phone: NotRequired[str | None]
    passwordhash: bool
    quota_bytes: NotRequired[int | None]
    sweep: NotRequired[ObjectId | None]
    sweeping: NotRequired[datetime | None]
    swept: NotRequired[datetime | None]
    recounted: NotRequired[datetime | None]
    quota_warned: NotRequired[datetime | None]
    inspection: NotRequired[str | None]
    remover: NotRequired[ObjectId | None]
    restored_from: NotRequired[str | None]
    schema_number: NotRequired[int | None]
    schema_target: NotRequired[int | None]
    migrator: NotRequired[ObjectId | None]
    migrating: NotRequired[datetime | None]
    timestamp: datetime
    lastmod: datetime
    state: str
    database_key: str
    name_key: NotRequired[str]


class FailedAttemptsRecord(TypedDict):
    _id: str
    failures: int
    last: datetime
    expires: datetime

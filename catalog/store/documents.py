"""The documents of each collection, with their indexes. `records` has the same fields as types of what is read.

Fields have the names of the v1 dialect, so that a client's filter or sort needs no translation.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from beanie import PydanticObjectId
from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from catalog.folding import search_key
from catalog.store.records import Changes, Value
from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import (
    ArtifactState,
    ArtifactType,
    ExecutionState,
    InspectionPolicy,
    Kind,
    ResetStatus,
    Role,
    RunStatus,
    Scope,
    ServiceState,
    Stage,
    Status,
    Usage,
    VersionState,
    Visibility,
)


def now() -> datetime:
    """The time, cut to milliseconds as the database stores it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def later_than(moment: datetime) -> datetime:
    """Now, but after `moment`: two changes in a row have different times."""
    return max(now(), moment + timedelta(milliseconds=1))


AHEAD = timedelta(minutes=10)
"""How far the clocks of servers may differ. A moment further in the future comes from a clock that was wrong."""


def _unique(*keys: str, **options: Any) -> IndexModel:
    return IndexModel([(key, ASCENDING) for key in keys], unique=True, **options)


def _unique_text(field: str, within: str = "") -> IndexModel:
    """Unique among the documents that have the field: a collection with older documents can be opened.

    With `within`, only among those with the same value of that field.
    """
    keys = (within, field) if within else (field,)
    return _unique(*keys, partialFilterExpression={field: {"$type": "string"}})


def _latest() -> IndexModel:
    """Serve the default order of collections without a serial."""
    return IndexModel([("timestamp", DESCENDING), ("_id", DESCENDING)])


def _over(field: str, after: timedelta = timedelta()) -> IndexModel:
    """Remove a document some time after the moment in `field`. The database does so once a minute."""
    return IndexModel([(field, ASCENDING)], expireAfterSeconds=int(after.total_seconds()))


def _filled(field: str) -> IndexModel:
    """Serve an equality on a text that most documents do not have."""
    return IndexModel([(field, ASCENDING)], partialFilterExpression={field: {"$gt": ""}})


def _newest(*keys: str) -> IndexModel:
    """Serve a filter on `keys`, newest first."""
    return IndexModel([*((key, ASCENDING) for key in keys), ("serial", DESCENDING)])


def _newest_with(field: str) -> IndexModel:
    """Serve an equality with a text that is not empty, newest first."""
    keys = [(field, ASCENDING), ("serial", DESCENDING)]
    return IndexModel(keys, partialFilterExpression={field: {"$gt": ""}})


def _sorted(field: str) -> IndexModel:
    """Serve a sort by `field`, with ties by age in the same direction; and a filter on it, newest first."""
    return IndexModel([(field, ASCENDING), ("serial", ASCENDING)])


class RegisteredTenant(SealedDocument):
    """An organisation, in the catalogue database. `id` is the tenant's name."""

    id: str  # type: ignore[assignment]  # the reference's tenants are named by their client
    database: str
    generation: str | None = None  # new each time that a tenant of this name is created; see store.fence
    organization: str | None = None
    address: str | None = None
    email: str | None = None
    phone: str | None = None
    passwordhash: bool = True
    quota_bytes: int | None = None  # bytes of all blobs; none or 0 is no limit
    sweep: PydanticObjectId | None = None  # token of the lease, see domain.cleanup.sweep_schedule
    sweeping: datetime | None = None  # until then the lease holds
    swept: datetime | None = None  # the end of the last sweep
    recounted: datetime | None = None  # the last recount of the uses of its terms
    inspection: InspectionPolicy | None = None  # none is `warn`
    remover: PydanticObjectId | None = None  # the owner of the lease of its removal, see domain.tenants.removal
    restored_from: str | None = None  # the backup, until all of its tenants are back, see operations.restore
    schema_number: int | None = None  # of its records, see store.migrations; none is 0
    schema_target: int | None = None  # the number that an upgrade is writing, or has written
    migrator: PydanticObjectId | None = None  # the owner of the lease of the upgrade
    migrating: datetime | None = None  # until then the lease holds
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    # `making` until its database and its administrator exist, `removing` from the first step of its removal on.
    # A tenant in these states is not visible; one that a crash left is cleared.
    state: str = "making"
    database_key: str = ""  # the database's name without regard to case, as MongoDB compares them
    name_key: str = ""  # the tenant's name likewise; older tenants may have none

    def model_post_init(self, _: object) -> None:
        self.database_key = self.database.lower()
        self.name_key = self.id.lower()

    class Settings:
        name = "tenants"
        indexes = (
            _unique("database_key"),
            _unique_text("name_key"),
            IndexModel([("state", ASCENDING), ("timestamp", DESCENDING), ("_id", DESCENDING)]),
        )


class FailedAttempts(SealedDocument):
    """Failed sign-ins of one user or address, in the catalogue database: they may name no tenant."""

    id: str  # type: ignore[assignment]  # see domain.people.login_throttle
    failures: int = 0
    last: datetime = Field(default_factory=now)
    expires: datetime

    class Settings:
        name = "attempts"
        indexes = (_over("expires"),)


class User(SealedDocument):
    username: str
    username_key: str | None = None  # see catalog.folding; an older user may have none
    password: str = Field(repr=False)  # a hash
    email: str | None = None
    role: Role
    createdPassword: datetime = Field(default_factory=now)
    validityPasswordDays: int
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    signed_out: datetime | None = None  # tokens issued before this moment are refused
    leaving: PydanticObjectId | None = None  # the token of a demotion, see domain.people.last_admin
    groups: list[PydanticObjectId] = Field(default_factory=list)  # that the user is a member of

    class Settings:
        name = "users"
        indexes = (
            IndexModel([("groups", ASCENDING), ("username", ASCENDING)]),
            _unique("username"),
            _unique_text("username_key"),
            _unique_text("email"),
            _latest(),
        )


class Group(SealedDocument):
    """Users with whom an item is shared under one name. The members are users whose `groups` have its id."""

    name: str
    name_key: str  # folded, see domain.naming
    description: str = ""
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)

    class Settings:
        name = "groups"
        indexes = (_unique("name_key"), _latest())


class AccessToken(SealedDocument):
    """A personal access token. Only the digest of the token is stored."""

    user: PydanticObjectId
    name: str
    digest: str = Field(repr=False)  # SHA-256 of the token, 64 hexadecimal characters
    scopes: list[Scope]
    timestamp: datetime = Field(default_factory=now)
    expires: datetime
    used: datetime | None = None  # to the minute or so

    class Settings:
        name = "access_tokens"
        indexes = (
            _unique("digest"),
            _unique("user", "name"),
            IndexModel([("user", ASCENDING), ("timestamp", DESCENDING), ("_id", DESCENDING)]),
            _latest(),
            _over("expires", timedelta(days=30)),  # until then its owner sees that it has expired
        )


class PasswordReset(SealedDocument):
    """Permission to set a new password once. `id` is the SHA-256 of the token in the mail."""

    id: str  # type: ignore[assignment]
    user: PydanticObjectId
    status: ResetStatus = ResetStatus.VALID
    timestamp: datetime = Field(default_factory=now)
    expires: datetime

    class Settings:
        name = "password_resets"
        indexes = (IndexModel([("user", ASCENDING)]), _over("expires", timedelta(days=1)))


class Pair(BaseModel):
    """A name and a value of the metadata."""

    name: str
    value: Value


class Alias(BaseModel):
    """A movable name for one version of an item."""

    name: str
    number: int
    ordinal: str  # of the same version
    user: PydanticObjectId  # who moved it last
    moved: datetime
    revision: int  # of the item, when it was moved


class Item(BaseModel):
    """The fields of models, datasets and algorithms."""

    serial: int
    name: str
    owner: PydanticObjectId
    users: list[PydanticObjectId] = Field(default_factory=list)  # who may read it: users and groups
    editors: list[PydanticObjectId] = Field(default_factory=list)  # who may add versions, aliases and metadata, too
    visibility: Visibility = Visibility.PRIVATE
    tags: list[str] = Field(default_factory=list)
    metadata: list[Pair] = Field(default_factory=list)
    description: str = ""
    license: str = ""
    license_link: str = ""
    languages: list[str] = Field(default_factory=list)
    tasks: list[str] = Field(default_factory=list)
    library: str = ""
    provider: str = ""
    logo: str = ""
    maturity: str = ""
    aliases: list[Alias] = Field(default_factory=list)
    alias_outbox: list[dict[str, Any]] | None = None  # moves that may not be in the history yet, see AliasMove
    external_id: str | None = None
    archived: bool = False
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    revision: int = 1
    last_version: int = 0  # the highest number ever used, so that none is used twice
    last_ordinal: int | None = None  # the highest ordinal ever used that is a number, where it differs
    readers: list[Any]  # derived on each write, see domain.access
    name_key: str = ""  # see catalog.folding, for the search

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def model_post_init(self, _: object) -> None:
        self.name_key = name_fields(self.name)["name_key"]


def name_fields(name: str) -> Changes:
    """The fields of an item that say its name."""
    return {"name": name, "name_key": search_key(name)}


# Each index costs time at every write. One of them serves each list: in its default order, with an equality (see
# `serial_scan.LEADS`), or sorted. MongoDB's own index serves a sort by `_id`.
ITEM_INDEXES = (
    _unique("serial"),
    _unique("owner", "name"),
    _unique_text("external_id"),
    # Of archived items alone: a list of the others reads past them.
    IndexModel([("archived", ASCENDING), ("serial", DESCENDING)], partialFilterExpression={"archived": True}),
    # Of items that have such a value alone: the others cost nothing.
    _newest_with("aliases.name"),
    _newest_with("license"),
    _newest_with("library"),
    _sorted("name"),
    _newest("name_key"),
    _newest("readers"),
    _newest("tags"),
    _newest("users"),
    _newest("metadata.name"),
    *(_sorted(field) for field in ("owner", "visibility", "timestamp", "lastmod")),
)


class Dataset(Item, SealedDocument):
    class Settings:
        name = Kind.DATASET.value
        indexes = ITEM_INDEXES


class Trained(Item):
    """The fields that only models and algorithms have."""

    status: Status = Status.TRAINING
    datasets: list[PydanticObjectId] = Field(default_factory=list)


class Model(Trained, SealedDocument):
    class Settings:
        name = Kind.MODEL.value
        indexes = (*ITEM_INDEXES, _newest("datasets"), _sorted("status"))


class Algorithm(Trained, SealedDocument):
    class Settings:
        name = Kind.ALGORITHM.value
        indexes = (*ITEM_INDEXES, _newest("datasets"), _sorted("status"))


class File(BaseModel):
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


class Run(BaseModel):
    """The training run that made a version, as its author names it."""

    id: str = ""
    link: str = ""


class Input(BaseModel):
    """A version that another one was made from."""

    kind: Kind
    item: PydanticObjectId
    number: int


class VersionFile(SealedDocument):
    """A file of a folder. `id` is the version's id, a slash and the number; see domain.versions.version_files."""

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


class Version(SealedDocument):
    """One numbered revision of an item, which may have 100 000 of them."""

    serial: int | None = None  # unique in the tenant
    item: PydanticObjectId
    kind: Kind
    number: int
    ordinal: str
    ordinal_key: str  # the ordinal without regard to case
    files: list[File]  # its file; those of a folder are records of their own, see VersionFile
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
    metadata: list[Pair] = Field(default_factory=list)
    author: str = ""
    stage: Stage = Stage.NONE
    archived: bool = False
    external_id: str | None = None
    run: Run | None = None
    inputs: list[Input] = Field(default_factory=list)
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
            _unique("serial", partialFilterExpression={"serial": {"$type": "number"}}),
            _unique("item", "number"),
            _unique("item", "ordinal_key"),
            IndexModel([("item", ASCENDING), ("original", ASCENDING), ("number", DESCENDING)]),
            _unique_text("external_id", within="item"),
            IndexModel([("files.digest", ASCENDING)]),
            # Of versions with inputs alone: what was made from a version.
            # (The embedded engine does not use a partial index with `$exists`.)
            IndexModel([("inputs.item", ASCENDING)], sparse=True),
            # Of drafts alone: the sweep looks for abandoned ones.
            IndexModel([("lastmod", ASCENDING)], partialFilterExpression={"state": VersionState.DRAFT.value}),
            # Lists of the versions of one item, of few items and of many, see domain.versions.across.
            IndexModel([("item", ASCENDING), ("stage", ASCENDING), ("number", DESCENDING)]),
            IndexModel([("item", ASCENDING), ("lastmod", ASCENDING), ("serial", ASCENDING)]),
            *(_sorted(field) for field in ("lastmod", "timestamp", "number")),
            _newest("metadata.name"),
            _filled("run.id"),
            _filled("uri"),
            _filled("origin"),
        )


class Card(SealedDocument):
    """The card of an item, apart from it: lists must not read it. `id` is that of the item. See domain.cards."""

    kind: Kind
    text: str  # Markdown, with its front matter
    revision: int  # of the item, after the card was written
    lastmod: datetime = Field(default_factory=now)

    class Settings:
        name = "cards"
        indexes = ()


class AliasMove(SealedDocument):
    """A change of what an alias points to. See domain.versions.aliases."""

    item: PydanticObjectId
    alias: str
    version: str | None = None  # the ordinal; None: the alias was removed
    number: int | None = None  # of the same version
    previous: str | None = None  # the ordinal that it pointed to before; None: the alias is new
    previous_number: int | None = None
    user: PydanticObjectId
    moved: datetime
    revision: int  # of the item after the move
    is_rollback: bool = False

    class Settings:
        name = "alias_moves"
        indexes = (
            IndexModel([("item", ASCENDING), ("alias", ASCENDING), ("revision", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("item", ASCENDING), ("revision", DESCENDING), ("_id", DESCENDING)]),
        )


class StoredBlob(SealedDocument):
    """A blob in the storage. `id` is its SHA-256. See domain.files.blob_records."""

    id: str  # type: ignore[assignment]
    size: int
    touched: datetime  # the last upload of these bytes: a sweep spares them for some time
    going: datetime | None = None  # since then a sweep is removing the blob
    damaged: datetime | None = None  # since then its bytes are known not to match the digest
    crc32: int | None = None  # computed when first needed, see domain.files.checksums

    class Settings:
        name = "blobs"
        indexes = (IndexModel([("going", ASCENDING)], sparse=True),)


class Upload(SealedDocument):
    """A resumable upload, see domain.files.resumable. `id` is its name in the storage."""

    id: str  # type: ignore[assignment]  # 32 hexadecimal characters
    user: PydanticObjectId
    kind: Kind
    item: PydanticObjectId
    version: PydanticObjectId  # the version that it becomes, or the draft that it is added to
    path: str = ""  # within the draft
    name: str
    mimetype: str
    size: int | None = None  # bytes, once it is known
    reserved: int = 0  # bytes that count against the quota until the blob is recorded
    digest: str = ""  # SHA-256 as the client announced it
    ordinal: str = ""
    description: str = ""
    metadata: list[Pair] = Field(default_factory=list)
    author: str = ""
    stage: Stage = Stage.NONE
    archived: bool = False
    external_id: str | None = None
    run: Run | None = None
    note: str = ""  # the client's metadata, returned as it was sent
    became: str = ""  # the ordinal of the version, once the upload is complete
    expires: datetime
    held: datetime = Field(default_factory=now)  # until then the lease holds, see domain.files.upload_lease
    holder: PydanticObjectId | None = None  # the owner of the lease
    asked: PydanticObjectId | None = None  # the owner of the lease that another request waits for

    class Settings:
        name = "uploads"
        indexes = (
            IndexModel([("expires", ASCENDING)]),
            IndexModel([("user", ASCENDING), ("became", ASCENDING), ("expires", ASCENDING)]),
        )


class ArtifactFile(SealedDocument):
    """A file in the artifact tree, see domain.artifacts."""

    path: str
    digest: str
    size: int
    mimetype: str
    encoding: str
    owner: PydanticObjectId
    readers: list[Any]  # derived when it is written, see domain.access
    timestamp: datetime = Field(default_factory=now)

    model_config = ConfigDict(arbitrary_types_allowed=True)

    class Settings:
        name = "artifact_files"
        indexes = (
            _unique("path"),
            IndexModel([("digest", ASCENDING)]),
            IndexModel([("owner", ASCENDING)]),
        )


class Part(BaseModel):
    """A part of an upload, stored as a blob."""

    number: int
    digest: str
    size: int
    held: datetime | None = None  # when its bytes were stored, if the tenant did not have them


class PartUpload(SealedDocument):
    """An upload to the artifact tree whose parts arrive in any order. See domain.artifacts.parts."""

    id: str  # type: ignore[assignment]  # 32 hexadecimal characters
    user: PydanticObjectId
    path: str
    part_count: int
    parts: list[Part] = Field(default_factory=list)
    became: str = ""  # the digest of the file, once it is in the tree
    expires: datetime

    class Settings:
        name = "part_uploads"
        indexes = (
            IndexModel([("expires", ASCENDING)]),
            IndexModel([("user", ASCENDING), ("became", ASCENDING), ("expires", ASCENDING)]),
            IndexModel([("parts.digest", ASCENDING)]),
        )


class TrashEntry(SealedDocument):
    """An item in the trash. `id` is that of the item, so an item is in the trash only once."""

    kind: Kind
    name: str
    owner: PydanticObjectId
    item: dict[str, Any]  # the whole record, as it left its collection
    removal: ObjectId = Field(default_factory=ObjectId)  # new at each removal
    removed_by: PydanticObjectId
    removed: datetime
    until: datetime  # then it is purged
    held: datetime  # until then the lease of a move holds
    purging: bool = False  # its versions are being removed: it cannot be restored

    model_config = ConfigDict(arbitrary_types_allowed=True)

    class Settings:
        name = "trash"
        indexes = (
            IndexModel([("owner", ASCENDING), ("removed", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("removed", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("until", ASCENDING)]),
        )


class SearchEntry(SealedDocument):
    """What the search knows of an item. `id` is that of the item; see store.search_entries."""

    serial: int  # of the item
    revision: int  # of the item that the n-grams were made of
    names: list[str]  # n-grams of the name
    texts: list[str]  # n-grams of its values and its description

    class Settings:
        name = "search"
        indexes = (_newest("names"), _newest("texts"))


class Term(BaseModel):
    """A term of the folksonomy. `uses` is how many items use it."""

    usage: Usage = Usage.FOLK
    owner: PydanticObjectId | None = None
    timestamp: datetime = Field(default_factory=now)
    uses: int = 0
    seen: dict[str, int] = Field(default_factory=dict)  # on how many items each reader sees it, see domain.terms
    key: str = ""  # without regard to case; see store.query.ngrams
    pieces: list[str] = Field(default_factory=list)


TERM_INDEXES = (
    _latest(),
    # `key` must be last: with another field behind it, the embedded engine answers `$lte` like `$lt`.
    IndexModel([("pieces", ASCENDING), ("usage", ASCENDING), ("uses", DESCENDING), ("key", ASCENDING)]),
    IndexModel([("usage", ASCENDING), ("timestamp", DESCENDING), ("_id", DESCENDING)]),
)


class Tag(Term, SealedDocument):
    id: str  # type: ignore[assignment]  # the term itself

    class Settings:
        name = "tags"
        indexes = TERM_INDEXES


class MetadataName(Term, SealedDocument):
    id: str  # type: ignore[assignment]  # the term itself

    class Settings:
        name = "metadata"
        indexes = TERM_INDEXES


class LogEntry(SealedDocument):
    """An entry of the journal: who did what, when, from where, and with which result."""

    serial: int
    date: datetime
    user: str | None = None  # a username, `operator`, or none
    method: str
    route: str | None = None  # the pattern, as /v1/models/{key}; None: no such route
    path: str
    item: str | None = None  # as in the path
    address: str | None = None
    result: int  # the status of the answer
    fault: int | None = None  # the value of a refusal
    duration: float  # milliseconds
    request_id: str
    requests: int | None = None  # how many requests it stands for, if several
    end: int = 0  # the position of its end among the bytes of all entries, see domain.audit

    class Settings:
        name = "log"
        # Not a TTL index: for that the embedded engine reads the whole collection every minute, and all requests wait.
        indexes = (
            _unique("serial"),
            IndexModel([("date", ASCENDING)]),
            _newest("user"),
            _newest("item"),
            _newest("request_id"),
        )


class Tracked(BaseModel):
    """The fields of experiments and runs, of artifacts and metrics, and of what serves models."""

    serial: int
    name: str
    owner: PydanticObjectId
    readers: list[Any] = Field(default_factory=list)  # beside those who may read what it belongs to
    items: list[PydanticObjectId] = Field(default_factory=list)  # models that it belongs to
    experiments: list[PydanticObjectId] = Field(default_factory=list)  # experiments that it belongs to
    keys: list[str]  # what must be unique, see domain.tracking.records
    description: str = ""
    external_id: str | None = None
    metadata: list[Pair] = Field(default_factory=list)
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    revision: int = 1

    model_config = ConfigDict(arbitrary_types_allowed=True)


TRACKED_INDEXES = (
    _unique("serial"),
    _unique("keys"),
    _sorted("timestamp"),
    _sorted("lastmod"),
    IndexModel([("external_id", ASCENDING)], sparse=True),
)


class Experiment(Tracked, SealedDocument):
    """A group of runs."""

    author: str = ""
    archived: bool = False

    class Settings:
        name = "experiments"
        indexes = (*TRACKED_INDEXES, _sorted("name"), _newest("readers"))


class ExperimentRun(Tracked, SealedDocument):
    """One run of an experiment."""

    experiment: PydanticObjectId
    status: RunStatus = RunStatus.RUNNING
    started: int | None = None  # milliseconds of Unix time, as its client says
    ended: int | None = None
    author: str = ""
    archived: bool = False

    class Settings:
        name = "runs"
        indexes = (*TRACKED_INDEXES, _newest("experiment"), _newest("readers"))


class Artifact(Tracked, SealedDocument):
    """Something that belongs to versions and runs: a model's address, a document, a dataset, a metric, a parameter."""

    type: ArtifactType
    versions: list[PydanticObjectId] = Field(default_factory=list)
    runs: list[PydanticObjectId] = Field(default_factory=list)
    run: PydanticObjectId | None = None  # the run that it was made in
    uri: str = ""
    state: ArtifactState = ArtifactState.UNKNOWN
    details: dict[str, Value] = Field(default_factory=dict)  # the fields of its type

    class Settings:
        name = "artifacts"
        indexes = (*TRACKED_INDEXES, _newest("versions"), _newest("runs"))


class MetricPoint(Tracked, SealedDocument):
    """A value that a metric of a run once had."""

    run: PydanticObjectId
    state: ArtifactState = ArtifactState.UNKNOWN
    details: dict[str, Value] = Field(default_factory=dict)

    class Settings:
        name = "metric_points"
        indexes = (_unique("serial"), _newest("run"), _sorted("timestamp"), _sorted("lastmod"))


class Environment(Tracked, SealedDocument):
    """Where models are served."""

    class Settings:
        name = "environments"
        indexes = (*TRACKED_INDEXES, _sorted("name"), _newest("readers"))


class Service(Tracked, SealedDocument):
    """An inference service: a model that is served in an environment."""

    environment: PydanticObjectId
    item: PydanticObjectId
    version: PydanticObjectId | None = None  # None: the newest one
    runtime: str | None = None
    desired_state: ServiceState = ServiceState.DEPLOYED

    class Settings:
        name = "services"
        indexes = (*TRACKED_INDEXES, _newest("environment"), _newest("item"))


class ServedModel(Tracked, SealedDocument):
    """A version that a service deployed."""

    service: PydanticObjectId
    item: PydanticObjectId
    version: PydanticObjectId
    state: ExecutionState = ExecutionState.UNKNOWN

    class Settings:
        name = "served_models"
        indexes = (*TRACKED_INDEXES, _newest("service"), _newest("item"))


ITEMS: dict[Kind, type[Dataset | Model | Algorithm]] = {
    Kind.DATASET: Dataset,
    Kind.MODEL: Model,
    Kind.ALGORITHM: Algorithm,
}

OF_A_TENANT: tuple[type[SealedDocument], ...] = (
    User,
    Group,
    AccessToken,
    PasswordReset,
    Model,
    Dataset,
    Algorithm,
    Version,
    AliasMove,
    VersionFile,
    Card,
    StoredBlob,
    Upload,
    ArtifactFile,
    PartUpload,
    TrashEntry,
    SearchEntry,
    Tag,
    MetadataName,
    LogEntry,
    Experiment,
    ExperimentRun,
    Artifact,
    MetricPoint,
    Environment,
    Service,
    ServedModel,
)
"""All documents in a tenant's database."""


def object_id(text: object) -> ObjectId | None:
    """`text` as an id, or None when it is none."""
    return ObjectId(text) if isinstance(text, str | ObjectId) and ObjectId.is_valid(text) else None


def document_id(key: ObjectId) -> PydanticObjectId:
    """An id of the type that documents declare."""
    return PydanticObjectId(key)

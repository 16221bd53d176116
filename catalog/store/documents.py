"""What is kept, a class per collection, each with its indexes.

Field names are the wire's, so that a filter or a sort of a client needs no translation.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from beanie import PydanticObjectId
from bson import ObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import InspectionPolicy, Kind, ResetStatus, Role, Scope, Status, Usage, VersionState, Visibility

Value = str | int | float | bool
"""Of a metadata pair. Numbers compare as numbers."""


def now() -> datetime:
    """The time, with the millisecond that the database keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


AHEAD = timedelta(minutes=10)
"""How far the clocks of servers may differ. What is from further in the future was written by one that was wrong."""


def _unique(*keys: str, **options: Any) -> IndexModel:
    return IndexModel([(key, ASCENDING) for key in keys], unique=True, **options)


def _unique_text(field: str) -> IndexModel:
    """Unique among the documents that have the field: opening a collection of older ones does not fail."""
    return _unique(field, partialFilterExpression={field: {"$type": "string"}})


def _latest() -> IndexModel:
    """Serve the default order of what has no serial."""
    return IndexModel([("timestamp", DESCENDING), ("_id", DESCENDING)])


def _over(field: str, after: timedelta = timedelta()) -> IndexModel:
    """Forget a document so long after the moment in `field`; the database does, once a minute."""
    return IndexModel([(field, ASCENDING)], expireAfterSeconds=int(after.total_seconds()))


def _newest(*keys: str) -> IndexModel:
    """Serve a filter on `keys`, newest first."""
    return IndexModel([*((key, ASCENDING) for key in keys), ("serial", DESCENDING)])


def _sorted(field: str) -> IndexModel:
    """Serve a sort by `field`, and who ties by age in the same direction; and a filter on it, newest first."""
    return IndexModel([(field, ASCENDING), ("serial", ASCENDING)])


class RegisteredTenant(SealedDocument):
    """An organisation, in the catalogue database. `id` is the tenant's name."""

    id: str  # type: ignore[assignment]  # the reference's tenants are named by their client
    database: str
    generation: str | None = None  # of its own each time that a tenant of this name is made; see store.fence
    organization: str | None = None
    address: str | None = None
    email: str | None = None
    phone: str | None = None
    passwordhash: bool = True
    quota_bytes: int | None = None  # what its blobs may weigh together; none or 0 is no limit
    sweep: PydanticObjectId | None = None  # token of the lease, see domain.cleanup.sweep_schedule
    sweeping: datetime | None = None  # until when, unless it is renewed
    swept: datetime | None = None  # when a sweep has ended last
    recounted: datetime | None = None  # when the uses of its words were counted again last
    inspection: InspectionPolicy | None = None  # none is `warn`
    remover: PydanticObjectId | None = None  # who removes it, see domain.tenants
    restored_from: str | None = None  # the backup, until all of its tenants are back, see operations.restore
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    # `making` until its database and its administrator are there, `removing` from the first
    # step of its removal on. Neither is seen by anyone; what was left behind by a crash is cleared.
    state: str = "making"
    database_key: str = ""  # the database's name without regard to case, as MongoDB compares them
    name_key: str = ""  # likewise the tenant's; tenants that are older than this field may have none

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
    """Attempts to sign in that failed, in the catalogue database: they are of every tenant, and of none."""

    id: str  # type: ignore[assignment]  # whose they are, see domain.attempts
    failures: int = 0
    last: datetime = Field(default_factory=now)
    expires: datetime

    class Settings:
        name = "attempts"
        indexes = (_over("expires"),)


class User(SealedDocument):
    username: str
    username_key: str | None = None  # folded, see domain.naming; an older user may have none
    password: str = Field(repr=False)  # a hash, always
    email: str | None = None
    role: Role
    createdPassword: datetime = Field(default_factory=now)
    validityPasswordDays: int
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    signed_out: datetime | None = None  # tokens issued before this moment are refused
    leaving: PydanticObjectId | None = None  # about to be no administrator any more, see domain.administrators

    class Settings:
        name = "users"
        indexes = (
            _unique("username"),
            _unique_text("username_key"),
            _unique_text("email"),
            _latest(),
        )


class AccessToken(SealedDocument):
    """A personal access token. The token itself is not kept, only what it is recognised by."""

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
            _over("expires", timedelta(days=30)),  # until then its owner sees why it does not serve any more
        )


class PasswordReset(SealedDocument):
    """Leave to choose a new password, once. `id` is the SHA-256 of what the mail carries."""

    id: str  # type: ignore[assignment]
    user: PydanticObjectId
    status: ResetStatus = ResetStatus.VALID
    timestamp: datetime = Field(default_factory=now)
    expires: datetime

    class Settings:
        name = "password_resets"
        indexes = (IndexModel([("user", ASCENDING)]), _over("expires", timedelta(days=1)))


class Pair(BaseModel):
    """A name and its value, annotating an item."""

    name: str
    value: Value


class Item(BaseModel):
    """What models, datasets and algorithms have in common."""

    serial: int
    name: str
    owner: PydanticObjectId
    users: list[PydanticObjectId] = Field(default_factory=list)
    visibility: Visibility = Visibility.PRIVATE
    tags: list[str] = Field(default_factory=list)
    metadata: list[Pair] = Field(default_factory=list)
    description: str = ""
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    revision: int = 1
    last_version: int = 0  # the highest number ever given, so that none is given twice
    last_ordinal: int | None = None  # the highest ordinal ever given that is a number, where that is another
    readers: list[Any]  # derived on each write, see domain.access
    name_key: str = ""  # the name without regard to case, for the search

    model_config = ConfigDict(arbitrary_types_allowed=True)

    def model_post_init(self, _: object) -> None:
        self.name_key = self.name.lower()


# Each is paid for at every write. A list as it is asked for by default, or led by a word (see `windows.LEADS`), or
# sorted, is walked by one of them; the sort of `_id` has MongoDB's own.
ITEM_INDEXES = (
    _unique("serial"),
    _unique("owner", "name"),
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
    """What models and algorithms have besides."""

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
    """Bytes with a name inside a version. What an inspection found stands with the version; of a folder here."""

    original: str  # a plain file name
    digest: str
    size: int
    mimetype: str
    encoding: str
    path: str  # the file name, in a folder with the folders that it is in
    format: str = ""
    verdict: str = ""
    held: bool = False  # found to be something that a policy may hold back


class Version(SealedDocument):
    """One numbered revision of an item, in a collection of its own: an item may have 100 000 of them."""

    item: PydanticObjectId
    kind: Kind
    number: int
    ordinal: str
    ordinal_key: str  # the ordinal without regard to case
    files: list[File]
    folder: bool = False  # made of files with paths, which came one by one
    original: str = ""  # the name of its file, that it is found by; a folder has none
    file_count: int = 1
    size: int = 0  # bytes, of all files
    digest: str = ""  # of the file; of a folder the SHA-256 of what it lists, see domain.drafts
    description: str = ""
    metadata: list[Pair] = Field(default_factory=list)
    state: VersionState = VersionState.LIVE
    inspection: dict[str, Any] | None = None
    owner: PydanticObjectId
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    revision: int = 1

    class Settings:
        name = "versions"
        indexes = (
            _unique("item", "number"),
            _unique("item", "ordinal_key"),
            IndexModel([("item", ASCENDING), ("original", ASCENDING), ("number", DESCENDING)]),
            IndexModel([("files.digest", ASCENDING)]),
            # Of drafts alone: there are few, and the sweep asks which ones were given up.
            IndexModel([("lastmod", ASCENDING)], partialFilterExpression={"state": VersionState.DRAFT.value}),
        )


class StoredBlob(SealedDocument):
    """Bytes that are kept. `id` is their SHA-256. See domain.kept."""

    id: str  # type: ignore[assignment]
    size: int
    touched: datetime  # when somebody last made sure of them: a sweep lets them be for a while
    going: datetime | None = None  # since when a sweep is removing them
    damaged: datetime | None = None  # since when they are known not to be those of the digest
    crc32: int | None = None  # once somebody has asked for it, see domain.checksums

    class Settings:
        name = "blobs"
        indexes = (IndexModel([("going", ASCENDING)], sparse=True),)


class Upload(SealedDocument):
    """A file that comes in parts, see domain.resumable. `id` is what the storage calls it."""

    id: str  # type: ignore[assignment]  # 32 hexadecimal characters
    user: PydanticObjectId
    kind: Kind
    item: PydanticObjectId
    version: PydanticObjectId  # that it becomes, or the draft that it goes into
    path: str = ""  # within the draft
    name: str
    mimetype: str
    size: int | None = None  # bytes, once it was told
    reserved: int = 0  # bytes that count against the quota until they are a blob's
    digest: str = ""  # SHA-256 as the client announced it
    ordinal: str = ""
    description: str = ""
    metadata: list[Pair] = Field(default_factory=list)
    note: str = ""  # of the client's, given back as it came
    became: str = ""  # the ordinal of the version that it is by now
    expires: datetime
    held: datetime = Field(default_factory=now)  # until this moment it is somebody's turn, see domain.turns
    holder: PydanticObjectId | None = None  # of the turn
    asked: PydanticObjectId | None = None  # the holder who is asked to let another go on

    class Settings:
        name = "uploads"
        indexes = (
            IndexModel([("expires", ASCENDING)]),
            IndexModel([("user", ASCENDING), ("became", ASCENDING), ("expires", ASCENDING)]),
        )


class TrashEntry(SealedDocument):
    """An item in the trash. `id` is the item's own, so that an item is there once."""

    kind: Kind
    name: str
    owner: PydanticObjectId
    item: dict[str, Any]  # whole, as it left its collection
    removal: ObjectId = Field(default_factory=ObjectId)  # another for each time that it goes
    removed_by: PydanticObjectId
    removed: datetime
    until: datetime  # after this moment it is purged
    held: datetime  # until this moment a restoration is under way
    purging: bool = False  # its versions are going: there is no way back

    model_config = ConfigDict(arbitrary_types_allowed=True)

    class Settings:
        name = "trash"
        indexes = (
            IndexModel([("owner", ASCENDING), ("removed", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("removed", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("until", ASCENDING)]),
        )


class Word(BaseModel):
    """A word of the folksonomy. `uses` is how many items use it."""

    usage: Usage = Usage.FOLK
    owner: PydanticObjectId | None = None
    timestamp: datetime = Field(default_factory=now)
    uses: int = 0
    seen: dict[str, int] = Field(default_factory=dict)  # on how many items by whom, see domain.names
    key: str = ""  # without regard to case; with the pieces, what it is found by, see `pieces`
    pieces: list[str] = Field(default_factory=list)


WORD_INDEXES = (
    _latest(),
    # `key` must stay last: of what has more behind it, the embedded engine answers `$lte` as if it were `$lt`.
    IndexModel([("pieces", ASCENDING), ("usage", ASCENDING), ("uses", DESCENDING), ("key", ASCENDING)]),
    IndexModel([("usage", ASCENDING), ("timestamp", DESCENDING), ("_id", DESCENDING)]),
)


class Tag(Word, SealedDocument):
    id: str  # type: ignore[assignment]  # the word itself

    class Settings:
        name = "tags"
        indexes = WORD_INDEXES


class MetadataName(Word, SealedDocument):
    id: str  # type: ignore[assignment]  # the word itself

    class Settings:
        name = "metadata"
        indexes = WORD_INDEXES


class LogEntry(SealedDocument):
    """A line of the journal: who did what, when, from where, and what came of it."""

    serial: int
    date: datetime
    user: str | None = None  # a username, `operator`, or nobody
    method: str
    route: str | None = None  # the pattern, as /v1/models/{key}; None: there is no such route
    path: str
    item: str | None = None  # as the path names it
    address: str | None = None
    result: int  # the status of the answer
    fault: int | None = None  # the value of a refusal
    duration: float  # milliseconds
    request_id: str
    requests: int | None = None  # that it stands for, when they are several
    end: int = 0  # where it ends among the bytes of all entries, see domain.journal

    class Settings:
        name = "log"
        # Not one that expires: the embedded engine reads a whole collection every minute for that, and everybody waits.
        indexes = (
            _unique("serial"),
            IndexModel([("date", ASCENDING)]),
            _newest("user"),
            _newest("item"),
            _newest("request_id"),
        )


ITEMS: dict[Kind, type[Dataset | Model | Algorithm]] = {
    Kind.DATASET: Dataset,
    Kind.MODEL: Model,
    Kind.ALGORITHM: Algorithm,
}

OF_A_TENANT: tuple[type[SealedDocument], ...] = (
    User,
    AccessToken,
    PasswordReset,
    Model,
    Dataset,
    Algorithm,
    Version,
    StoredBlob,
    Upload,
    TrashEntry,
    Tag,
    MetadataName,
    LogEntry,
)
"""Every document that lives in a tenant's database."""


def object_id(text: object) -> ObjectId | None:
    """The id that `text` spells, or None."""
    return ObjectId(text) if isinstance(text, str | ObjectId) and ObjectId.is_valid(text) else None

"""What the catalog answers, as values: frozen, typed, and blind to fields that a newer server adds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")

Value = str | float | bool
"""Of a metadata pair."""

Raw = Mapping[str, Any]

NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A document of the native API. Attributes are spelt as there, but `id` for `_id`."""

    @classmethod
    def of(cls, raw: Raw) -> Self:
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in cls._read(raw).items() if name in known and value is not None})

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return {**raw, "id": raw.get("_id", "")} | {
            name: moment(raw[name])
            for name in ("timestamp", "lastmod", "removed", "until", "expires", "used")
            if raw.get(name)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Shape):
    id: str
    username: str = ""
    email: str = ""
    """As administrators see it; so is the role."""
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Shape):
    """A file of a version."""

    path: str = ""
    original: str = ""
    size: int = 0
    digest: str = ""
    """SHA-256, 64 lowercase hexadecimal characters."""
    mimetype: str = "application/octet-stream"
    format: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Shape):
    """A numbered revision of an item: one file, or a folder of files.

    As an item shows it, it has no `metadata`, `files` and `inspection`; `versions.get` answers them.
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
    folder: bool = False
    file_count: int = 1
    files: Sequence[File] = ()
    metadata: Mapping[str, Value] = field(default_factory=dict, hash=False)
    inspection: Mapping[str, Any] = field(default_factory=dict, hash=False)
    owner: str = ""
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER
    revision: int | None = None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)
    """All that was answered."""

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        read = super(Version, cls)._read(raw)
        read["raw"] = raw
        read["id"] = raw.get("_id") or raw.get("key", "")
        read["folder"] = raw.get("folder", "file_count" in raw)
        read["files"] = tuple(File.of(file) for file in raw.get("files", ()))
        read["metadata"] = pairs(raw)
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Shape):
    """What models, datasets and algorithms have in common."""

    id: str
    name: str
    kind: str = ""
    """`models`, `datasets` or `algorithms`."""
    owner: str = ""
    visibility: str = "private"
    description: str = ""
    tags: Sequence[str] = ()
    metadata: Mapping[str, Value] = field(default_factory=dict, hash=False)
    users: Sequence[User | str] = ()
    """Who may read it besides its owner; in the answer to a removal their ids."""
    versions: Sequence[Version] = ()
    """The newest 100, oldest first. `versions(key).list()` walks them all."""
    versions_total: int = 0
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER
    revision: int | None = None
    """Its state, for `update(..., revision=)`, as `get` and `update` answer it; else None."""

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        read = super(Item, cls)._read(raw)
        read["tags"] = tuple(raw.get("tags", ()))
        read["metadata"] = pairs(raw)
        read["users"] = tuple(user if isinstance(user, str) else User.of(user) for user in raw.get("users", ()))
        read["versions"] = tuple(Version.of(version) for version in raw.get("versions", ()))
        read["versions_total"] = raw.get("versionsTotal", len(read["versions"]))
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Item):
    kind: str = "datasets"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained(Item):
    status: str = "training"
    datasets: Sequence[Dataset | str] = ()
    """What it was trained on; one that you may not read is its id only."""

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        read = super(_Trained, cls)._read(raw)
        given = raw.get("datasets", ())
        read["datasets"] = tuple(each if isinstance(each, str) else Dataset.of(each) for each in given)
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(_Trained):
    kind: str = "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm(_Trained):
    kind: str = "algorithms"


KINDS: Mapping[str, type[Item]] = {"models": Model, "datasets": Dataset, "algorithms": Algorithm}


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed(Shape):
    """An item in the trash."""

    id: str
    kind: str
    name: str
    owner: str = ""
    removed_by: str = ""
    removed: datetime = NEVER
    until: datetime = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Word(Shape):
    """A tag, or a name of metadata. `usage` is `default`, an administrator's, or `folk`, coined by use."""

    id: str
    usage: str = "folk"
    uses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Shape):
    """A personal access token. `token` itself is known when it is made, and never again."""

    id: str
    name: str = ""
    user: str = ""
    scopes: Sequence[str] = ()
    token: str = field(default="", repr=False)
    timestamp: datetime = NEVER
    expires: datetime = NEVER
    used: datetime | None = None

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return super(Token, cls)._read(raw) | {"scopes": tuple(raw.get("scopes", ()))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant(Shape):
    id: str
    organization: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""
    database: str = ""
    quota_bytes: int = 0
    inspection: str = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Shape):
    """Leads to a file without a token, until `expires`."""

    url: str
    expires: datetime = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a client is signed in as."""

    tenant: str
    user: User


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A step of a walk. `next_cursor` leads to the next one; None: this was the last."""

    docs: Sequence[T]
    next_cursor: str | None


def pairs(raw: Raw) -> dict[str, Value]:
    return {pair["name"]: pair["value"] for pair in raw.get("metadata") or ()}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

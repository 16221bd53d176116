"""The results of the client: frozen and typed. Fields that a newer server adds are ignored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")

Value = str | float | bool
"""The value of a metadata pair."""

Raw = Mapping[str, Any]

NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A JSON document of the native API. Attributes have the names of its fields, but `id` stands for `_id`."""

    @classmethod
    def of(cls, raw: Raw) -> Self:
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in cls._read(raw).items() if name in known and value is not None})

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return {**raw, "id": raw.get("_id", "")} | {
            name: parse_time(raw[name])
            for name in ("timestamp", "lastmod", "removed", "until", "expires", "used", "moved")
            if raw.get(name)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Result):
    id: str
    username: str = ""
    email: str = ""
    """Shown to administrators only, as is the role."""
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Result):
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
class Version(Result):
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
    author: str = ""
    external_id: str = ""
    run: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The training run that made it: `id` and `link`."""
    uri: str = ""
    """Where its bytes are, if they are not stored in the catalog."""
    inputs: Sequence[Mapping[str, Any]] = ()
    """What it was made from: the `kind`, the id (`item`) and the `number` of each."""
    serial: int | None = None
    folder: bool = False
    file_count: int = 1
    files: Sequence[File] = ()
    aliases: Sequence[str] = ()
    """The aliases that point to it."""
    metadata: Mapping[str, Value] = field(default_factory=dict, hash=False)
    inspection: Mapping[str, Any] = field(default_factory=dict, hash=False)
    owner: str = ""
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER
    revision: int | None = None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)
    """The whole JSON document."""

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        read = super(Version, cls)._read(raw)
        read["raw"] = raw
        read["id"] = raw.get("_id") or raw.get("key", "")
        read["folder"] = raw.get("folder", "file_count" in raw)
        read["files"] = tuple(File.of(file) for file in raw.get("files", ()))
        read["aliases"] = tuple(raw.get("aliases", ()))
        read["metadata"] = pairs(raw)
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(Result):
    """The README of an item."""

    text: str
    """Markdown as it was written, with its front matter."""
    body: str = ""
    front_matter: Mapping[str, Any] = field(default_factory=dict, hash=False)
    revision: int | None = None
    """Of the item, for `set_card(..., revision=)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias(Result):
    """A movable name for one version."""

    name: str
    version: str
    """The ordinal of the version."""
    moved: datetime = NEVER
    user: User | str = ""
    """Who moved it last; only the id of a user who was removed."""
    revision: int | None = None
    """For `set(..., revision=)`."""

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return super(Alias, cls)._read(raw) | {"user": _user(raw["user"])}


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasMove(Result):
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

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return super(AliasMove, cls)._read(raw) | {"user": _user(raw["user"])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party(Result):
    """A user or a group. `kind` is `user` or `group`."""

    id: str
    name: str
    kind: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Party):
    """What a user or a group `may` do with an item: `manage`, `edit` or `read`."""

    may: str = "read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Result):
    """Users with whom an item is shared under one name."""

    id: str
    name: str
    description: str = ""
    members: Sequence[User] | None = None
    """None where they are not shown: in lists, and to users who are no members."""
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        members = raw.get("members")
        shown = None if members is None else tuple(User.of(user) for user in members)
        return super(Group, cls)._read(raw) | {"members": shown}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Result):
    """What models, datasets and algorithms have in common."""

    id: str
    name: str
    kind: str = ""
    """`models`, `datasets` or `algorithms`."""
    reference: str = ""
    """`owner/name`, which names it for every user. Set by searches."""
    owner: str = ""
    visibility: str = "private"
    description: str = ""
    license: str = ""
    license_link: str = ""
    languages: Sequence[str] = ()
    tasks: Sequence[str] = ()
    library: str = ""
    provider: str = ""
    logo: str = ""
    maturity: str = ""
    external_id: str = ""
    archived: bool = False
    """Archived items are left out of lists."""
    tags: Sequence[str] = ()
    metadata: Mapping[str, Value] = field(default_factory=dict, hash=False)
    users: Sequence[User | str] = ()
    """Users with read access besides the owner; after a removal, their ids only."""
    groups: Sequence[Party] = ()
    """Groups with read access."""
    editors: Sequence[Party | str] = ()
    """Users and groups that may also change the content; after a removal, their ids only."""
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The ordinals of versions, by alias."""
    versions: Sequence[Version] = ()
    """The newest 100, oldest first. `versions(key).list()` iterates over all."""
    versions_total: int = 0
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER
    revision: int | None = None
    """For `update(..., revision=)`. Set by `get` and `update`, else None."""

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        read = super(Item, cls)._read(raw)
        for name in ("tags", "languages", "tasks"):
            read[name] = tuple(raw.get(name, ()))
        read["metadata"] = pairs(raw)
        read["users"] = tuple(_user(user) for user in raw.get("users", ()))
        read["aliases"] = {alias["name"]: alias["version"] for alias in raw.get("aliases", ())}
        read["groups"] = tuple(Party.of(group) for group in raw.get("groups", ()))
        editors = raw.get("editors", ())
        read["editors"] = tuple(each if isinstance(each, str) else Party.of(each) for each in editors)
        read["versions"] = tuple(Version.of(version) for version in raw.get("versions", ()))
        read["versions_total"] = raw.get("versionsTotal", len(read["versions"]))
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Item):
    kind: str = "datasets"


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrainedItem(Item):
    status: str = "training"
    datasets: Sequence[Dataset | str] = ()
    """What it was trained on; only the id of a dataset that you may not read."""

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        read = super(_TrainedItem, cls)._read(raw)
        datasets = raw.get("datasets", ())
        read["datasets"] = tuple(each if isinstance(each, str) else Dataset.of(each) for each in datasets)
        return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(_TrainedItem):
    kind: str = "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm(_TrainedItem):
    kind: str = "algorithms"


KINDS: Mapping[str, type[Item]] = {"models": Model, "datasets": Dataset, "algorithms": Algorithm}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageNode(Result):
    """A version. Of one that you may not read, or that is gone, only `id` and `distance` are set."""

    id: str
    """A reference to the version."""
    distance: int = 0
    kind: str = ""
    item: str = ""
    name: str = ""
    owner: str = ""
    number: int = 0
    ordinal: str = ""
    timestamp: datetime = NEVER

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return super(LineageNode, cls)._read(raw) | {"id": raw["id"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage(Result):
    """Versions by id, and as pairs which is an input of which."""

    root: str
    nodes: Mapping[str, LineageNode] = field(default_factory=dict, hash=False)
    edges: Sequence[tuple[str, str]] = ()
    truncated: bool = False
    run: Mapping[str, str] | None = field(default=None, hash=False)
    artifacts: Sequence[Mapping[str, Any]] = field(default=(), hash=False)
    """What clients tracked of the version: each with `serial`, `type`, `name` and `uri`."""
    services: Sequence[Mapping[str, Any]] = field(default=(), hash=False)
    """Inference services that serve the version: each with `serial`, `name`, `environment` and `desired_state`."""

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return super(Lineage, cls)._read(raw) | {
            "nodes": {node["id"]: LineageNode.of(node) for node in raw["nodes"]},
            "edges": tuple((edge["source"], edge["target"]) for edge in raw["edges"]),
        }

    def inputs(self, key: str) -> list[str]:
        """The ids of what a version was made from."""
        return [source for source, target in self.edges if target == key]

    def outputs(self, key: str) -> list[str]:
        """The ids of what was made from a version."""
        return [target for source, target in self.edges if source == key]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrashedItem(Result):
    """An item in the trash."""

    id: str
    kind: str
    name: str
    owner: str = ""
    removed_by: str = ""
    removed: datetime = NEVER
    until: datetime = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(Result):
    """A tag or a metadata name. `usage` is `default` (set by an administrator) or `folk` (coined by use)."""

    id: str
    usage: str = "folk"
    uses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Result):
    """A personal access token. `token` is set only in the result of its creation."""

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
class Robot(Result):
    """An account for scripts. `token` is set only in the results of its creation and of its rotation.

    `items` are the items that it is limited to, as `kind/owner/name`.
    """

    id: str
    username: str = ""
    description: str = ""
    scopes: Sequence[str] = ()
    items: Sequence[str] = ()
    tags: Sequence[str] = ()
    created_by: str = ""
    token: str = field(default="", repr=False)
    expires: datetime | None = None
    used: datetime | None = None
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        items = (f"{item['kind']}/{item['name'] or item['_id']}" for item in raw.get("items", ()))
        lists = {"scopes": tuple(raw.get("scopes", ())), "items": tuple(items), "tags": tuple(raw.get("tags", ()))}
        return super(Robot, cls)._read(raw) | lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant(Result):
    id: str
    organization: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""
    database: str = ""
    quota_bytes: int = 0
    inspection: str = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Result):
    """A URL that serves a file without a token until `expires`."""

    url: str
    expires: datetime = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The tenant and the user that a client is signed in as."""

    tenant: str
    user: User


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `next_cursor` leads to the next page; None on the last one."""

    docs: Sequence[T]
    next_cursor: str | None


def _user(raw: Raw | str) -> User | str:
    return raw if isinstance(raw, str) else User.of(raw)


def pairs(raw: Raw) -> dict[str, Value]:
    return {pair["name"]: pair["value"] for pair in raw.get("metadata") or ()}


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""Answers that the client returns as they are: dictionaries with the fields of the native API, also those that a newer
server adds.
"""

from typing import NotRequired, TypedDict


class ServerDescription(TypedDict):
    """How the server is set up."""

    version: str
    limits: NotRequired[dict[str, int]]
    """The most that an item may hold."""

    default_visibility: NotRequired[str]
    """Of items that are created over an API without the notion of visibility."""

    token_expiration_time: NotRequired[str]
    timestamp: NotRequired[str]
    """The time of the server, in milliseconds since 1970."""

    demo: NotRequired[str]
    log: NotRequired[str]


class StorageUsage(TypedDict):
    """What a tenant uses. What is in the trash counts until it is purged."""

    bytes: int
    """Of distinct files."""

    unfinished_bytes: int
    """Of unfinished uploads, which `bytes` includes."""

    quota_bytes: int
    """0: no limit."""

    near_quota: NotRequired[bool]
    """Whether 80 % of the quota are used, or more."""

    blobs: NotRequired[int]
    versions: NotRequired[int]
    models: NotRequired[int]
    datasets: NotRequired[int]
    algorithms: NotRequired[int]
    trash: NotRequired[int]
    users: NotRequired[int]


class JournalRecord(TypedDict):
    """A request, as the journal has it."""

    _id: str
    serial: int
    date: str
    method: str
    path: str
    result: int
    """The status of the answer."""

    duration: float
    """Milliseconds."""

    request_id: str
    log: NotRequired[str]
    """The entry as one line."""

    user: NotRequired[str]
    route: NotRequired[str]
    item: NotRequired[str]
    address: NotRequired[str]
    fault: NotRequired[int]
    requests: NotRequired[int]
    """How many requests the entry stands for, if several."""


class SweptFromTenant(TypedDict):
    """What a sweep removed from a tenant, or why the tenant was not swept."""

    _id: str
    """The name of the tenant."""

    refused: NotRequired[str]
    """Why it was not swept; then all else is absent."""

    blobs: NotRequired[int]
    bytes: NotRequired[int]
    leftovers: NotRequired[int]
    """Files of uploads that were interrupted."""

    leftover_bytes: NotRequired[int]
    uploads: NotRequired[int]
    drafts: NotRequired[int]
    words: NotRequired[int]
    """Tags and metadata names whose count of uses was corrected."""

    damaged: NotRequired[int]
    unused_words: NotRequired[int]
    versions: NotRequired[int]
    purged: NotRequired[int]
    entries: NotRequired[int]


class Sweep(TypedDict):
    """What a sweep removed."""

    dry_run: bool
    tenants: list[SweptFromTenant]


class RetentionRules(TypedDict):
    """The policy of a tenant. None: no rule."""

    keep_versions: int | None
    """How many of the newest versions of each item are kept."""

    trash_days: int | None
    trash_bytes: int | None
    log_days: int | None
    log_bytes: int | None
    terms_days: int | None


class RemovedVersion(TypedDict):
    """A version that retention removed, or would remove."""

    _id: str
    kind: str
    name: str
    ordinal: str
    size: int


class PurgedFromTrash(TypedDict):
    """An item that left the trash for good, or would."""

    _id: str
    kind: str
    name: str
    size: int


class RetentionResult(TypedDict):
    """What the policies removed, or would remove. `more`: there may be more, apply them again."""

    versions: list[RemovedVersion]
    trash: list[PurgedFromTrash]
    log: int
    """How many entries of the journal."""

    terms: int
    more: bool


class DemoCreated(TypedDict):
    """How much of the demo is new, and which items were skipped."""

    people: int
    items: int
    versions: int
    skipped: list[str]


class DemoRemoval(TypedDict):
    """How much of the demo was removed, and what is kept since others use it."""

    people: int
    items: int
    kept: list[str]

"""Records of items, and of what belongs to them."""

from datetime import datetime
from typing import NotRequired, TypedDict

from bson import ObjectId

from catalog.store.records.queries import Value


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


class ShareRecord(TypedDict):
    """Who has shared an item with a user or a group."""

    party: ObjectId
    by: ObjectId
    date: datetime


class LatestRecord(TypedDict):
    """The newest live version, as its item records it."""

    number: int
    metadata: list[PairRecord]


class SummaryRecord(TypedDict):
    """The summary of its live versions in an item, see `store.derived.version_summaries`."""

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


class CardFieldsRecord(TypedDict, total=False):
    """The fields of an item that the front matter of its card fills, too."""

    license: str
    license_link: str
    languages: list[str]
    tasks: list[str]
    library: str
    provider: str
    logo: str
    maturity: str


class ItemRecord(CardFieldsRecord):
    """A model, a dataset or an algorithm."""

    _id: ObjectId
    serial: int
    name: str
    owner: ObjectId
    users: list[ObjectId]
    editors: NotRequired[list[ObjectId]]
    shares: NotRequired[list[ShareRecord]]
    visibility: str
    tags: list[str]
    metadata: list[PairRecord]
    description: str
    aliases: NotRequired[list[AliasRecord]]
    alias_outbox: NotRequired[list[AliasMoveRecord] | None]
    external_id: NotRequired[str | None]
    archived: NotRequired[bool]
    timestamp: datetime
    lastmod: datetime
    revision: int
    last_version: NotRequired[int]
    last_ordinal: NotRequired[int | None]
    last_removed: NotRequired[int | None]
    latest: NotRequired[LatestRecord | None]
    stages: NotRequired[list[str]]
    readers: list[ObjectId | str]
    readers_changed: NotRequired[datetime | None]
    name_key: NotRequired[str]
    status: NotRequired[str]  # a dataset has none
    datasets: NotRequired[list[ObjectId]]  # a dataset has none


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

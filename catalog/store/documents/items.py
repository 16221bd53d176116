"""Models, datasets and algorithms.

Fields have the names of the v1 dialect, so that a client's filter or sort needs no translation.
"""

from datetime import datetime
from typing import Any

from beanie import PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from catalog.folding import search_key
from catalog.store.clock import now
from catalog.store.documents.indexes import newest, newest_with, sorted_by, unique, unique_text
from catalog.store.records import Changes, Value
from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import (
    Kind,
    Status,
    Visibility,
)


class PairSubdocument(BaseModel):
    """A name and a value of the metadata."""

    name: str
    value: Value


class AliasSubdocument(BaseModel):
    """A movable name for one version of an item."""

    name: str
    number: int
    ordinal: str  # of the same version
    user: PydanticObjectId  # who moved it last
    moved: datetime
    revision: int  # of the item, when it was moved


class ShareSubdocument(BaseModel):
    """Who has shared an item with a user or a group. What was shared before that was recorded has none."""

    party: PydanticObjectId
    by: PydanticObjectId
    date: datetime


class LatestSubdocument(BaseModel):
    """The newest live version, as its item records it; see `store.derived.version_summaries`."""

    number: int
    metadata: list[PairSubdocument]


class ItemFields(BaseModel):
    """The fields of models, datasets and algorithms."""

    serial: int
    name: str
    owner: PydanticObjectId
    users: list[PydanticObjectId] = Field(default_factory=list)  # who may read it: users and groups
    editors: list[PydanticObjectId] = Field(default_factory=list)  # who may add versions, aliases and metadata, too
    shares: list[ShareSubdocument] = Field(default_factory=list)  # of its users and editors
    visibility: Visibility = Visibility.PRIVATE
    tags: list[str] = Field(default_factory=list)
    metadata: list[PairSubdocument] = Field(default_factory=list)
    description: str = ""
    license: str = ""
    license_link: str = ""
    languages: list[str] = Field(default_factory=list)
    tasks: list[str] = Field(default_factory=list)
    library: str = ""
    provider: str = ""
    logo: str = ""
    maturity: str = ""
    aliases: list[AliasSubdocument] = Field(default_factory=list)
    alias_outbox: list[dict[str, Any]] | None = None  # moves that may not be in the history yet, see AliasMoveDocument
    external_id: str | None = None
    archived: bool = False
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    revision: int = 1
    last_version: int = 0  # the highest number ever used, so that none is used twice
    last_ordinal: int | None = None  # the highest ordinal ever used that is a number, where it differs
    last_removed: int | None = None  # the highest number of a version that was removed, see domain.versions.numbering
    latest: LatestSubdocument | None = None  # derived, see `store.derived.version_summaries`
    stages: list[str] = Field(default_factory=list)  # of its live versions, likewise
    readers: list[Any]  # derived on each write, see domain.access
    readers_changed: datetime | None = None  # see store.derived.reader_copies
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
    unique("serial"),
    unique("owner", "name"),
    unique_text("external_id"),
    # Of archived items alone: a list of the others reads past them.
    IndexModel([("archived", ASCENDING), ("serial", DESCENDING)], partialFilterExpression={"archived": True}),
    # Of items that have such a value alone: the others cost nothing.
    newest_with("aliases.name"),
    newest_with("languages"),
    newest_with("tasks"),
    newest_with("stages"),
    newest_with("latest.metadata.name"),
    # Of items whose readers changed lately.
    IndexModel([("readers_changed", ASCENDING)], sparse=True),
    sorted_by("name"),
    newest("name_key"),
    newest("readers"),
    newest("tags"),
    newest("users"),
    newest("metadata.name"),
    *(sorted_by(field) for field in ("owner", "visibility", "license", "library", "timestamp", "lastmod")),
)


class DatasetDocument(ItemFields, SealedDocument):
    class Settings:
        name = Kind.DATASET.value
        indexes = ITEM_INDEXES


class TrainedItemFields(ItemFields):
    """The fields that only models and algorithms have."""

    status: Status = Status.TRAINING
    datasets: list[PydanticObjectId] = Field(default_factory=list)


class ModelDocument(TrainedItemFields, SealedDocument):
    class Settings:
        name = Kind.MODEL.value
        indexes = (*ITEM_INDEXES, newest("datasets"), sorted_by("status"))


class AlgorithmDocument(TrainedItemFields, SealedDocument):
    class Settings:
        name = Kind.ALGORITHM.value
        indexes = (*ITEM_INDEXES, newest("datasets"), sorted_by("status"))


ITEMS: dict[Kind, type[DatasetDocument | ModelDocument | AlgorithmDocument]] = {
    Kind.DATASET: DatasetDocument,
    Kind.MODEL: ModelDocument,
    Kind.ALGORITHM: AlgorithmDocument,
}

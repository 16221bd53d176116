"""What belongs to an item in collections of its own: its card, moves of its aliases, its places in trash and search."""

from datetime import datetime
from typing import Any

from beanie import PydanticObjectId
from bson import ObjectId
from pydantic import ConfigDict, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from catalog.store.clock import now
from catalog.store.documents.indexes import newest
from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import (
    Kind,
)


class CardDocument(SealedDocument):
    """The card of an item, apart from it: lists must not read it. `id` is that of the item. See domain.cards."""

    kind: Kind
    text: str  # Markdown, with its front matter
    revision: int  # of the item, after the card was written
    lastmod: datetime = Field(default_factory=now)

    class Settings:
        name = "cards"
        indexes = ()


class AliasMoveDocument(SealedDocument):
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


class RetentionDocument(SealedDocument):
    """What is kept, and for how long. `id` is that of an item, or `tenant`. See domain.retention. None: no rule."""

    id: str  # type: ignore[assignment]
    kind: Kind | None = None  # of the item
    keep_versions: int | None = None  # the newest ones; 0: all
    trash_days: int | None = None
    trash_bytes: int | None = None
    log_days: int | None = None
    log_bytes: int | None = None
    terms_days: int | None = None
    user: PydanticObjectId | None = None  # who changed it last
    lastmod: datetime = Field(default_factory=now)

    class Settings:
        name = "retention"
        indexes = ()


class TrashDocument(SealedDocument):
    """An item in the trash. `id` is that of the item, so an item is in the trash only once."""

    kind: Kind
    name: str
    owner: PydanticObjectId
    item: dict[str, Any]  # the whole record, as it left its collection
    removal: ObjectId = Field(default_factory=ObjectId)  # new at each removal
    removed_by: PydanticObjectId
    removed: datetime
    until: datetime  # then it is purged
    lease_until: datetime  # until then the lease of a move holds
    purging: bool = False  # its versions are being removed: it cannot be restored

    model_config = ConfigDict(arbitrary_types_allowed=True)

    class Settings:
        name = "trash"
        indexes = (
            IndexModel([("owner", ASCENDING), ("removed", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("removed", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("until", ASCENDING)]),
        )


class SearchEntryDocument(SealedDocument):
    """What the search knows of an item. `id` is that of the item; see store.derived.search_entries."""

    serial: int  # of the item
    revision: int  # of the item that the n-grams were made of
    names: list[str]  # n-grams of the name
    texts: list[str]  # n-grams of its values and its description

    class Settings:
        name = "search"
        indexes = (newest("names"), newest("texts"))

"""Terms of the folksonomy: tags and metadata names."""

from datetime import datetime

from beanie import PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from catalog.store.clock import now
from catalog.store.documents.indexes import latest
from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import (
    Usage,
)


class TermFields(BaseModel):
    """A term of the folksonomy. `uses` is how many items use it."""

    usage: Usage = Usage.FOLK
    owner: PydanticObjectId | None = None
    timestamp: datetime = Field(default_factory=now)
    uses: int = 0
    seen: dict[str, int] = Field(default_factory=dict)  # on how many items each reader sees it, see domain.terms
    key: str = ""  # without regard to case; see store.query.ngrams
    pieces: list[str] = Field(default_factory=list)


TERM_INDEXES = (
    latest(),
    # `key` must be last: with another field behind it, the embedded engine answers `$lte` like `$lt`.
    IndexModel([("pieces", ASCENDING), ("usage", ASCENDING), ("uses", DESCENDING), ("key", ASCENDING)]),
    IndexModel([("usage", ASCENDING), ("timestamp", DESCENDING), ("_id", DESCENDING)]),
)


class TagDocument(TermFields, SealedDocument):
    id: str  # type: ignore[assignment]  # the term itself

    class Settings:
        name = "tags"
        indexes = TERM_INDEXES


class MetadataNameDocument(TermFields, SealedDocument):
    id: str  # type: ignore[assignment]  # the term itself

    class Settings:
        name = "metadata"
        indexes = TERM_INDEXES

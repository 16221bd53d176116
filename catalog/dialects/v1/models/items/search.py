"""The answers to a search."""

from collections.abc import Mapping
from typing import Annotated, Self

from bson import ObjectId
from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.common import Id
from catalog.dialects.v1.models.items.item_body import Count
from catalog.dialects.v1.models.items.shown_items import SearchHit, reference_of
from catalog.store.records import ItemRecord, UserRecord
from catalog.vocabulary import Kind

Counts = dict[str, Count]

AT_LEAST = "`false`: there are more matches than were counted, so the counts are the least that there may be."


class Facets(Struct):
    """How many items have each value."""

    kind: Counts
    status: Counts
    tag: Counts
    owner: Counts
    visibility: Counts
    license: Counts
    library: Counts
    alias: Counts
    stage: Annotated[Counts, Meta(description="Of live versions.")]
    language: Counts
    task: Counts
    archived: Annotated[Counts, Meta(description="By `true` and `false`.")]


class SearchResult(Struct, kw_only=True, rename="camel"):
    """A step of a search, the best matches first."""

    docs: list[SearchHit]
    limit: Count
    has_next_page: bool
    next_cursor: str | None
    facets: Facets | UnsetType = UNSET
    facets_of: Annotated[Count | UnsetType, Meta(description="How many matches were counted.")] = UNSET
    facets_are_exact: Annotated[bool | UnsetType, Meta(description=AT_LEAST)] = UNSET


class FacetBody(Struct, rename="camel"):
    """How many of the items of a list have each value."""

    facets: Facets
    facets_of: Annotated[Count, Meta(description="How many items were counted.")]
    facets_are_exact: Annotated[bool, Meta(description=AT_LEAST)]


class NameBody(Struct, rename={"id": "_id"}):
    """An item whose name completes a text."""

    id: Id
    name: str
    kind: Kind
    reference: Annotated[str, Meta(description="`owner/name`, which names it for every user.")]

    @classmethod
    def of(cls, kind: Kind, record: ItemRecord, owners: Mapping[ObjectId, UserRecord]) -> Self:
        return cls(str(record["_id"]), record["name"], kind, reference_of(record, owners.get(record["owner"])))


class NameSuggestions(Struct):
    """The items whose names complete a text, best first."""

    docs: list[NameBody]

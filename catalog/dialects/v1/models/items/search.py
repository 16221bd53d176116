"""The answer to a search."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.items.item_body import Count
from catalog.dialects.v1.models.items.shown_items import SearchHit

Counts = dict[str, Count]


class Facets(Struct):
    """How many of the matches of the first page have each value."""

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

"""What counts and completes the items that a user may read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.client.results.result import Result
from catalog.client.results.shapes import Document


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ItemFacets(Result):
    """How many items have each value, by facet: `facets.counts["license"]["MIT"]`. Owners are ids of users."""

    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict, hash=False)
    counted: int = 0
    """How many items were counted."""
    is_exact: bool = True
    """False: of a large catalog not all were counted. There are at least so many of each value."""

    @classmethod
    def _values(cls, document: Document) -> dict[str, object]:
        names = {"counts": "facets", "counted": "facetsOf", "is_exact": "facetsAreExact"}
        return {attribute: document.get(name) for attribute, name in names.items()}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NamedItem(Result):
    """An item whose name completes a text."""

    id: str
    name: str
    kind: str
    reference: str
    """`owner/name`, which names it for every user."""

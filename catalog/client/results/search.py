"""Counts of the items that a user may read, and completions of their names."""

from collections.abc import Mapping

from catalog.client.results.result import Result


class ItemFacets(
    Result, frozen=True, kw_only=True, rename={"counts": "facets", "counted": "facetsOf", "is_exact": "facetsAreExact"}
):
    """How many items have each value, by facet: `facets.counts["license"]["MIT"]`. Owners are ids of users."""

    counts: Mapping[str, Mapping[str, int]] = {}
    counted: int = 0
    """How many items were counted."""
    is_exact: bool = True
    """False: of a large catalog not all were counted. There are at least so many of each value."""


class NamedItem(Result, frozen=True, kw_only=True):
    """An item whose name completes a text."""

    id: str
    name: str
    kind: str
    reference: str
    """`owner/name`, which names it for every user."""

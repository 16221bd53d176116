"""The query of a list of versions, and its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bson import ObjectId

from catalog.domain.access import Caller, readable_by
from catalog.store.query.budgets import Budget, matching
from catalog.store.query.fields import ITEMS, VERSIONS_OF_ALL
from catalog.store.query.filters.filter import Filter, filter_of, within
from catalog.store.query.paging.cursors import DESCENDING, Order
from catalog.store.query.paging.pages import Listing
from catalog.store.records import ItemRecord, Query, VersionRecord
from catalog.vocabulary import Kind, VersionState

NAME = "name"
"""The name of the item in an order."""

SHOWN_ITEM = {"name": 1, "owner": 1, "aliases": 1}
"""The fields of an item that are read beside a version of it."""

NOT_ARCHIVED: Query = {"archived": {"$ne": True}}


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSearch:
    """A list of versions. The filters are in the language of the API (see `store.query.filters.filter`); all must hold.

    `items` are the ids of the only items that are asked for, if that is known. `aliases` are sets of names: one of each
    must point to the version. Archived versions and items, and drafts, are left out.
    """

    kind: Kind
    filters: Sequence[Mapping[str, object]] = ()
    item_filters: Sequence[Mapping[str, object]] = ()
    items: Sequence[ObjectId] | None = None
    aliases: Sequence[frozenset[str]] = ()
    order: Order = field(default_factory=lambda: [("lastmod", DESCENDING)])

    @property
    def is_by_name(self) -> bool:
        """Whether the list goes through several items by their names."""
        return self.order[0][0] == NAME and (self.items is None or len(self.items) > 1)

    @property
    def version_order(self) -> Order:
        """The order of versions without ties, where the name of the item does not count."""
        order = [(each, way) for each, way in self.order if each != NAME]
        is_one_item = self.is_by_name or (self.items is not None and len(self.items) == 1)
        if is_one_item and order[:1] and order[0][0] in {"number", "timestamp"}:
            return [("number", order[0][1])]  # which grows with time, and has no ties in one item
        if is_one_item and not order:
            return [("number", DESCENDING)]
        return [*order[:1], ("serial", order[0][1] if order else DESCENDING)]


class FoundVersion(NamedTuple):
    item: ItemRecord
    version: VersionRecord


class VersionPage(NamedTuple):
    found: list[FoundVersion]
    cursor: str | None  # where the list goes on; None: nowhere


class Prepared:
    """A search whose filters are compiled, of one caller."""

    def __init__(self, caller: Caller, request: VersionSearch) -> None:
        """Raises Refused: INVALID_QUERY."""
        self.caller = caller
        self.request = request
        self.filter = filter_of(VERSIONS_OF_ALL, None, request.filters)
        pointed = [{"aliases.name": {"$in": sorted(names)}} for names in request.aliases]
        self.item_filter: Filter = filter_of(ITEMS[request.kind], None, [*request.item_filters, *pointed])
        self.items = caller.tenant.items(request.kind).records

    def listing(self, of: Query) -> Listing[VersionRecord]:
        """The versions of the list for which `of` is true."""
        states: Query = {"state": {"$ne": VersionState.DRAFT.value}, **NOT_ARCHIVED}
        access = {**of, "kind": self.request.kind.value, **states}
        order = self.request.version_order
        listing = Listing.of(self.caller.tenant.versions.records, access, self.filter, order)
        return listing._replace(unique=frozenset({order[-1][0]}))

    def readable_items(self, among: Query) -> Query:
        """The filter of the items whose versions the list shows, before `matching_items`."""
        return within({**among, **readable_by(self.caller), **NOT_ARCHIVED}, self.item_filter)

    async def matching_items(self, items: list[ItemRecord]) -> list[ItemRecord]:
        """The items that also pass what the server matches itself."""
        if self.item_filter.matches is None:
            return items
        return await matching(self.item_filter.matches, items, self.item_filter.budget or Budget())

    def has_aliases(self, item: ItemRecord, number: int) -> bool:
        names = {alias["name"] for alias in item.get("aliases", ()) if alias["number"] == number}
        return all(names & some for some in self.request.aliases)

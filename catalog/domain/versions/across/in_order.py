"""Versions in an order of their own, such as the last change first.

Who may read a version is written on its item. So a list is read in one of two ways. Where few items are asked for, or
readable at all, their versions are asked for by item. Else the versions are read in the order of the list, and those of
other items are left out: at most MOST_READ for a page, which may then be short. A list ends where there is no cursor.
"""

from collections.abc import Iterable, Mapping

from bson import ObjectId

from catalog.domain.versions.across.version_search import SHOWN_ITEM, FoundVersion, Prepared, VersionPage
from catalog.store.ids import any_of
from catalog.store.query.budgets import Room
from catalog.store.query.paging import pages
from catalog.store.query.paging.cursors import cursor_of, key_of
from catalog.store.records import ItemRecord, Query, VersionRecord

FEW_ITEMS = 100
"""Readable items whose versions are asked for by item. MongoDB merges so many scans of an index."""

MOST_READ = 5000
"""Versions that are read for one page."""

AT_ONCE = 500

Items = Mapping[ObjectId, ItemRecord]


async def read(search: Prepared, limit: int, after: str, *, room: Room | None = None) -> VersionPage:
    items = await _few_items(search)
    if items is not None and not items:
        if after:
            key_of(search.request.version_order, after)
        return VersionPage([], None)
    listing = search.listing(_of_items(search, items) if items is not None else {})
    found: list[FoundVersion] = []
    cursor: str | None = after
    read_versions, room = 0, room or Room()
    while cursor is not None and read_versions < MOST_READ and not room.is_full:
        docs, cursor = await pages.after(
            listing, cursor, limit=AT_ONCE if read_versions else min(AT_ONCE, limit), room=room
        )
        known = items if items is not None else await _items_of(search, docs)
        for at, version in enumerate(docs):
            item = known.get(version["item"])
            if item and search.has_aliases(item, version["number"]):
                found.append(FoundVersion(item, version))
            if len(found) == limit:
                is_last = cursor is None and at == len(docs) - 1
                return VersionPage(found, None if is_last else cursor_of(search.request.version_order, version))
        read_versions += len(docs)
    return VersionPage(found, cursor)


async def _few_items(search: Prepared) -> Items | None:
    """The readable items of the list by id, if they are few. None when they are many."""
    request, among = search.request, Query()
    if request.items is not None:
        among["_id"] = any_of(request.items)
    elif search.caller.is_admin and not request.item_filters and not request.aliases:
        return None
    most = FEW_ITEMS if request.items is None else len(request.items)
    found = await search.items.find(search.readable_items(among), SHOWN_ITEM).limit(most + 1).to_list(most + 1)
    return _by_id(await search.matching_items(found)) if len(found) <= most else None


def _of_items(search: Prepared, items: Items) -> Query:
    query: Query = {"item": any_of(list(items))}
    if search.request.aliases:
        query["number"] = {"$in": sorted({alias["number"] for item in items.values() for alias in item["aliases"]})}
    return query


async def _items_of(search: Prepared, versions: Iterable[VersionRecord]) -> Items:
    """The items of some versions that the list may show."""
    ids = list(dict.fromkeys(version["item"] for version in versions))
    if not ids:
        return {}
    found = await search.items.find(search.readable_items({"_id": any_of(ids)}), SHOWN_ITEM).to_list(None)
    return _by_id(await search.matching_items(found))


def _by_id(items: Iterable[ItemRecord]) -> Items:
    return {item["_id"]: item for item in items}

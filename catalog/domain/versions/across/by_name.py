"""Versions by the names of their items: item by item, and of each its versions in the rest of the order.

A cursor is a place among the items, and one among the versions of that item; without the latter the list goes on with
the next item. For a page at most MOST_ITEMS are looked at, and at most MOST_TRIED are tried on the filter of items; it
may then be short.
"""

from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from catalog.domain.versions.across.version_search import SHOWN_ITEM, FoundVersion, Prepared, VersionPage
from catalog.store.ids import any_of
from catalog.store.query.budgets import Room
from catalog.store.query.paging import pages
from catalog.store.query.paging.cursors import Order, cursor_of, key_of
from catalog.store.query.paging.pages import Listing
from catalog.store.records import ItemRecord, Query, VersionRecord

MOST_ITEMS = 200
MOST_TRIED = 5000
ITEMS_AT_ONCE = 50


class NamePosition(NamedTuple):
    """Where the list goes on: in the versions of an item after `version`, or after the item (None)."""

    item: Mapping[str, object]
    version: Mapping[str, object] | None


def cursor_at(search: Prepared, place: NamePosition) -> str:
    inner = search.request.version_order
    version = place.version or dict.fromkeys(field for field, _ in inner)
    values = {**{f"item.{field}": place.item[field] for field in ("name", "_id")}, **version}
    return cursor_of([*_cursor_of_items(search), *inner], values)


def place_of(search: Prepared, cursor: str) -> NamePosition:
    """Raises Refused: INVALID_QUERY."""
    inner = search.request.version_order
    name, identity, *rest = key_of([*_cursor_of_items(search), *inner], cursor)
    version = {field: value for (field, _), value in zip(inner, rest, strict=True)}
    return NamePosition({"name": name, "_id": identity}, None if rest[-1] is None else version)


async def read(
    search: Prepared, limit: int, after: str, *, room: Room | None = None, most_tried: int = MOST_TRIED
) -> VersionPage:
    place = place_of(search, after) if after else None
    found: list[FoundVersion] = []
    looked_at, room = 0, room or Room()
    async for item, cursor in _items(search, place, most_tried):
        if cursor is None:
            return VersionPage(found, cursor_at(search, NamePosition(item, None)))
        looked_at += 1
        docs = await _of_item(search, item, cursor, limit + 1 - len(found), room)
        found += [FoundVersion(item, doc) for doc in docs if search.has_aliases(item, doc["number"])]
        if len(found) > limit:
            last = found[limit - 1]
            return VersionPage(found[:limit], cursor_at(search, NamePosition(last.item, last.version)))
        if room.is_full and docs:
            return VersionPage(found, cursor_at(search, NamePosition(item, docs[-1])))
        if looked_at == MOST_ITEMS:
            return VersionPage(found, cursor_at(search, NamePosition(item, None)))
    return VersionPage(found, None)


async def _items(
    search: Prepared, place: NamePosition | None, most_tried: int
) -> AsyncIterator[tuple[ItemRecord, str | None]]:
    """The items from a place on, and for each the cursor in its versions (empty: from the beginning).

    After `most_tried` items it ends with the last of them, without a cursor.
    """
    among: Query = {} if search.request.items is None else {"_id": any_of(search.request.items)}
    order = _order_of_items(search)
    if place and place.version:
        current = await search.items.find(search.readable_items({"_id": place.item["_id"]}), SHOWN_ITEM).to_list(1)
        for item in await search.matching_items(current):
            yield item, cursor_of(search.request.version_order, place.version)
    listing = Listing(search.items, search.readable_items(among), order)
    cursor: str | None = cursor_of(order, place.item) if place else ""
    tried = 0
    while cursor is not None:
        docs, cursor = await pages.after(listing, cursor, limit=min(ITEMS_AT_ONCE, most_tried))
        for item in await search.matching_items(docs):
            yield item, ""
        tried += len(docs)
        if cursor is not None and tried >= most_tried:
            yield docs[-1], None
            return


async def _of_item(search: Prepared, item: ItemRecord, cursor: str, limit: int, room: Room) -> list[VersionRecord]:
    of: Query = {"item": item["_id"]}
    if search.request.aliases:
        of["number"] = {"$in": [alias["number"] for alias in item["aliases"]]}
    docs, _ = await pages.after(search.listing(of), cursor, limit=limit, room=room)
    return docs


def _order_of_items(search: Prepared) -> Order:
    way = search.request.order[0][1]
    return [("name", way), ("_id", way)]


def _cursor_of_items(search: Prepared) -> Order:
    return [(f"item.{field}", way) for field, way in _order_of_items(search)]

"""Lists in the order of metadata values: of the versions of one item by their own (`metadata.<name>`), and of items by
those of their latest versions (`latest.<name>`).

No index has these values in order. The sort keys of all matches are read and sorted here, MOST of them at most, then
the documents of the part are read. Of items, an index finds those that have a value, and only they are sorted: the
others follow in the order of their serials, as in other lists.

Numbers come before texts, and texts before booleans. What lacks the value comes last, in both directions.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import cmp_to_key
from typing import Any, NamedTuple

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.budgets import Budget, Room, matching, taken
from catalog.store.query.filters.filter import Filter, within
from catalog.store.query.paging import pages
from catalog.store.query.paging.cursors import Order, cursor_of, key_of
from catalog.store.query.paging.pages import Listing, ListPage
from catalog.store.query.paging.serial_scan import Stage
from catalog.store.tenant_documents import R

OWN = "metadata."
LATEST = "latest."

MOST = 100_000
"""Documents that are sorted for one list."""

AT_ONCE = 1000

FEW = 32
"""Documents of a part that are read at once."""

_NAMES = "latest.metadata.name"

COMPARED = 256
"""Characters of a text that are compared: a cursor has them."""


class OrderedKey(NamedTuple):
    """A match: what it is sorted by, and its id."""

    key: tuple[Any, ...]
    identity: Any


def is_by_value(order: Order) -> bool:
    return any(field.startswith((OWN, LATEST)) for field, _ in order)


async def page(listing: Listing[R], *, skip: int, limit: int, room: Room | None = None) -> ListPage[R]:
    """As `pages.page`. Raises Refused: INVALID_QUERY for more than MOST matches."""
    entries = await _sorted(listing)
    part = entries[skip : skip + limit]
    docs = await _documents(listing, part, room)
    without = _without_value(listing)
    is_cut = room is not None and room.is_full
    if without is None or is_cut:
        more = is_cut or (bool(limit) and len(entries) > skip + limit)
        return ListPage(docs, more, len(entries), without is None, is_cut)
    found = await pages.page(without, skip=max(0, skip - len(entries)), limit=limit - len(part), room=room)
    more = bool(limit) and (found.more or len(entries) > skip + limit or (limit == len(part) and found.total > 0))
    return ListPage(docs + found.docs, more, len(entries) + found.total, found.is_exact, found.is_cut)


async def after(
    listing: Listing[R], cursor: str, *, limit: int, room: Room | None = None
) -> tuple[list[R], str | None]:
    """As `pages.after`. Raises Refused: INVALID_QUERY."""
    order, without = listing.settled, _without_value(listing)
    last = tuple(key_of(order, cursor)) if cursor else None
    if without and last and last[0] is None:
        return await _after_values(order, without, cursor_of(without.settled, {order[1][0]: last[1]}), limit, room)
    entries, start = await _sorted(listing), 0
    if last:
        compare = _comparison(order)
        start = await asyncio.to_thread(lambda: sum(compare(entry.key, last) <= 0 for entry in entries))
    part = entries[start : start + limit]
    docs = await _documents(listing, part, room)
    if room and room.is_full and docs:
        return docs, cursor_behind(order, docs[-1])
    if len(entries) > start + limit:
        return docs, _cursor(order, part[-1])
    if without is None:
        return docs, None
    if len(part) == limit:
        others, _ = await pages.after(without, "", limit=1)
        return docs, _cursor(order, part[-1]) if others else None
    others, following = await _after_values(order, without, "", limit - len(part), room)
    return docs + others, following


async def _after_values(
    order: Order, without: Listing[R], cursor: str, limit: int, room: Room | None
) -> tuple[list[R], str | None]:
    """The documents that lack the value, and the cursor of the whole list."""
    docs, following = await pages.after(without, cursor, limit=limit, room=room)
    return docs, cursor_behind(order, docs[-1]) if following else None


def _without_value(listing: Listing[R]) -> Listing[R] | None:
    """The matches that lack the value of the latest version. None where values of versions sort, or other fields too.

    They have an order of their own, so that no more of them are read than the part has.
    """
    name = _only_latest(listing.order)
    if name is None:
        return None
    others = within({_NAMES: {"$ne": name}}, Filter(listing.query))
    return listing._replace(query=others, order=listing.settled[1:], statistics=None)


def _only_latest(order: Order) -> str | None:
    """The name of the metadata of latest versions by which alone a list is sorted."""
    is_only = len(order) == 1 and order[0][0].startswith(LATEST)
    return order[0][0].removeprefix(LATEST) if is_only else None


def cursor_behind(order: Order, document: Mapping[str, Any]) -> str:
    """The cursor that goes on behind a document."""
    return _cursor(order, OrderedKey(_key(order, document), None))


def _cursor(order: Order, entry: OrderedKey) -> str:
    # The fields of the order stand in the cursor by their names, as if the document had them.
    return cursor_of(order, dict(zip((field for field, _ in order), entry.key, strict=True)))


async def _sorted(listing: Listing[R]) -> list[OrderedKey]:
    """All matches; without those that `_without_value` has."""
    order = listing.settled
    entries: list[OrderedKey] = []
    found = _found(listing)
    budget = listing.budget or Budget()
    while batch := await found.to_list(AT_ONCE):
        if listing.matches:
            batch = await matching(listing.matches, batch, budget)
        entries += [OrderedKey(_key(order, document), document["_id"]) for document in batch]
        if len(entries) > MOST:
            raise Refused(INVALID_QUERY, f"sort: more than {MOST} documents would be sorted by a value, filter further")
    by_order = cmp_to_key(_comparison(order))
    return await asyncio.to_thread(lambda: sorted(entries, key=lambda entry: by_order(entry.key)))


def _found(listing: Listing[R]) -> Any:
    """A cursor of the matches; of all their fields where the server matches them itself."""
    fields = {field.split(".")[0]: 1 for field, _ in listing.settled}
    name = _only_latest(listing.order)
    if name is None:
        return listing.collection.find(listing.query, None if listing.matches else fields)
    # The name has a `$match` of its own, by which the embedded engine chooses an index (see `serial_scan`).
    stages: list[Stage] = [{"$match": {_NAMES: name}}, {"$match": listing.query}]
    return listing.collection.aggregate(stages if listing.matches else [*stages, {"$project": fields}])


async def _documents(listing: Listing[R], part: list[OrderedKey], room: Room | None) -> list[R]:
    """The documents of a part, up to the one that fills the `room`."""
    docs: list[R] = []
    for start in range(0, len(part), FEW):
        ids = [entry.identity for entry in part[start : start + FEW]]
        found = {each["_id"]: each for each in await taken(listing.collection.find({"_id": {"$in": ids}}), None)}
        for document in (found[identity] for identity in ids if identity in found):
            docs.append(document)
            if room:
                room.take(document)
            if room and room.is_full:
                return docs
    return docs


def _key(order: Order, document: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(_value(document, field) for field, _ in order)


def _value(document: Mapping[str, Any], field: str) -> Any:
    if field.startswith(OWN):
        pairs, name = document.get("metadata", ()), field.removeprefix(OWN)
    elif field.startswith(LATEST):
        pairs, name = (document.get("latest") or {}).get("metadata", ()), field.removeprefix(LATEST)
    else:
        return document.get(field)
    value = next((pair["value"] for pair in pairs if pair["name"] == name), None)
    return value[:COMPARED] if isinstance(value, str) else value


def _comparison(order: Order) -> Any:
    directions = [direction for _, direction in order]

    def compare(one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
        for left, right, direction in zip(one, other, directions, strict=True):
            if left is None or right is None:
                if left is not right:
                    return 1 if left is None else -1
                continue
            mine, theirs = (_rank(left), left), (_rank(right), right)
            if mine != theirs:
                return direction if mine > theirs else -direction
        return 0

    return compare


def _rank(value: Any) -> int:
    if isinstance(value, bool):
        return 2
    if isinstance(value, int | float):
        return 0
    return 1 if isinstance(value, str) else 3 if isinstance(value, datetime) else 4

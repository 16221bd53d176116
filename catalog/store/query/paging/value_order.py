"""Lists in the order of metadata values.

No index has these values, so they sort only lists of a bounded size: the versions of one item. The sort keys of all
matches are read and sorted here, then the documents of the part are read.

Numbers come before texts, and texts before booleans. What lacks the value comes last, in both directions.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import cmp_to_key
from typing import Any, NamedTuple

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.budgets import Budget, matching
from catalog.store.query.paging.cursors import Order, cursor_of, key_of
from catalog.store.query.paging.pages import Listing, ListPage
from catalog.store.tenant_documents import Raw

PREFIX = "metadata."

MOST = 100_000
"""Documents that are sorted for one list."""

AT_ONCE = 1000

COMPARED = 256
"""Characters of a text that are compared: a cursor has them."""


class Entry(NamedTuple):
    """A match: what it is sorted by, and its id."""

    key: tuple[Any, ...]
    identity: Any


def is_by_value(order: Order) -> bool:
    return any(field.startswith(PREFIX) for field, _ in order)


async def page(listing: Listing, *, skip: int, limit: int) -> ListPage:
    """As `pages.page`. Raises Refused: INVALID_QUERY for more than MOST matches."""
    entries = await _sorted(listing)
    part = entries[skip : skip + limit]
    return ListPage(await _documents(listing, part), bool(limit) and len(entries) > skip + limit, len(entries), True)


async def after(listing: Listing, cursor: str, *, limit: int) -> tuple[list[Raw], str | None]:
    """As `pages.after`. Raises Refused: INVALID_QUERY."""
    entries, order = await _sorted(listing), listing.settled
    start = 0
    if cursor:
        last, compare = tuple(key_of(order, cursor)), _comparison(order)
        start = await asyncio.to_thread(lambda: sum(compare(entry.key, last) <= 0 for entry in entries))
    part = entries[start : start + limit]
    docs = await _documents(listing, part)
    more = len(entries) > start + limit
    return docs, _cursor(order, part[-1]) if more else None


def cursor_behind(order: Order, document: Mapping[str, Any]) -> str:
    """The cursor that goes on behind a document."""
    return _cursor(order, Entry(_key(order, document), None))


def _cursor(order: Order, entry: Entry) -> str:
    # The fields of the order stand in the cursor by their names, as if the document had them.
    return cursor_of(order, dict(zip((field for field, _ in order), entry.key, strict=True)))


async def _sorted(listing: Listing) -> list[Entry]:
    order = listing.settled
    entries: list[Entry] = []
    fields = None if listing.matches else {field.split(".")[0]: 1 for field, _ in order}
    found = listing.collection.find(listing.query, fields)
    budget = listing.budget or Budget()
    while batch := await found.to_list(AT_ONCE):
        if listing.matches:
            batch = await matching(listing.matches, batch, budget)
        entries += [Entry(_key(order, document), document["_id"]) for document in batch]
        if len(entries) > MOST:
            raise Refused(INVALID_QUERY, f"sort: more than {MOST} versions would be sorted by a value, filter further")
    by_order = cmp_to_key(_comparison(order))
    return await asyncio.to_thread(lambda: sorted(entries, key=lambda entry: by_order(entry.key)))


async def _documents(listing: Listing, part: list[Entry]) -> list[Raw]:
    ids = [entry.identity for entry in part]
    if not ids:
        return []
    found = {each["_id"]: each async for each in listing.collection.find({"_id": {"$in": ids}})}
    return [found[identity] for identity in ids if identity in found]


def _key(order: Order, document: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(_value(document, field) for field, _ in order)


def _value(document: Mapping[str, Any], field: str) -> Any:
    if not field.startswith(PREFIX):
        return document.get(field)
    name = field.removeprefix(PREFIX)
    value = next((pair["value"] for pair in document.get("metadata", ()) if pair["name"] == name), None)
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

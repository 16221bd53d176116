"""A walk through a list by its sort key, for dialects with page tokens of their own.

The caller carries the key of the last document. What no query can say, such as the access to what a document belongs
to, is asked of each batch (`keep`).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from pymongo import ASCENDING

from catalog.store.query.budgets import Budget, matching
from catalog.store.query.filters.filter import Filter, within
from catalog.store.query.paging.cursors import Order, steps
from catalog.store.query.paging.pages import AT_ONCE, MOST_CANDIDATES, Listing
from catalog.store.tenant_documents import R

Key = list[Any]
"""The values of a document in the fields of the order."""

S = TypeVar("S", bound=Mapping[str, Any])

Keep = Callable[[list[R]], Awaitable[list[S]]]
"""What the caller is shown of a batch, in the same order: some of the documents, or what is made of them."""


async def keep_all(batch: list[R]) -> list[R]:
    return batch


class Walk(NamedTuple, Generic[S]):
    docs: list[S]
    following: Key | None
    """The key to go on from; None at the end."""


def key_of(order: Order, document: Mapping[str, Any]) -> Key:
    return [document.get(field) for field, _ in order]


async def walk(listing: Listing[R], key: Key | None, limit: int, keep: Keep[R, S]) -> Walk[S]:
    """At most `limit` documents after `key` (None: from the beginning).

    `listing.order` ends with a unique field. With `listing.top`, an order by the serial alone is scanned range by
    range; without it, the query must be one that an index answers. After MOST_CANDIDATES documents that are not kept
    the walk returns what it has, and the key to go on from.
    """
    order, found, tried, size = listing.order, list[S](), 0, limit + 1
    budget = listing.budget or Budget()
    while True:
        batch = await _batch(listing, key, size)
        matched = batch if listing.matches is None else await matching(listing.matches, batch, budget)
        found += await keep(matched)
        if len(found) > limit:
            return Walk(found[:limit], key_of(order, found[limit - 1]))
        if len(batch) < size:
            return Walk(found, None)
        tried, key, size = tried + len(batch), key_of(order, batch[-1]), max(size, AT_ONCE)
        if tried > MOST_CANDIDATES:
            return Walk(found, key)


async def _batch(listing: Listing[R], key: Key | None, size: int) -> list[R]:
    if listing.top is None or len(listing.order) > 1:
        return await _sorted(listing, key, size)
    if listing.order[0][1] == ASCENDING:
        low = key[0] if key else 0
        return await listing.scan(listing.top).oldest(low, size)
    high = key[0] - 1 if key else None
    return await listing.scan(listing.top).newest(0, size, high=high)


async def _sorted(listing: Listing[R], key: Key | None, size: int) -> list[R]:
    found: list[R] = []
    for step in steps(listing.order, key) if key else [{}]:
        query = within(step, Filter(listing.query))
        left = size - len(found)
        found += await listing.collection.find(query).sort(listing.order).limit(left).to_list(left)
        if len(found) == size:
            break
    return found

"""One page of a list: by its number, with a total, or after a cursor, without one.

Newest first is the order that everybody asks for, and it costs the same however long the list is (see `windows`).
Every other order is walked by an index of MongoDB's; the embedded engine reads all matches before it sorts.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple

from pymongo import DESCENDING

from catalog.errors import NOT_SEARCHED, Refused
from catalog.store.query import serial_scan
from catalog.store.query.budgets import Budget, matching
from catalog.store.query.cursors import Order, cursor_of, key_of, steps
from catalog.store.query.filter import Filter, within
from catalog.store.query.serial_scan import COUNTED, Collection, QueryStatistics
from catalog.store.tenant_documents import Raw

__all__ = ["LATEST", "NEWEST", "Asked", "Collection", "Found", "Order", "after", "page"]

Matches = Callable[[Mapping[str, Any]], bool]

NEWEST: Order = [("serial", DESCENDING)]
LATEST: Order = [("timestamp", DESCENDING), ("_id", DESCENDING)]

UNIQUE = frozenset({"_id", "serial", "number", "username"})  # in their lists

MOST_CANDIDATES = 100_000
"""How many items the server is willing to match itself against what the database may not be asked."""

AT_ONCE = 100
"""Of them, in one batch."""


class Found(NamedTuple):
    docs: list[Raw]
    more: bool  # whether documents follow
    total: int  # how many there are in all
    is_exact: bool  # else there are at least `total`


class Asked(NamedTuple):
    """A list, before one says which part of it.

    `top` was the highest serial lately, for collections that have one, which they call `counter`. `matches` is what
    the query leaves to the server, within `budget`; `statistics` what earlier scans learned of it.
    """

    collection: Collection
    query: Raw
    order: Order
    matches: Matches | None = None
    top: int | None = None
    counter: str = "serial"
    statistics: QueryStatistics | None = None
    budget: Budget | None = None

    @property
    def is_newest_first(self) -> bool:
        return self.top is not None and self.settled == [(self.counter, DESCENDING)]

    @property
    def settled(self) -> Order:
        """The order without ties, so that no document is on two pages. Ties go by age, in the same direction."""
        for index, (field, _) in enumerate(self.order):
            if field in UNIQUE:
                return self.order[: index + 1]
        return [*self.order, ("_id" if self.top is None else self.counter, self.order[-1][1])]


async def page(asked: Asked, *, skip: int, limit: int, exactly: bool = False) -> Found:
    """The documents from `skip` on, at most `limit`, and how many there are in all.

    Counting ends at about COUNTED items, unless it must be done `exactly`. Raises Refused: NOT_SEARCHED when the
    server would have too much to match itself.
    """
    if asked.matches is not None:
        return await _matched(asked, asked.matches, skip, limit)
    docs = await _part(asked, skip, limit + 1) if limit else []
    more, reached = len(docs) > limit, skip + len(docs)
    if docs and not more:
        return Found(docs, more=False, total=reached, is_exact=True)
    total, is_exact = await _count(asked, exactly=exactly)
    return Found(docs[:limit], more, max(total, reached if docs else 0), is_exact)


async def after(asked: Asked, cursor: str, *, limit: int) -> tuple[list[Raw], str | None]:
    """At most `limit` documents after `cursor` (empty: from the beginning), and the cursor to go on from; None at the
    end.

    Raises Refused: NOT_SEARCHED, also for what is no cursor of this list.
    """
    order = asked.settled
    key = key_of(order, cursor) if cursor else None
    if asked.is_newest_first and asked.top is not None and asked.matches is None:
        docs = await _below(asked, asked.top, key, limit + 1)
    else:
        docs = await _beyond(asked, list(steps(order, key)) if key else [{}], limit + 1)
    return docs[:limit], cursor_of(order, docs[limit - 1]) if len(docs) > limit else None


async def _part(asked: Asked, skip: int, limit: int) -> list[Raw]:
    if asked.is_newest_first and asked.top is not None:
        return await serial_scan.newest(
            asked.collection, asked.query, asked.top, skip, limit, counter=asked.counter, statistics=asked.statistics
        )
    return await asked.collection.find(asked.query).sort(asked.settled).skip(skip).limit(limit).to_list(limit)


async def _count(asked: Asked, *, exactly: bool) -> tuple[int, bool]:
    if exactly:
        return await asked.collection.count_documents(asked.query), True
    if asked.top is not None:
        return await serial_scan.count(asked.collection, asked.query, asked.top, asked.counter, asked.statistics)
    total = await asked.collection.count_documents(asked.query, limit=COUNTED + 1)
    return min(total, COUNTED), total <= COUNTED


async def _below(asked: Asked, top: int, key: list[Any] | None, limit: int) -> list[Raw]:
    if key is not None and not isinstance(key[0], int):
        raise Refused(NOT_SEARCHED, "after is not a cursor that a list gave")
    high = None if key is None else key[0] - 1
    return await serial_scan.newest(
        asked.collection, asked.query, top, 0, limit, high=high, counter=asked.counter, statistics=asked.statistics
    )


async def _beyond(asked: Asked, queries: list[Raw], limit: int) -> list[Raw]:
    found: list[Raw] = []
    for step in queries:
        narrowed = asked._replace(query=within(step, Filter(asked.query)))
        async for document in _matching(narrowed, limit - len(found)):
            found.append(document)
            if len(found) == limit:
                return found
    return found


async def _matching(asked: Asked, limit: int) -> AsyncIterator[Raw]:
    ordered = asked.collection.find(asked.query).sort(asked.settled)
    if asked.matches is None:
        for document in await ordered.limit(limit).to_list(limit):
            yield document
        return
    async for batch in _matching_batches(asked, asked.matches):
        for document in batch:
            yield document


async def _matching_batches(asked: Asked, matches: Matches) -> AsyncIterator[list[Raw]]:
    candidates = asked.collection.find(asked.query).sort(asked.settled)
    budget, tried = asked.budget or Budget(), 0
    while batch := await candidates.to_list(AT_ONCE):
        tried += len(batch)
        if tried > MOST_CANDIDATES:
            raise _too_many()
        yield await matching(matches, batch, budget)


async def _matched(asked: Asked, matches: Matches, skip: int, limit: int) -> Found:
    """The page, matched by the server itself, document by document."""
    if await asked.collection.count_documents(asked.query, limit=MOST_CANDIDATES + 1) > MOST_CANDIDATES:
        raise _too_many()
    found: list[Raw] = []
    total = 0
    async for batch in _matching_batches(asked, matches):
        found += batch[max(0, skip - total) : max(0, skip + limit - total)]
        total += len(batch)
    return Found(found, bool(limit) and total > skip + limit, total, is_exact=True)


def _too_many() -> Refused:
    return Refused(NOT_SEARCHED, f"The pattern would be tried on more than {MOST_CANDIDATES} items, filter further")

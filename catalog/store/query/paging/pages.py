"""A part of a list: a page by its number, with a total, or what follows a cursor, without one.

The path of a filter: `params.read` checks the query string and compiles the filter, `Listing.of` joins it with what the
caller may see, and `page` or `after` reads it from the database. Conditions that must not reach the database
(`matches`) are tested here. Newest first, the usual order, costs the same however long a list is (see `serial_scan`).
MongoDB walks every other order by an index; the embedded engine reads all matches before it sorts.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Generic, NamedTuple

from pymongo import DESCENDING

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.budgets import Budget, Room, matching, taken
from catalog.store.query.filters.filter import Filter, within
from catalog.store.query.paging import cuts
from catalog.store.query.paging.cursors import Order, cursor_of, key_of, steps
from catalog.store.query.paging.cuts import Cut, Samples
from catalog.store.query.paging.serial_scan import (
    COUNTED,
    Collection,
    QueryStatistics,
    ScanStatistics,
    SerialScan,
    Stage,
)
from catalog.store.records import Query
from catalog.store.tenant_documents import R

Matches = Callable[[Mapping[str, Any]], bool]

NEWEST: Order = [("serial", DESCENDING)]
LATEST: Order = [("timestamp", DESCENDING), ("_id", DESCENDING)]

UNIQUE = frozenset({"_id", "serial", "number", "username"})  # in their lists

MOST_CANDIDATES = 100_000
"""How many documents the server matches itself, for one list."""

FURTHEST_CUT = 200
"""Documents of a sorted list before its page that are read, and passed over, range by range (see `cuts`)."""

AT_ONCE = 100
"""How many of them it reads at once."""


class ListPage(NamedTuple, Generic[R]):
    docs: list[R]
    more: bool  # whether documents follow
    total: int  # how many there are in all
    is_exact: bool  # else there are at least `total`
    is_cut: bool = False  # whether it ends early, because its documents are large


class Listing(NamedTuple, Generic[R]):
    """The documents of a collection that a client asks for, in order; a part of them is read at a time.

    `top` is a recent value of the highest serial, for collections that have one; `counter` is its field. `matches` is
    the part of the filter that the server matches itself, within `budget`. `unique` are fields without ties.
    """

    collection: Collection[R]
    query: Query
    order: Order
    matches: Matches | None = None
    top: int | None = None
    counter: str = "serial"
    statistics: QueryStatistics | None = None
    budget: Budget | None = None
    unique: frozenset[str] = UNIQUE
    samples: Samples | None = None

    @classmethod
    def of(
        cls,
        collection: Collection[R],
        access: Mapping[str, Any],
        asked: Filter,
        order: Order,
        *,
        top: int | None = None,
        counter: str = "serial",
        statistics: ScanStatistics | None = None,
        samples: Samples | None = None,
    ) -> "Listing[R]":
        """What a filter finds among the documents that `access` allows.

        `samples` are the tenant's, for a collection with an index of (field, serial) for each field that sorts.
        """
        query = within(access, asked)
        known = statistics.of(collection, query) if statistics else None
        return cls(collection, query, order, asked.matches, top, counter, known, asked.budget, samples=samples)

    def scan(self, top: int) -> SerialScan[R]:
        """The reading of the matches by their serials, of which `top` was the highest lately."""
        return SerialScan(self.collection, self.query, top, self.counter, self.statistics or QueryStatistics())

    @property
    def is_newest_first(self) -> bool:
        return self.top is not None and self.settled == [(self.counter, DESCENDING)]

    @property
    def settled(self) -> Order:
        """The order without ties, so that no document is on two pages. Ties go by age, in the same direction."""
        for index, (field, _) in enumerate(self.order):
            if field in self.unique:
                return self.order[: index + 1]
        return [*self.order, ("_id" if self.top is None else self.counter, self.order[-1][1])]


async def page(
    listing: Listing[R], *, skip: int, limit: int, exactly: bool = False, room: Room | None = None
) -> ListPage[R]:
    """The documents from `skip` on, at most `limit`, and how many there are in all; fewer where they fill `room`.

    Counting ends at about COUNTED items, unless it must be done `exactly`. Raises Refused: INVALID_QUERY when the
    server would have too much to match itself.
    """
    if listing.matches is not None:
        return await _matched(listing, listing.matches, skip, limit, room)
    docs = await _part(listing, skip, limit + 1, room) if limit else []
    is_cut = room is not None and room.is_full and 0 < len(docs) <= limit
    more, reached = is_cut or len(docs) > limit, skip + len(docs)
    if docs and not more:
        return ListPage(docs, more=False, total=reached, is_exact=True)
    total, is_exact = await _count(listing, exactly=exactly)
    if is_cut and is_exact and total <= reached:
        return ListPage(docs, more=False, total=reached, is_exact=True)
    return ListPage(docs[:limit], more, max(total, reached if docs else 0), is_exact, is_cut)


async def after(
    listing: Listing[R], cursor: str, *, limit: int, room: Room | None = None
) -> tuple[list[R], str | None]:
    """At most `limit` documents after `cursor` (empty: from the beginning), and the cursor to go on from; None at the
    end. They may be fewer where they fill the `room`.

    Raises Refused: INVALID_QUERY, also for what is no cursor of this list.
    """
    order = listing.settled
    key = key_of(order, cursor) if cursor else None
    docs: list[R] | None
    if listing.is_newest_first and listing.top is not None and listing.matches is None:
        docs = await _below(listing, listing.top, key, limit + 1, room)
    elif listing.matches is None and (bounds := await _bounds(listing)):
        _refuse_invented(key, bounds)
        docs = await _cut(listing, key, limit + 1, bounds, room)
    else:
        docs = None
    if docs is None:
        docs = await _beyond(listing, list(steps(order, key)) if key else [{}], limit + 1, room)
    if room and room.is_full and 0 < len(docs) <= limit:
        return docs, cursor_of(order, docs[-1])
    return docs[:limit], cursor_of(order, docs[limit - 1]) if len(docs) > limit else None


async def _part(listing: Listing[R], skip: int, limit: int, room: Room | None) -> list[R]:
    if listing.is_newest_first and listing.top is not None:
        return await listing.scan(listing.top).newest(skip, limit, room=room)
    if skip <= FURTHEST_CUT and (bounds := await _bounds(listing)):
        docs = await _cut_after(listing, skip, limit, bounds, room)
        if docs is not None:
            return docs
    return await taken(await _sorted(listing, limit, skip), room)


async def _sorted(listing: Listing[R], limit: int, skip: int = 0) -> Any:
    """A cursor of the matches in their order, by an index of an equality where that finds few documents.

    It has a `$match` of its own, by which the embedded engines choose the index.
    """
    first: Query = {}
    if listing.top is not None and listing.statistics is not None:
        first = await listing.scan(listing.top).lead_of_range(None, 0)
    if not first:
        return listing.collection.find(listing.query).sort(listing.settled).skip(skip).limit(limit)
    stages: list[Stage] = [{"$match": first}, {"$match": listing.query}, {"$sort": dict(listing.settled)}]
    return listing.collection.aggregate([*stages, *([{"$skip": skip}] if skip else []), {"$limit": limit}])


async def _bounds(listing: Listing[R]) -> list[Cut]:
    """The bounds of the ranges in which a sorted list is read; none where it is read at once."""
    if listing.statistics and listing.statistics.is_rare:
        return []
    match listing.settled, listing.samples, listing.top:
        case [(field, way), (counter, same)], Samples() as samples, int(top) if (counter, same) == (
            listing.counter,
            way,
        ):
            return await samples.bounds(listing.collection, field, top)
    return []


async def _cut_after(
    listing: Listing[R], skip: int, limit: int, bounds: Sequence[Cut], room: Room | None
) -> list[R] | None:
    """As `cuts.read`, but for the first `skip` documents."""
    if not skip:
        return await _cut(listing, None, limit, bounds, room)
    passed = await _cut(listing, None, skip, bounds, None)
    if passed is None or len(passed) < skip:
        return passed and []
    return await _cut(listing, [passed[-1].get(field) for field, _ in listing.settled], limit, bounds, room)


async def _cut(
    listing: Listing[R], key: list[Any] | None, limit: int, bounds: Sequence[Cut], room: Room | None
) -> list[R] | None:
    docs = await cuts.read(listing.collection, listing.query, listing.settled, key, limit, bounds, room)
    if docs is None and key is None and listing.statistics:
        listing.statistics.is_rare = True  # the next list of this query is read at once
    return docs


async def _count(listing: Listing[R], *, exactly: bool) -> tuple[int, bool]:
    if exactly:
        return await listing.collection.count_documents(listing.query), True
    if listing.top is not None:
        return await listing.scan(listing.top).count()
    total = await listing.collection.count_documents(listing.query, limit=COUNTED + 1)
    return min(total, COUNTED), total <= COUNTED


async def _below(listing: Listing[R], top: int, key: list[Any] | None, limit: int, room: Room | None) -> list[R]:
    if key is not None and not isinstance(key[0], int):
        raise Refused(INVALID_QUERY, "after is not a cursor that a list gave")
    high = None if key is None else key[0] - 1
    return await listing.scan(top).newest(0, limit, high=high, room=room)


def _refuse_invented(key: list[Any] | None, bounds: Sequence[Cut]) -> None:
    """Raises Refused: INVALID_QUERY for a cursor with values of other types than the list has."""
    types = {type(bound.value) for bound in bounds} | {type(None)}
    if key is not None and not (isinstance(key[1], int) and type(key[0]) in types):
        raise Refused(INVALID_QUERY, "after is not a cursor that a list gave")


async def _beyond(listing: Listing[R], queries: list[Query], limit: int, room: Room | None) -> list[R]:
    found: list[R] = []
    for step in queries:
        narrowed = listing._replace(query=within(step, Filter(listing.query)))
        async with aclosing(_matching(narrowed, limit - len(found), is_bounded=room is not None)) as matching_ones:
            async for document in matching_ones:
                found.append(document)
                if room:
                    room.take(document)
                if len(found) == limit or (room and room.is_full):
                    return found
    return found


async def _matching(listing: Listing[R], limit: int, *, is_bounded: bool) -> AsyncGenerator[R, None]:
    """The matches one by one; if they are not `is_bounded` in bytes, all at once, which is faster."""
    if listing.matches is None and is_bounded:
        async for document in await _sorted(listing, limit):
            yield document
        return
    if listing.matches is None:
        for document in await (await _sorted(listing, limit)).to_list(limit):
            yield document
        return
    async for batch in _matching_batches(listing, listing.matches):
        for document in batch:
            yield document


async def _matching_batches(listing: Listing[R], matches: Matches) -> AsyncIterator[list[R]]:
    candidates = listing.collection.find(listing.query).sort(listing.settled)
    budget, tried = listing.budget or Budget(), 0
    while batch := await candidates.to_list(AT_ONCE):
        tried += len(batch)
        if tried > MOST_CANDIDATES:
            raise _too_many()
        yield await matching(matches, batch, budget)


async def _matched(listing: Listing[R], matches: Matches, skip: int, limit: int, room: Room | None) -> ListPage[R]:
    """A page of what the server matches itself."""
    if await listing.collection.count_documents(listing.query, limit=MOST_CANDIDATES + 1) > MOST_CANDIDATES:
        raise _too_many()
    found: list[R] = []
    total = 0
    async for batch in _matching_batches(listing, matches):
        for document in batch[max(0, skip - total) : max(0, skip + limit - total)]:
            if room and room.is_full:
                break
            found.append(document)
            if room:
                room.take(document)
        total += len(batch)
    more = bool(limit) and total > skip + len(found)
    return ListPage(found, more, total, is_exact=True, is_cut=more and len(found) < limit)


def _too_many() -> Refused:
    return Refused(INVALID_QUERY, f"The pattern would be tried on more than {MOST_CANDIDATES} items, filter further")

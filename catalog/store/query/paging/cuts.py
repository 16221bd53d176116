"""Lists sorted by a field, range by range, so that the embedded engine need not read all that it sorts.

The bounds of the ranges are the values of a sample of the documents: those with some serials, read once a minute. They
decide how much is read at once, never what is found. Every range is one bounded scan of the index of (field, serial);
a value that many documents have is cut by their serials. MongoDB walks the same index in any case.

Where a filter finds too little in the first ranges, the list is read at once, like any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from time import monotonic
from typing import Any, NamedTuple

from cachetools import TTLCache

from catalog.store.query.budgets import Room, taken
from catalog.store.query.filters.filter import Filter, within
from catalog.store.query.paging.cursors import ASCENDING, Order
from catalog.store.query.paging.serial_scan import Collection, Stage
from catalog.store.records import Query
from catalog.store.tenant_documents import R

EVERY = 64
"""Serials of which one is in the sample."""

MOST = 256
"""Documents of a sample."""

MAX_AGE = 60.0
"""Seconds that a sample is used. Out of date, it makes ranges too long or too short."""

MOST_SAMPLES = 100
"""Samples of a tenant."""

FIRST_RANGES = 8
"""Ranges that are read although they give less than the list needs, and one more for each RICH documents."""

RICH = 32

POOR = 4
"""Matches of a range, of about EVERY documents. With fewer in the first one, the filter finds few documents."""

LOWEST, HIGHEST = float("-inf"), float("inf")

ALWAYS = frozenset({"name", "owner", "visibility", "status", "timestamp", "lastmod"})
"""Fields that no document lacks."""


class Cut(NamedTuple):
    """A place in the order of a field: behind the documents of this value with serials up to `serial`."""

    value: Any
    serial: float

    @property
    def rank(self) -> tuple[bool, Any, float]:
        """What lacks the field comes first."""
        return self.value is not None, self.value, self.serial


BEGINNING = Cut(None, LOWEST)

Range = tuple[Cut, Cut | None]
"""Documents behind the first bound, and not behind the second (None: the end)."""


class Samples:
    """The bounds of ranges of a tenant's collections, by field."""

    def __init__(self) -> None:
        self._bounds: TTLCache[str, list[Cut]] = TTLCache(MOST_SAMPLES, MAX_AGE, monotonic)

    async def bounds(self, collection: Collection[R], field: str, top: int) -> list[Cut]:
        """In ascending order; none of a small collection. `top` is about the highest serial."""
        key = f"{collection.name} {field}"
        bounds = self._bounds.get(key)
        if bounds is None:
            serials = list(range(EVERY, top, max(EVERY, top // MOST)))
            asked = collection.find({"serial": {"$in": serials}}, {field: 1, "serial": 1})
            bounds = self._bounds[key] = list(_bounds(await asked.to_list(None) if serials else (), field))
        return bounds


def _bounds(sampled: Sequence[Mapping[str, Any]], field: str) -> Iterator[Cut]:
    """A bound behind each value of the sample; of one that it has several times also before it and within."""
    serials: dict[Any, list[int]] = {}
    for each in sampled:
        serials.setdefault(each.get(field), []).append(each["serial"])
    for value in sorted(serials, key=lambda value: (value is not None, value)):
        several = serials[value]
        if len(several) > 1:
            yield Cut(value, LOWEST)
            yield from (Cut(value, serial) for serial in sorted(several))
        yield Cut(value, HIGHEST)


async def read(
    collection: Collection[R],
    query: Query,
    order: Order,
    key: Sequence[Any] | None,
    limit: int,
    bounds: Sequence[Cut],
    room: Room | None = None,
) -> list[R] | None:
    """The first matches in the `order` of a field and of serials, after `key` (None: from the beginning).

    None where the filter finds so few documents that the list had better be read at once.
    """
    [(field, direction), (counter, _)] = order
    ascending, found = direction == ASCENDING, list[R]()
    if field not in ALWAYS:
        bounds = [Cut(None, HIGHEST), *bounds]
    place = None if key is None else Cut(key[0], key[1] if ascending else key[1] - 1)
    is_judged = False
    for at, (low, high) in enumerate(_ranges(bounds, place, ascending=ascending)):
        if at == FIRST_RANGES + limit // RICH:
            break
        # The range has a `$match` of its own, see `serial_scan`.
        stages: list[Stage] = [{"$match": _query(field, counter, low, high)}, {"$match": query}, {"$sort": dict(order)}]
        found += await taken(collection.aggregate([*stages, {"$limit": limit - len(found)}]), room)
        if len(found) == limit or (room and room.is_full):
            return found
        if not is_judged and _is_whole(low, high):
            is_judged = True
            if len(found) < POOR:
                return None
        place = high if ascending else low
    else:
        return found
    rest = [bound for bound in bounds if bound.value is None]
    for low, high in _ranges(rest, place, ascending=ascending):
        all_of = within(query, Filter(_query(field, counter, low, high)))
        found += await taken(collection.find(all_of).sort(order).limit(limit - len(found)), room)
        if len(found) == limit or (room and room.is_full):
            break
    return found


def _is_whole(low: Cut, high: Cut | None) -> bool:
    """Whether a range has about as many documents as others: not those that lack the field, nor the end of a value."""
    return high is not None and (low.value != high.value or (low.value is not None and high.serial < HIGHEST))


def _ranges(bounds: Sequence[Cut], place: Cut | None, *, ascending: bool) -> Iterator[Range]:
    """The ranges of a list behind a place (not behind it, if the list is descending), in its order."""
    if place is None:
        ends = [BEGINNING, *bounds]
    elif ascending:
        ends = [place, Cut(place.value, HIGHEST), *(bound for bound in bounds if bound.rank > place.rank)]
    else:
        ends = [BEGINNING, *(bound for bound in bounds if bound.rank < place.rank), Cut(place.value, LOWEST), place]
    in_order = sorted(set(ends), key=lambda bound: bound.rank)
    has_end = place is None or ascending
    ranges: list[Range] = [*pairwise(in_order), *([(in_order[-1], None)] if has_end else [])]
    return iter(ranges if ascending else ranges[::-1])


def _query(field: str, counter: str, low: Cut, high: Cut | None) -> Query:
    if high is not None and low.value == high.value:
        serials = ({"$gt": low.serial} if low.serial > LOWEST else {}) | (
            {"$lte": high.serial} if high.serial < HIGHEST else {}
        )
        return {field: low.value, counter: serials} if serials else {field: low.value}
    values = {"$gt": low.value} if low.value is not None else {}
    if high is not None:
        values["$lt" if high.serial == LOWEST else "$lte"] = high.value
    return {field: values or {"$ne": None}}

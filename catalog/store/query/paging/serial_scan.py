"""Newest first, without reading everything: `serial` grows with time, and a list scans it downwards, range by range.

A range of serials is one bounded scan of an index on every engine. It has a `$match` of its own, before the rest of the
query: the embedded engine chooses an index by the first `$match`, and does not use the range when other conditions
stand beside it (ten of 10 000 by a common tag, as a regular user: 5 ms, against 81 ms in one `$match`; MongoDB merges
the two). A plain equality goes with the range, onto the index of (field, serial): a tag of 1 % of 10 000 items took
3 ms, against 43 ms as `$elemMatch`, and a tag of three items 1 ms for each range.

Where the equality finds more than a few documents, the range alone is faster on the embedded engine. By the index of a
field with many values it takes a document four times as long, and between two serials it reads all entries of the value
(ten of 20 000 by a value of the metadata whose name is on a third of them: 7 ms, against 13 and 46 ms). So the first
documents of a collection say how common the equality is. They decide how much is read, never what is found.
"""

import dataclasses
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic

from cachetools import TTLCache
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ASCENDING, DESCENDING

from catalog.store.query.budgets import Room, taken
from catalog.store.records import Query
from catalog.store.tenant_documents import R

Collection = AsyncIOMotorCollection[R]

Stage = dict[str, Any]
"""A stage of an aggregation."""

NARROWEST = 64
WIDENING = 4
WIDENING_OF_EMPTY = 16
ENOUGH = 1.3
"""The first range of a query whose statistics are known is for so many times the matches that are needed."""

SAMPLED = 256
"""Newest serials of which a lead's share is counted. A range that is no longer is read without a lead."""

BY_LEAD = 4.0
BY_ENTRY = 0.3
"""What a document by a lead, and an entry of its index, cost on the embedded engine. A document of a range is 1."""

COUNTED = 512
"""How many items are read to count a list, at about 45 us each on the embedded engine (25 ms)."""

MOST_QUERIES = 1000
"""How many queries of a tenant have statistics."""

MAX_AGE = 60.0
"""Seconds that statistics are used. Out of date, they make a scan read more than it needs."""

LONGEST = 1024
"""Characters of a query that has statistics."""

LEADS = (
    *("name", "request_id", "item", "datasets", "users", "tags", "metadata.name", "latest.metadata.name"),
    *("aliases.name", "stages", "library", "license", "tasks", "languages"),
    *("runs", "run", "experiments", "experiment", "environment", "owner", "user", "status", "type"),
)
"""Fields with an index (field, serial), those with rarer values first."""


PAIRS = {field: field.removesuffix(".name") for field in LEADS if field.endswith("metadata.name")}
"""The names among them of pairs of metadata, each with the field of the pair, which a query may ask for instead."""


def serial_range(
    query: Query, high: int | None, low: int, counter: str = "serial", led: Query | None = None
) -> list[Stage]:
    """The first stages of a pipeline: a match for each of the `range_conditions`."""
    return [{"$match": condition} for condition in range_conditions(query, high, low, counter, led)]


def range_conditions(
    query: Query, high: int | None, low: int, counter: str = "serial", led: Query | None = None
) -> list[Query]:
    """What the matches of `query` satisfy that have a serial above `low`, up to `high` (None: no bound).

    `led` is the equality that goes with the range; without it, the one of `lead`. An equality that does not go with the
    range stands before the rest: a name of the metadata is compared faster than a pair.
    """
    serials = {"$gt": low} if high is None else {"$gt": low, "$lte": high}
    first = lead(query)
    span = (first if led is None else led) | {counter: serials}
    return [span, first | query] if query else [span]


def lead(query: Query) -> Query:
    """An equality that every match of `query` satisfies and that an index answers; empty when there is none."""
    for field in LEADS:
        if field not in query and PAIRS.get(field) not in query:
            continue
        for operand in _operands(query, field):
            if operand is not None and not isinstance(operand, dict | list):
                return {field: operand}
    return {}


def _operands(query: Query, field: str) -> list[Any]:
    """The values that `field` must have, maybe among others."""
    operand = query.get(field)
    if isinstance(operand, dict):
        return list(operand.get("$all", ()))
    if operand is None and field in PAIRS:
        return [_named(query.get(PAIRS[field]))]
    return [operand]


def _named(metadata: Any) -> Any:
    """The name in a query for metadata pairs."""
    pair = metadata.get("$elemMatch") if isinstance(metadata, dict) else None
    return pair.get("name") if isinstance(pair, dict) else None


@dataclass
class QueryStatistics:
    """What the last scan of a query learned, so that the next one needs a single range. Each scan updates it."""

    apart: float = 0.0  # serials, or candidates, from one match to the next; 0: not known
    counted: int = 0  # serials that a count read, from the highest one; 0: not counted yet
    is_counted_whole: bool = False
    is_rare: bool = False  # whether a range of a sorted list had too few matches (see `cuts`)
    shares: MutableMapping[str, float] = dataclasses.field(default_factory=dict)  # of leads among the newest documents

    def width(self, matches: int) -> int:
        """Serials of the first range for so many matches."""
        if not self.apart:
            return max(NARROWEST, WIDENING * matches)
        return max(1, round(ENOUGH * matches * self.apart))


def wider(width: int, found: int, missing: int) -> int:
    """Serials of the range after one of `width` serials with `found` matches, when `missing` are."""
    if not found:
        return width * WIDENING_OF_EMPTY
    return min(width * WIDENING, max(NARROWEST, round(ENOUGH * missing * width / found)))


class ScanStatistics:
    """The statistics of a tenant's queries. They decide how much is read at once, never what is found."""

    def __init__(self, size: int = MOST_QUERIES, timer: Callable[[], float] = monotonic) -> None:
        self._queries: TTLCache[str, QueryStatistics] = TTLCache(size, MAX_AGE, timer)
        self._shares: TTLCache[str, float] = TTLCache(size, MAX_AGE, timer)

    def of(self, collection: Collection[R], query: Query) -> QueryStatistics:
        key = f"{collection.name} {query!r}"
        statistics = self._queries.get(key)
        if statistics is None:
            statistics = QueryStatistics(shares=self._shares)
            if len(key) <= LONGEST:
                self._queries[key] = statistics
        return statistics


@dataclass(slots=True)
class SerialScan(Generic[R]):
    """The matches of a query in a collection, read by ranges of their serials.

    `top` was the highest serial lately. `counter` is the name of the serial in this collection.
    """

    collection: Collection[R]
    query: Query
    top: int
    counter: str = "serial"
    statistics: QueryStatistics = dataclasses.field(default_factory=QueryStatistics)

    async def newest(self, skip: int, limit: int, *, high: int | None = None, room: Room | None = None) -> list[R]:
        """The matches from `skip` on, at most `limit`, of the serials up to `high`; without it, of all.

        They may be fewer where they fill the `room`. The first range includes serials above `top`.
        """
        found: list[R] = []
        width, past = self.statistics.width(skip + limit), skip
        start = low = self.top if high is None else high
        while (low > 0 or high is None) and len(found) < limit:
            low -= width
            stages = await self.range_stages(high, low)
            high = low
            if skip and (passed := await self._count(stages)) <= skip:
                skip -= passed
                width *= WIDENING
                continue
            new = await self._read(stages, DESCENDING, skip, limit - len(found), room)
            found += new
            if room and room.is_full:
                return found
            skip = 0
            width = wider(width, len(new), limit - len(found))
        lowest = found[-1][self.counter] if len(found) == limit else 0
        self._learn(start - lowest, past - skip + len(found))
        return found

    async def oldest(self, low: int, limit: int) -> list[R]:
        """The first matches with a serial above `low`."""
        found: list[R] = []
        width, start = self.statistics.width(limit), low
        high: int | None = low
        while high is not None and len(found) < limit:
            high = low + width if low + width < self.top else None
            new = await self._read(await self.range_stages(high, low), ASCENDING, 0, limit - len(found))
            found += new
            low += width
            width = wider(width, len(new), limit - len(found))
        end = found[-1][self.counter] if len(found) == limit else self.top
        self._learn(end - start, len(found))
        return found

    async def _read(
        self, stages: list[Stage], direction: int, skip: int, limit: int, room: Room | None = None
    ) -> list[R]:
        part: list[Stage] = [{"$sort": {self.counter: direction}}, {"$skip": skip}, {"$limit": limit}]
        return await taken(self.collection.aggregate([*stages, *part]), room)

    def _learn(self, serials: int, matches: int) -> None:
        """Remember how many matches so many serials had."""
        self.statistics.apart = max(1, serials) / max(1, matches)

    async def range_stages(self, high: int | None, low: int) -> list[Stage]:
        """As `serial_range`, with a lead where that costs less."""
        return serial_range(self.query, high, low, self.counter, await self.lead_of_range(high, low))

    async def lead_of_range(self, high: int | None, low: int) -> Query:
        """The equality that goes with a range; empty where it is common, or the range short, enough for none."""
        led, width = lead(self.query), (self.top if high is None else high) - max(0, low)
        if not led or width <= SAMPLED:
            return {}
        share = await self._share(led)
        return led if is_cheaper_led(share, width, 0 if high is None else self.top) else {}

    async def _share(self, led: Query) -> float:
        """The part of the newest documents that a lead finds, counted once a minute."""
        key = f"{self.collection.name} {led!r}"
        share = self.statistics.shares.get(key)
        if share is None:
            share = await self._count([{"$match": led | {self.counter: {"$gt": self.top - SAMPLED}}}]) / SAMPLED
            if len(key) <= LONGEST:
                self.statistics.shares[key] = share
        return share

    async def count(self) -> tuple[int, bool]:
        """How many match, and whether all are counted: counting ends where more than COUNTED items would be read."""
        statistics = self.statistics
        if statistics.counted:
            low = 0 if statistics.is_counted_whole else self.top - statistics.counted
            return await self._count(await self.range_stages(None, low)), statistics.is_counted_whole
        total, low = await self._count_down()
        statistics.counted, statistics.is_counted_whole = max(1, self.top - low), low <= 0
        return total, statistics.is_counted_whole

    async def _count_down(self) -> tuple[int, int]:
        """How many match, and the serial above which they were counted; 0 when the count is complete."""
        low = max(0, self.top - COUNTED)
        led = await self.lead_of_range(None, low)
        total = await self._count(serial_range(self.query, None, low, self.counter, led))
        if not led:
            return total, low
        density, width = await self._share(led), COUNTED
        read = round(density * COUNTED)
        while low > 0:
            width *= WIDENING
            lower = max(0, low - width)
            if read + density * (low - lower) > COUNTED:
                break
            here = await self._count(serial_range(led, low, lower, self.counter)[:1])
            read, density = read + here, here / (low - lower)
            if read > COUNTED:
                break
            total += await self._count(serial_range(self.query, low, lower, self.counter)) if here else 0
            low = lower
        return total, low

    async def _count(self, stages: list[Stage]) -> int:
        counted = await self.collection.aggregate([*stages, {"$group": {"_id": None, "n": {"$sum": 1}}}]).to_list(1)
        return int(counted[0]["n"]) if counted else 0


def is_cheaper_led(share: float, width: int, entries: int) -> bool:
    """Whether a lead that finds this share of the documents costs less than a range of `width` serials alone.

    `entries` is the number of documents of which the index of the lead is read; 0 for a range without an upper end.
    """
    return BY_LEAD * share * width + BY_ENTRY * share * entries < width

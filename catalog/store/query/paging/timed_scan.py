"""The newest documents that match, as many as are read in a given time: for counts that a user waits for."""

from collections.abc import Callable, Mapping
from time import monotonic

from catalog.store.query.budgets import Budget, Room, matching, taken
from catalog.store.query.filters.filter import Filter, within
from catalog.store.query.paging.serial_scan import COUNTED, WIDENING, Collection, ScanStatistics, SerialScan
from catalog.store.records import Query
from catalog.store.tenant_documents import R

NARROWEST = 256
"""Serials of a range that is worth a query."""


async def newest_in_time(
    collection: Collection[R],
    access: Query,
    asked: Filter,
    fields: Mapping[str, int],
    top: int,
    statistics: ScanStatistics,
    seconds: float,
    timer: Callable[[], float] = monotonic,
) -> tuple[list[R], bool]:
    """The `fields` of the newest documents of both `access` and the filter, and whether these are all.

    The first range is always read. Another one follows as long as the time that the ranges before it took says that
    it will be read within `seconds`. `top` is a recent value of the highest serial.

    Raises Refused: INVALID_QUERY, when the server would have too much to match itself.
    """
    query = within(access, asked)
    shown = [] if asked.matches else [{"$project": dict(fields)}]
    scan, room = SerialScan(collection, query, top, statistics=statistics.of(collection, query)), Room()
    found: list[R] = []
    high, low, width, end = None, top, COUNTED, timer() + seconds
    while True:
        began = timer()
        low = max(0, low - width)
        stages = await scan.range_stages(high, low)
        new: list[R] = await taken(collection.aggregate([*stages, *shown], batchSize=COUNTED), room)
        found += new if asked.matches is None else await matching(asked.matches, new, asked.budget or Budget())
        if low == 0 or room.is_full:
            return found, low == 0 and not room.is_full
        now = timer()
        width = min(width * WIDENING, int(width * (end - now) / max(now - began, 1e-6)))
        if width < NARROWEST:
            return found, False
        high = low

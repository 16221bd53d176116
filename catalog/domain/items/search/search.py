"""Search across models, datasets and algorithms: the best matches first, and each item once.

A search walks through stages, from an exact name to text in the description, and through the kinds within each stage.
An item belongs to its best stage only, so that none comes twice. A position in the walk is the cursor from which the
next request goes on. A request reads a bounded number of candidates: it answers what it found and where to go on, even
when it found nothing yet. `candidates` says how each stage finds its items.
"""

import asyncio
import json
import math
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from catalog.domain import archiving
from catalog.domain.access import Caller, readable_by
from catalog.domain.items.search.candidates import BATCH, Candidates
from catalog.domain.items.search.facets import FacetCounts, count_items
from catalog.domain.items.search.ranking import MatchRank, rank
from catalog.errors import NOT_SEARCHED, Refused
from catalog.store.query.budgets import Budget, matching
from catalog.store.query.conditions import find_newest
from catalog.store.query.filters.filter import Filter, within
from catalog.store.records import ItemRecord, Query
from catalog.store.tenant_collections import ItemCollection
from catalog.vocabulary import Archived, Kind

LONGEST = 128
"""Characters of a search text."""

STEP = 100
"""Candidates that one read of an index returns."""

MOST_READ = 16 * 1024
"""Candidates and serials that one request reads."""

FACETED = 128
"""Hits that the facets of a first page are counted over. BATCH of them are read, and then as many as time permits."""

FACET_SECONDS = 0.03
"""Seconds after which no more hits are read for the facets alone."""

SOON = 0.15
"""Seconds after which a search without facets answers what it has found, if anything."""


class SearchPosition(NamedTuple):
    """Where a walk stands: it has read everything before this stage and kind, and these down to `serial`.

    `serial` is the last one read, in descending order (None: nothing yet).
    """

    stage: MatchRank
    kind: int
    serial: int | None = None


class CandidateBatch(NamedTuple):
    candidates: list[ItemRecord]
    next: SearchPosition | None  # where to go on; None at the end
    read: int  # candidates and serials


class Hit(NamedTuple):
    kind: Kind
    item: ItemRecord


class SearchPage(NamedTuple):
    hits: list[Hit]
    next: str | None  # the cursor to go on from; None at the end
    facets: FacetCounts | None  # of the first page only
    positions: Sequence[SearchPosition]  # behind each hit

    def after(self, count: int) -> str:
        """The cursor behind the first `count` hits."""
        return _cursor(self.positions[count - 1])


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """The key of a text (see `catalog.folding`), the kinds to search, and a filter that hits must match."""

    text: str
    kinds: Sequence[Kind]
    filter: Filter
    archived: Archived = Archived.EXCLUDED


async def search(
    caller: Caller, query: SearchQuery, limit: int, after: str | None, *, faceted: bool = True
) -> SearchPage:
    """Return at most `limit` hits, from the cursor `after` on. Raises Refused: NOT_SEARCHED for an unknown cursor.

    Without facets the first hits are returned SOON, and the others from the cursor on.
    """
    first = after is None and faceted
    start = SearchPosition(MatchRank.EXACT, 0) if after is None else _position(after, len(query.kinds))
    walk = SearchWalk(caller, query)
    if first:
        hits, positions, end = await walk.run(start, max(limit, FACETED), FACET_SECONDS, enough=max(limit, BATCH))
    else:
        hits, positions, end = await walk.run(start, limit, math.inf if faceted else SOON)
    facets = FacetCounts(count_items(hits), len(hits), end is None) if first else None
    if len(hits) > limit:
        hits, end = hits[:limit], positions[limit - 1]
    return SearchPage(hits, _cursor(end) if end else None, facets, positions)


class SearchWalk:
    """The walk of one request, up to the stage `last`."""

    def __init__(self, caller: Caller, query: SearchQuery, last: MatchRank = MatchRank.DESCRIBED) -> None:
        self.caller = caller
        self.query = query
        self._last = last
        self._within = within({**readable_by(caller), **archiving.shown(query.archived)}, query.filter)

    async def run(
        self, at: SearchPosition | None, most: int, seconds: float = math.inf, *, enough: int = 1
    ) -> tuple[list[Hit], list[SearchPosition], SearchPosition | None]:
        """The hits from a position on, the position behind each, and the one to go on from.

        After so many seconds the walk ends where it is, once it has `enough` hits.
        """
        end = time.monotonic() + seconds
        hits: list[Hit] = []
        positions: list[SearchPosition] = []
        read = 0
        budget = self.query.filter.budget or Budget()
        tenant = self.caller.tenant
        newest, *present = await asyncio.gather(tenant.count("serial"), *map(tenant.has_items, self.query.kinds))
        candidates = Candidates(tenant, self.query.text, newest)
        while at is not None and read < MOST_READ:
            if not present[at.kind]:
                at = self._after(at)
                continue
            batch = await self._read(at, newest, candidates, most - len(hits))
            read += batch.read
            for item in await self._fitting(batch.candidates, at.stage, budget):
                hits.append(Hit(self.query.kinds[at.kind], item))
                positions.append(at._replace(serial=item["serial"]))
                if len(hits) == most:
                    return hits, positions, positions[-1]
            at = batch.next
            if len(hits) >= enough and time.monotonic() > end:
                break
        return hits, positions, at

    async def _fitting(self, candidates: Sequence[ItemRecord], stage: MatchRank, budget: Budget) -> list[ItemRecord]:
        """The candidates whose best stage is this one, and that match the filter."""
        matches = self.query.filter.matches

        def fits(item: ItemRecord) -> bool:
            return rank(item, self.query.text) == stage and (matches is None or matches(item))

        return await matching(fits, candidates, budget) if candidates else []

    async def _read(self, at: SearchPosition, newest: int, candidates: Candidates, missing: int) -> CandidateBatch:
        """The next candidates of a stage and kind."""
        if at.stage is MatchRank.EXACT:
            return await self._by_name(at)
        top = newest if at.serial is None else at.serial - 1
        found = await candidates.read(at.stage, self.query.kinds[at.kind], self._within, top, missing)
        next_ = at._replace(serial=found.low + 1) if found.low > 0 else self._after(at)
        return CandidateBatch(found.items, next_, found.read)

    async def _by_name(self, at: SearchPosition) -> CandidateBatch:
        named: Query = {"name_key": self.query.text}
        if at.serial is not None:
            named["serial"] = {"$lt": at.serial}
        found = await find_newest(self._items(at).records, [named, self._within], STEP)
        if len(found) == STEP:
            return CandidateBatch(found, at._replace(serial=found[-1]["serial"]), STEP)
        return CandidateBatch(found, self._after(at), len(found))

    def _items(self, at: SearchPosition) -> ItemCollection:
        return self.caller.tenant.items(self.query.kinds[at.kind])

    def _after(self, at: SearchPosition) -> SearchPosition | None:
        """The next kind of the stage, else the first kind of the next stage, else None."""
        if at.kind + 1 < len(self.query.kinds):
            return SearchPosition(at.stage, at.kind + 1)
        return SearchPosition(MatchRank(at.stage + 1), 0) if at.stage < self._last else None


def _cursor(position: SearchPosition) -> str:
    return urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _position(cursor: str, kinds: int) -> SearchPosition:
    """A cursor says where to go on, never what may be seen: each read asks for the caller's access again."""
    try:
        stage, kind, serial = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position = SearchPosition(MatchRank(stage), kind, serial)
    except (ValueError, TypeError, RecursionError):
        raise Refused(NOT_SEARCHED, "after: not a cursor that an answer gave") from None
    fits = isinstance(kind, int) and 0 <= kind < kinds
    if not fits or not isinstance(serial, int | None) or not 0 <= (serial or 0) < 2**62:
        raise Refused(NOT_SEARCHED, "after: not a cursor that an answer gave")
    return position

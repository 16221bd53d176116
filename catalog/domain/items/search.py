"""Search across models, datasets and algorithms: the best matches first, and each item once.

A search walks through stages, from an exact name to text in the description, and through the kinds within each stage.
An item belongs to its best stage only, so that none comes twice. A position in the walk is the cursor from which the
next request goes on. A request reads a bounded number of candidates: it answers what it found and where to go on, even
when it found nothing yet.
"""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from catalog.domain import archiving
from catalog.domain.access import Caller, readable_by
from catalog.errors import NOT_SEARCHED, Refused
from catalog.store.database import ItemCollection
from catalog.store.query.budgets import Budget, matching
from catalog.store.query.cursors import ASCENDING, DESCENDING, Order
from catalog.store.query.filter import Filter, within
from catalog.store.query.patterns import escaped, prefix_range
from catalog.store.query.serial_scan import serial_range
from catalog.store.records import ItemRecord, Query
from catalog.vocabulary import Archived, Kind

LONGEST = 128
"""Characters of a search text."""

STEP = 100
"""Candidates that one read of an index returns."""

WINDOW = 1024
"""Serials that one scan without an index covers: 60 ms on the embedded engine, at any size of the catalog."""

MOST_READ = 16 * WINDOW
"""Candidates and serials that one request reads."""

FULL = 256
"""Candidates that one scan of a window returns; the next scan goes on from there."""

FACETED = 200
"""Hits that the facets of a first page are counted over."""


class Stage(IntEnum):
    EXACT = 0
    PREFIX = 1
    INSIDE = 2
    TAGGED = 3
    ANNOTATED = 4  # the name of a metadata pair
    VALUED = 5  # its value
    DESCRIBED = 6


class SearchPosition(NamedTuple):
    """Where a walk stands: it has read everything before, in this stage and kind.

    `serial` is the last one read (None: nothing yet). In `PREFIX` names ascend, `name` is the last one read, and
    serials descend among the items of one name.
    """

    stage: Stage
    kind: int
    serial: int | None = None
    name: str | None = None


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
    facets: dict[str, dict[str, int]] | None  # of the first page only
    counted: int  # hits that the facets are counted over
    positions: Sequence[SearchPosition]  # behind each hit

    def after(self, count: int) -> str:
        """The cursor behind the first `count` hits."""
        return _cursor(self.positions[count - 1])


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A text in small letters, the kinds to search, and a filter that hits must match."""

    text: str
    kinds: Sequence[Kind]
    filter: Filter
    archived: Archived = Archived.EXCLUDED


async def search(caller: Caller, query: SearchQuery, limit: int, after: str | None) -> SearchPage:
    """Return at most `limit` hits, from the cursor `after` on. Raises Refused: NOT_SEARCHED for an unknown cursor."""
    first = after is None
    start = SearchPosition(Stage.EXACT, 0) if after is None else _position(after, len(query.kinds))
    walk = SearchWalk(caller, query)
    hits, positions, end = await walk.run(start, max(limit, FACETED) if first else limit)
    facets, counted = _facets(hits) if first else None, len(hits)
    if len(hits) > limit:
        hits, end = hits[:limit], positions[limit - 1]
    return SearchPage(hits, _cursor(end) if end else None, facets, counted, positions)


class SearchWalk(NamedTuple):
    caller: Caller
    query: SearchQuery

    async def run(
        self, at: SearchPosition | None, most: int
    ) -> tuple[list[Hit], list[SearchPosition], SearchPosition | None]:
        """The hits from a position on, the position behind each, and the one to go on from."""
        hits: list[Hit] = []
        positions: list[SearchPosition] = []
        read = 0
        budget = self.query.filter.budget or Budget()
        newest = await self.caller.tenant.count("serial")
        present = await asyncio.gather(*(self._has_any(kind) for kind in self.query.kinds))
        while at is not None and read < MOST_READ:
            batch = await self._read(at, newest) if present[at.kind] else CandidateBatch([], self._after(at), 0)
            read += batch.read
            for item in await self._fitting(batch.candidates, at.stage, budget):
                hits.append(Hit(self.query.kinds[at.kind], item))
                positions.append(at._replace(serial=item["serial"], name=item["name_key"]))
                if len(hits) == most:
                    return hits, positions, positions[-1]
            at = batch.next
        return hits, positions, at

    async def _fitting(self, candidates: Sequence[ItemRecord], stage: Stage, budget: Budget) -> list[ItemRecord]:
        """The candidates whose best stage is this one, and that match the filter."""
        matches = self.query.filter.matches

        def fits(item: ItemRecord) -> bool:
            return rank(item, self.query.text) == stage and (matches is None or matches(item))

        return await matching(fits, candidates, budget) if candidates else []

    async def _read(self, at: SearchPosition, newest: int) -> CandidateBatch:
        """The next candidates of a stage and kind."""
        match at.stage:
            case Stage.EXACT:
                return await self._by_name(at, self.query.text)
            case Stage.PREFIX:
                return await self._by_prefix(at)
        return await self._by_serial_range(at, newest)

    async def _by_name(self, at: SearchPosition, name: str) -> CandidateBatch:
        older = {} if at.serial is None else {"serial": {"$lt": at.serial}}
        found = await self._find(at, {"name_key": name, **older}, [("serial", DESCENDING)], STEP)
        if len(found) == STEP:
            return CandidateBatch(found, at._replace(serial=found[-1]["serial"]), STEP)
        return CandidateBatch(found, self._after(at), len(found))

    async def _by_prefix(self, at: SearchPosition) -> CandidateBatch:
        if at.name is not None and at.serial is not None:  # among the items of one name
            batch = await self._by_name(at, at.name)
            return batch if len(batch.candidates) == STEP else batch._replace(next=at._replace(serial=None))
        names = prefix_range(self.query.text)
        if at.name is not None:
            names = {**names, "$gt": at.name}
            del names["$gte"]
        found = await self._find(at, {"name_key": names}, [("name_key", ASCENDING), ("serial", DESCENDING)], STEP)
        if len(found) == STEP:
            last = found[-1]
            return CandidateBatch(found, at._replace(serial=last["serial"], name=last["name_key"]), STEP)
        return CandidateBatch(found, self._after(at), len(found))

    async def _by_serial_range(self, at: SearchPosition, newest: int) -> CandidateBatch:
        top = newest if at.serial is None else at.serial - 1
        bottom = top - WINDOW
        stages = serial_range(self._within(_holding(at.stage, escaped(self.query.text))), top, bottom)
        newest_first: list[Query] = [{"$sort": {"serial": DESCENDING}}, {"$limit": FULL}]
        found = await self._items(at).records.aggregate([*stages, *newest_first]).to_list(FULL)
        if len(found) == FULL:
            last = found[-1]["serial"]
            return CandidateBatch(found, at._replace(serial=last), top - last + 1)
        next_ = at._replace(serial=bottom + 1) if bottom > 0 else self._after(at)
        return CandidateBatch(found, next_, min(WINDOW, top))

    async def _find(self, at: SearchPosition, query: Query, order: Order, most: int) -> list[ItemRecord]:
        return await self._items(at).records.find(self._within(query)).sort(order).limit(most).to_list(most)

    def _within(self, query: Query) -> Query:
        shown = archiving.shown(self.query.archived)
        return within({**readable_by(self.caller), **shown, **query}, self.query.filter)

    async def _has_any(self, kind: Kind) -> bool:
        """Whether a kind has any items. Asking once saves a read in each stage."""
        return await self.caller.tenant.items(kind).records.find_one({}, {"_id": 1}) is not None

    def _items(self, at: SearchPosition) -> ItemCollection:
        return self.caller.tenant.items(self.query.kinds[at.kind])

    def _after(self, at: SearchPosition) -> SearchPosition | None:
        """The next kind of the stage, else the first kind of the next stage, else None."""
        if at.kind + 1 < len(self.query.kinds):
            return SearchPosition(at.stage, at.kind + 1)
        return SearchPosition(Stage(at.stage + 1), 0) if at.stage < max(Stage) else None


def rank(item: ItemRecord, text: str) -> Stage | None:
    """The best stage in which an item is found; `text` is in small letters."""
    name = item["name_key"]
    if name == text:
        return Stage.EXACT
    if name.startswith(text):
        return Stage.PREFIX
    return next((stage for stage, texts in _texts(item) if any(text in each.lower() for each in texts)), None)


def _texts(item: ItemRecord) -> Iterator[tuple[Stage, Iterable[str]]]:
    """The texts of an item by stage, the best first."""
    pairs = item["metadata"]
    yield Stage.INSIDE, (item["name_key"],)
    yield Stage.TAGGED, item["tags"]
    yield Stage.ANNOTATED, (pair["name"] for pair in pairs)
    yield Stage.VALUED, (pair["value"] for pair in pairs if isinstance(pair["value"], str))
    yield Stage.DESCRIBED, (item["description"],)


def _holding(stage: Stage, literal: str) -> Query:
    """The condition that finds the candidates of a stage. `literal` is escaped: no pattern of a client gets here."""
    text = {"$regex": literal, "$options": "i"}
    match stage:
        case Stage.INSIDE:
            return {"name_key": {"$regex": literal}}
        case Stage.TAGGED:
            return {"tags": text}
        case Stage.ANNOTATED:
            return {"metadata.name": text}
        case Stage.VALUED:
            return {"metadata.value": text}
    return {"description": text}


def _facets(hits: Sequence[Hit]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("kind", "status", "tag", "owner", "visibility")}
    for kind, item in hits:
        counts["kind"][kind] += 1
        counts["tag"].update(item["tags"])
        counts["owner"][str(item["owner"])] += 1
        counts["visibility"][item["visibility"]] += 1
        if "status" in item:
            counts["status"][item["status"]] += 1
    return {name: dict(counter.most_common()) for name, counter in counts.items()}


def _cursor(position: SearchPosition) -> str:
    return urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _position(cursor: str, kinds: int) -> SearchPosition:
    """A cursor says where to go on, never what may be seen: each read asks for the caller's access again."""
    try:
        stage, kind, serial, name = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position = SearchPosition(Stage(stage), kind, serial, name)
    except (ValueError, TypeError, RecursionError):
        raise Refused(NOT_SEARCHED, "after: not a cursor that an answer gave") from None
    fits = isinstance(kind, int) and 0 <= kind < kinds and isinstance(name, str | None)
    if not fits or not isinstance(serial, int | None) or not -WINDOW <= (serial or 0) < 2**62:
        raise Refused(NOT_SEARCHED, "after: not a cursor that an answer gave")
    return position

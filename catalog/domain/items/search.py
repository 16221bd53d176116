"""Search across models, datasets and algorithms: the best matches first, and each item once.

A search goes through stages, from an exact name to a word somewhere in the description,
and through the kinds within each. An item belongs to its best stage alone, so none comes
twice; and a place in the walk can be told, so a search goes on where it left off. No
request reads more than a bounded number of candidates: it answers what it found and where
to go on, even when that is nothing yet.
"""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from catalog.domain.access import Caller, readable_by
from catalog.errors import NOT_SEARCHED, Refused
from catalog.store.database import ItemCollection, Tenant
from catalog.store.query.budgets import Budget, matching
from catalog.store.query.cursors import ASCENDING, DESCENDING
from catalog.store.query.filter import Filter, within
from catalog.store.query.patterns import escaped, prefix_range
from catalog.store.query.serial_scan import window
from catalog.store.records import ItemRecord, Query
from catalog.vocabulary import Kind

LONGEST = 128
"""Characters of what is searched for."""

STEP = 100
"""Candidates of one look at an index."""

WINDOW = 1024
"""Serials of one look at what no index answers: 60 ms on the embedded engine, at any size of the catalog."""

MOST_READ = 16 * WINDOW
"""Candidates and serials that one request goes through."""

FULL = 256
"""Candidates that one look at a window answers; the rest is looked at again from there."""

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


class Place(NamedTuple):
    """Where a walk stands: everything before it, in its stage and kind, has been looked at.

    `serial` is the one looked at last (None: nothing yet). In `PREFIX` names go up, and
    `name` is the one looked at last; serials go down among the items of one name.
    """

    stage: Stage
    kind: int
    serial: int | None = None
    name: str | None = None


class Look(NamedTuple):
    """Candidates, where to look after them, and how much was gone through for them."""

    candidates: list[ItemRecord]
    further: Place | None
    read: int


class Hit(NamedTuple):
    kind: Kind
    item: ItemRecord


class Found(NamedTuple):
    hits: list[Hit]
    further: str | None  # where to go on, None at the end
    facets: dict[str, dict[str, int]] | None  # of the first page only
    counted: int  # hits that the facets are counted over
    places: Sequence[Place]  # after each hit

    def after(self, count: int) -> str:
        """Where to go on after the first `count` hits."""
        return _written(self.places[count - 1])


class Search(NamedTuple):
    """What is looked for: words in any case, in some kinds, among the items that also match `narrowing`."""

    tenant: Tenant
    caller: Caller
    words: str
    kinds: Sequence[Kind]
    narrowing: Filter

    async def page(self, limit: int, after: str | None) -> Found:
        """At most `limit` hits, from `after` on.

        Raises Refused: NOT_SEARCHED for an `after` that no answer gave.
        """
        first = after is None
        start = Place(Stage.EXACT, 0) if after is None else _read_place(after, len(self.kinds))
        hits, places, further = await self._walk(start, max(limit, FACETED) if first else limit)
        facets = _facets(hits) if first else None
        if len(hits) > limit:
            hits, further, counted = hits[:limit], places[limit - 1], len(hits)
        else:
            counted = len(hits)
        return Found(hits, _written(further) if further else None, facets, counted, places)

    async def _walk(self, place: Place | None, most: int) -> tuple[list[Hit], list[Place], Place | None]:
        """Hits, the place after each, and the place to go on from."""
        hits: list[Hit] = []
        places: list[Place] = []
        read = 0
        budget = self.narrowing.budget or Budget()
        newest = await self.tenant.count("serial")
        present = await asyncio.gather(*(self._holds(kind) for kind in self.kinds))
        while place is not None and read < MOST_READ:
            look = await self._look(place, newest) if present[place.kind] else Look([], self._after(place), 0)
            read += look.read
            for item in await self._fitting(look.candidates, place.stage, budget):
                hits.append(Hit(self.kinds[place.kind], item))
                places.append(place._replace(serial=item["serial"], name=item["name_key"]))
                if len(hits) == most:
                    return hits, places, places[-1]
            place = look.further
        return hits, places, place

    async def _fitting(self, candidates: Sequence[ItemRecord], stage: Stage, budget: Budget) -> list[ItemRecord]:
        """The candidates that are found in this stage first, and match what else must hold."""
        matches = self.narrowing.matches

        def fits(item: ItemRecord) -> bool:
            return rank(item, self.words) == stage and (matches is None or matches(item))

        return await matching(fits, candidates, budget) if candidates else []

    async def _look(self, place: Place, newest: int) -> Look:
        """The next candidates of a stage and kind, and where to look after them."""
        match place.stage:
            case Stage.EXACT:
                return await self._by_name(place, self.words)
            case Stage.PREFIX:
                return await self._by_prefix(place)
        return await self._by_window(place, newest)

    async def _by_name(self, place: Place, name: str) -> Look:
        older = {} if place.serial is None else {"serial": {"$lt": place.serial}}
        found = await self._find(place, {"name_key": name, **older}, [("serial", DESCENDING)], STEP)
        if len(found) == STEP:
            return Look(found, place._replace(serial=found[-1]["serial"]), STEP)
        return Look(found, self._after(place), len(found))

    async def _by_prefix(self, place: Place) -> Look:
        if place.name is not None and place.serial is not None:  # among the items of one name
            look = await self._by_name(place, place.name)
            return look if len(look.candidates) == STEP else look._replace(further=place._replace(serial=None))
        names = prefix_range(self.words)
        if place.name is not None:
            names = {**names, "$gt": place.name}
            del names["$gte"]
        found = await self._find(place, {"name_key": names}, [("name_key", ASCENDING), ("serial", DESCENDING)], STEP)
        if len(found) == STEP:
            last = found[-1]
            return Look(found, place._replace(serial=last["serial"], name=last["name_key"]), STEP)
        return Look(found, self._after(place), len(found))

    async def _by_window(self, place: Place, newest: int) -> Look:
        top = newest if place.serial is None else place.serial - 1
        bottom = top - WINDOW
        stages = window(self._within(_holding(place.stage, escaped(self.words))), top, bottom)
        newest_first: list[Query] = [{"$sort": {"serial": DESCENDING}}, {"$limit": FULL}]
        found = await self._items(place).records.aggregate([*stages, *newest_first]).to_list(FULL)
        if len(found) == FULL:
            last = found[-1]["serial"]
            return Look(found, place._replace(serial=last), top - last + 1)
        further = place._replace(serial=bottom + 1) if bottom > 0 else self._after(place)
        return Look(found, further, min(WINDOW, top))

    async def _find(self, place: Place, query: Query, order: list[tuple[str, int]], most: int) -> list[ItemRecord]:
        return await self._items(place).records.find(self._within(query)).sort(order).limit(most).to_list(most)

    def _within(self, query: Query) -> Query:
        return within({**readable_by(self.caller), **query}, self.narrowing)

    async def _holds(self, kind: Kind) -> bool:
        """Whether there is anything of a kind at all. Asked once, it spares a look for each stage."""
        return await self.tenant.items(kind).raw.find_one({}, {"_id": 1}) is not None

    def _items(self, place: Place) -> ItemCollection:
        return self.tenant.items(self.kinds[place.kind])

    def _after(self, place: Place) -> Place | None:
        """The next kind of the stage, else the first kind of the next stage, else None."""
        if place.kind + 1 < len(self.kinds):
            return Place(place.stage, place.kind + 1)
        return Place(Stage(place.stage + 1), 0) if place.stage < max(Stage) else None


def rank(item: Mapping[str, Any], words: str) -> Stage | None:
    """The best stage in which an item is found; `words` are in small letters."""
    name = item["name_key"]
    if name == words:
        return Stage.EXACT
    if name.startswith(words):
        return Stage.PREFIX
    return next((stage for stage, texts in _texts(item) if any(words in text.lower() for text in texts)), None)


def _texts(item: Mapping[str, Any]) -> Iterator[tuple[Stage, Iterable[str]]]:
    """Where words may stand, the best place first."""
    pairs = item["metadata"]
    yield Stage.INSIDE, (item["name_key"],)
    yield Stage.TAGGED, item["tags"]
    yield Stage.ANNOTATED, (pair["name"] for pair in pairs)
    yield Stage.VALUED, (pair["value"] for pair in pairs if isinstance(pair["value"], str))
    yield Stage.DESCRIBED, (item["description"],)


def _holding(stage: Stage, literal: str) -> Query:
    """The condition that finds candidates of a stage. `literal` is escaped: no pattern of a client's gets here."""
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


def _written(place: Place) -> str:
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _read_place(cursor: str, kinds: int) -> Place:
    """A place tells where to go on, never what may be seen: the caller's access is asked again at each step."""
    try:
        stage, kind, serial, name = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = Place(Stage(stage), kind, serial, name)
    except (ValueError, TypeError, RecursionError):
        raise Refused(NOT_SEARCHED, "after: not a cursor that an answer gave") from None
    fits = isinstance(kind, int) and 0 <= kind < kinds and isinstance(name, str | None)
    if not fits or not isinstance(serial, int | None) or not -WINDOW <= (serial or 0) < 2**62:
        raise Refused(NOT_SEARCHED, "after: not a cursor that an answer gave")
    return place

"""The candidates of a search in one kind: items that may have the text in the field of a stage, newest first.

Names, values and descriptions are found by n-grams (`store.derived.search_entries`); a long beginning of few names is
found by the index of names. Tags and names of metadata are found in the vocabulary of the tenant, and their items by
the index of the terms. What no index answers is read in windows of serials: a text that is too short, or that is in
very many terms.

A batch may hold items that do not match, and lacks none that does.
"""

import asyncio
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from bson import ObjectId

from catalog.domain.items.search.entries import FULL, EntryWalk, named
from catalog.domain.items.search.ranking import MatchRank
from catalog.domain.terms.terms import Vocabulary, collection
from catalog.store.ids import in_parts
from catalog.store.query.conditions import find_all, find_newest
from catalog.store.query.filters.patterns import escaped
from catalog.store.query.ngrams import SAMPLED, SPARSELY, having, insides, rarest
from catalog.store.query.paging.serial_scan import (
    NARROWEST,
    QueryStatistics,
    is_cheaper_led,
    lead,
    range_conditions,
    wider,
)
from catalog.store.query.text_grams import LONGEST_BEGINNING, TextPlace
from catalog.store.records import ItemRecord, Query, SearchEntryRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_collections import ItemCollection
from catalog.vocabulary import Kind

WINDOW = 1024
"""Serials that one scan without an index covers: 60 ms on the embedded engine, at any size of the catalog."""

BATCH = 64
"""Hits of which the candidates are read at once."""

SPARE = 8
"""Candidates that are read beyond the hits that a page lacks."""

AT_ONCE = 40
"""Items in one query by their ids. The embedded engine in Python compares each item with all of them."""

PARALLEL = 2
"""Such queries at the same time, so that one is answered while the answer of another is decoded."""

MOST_TERMS = 500
"""Terms whose items are looked up."""

MOST_CANDIDATES = 4 * MOST_TERMS
"""Terms that are read to find those that contain the text."""

FEW_TERMS = 8
"""More terms than these are compared in the server when serials are scanned: the same engine compares each pair."""

FEW_USES = 1000
"""Uses of terms whose items are read at once, regardless of their serials: 40 ms on the embedded engine."""

_VOCABULARIES = {MatchRank.TAGGED: Vocabulary.TAGS, MatchRank.ANNOTATED: Vocabulary.METADATA}
_PLACES = {
    MatchRank.PREFIX: TextPlace.BEGINNING,
    MatchRank.INSIDE: TextPlace.NAME,
    MatchRank.VALUED: TextPlace.VALUE,
    MatchRank.DESCRIBED: TextPlace.DESCRIPTION,
}
_FIELDS = {MatchRank.TAGGED: "tags", MatchRank.ANNOTATED: "metadata.name"}


class Serials(NamedTuple):
    """The newest candidates, in order, of the serials above `low`. 0 as `low`: there are no others."""

    items: list[ItemRecord]
    low: int
    read: int  # what it cost, in candidates and serials


class MatchingTerms(NamedTuple):
    """The terms that contain the text, and how often they are used."""

    names: list[str]
    uses: int


class Candidates:
    """The candidates of one request, and what it has found out about its text."""

    def __init__(self, tenant: Tenant, key: str, newest: int) -> None:
        self._tenant = tenant
        self._key = key
        self._newest = newest
        self._terms: dict[MatchRank, MatchingTerms | None] = {}
        self._walks: dict[tuple[Kind, TextPlace], EntryWalk] = {}
        self._width = 0
        self._turn = asyncio.Semaphore(PARALLEL)

    async def read(self, stage: MatchRank, kind: Kind, within: Query, top: int, missing: int) -> Serials:
        """The candidates of a stage and kind that match `within`, with serials up to `top`.

        `missing` is the number of hits that the request lacks. It decides how much is read at once.
        """
        apart = max(1.0, self._access(kind, within).apart)
        soon, limit = (min(FULL, round(hits * apart) + SPARE) for hits in (missing, min(missing, BATCH)))
        if stage in _FIELDS:
            return await self._by_terms(stage, kind, within, top, limit)
        place = _PLACES[stage]
        walk = self._walk(kind, place, top)
        if place is TextPlace.BEGINNING and len(self._key) > LONGEST_BEGINNING and not walk.is_long:
            chunk = await named(self._items(kind), self._key, top, limit)
            if chunk is not None:
                return Serials(await self._items_of(kind, chunk.entries, within), chunk.low, len(chunk.entries) + 1)
        if walk.is_indexed:
            entries, low = await walk.next(limit, soon)
            return Serials(await self._items_of(kind, entries, within), low, len(entries) + 1)
        if place is TextPlace.NAME:
            return await self._scan(kind, within, {"name_key": {"$regex": escaped(self._key)}}, top, limit)
        return Serials([], 0, 0)

    def _walk(self, kind: Kind, place: TextPlace, top: int) -> EntryWalk:
        """The walk of this request through a place, which begins at `top`."""
        walk = self._walks.get((kind, place))
        if walk is None:
            walk = self._walks[kind, place] = EntryWalk(self._tenant, kind, place, self._key, top, self._newest)
        return walk

    async def _items_of(self, kind: Kind, entries: Sequence[SearchEntryRecord], within: Query) -> list[ItemRecord]:
        """The items of these entries that match `within`, the newest first."""
        keys = [entry["_id"] for entry in entries]
        parts = await asyncio.gather(*(self._by_keys(kind, part, within) for part in in_parts(keys, AT_ONCE)))
        found = list(chain.from_iterable(parts))
        if keys:
            self._access(kind, within).apart = len(keys) / max(1, len(found))
        return sorted(found, key=itemgetter("serial"), reverse=True)

    def _access(self, kind: Kind, within: Query) -> QueryStatistics:
        """The statistics that say how many candidates there are for each one that matches `within`."""
        return self._tenant.scan_statistics.of(self._items(kind).records, {"candidates": within})

    async def _by_keys(self, kind: Kind, keys: Sequence[ObjectId], within: Query) -> list[ItemRecord]:
        async with self._turn:
            return await find_all(self._items(kind).records, [{"_id": {"$in": keys}}, within], AT_ONCE)

    async def _by_terms(self, stage: MatchRank, kind: Kind, within: Query, top: int, limit: int) -> Serials:
        if stage not in self._terms:
            self._terms[stage] = await self._find_terms(_VOCABULARIES[stage])
        terms, field = self._terms[stage], _FIELDS[stage]
        if terms is None:
            return await self._scan(kind, within, {}, top, limit)
        if not terms.names:
            return Serials([], 0, 0)
        condition = {field: terms.names[0] if len(terms.names) == 1 else {"$in": terms.names}}
        if terms.uses > FEW_USES:
            tested = condition if len(terms.names) <= FEW_TERMS else {}
            return await self._scan(kind, within, tested, top, limit, apart=self._newest / terms.uses)
        conditions: list[Query] = [condition, {"serial": {"$lte": top}}, within]  # `within` may ask for serials, too
        return await self._newest_of(kind, conditions, 0)

    async def _find_terms(self, vocabulary: Vocabulary) -> MatchingTerms | None:
        """The terms that contain the text. None when there are too many to look up their items."""
        terms, ngram = collection(self._tenant, vocabulary).records, rarest(self._key)
        if len(self._key) < len(insides(self._key)[0]):
            sampled = await terms.count_documents({"pieces": SAMPLED + ngram}, limit=MOST_TERMS)
            if sampled * SPARSELY > MOST_CANDIDATES:
                return None
        query = {"pieces": having(ngram)}
        found = await terms.find(query, {"key": 1, "uses": 1}).limit(MOST_CANDIDATES).to_list(None)
        fitting = [term for term in found if self._key in term["key"]]
        if len(found) == MOST_CANDIDATES or len(fitting) > MOST_TERMS:
            return None
        return MatchingTerms([term["_id"] for term in fitting], sum(max(0, term.get("uses", 0)) for term in fitting))

    async def _scan(
        self, kind: Kind, within: Query, condition: Query, top: int, limit: int, apart: float = 1.0
    ) -> Serials:
        """The items that match, in a window of serials that holds some of them."""
        width = self._width or min(WINDOW, max(NARROWEST, round(apart * limit)))
        low = top - width
        both = {**condition, **within} if condition.keys().isdisjoint(within) else {"$and": [condition, within]}
        led = lead(both) if is_cheaper_led(1 / apart, width, top) else {}
        found = await self._newest_of(kind, range_conditions(both, top, low, led=led), low)
        self._width = min(WINDOW, wider(width, len(found.items), limit - len(found.items)))
        return found._replace(read=top - found.low)

    async def _newest_of(self, kind: Kind, conditions: Sequence[Query], low: int) -> Serials:
        items = await find_newest(self._items(kind).records, conditions, FULL)
        if len(items) == FULL:
            low = items[-1]["serial"] - 1
        return Serials(items, max(low, 0), len(items) + 1)

    def _items(self, kind: Kind) -> ItemCollection:
        return self._tenant.items(kind)

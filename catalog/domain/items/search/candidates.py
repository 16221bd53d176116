"""The candidates of a search in one kind: items that may have the text in the field of a stage, newest first.

Names, values and descriptions are found by n-grams (`store.derived.search_entries`). Tags and names of metadata are
found in the vocabulary of the tenant, and their items by the index of the terms. What no index answers is read in
windows of serials: a text that is too short, or that is in very many terms.

A batch may hold items that do not match, and lacks none that does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from catalog.domain.items.search.ranking import MatchRank
from catalog.domain.terms.terms import Vocabulary, collection
from catalog.store.query.filters.patterns import escaped
from catalog.store.query.ngrams import SAMPLED, SPARSELY, having, insides, rarest
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.query.paging.serial_scan import is_cheaper_led, lead, serial_range
from catalog.store.query.text_grams import TextPlace, long_of, searched_grams
from catalog.store.records import ItemRecord, Query
from catalog.store.tenant import ItemCollection, Tenant
from catalog.vocabulary import Kind

WINDOW = 1024
"""Serials that one scan without an index covers: 60 ms on the embedded engine, at any size of the catalog."""

FIRST_WINDOW = 2048
"""Serials of the first query for an n-gram. If that finds nothing, the next query covers all of them."""

FULL = 256
"""Candidates that one read returns; the next read goes on from there."""

AT_ONCE = 64
"""Items of an n-gram that are read at once."""

DENSE = 3
"""Candidates that stand so many serials apart are read as a range."""

MOST_TERMS = 500
"""Terms whose items are looked up."""

FEW_USES = 1000
"""Uses of terms whose items are read at once, regardless of their serials: 40 ms on the embedded engine."""

WIDENING = 4

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


class Found(NamedTuple):
    """All serials of a place above `low` and up to `top`, the highest first. 0 as `low`: there are no others."""

    top: int
    low: int
    serials: list[int]


class MatchingTerms(NamedTuple):
    """The terms that contain the text, and how often they are used."""

    names: list[str]
    uses: int


class Candidates:
    """What one request knows about its text."""

    def __init__(self, tenant: Tenant, key: str, newest: int) -> None:
        self._tenant = tenant
        self._key = key
        self._newest = newest
        self._terms: dict[MatchRank, MatchingTerms | None] = {}
        self._found: dict[tuple[Kind, TextPlace], Found] = {}
        self._has_long: dict[str, bool] = {}
        self._width = 0

    async def read(self, stage: MatchRank, kind: Kind, within: Query, top: int) -> Serials:
        """The candidates of a stage and kind that match `within`, with serials up to `top`."""
        if stage in _FIELDS:
            return await self._by_terms(stage, kind, within, top)
        place = _PLACES[stage]
        if grams := searched_grams(kind, place, self._key):
            return await self._by_grams(kind, place, grams, within, top)
        if place is TextPlace.NAME:
            return await self._scan(kind, within, {"name_key": {"$regex": escaped(self._key)}}, top)
        return Serials([], 0, 0)

    async def _by_grams(self, kind: Kind, place: TextPlace, grams: Sequence[str], within: Query, top: int) -> Serials:
        """The items whose entries have the n-grams, or are too long to be indexed by them."""
        found = self._found.get((kind, place))
        if found is None or top > found.top or top <= found.low:
            found = self._found[kind, place] = await self._look(kind, place, grams, top)
        left = [serial for serial in found.serials if serial <= top]
        chunk = left[:AT_ONCE]
        low = chunk[-1] - 1 if len(left) > AT_ONCE else found.low
        return Serials(await self._at(kind, chunk, within) if chunk else [], low, len(chunk) + 1)

    async def _look(self, kind: Kind, place: TextPlace, grams: Sequence[str], top: int) -> Found:
        """The highest serials up to `top` with the n-grams: of a window, or of all if the window has none."""
        ordered = sorted(grams, key=_rarity, reverse=True)
        serials, low = await self._serials(kind, place, ordered, max(0, top - FIRST_WINDOW), top)
        if not serials and low:
            serials, low = await self._serials(kind, place, ordered, 0, low)
        return Found(top, low, serials)

    async def _serials(
        self, kind: Kind, place: TextPlace, grams: Sequence[str], low: int, top: int
    ) -> tuple[list[int], int]:
        """FULL serials at most, the highest first, and the one below which there may be more."""
        found = await self._entries(place.field, grams[:2], low, top)
        if place.field == "texts" and await self._any_long(kind, place):
            long = await self._entries(place.field, [long_of(kind, place)], low, top)
            found = sorted({*found, *long}, reverse=True)[:FULL]
        return found, found[-1] - 1 if len(found) == FULL else low

    async def _entries(self, field: str, grams: Sequence[str], low: int, top: int) -> list[int]:
        # The first condition alone is answered by an index; see `serial_scan`.
        stages: list[Query] = [{"$match": {field: grams[0], "serial": {"$gt": low, "$lte": top}}}]
        stages += [{"$match": {field: gram}} for gram in grams[1:]]
        newest: list[Query] = [{"$sort": {"serial": DESCENDING}}, {"$limit": FULL}, {"$project": {"serial": 1}}]
        entries = self._tenant.search_entries.records
        found = await entries.aggregate([*stages, *newest], batchSize=FULL).to_list(FULL)
        return [entry["serial"] for entry in found]

    async def _at(self, kind: Kind, serials: Sequence[int], within: Query) -> list[ItemRecord]:
        """The items with these serials, which are in descending order."""
        span = {"$gte": serials[-1], "$lte": serials[0]}
        is_dense = serials[0] - serials[-1] < DENSE * len(serials)  # the embedded engine is slow with a long $in
        led: Query = {"serial": span if is_dense else {"$in": list(serials)}}
        stages: list[Query] = [{"$match": led}, {"$match": within}, {"$sort": {"serial": DESCENDING}}]
        allowed = set(serials)
        found = await self._items(kind).records.aggregate(stages).to_list(None)
        return [item for item in found if item["serial"] in allowed]

    async def _any_long(self, kind: Kind, place: TextPlace) -> bool:
        long = long_of(kind, place)
        if long not in self._has_long:
            one = await self._tenant.search_entries.records.find_one({"texts": long}, {"_id": 1})
            self._has_long[long] = one is not None
        return self._has_long[long]

    async def _by_terms(self, stage: MatchRank, kind: Kind, within: Query, top: int) -> Serials:
        if stage not in self._terms:
            self._terms[stage] = await self._find_terms(_VOCABULARIES[stage])
        terms, field = self._terms[stage], _FIELDS[stage]
        if terms is None:
            return await self._scan(kind, within, {}, top)
        if not terms.names:
            return Serials([], 0, 0)
        condition = {field: terms.names[0] if len(terms.names) == 1 else {"$in": terms.names}}
        if terms.uses > FEW_USES:
            return await self._scan(kind, within, condition, top, apart=self._newest / terms.uses)
        conditions: list[Query] = [condition, {"serial": {"$lte": top}}, within]  # `within` may ask for serials, too
        return await self._newest_of(kind, [{"$match": each} for each in conditions], 0)

    async def _find_terms(self, vocabulary: Vocabulary) -> MatchingTerms | None:
        """The terms that contain the text. None when there are too many to look up their items."""
        terms, ngram = collection(self._tenant, vocabulary).records, rarest(self._key)
        if len(self._key) < len(insides(self._key)[0]):
            sampled = await terms.count_documents({"pieces": SAMPLED + ngram}, limit=MOST_TERMS)
            if sampled * SPARSELY > MOST_TERMS * WIDENING:
                return None
        query = {"pieces": having(ngram)}
        found = await terms.find(query, {"key": 1, "uses": 1}).limit(MOST_TERMS * WIDENING).to_list(None)
        fitting = [term for term in found if self._key in term["key"]]
        if len(found) == MOST_TERMS * WIDENING or len(fitting) > MOST_TERMS:
            return None
        return MatchingTerms([term["_id"] for term in fitting], sum(max(0, term.get("uses", 0)) for term in fitting))

    async def _scan(self, kind: Kind, within: Query, condition: Query, top: int, apart: float = 1.0) -> Serials:
        """The items that match, in a window of serials that holds some of them."""
        width = self._width or min(WINDOW, max(64, round(1.4 * apart * FULL)))
        low = top - width
        both = {**condition, **within} if condition.keys().isdisjoint(within) else {"$and": [condition, within]}
        led = lead(both) if is_cheaper_led(1 / apart, width, top) else {}
        found = await self._newest_of(kind, serial_range(both, top, low, led=led), low)
        self._width = min(WINDOW, width * WIDENING) if len(found.items) < FULL // WIDENING else width
        return found._replace(read=top - found.low)

    async def _newest_of(self, kind: Kind, stages: list[Query], low: int) -> Serials:
        newest: list[Query] = [{"$sort": {"serial": DESCENDING}}, {"$limit": FULL}]
        items = await self._items(kind).records.aggregate([*stages, *newest], batchSize=FULL).to_list(FULL)
        if len(items) == FULL:
            low = items[-1]["serial"] - 1
        return Serials(items, max(low, 0), len(items) + 1)

    def _items(self, kind: Kind) -> ItemCollection:
        return self._tenant.items(kind)


def _rarity(gram: str) -> int:
    """A guess how rare an n-gram is: it counts its rare letters."""
    return sum(1 for letter in gram[2:] if letter not in "etaoinsrl-_ ")

"""The entries that the n-grams of a text find, newest first. How frequent they were decides how much a query reads."""

import math
import sys
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple, cast

from catalog.domain.limits import LONGEST_NAME
from catalog.store.query.conditions import find_newest
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.query.paging.serial_scan import NARROWEST, WIDENING
from catalog.store.query.text_grams import LONGEST_BEGINNING, TextPlace, long_of, searched_grams
from catalog.store.records import Query, SearchEntryRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_collections import ItemCollection
from catalog.vocabulary import Kind

FIRST_WINDOW = 512
"""Serials that the first query for n-grams without statistics reads. If it finds nothing, the next reads the rest."""

FULL = 256
"""Entries that one query returns."""

MOST_GRAMS = 4
"""N-grams that an entry is compared with: an item that lacks one of the others is read, and compared itself."""


MOST_NAMED = 64
"""The most names with a beginning that are read by the index of names. If there are more, entries are read."""


BEGINNING = TextPlace.BEGINNING.value

_RARITIES = {
    letter: rarity
    for rarity, letters in enumerate(("e-_ ", "taoinsr0123456789", "lhdcum", "fpgwyb./", "vk", "xjqz"), 3)
    for letter in letters
}
"""How rare a letter is in English names: about how often 1 is halved to give its frequency."""

UNKNOWN = 7
WORDS = 3

FIRST_SURROGATE, FIRST_BEYOND_SURROGATES = 0xD800, 0xE000
"""The code points between these are no characters."""


class EntryChunk(NamedTuple):
    """Entries in descending order of their serials, of all serials above `low`. 0 as `low`: there are no others."""

    entries: list[SearchEntryRecord]
    low: int


class EntryWalk:
    """The entries of one kind with the n-grams of a text in one place, or that are too long to be indexed by them.

    `top` is the highest serial of the walk, and `newest` that of the tenant.
    """

    def __init__(self, tenant: Tenant, kind: Kind, place: TextPlace, key: str, top: int, newest: int) -> None:
        self._records = tenant.search_entries.records
        self._field = place.field
        self._grams = rare_grams(kind, place, key)
        self._long = long_of(kind, place)
        self._has_long = None if place.field == "texts" else False  # None: not known
        self._newest = newest
        self._top = self._low = top
        self._count = 0  # of the entries between them
        self._widening = 1  # of the next query, where the last ones found less than is usual
        self._statistics = tenant.scan_statistics.of(self._records, {self._field: {"$all": self._grams}})
        self._waiting: list[SearchEntryRecord] = []

    @property
    def is_indexed(self) -> bool:
        """Whether an index finds the entries."""
        return bool(self._grams)

    @property
    def is_long(self) -> bool:
        """Whether the n-grams have found more entries than the index of names is read for."""
        return bool(self._statistics.apart) and self._newest > MOST_NAMED * self._statistics.apart

    async def next(self, limit: int, soon: int) -> EntryChunk:
        """The next `limit` entries, or all that are left. `soon` is how many the request is likely to want in all.

        The embedded engines read a second range of serials several times as long as the newest one.
        """
        while self._low > 0 and len(self._waiting) < limit:
            await self._read(max(0, self._low - self._width(soon - len(self._waiting))))
        chunk, self._waiting = self._waiting[:limit], self._waiting[limit:]
        return EntryChunk(chunk, chunk[-1]["serial"] - 1 if self._waiting else self._low)

    def _width(self, missing: int) -> int:
        # Twice the standard deviation of a count is added.
        likely = self._statistics.apart * (missing + 2 * math.sqrt(missing))
        return max(NARROWEST, round(likely)) * self._widening if self._statistics.apart else FIRST_WINDOW

    async def _read(self, low: int) -> None:
        """The entries above `low`, or the newest of them if they are more than FULL."""
        top = self._low
        found = await self._having(self._grams, low, top)
        if await self._may_be_long():
            found = _merged(found, await self._having([self._long], low, top))
        if len(found) == FULL:
            low = found[-1]["serial"] - 1
        is_usual = not self._statistics.apart or len(found) * self._statistics.apart >= (top - low) / WIDENING
        self._widening = 1 if is_usual else self._widening * WIDENING
        self._waiting += found
        self._low, self._count = low, self._count + len(found)
        self._statistics.apart = (self._top - low) / self._count if self._count else self._top

    async def _may_be_long(self) -> bool:
        if self._has_long is None:
            one = await self._records.find_one({self._field: self._long}, {"_id": 1})
            self._has_long = one is not None
        return self._has_long

    async def _having(self, grams: Sequence[str], low: int, top: int) -> list[SearchEntryRecord]:
        above = {"$gt": low} if top == self._newest else {"$gt": low, "$lte": top}
        led: Query = {self._field: grams[0], "serial": above}
        shown: Query = {"serial": 1}
        if len(grams) == 1:
            newest = self._records.find(led, shown, batch_size=FULL).sort("serial", DESCENDING)
            return await newest.limit(FULL).to_list(FULL)
        conditions: list[Query] = [led, *({self._field: gram} for gram in grams[1:])]
        return await find_newest(self._records, conditions, FULL, shown)


async def named(items: ItemCollection, key: str, top: int, limit: int) -> EntryChunk | None:
    """The newest items whose names begin with a key. None where there are more than MOST_NAMED.

    The index of names is asked for a long beginning: its n-grams may each be in thousands of names that lack it.
    """
    beginning: Query = {"name_key": {"$gte": key, "$lt": after_all_with(key)}}
    found = await items.records.find(beginning, {"serial": 1}).limit(MOST_NAMED + 1).to_list(MOST_NAMED + 1)
    if len(found) > MOST_NAMED:
        return None
    entries = [cast("SearchEntryRecord", item) for item in found if item["serial"] <= top]
    entries.sort(key=itemgetter("serial"), reverse=True)
    chunk = entries[:limit]
    return EntryChunk(chunk, chunk[-1]["serial"] - 1 if len(entries) > limit else 0)


def after_all_with(beginning: str) -> str:
    """The first text after all texts with a beginning, in the order of their code points."""
    for at in reversed(range(len(beginning))):
        following = ord(beginning[at]) + 1
        if following <= sys.maxunicode:
            return beginning[:at] + chr(FIRST_BEYOND_SURROGATES if following == FIRST_SURROGATE else following)
    return beginning + chr(sys.maxunicode) * LONGEST_NAME


def _merged(some: Sequence[SearchEntryRecord], others: Sequence[SearchEntryRecord]) -> list[SearchEntryRecord]:
    by_serial = {entry["serial"]: entry for entry in (*some, *others)}
    return [by_serial[serial] for serial in sorted(by_serial, reverse=True)][:FULL]


def rare_grams(kind: Kind, place: TextPlace, key: str) -> list[str]:
    """Of the n-grams that all texts with `key` in a place have, the MOST_GRAMS that are probably rarest, the rarest
    first.

    A long beginning of a name also has the n-grams within it. Empty: no index finds the texts.
    """
    grams = searched_grams(kind, place, key)
    if place is TextPlace.BEGINNING:
        grams += searched_grams(kind, TextPlace.NAME, key[LONGEST_BEGINNING:])
    return sorted(grams, key=_rarity, reverse=True)[:MOST_GRAMS]


def _rarity(gram: str) -> int:
    """An estimate of how rare an n-gram is: the sum for its letters, and WORDS more if it spans two words.

    The models of a family share their words, and less often two words in a row.
    """
    letters = gram[2:]
    spans_words = any(not letter.isalnum() for letter in letters[1:-1])
    return sum(_RARITIES.get(letter, UNKNOWN) for letter in letters) + WORDS * spans_words + (gram[1] == BEGINNING)

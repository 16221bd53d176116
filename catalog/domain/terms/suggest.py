"""Completion of terms, for each key press in a UI: the terms that best complete what has been typed.

Default terms come before folk terms, then a term equal to the typed text before one that begins with it before one that
contains it, then the more used, then the alphabet. Case does not matter.

The terms of an n-gram (see `store.query.ngrams`) stand in an index by use and alphabet, and are read from its top, in
windows: the embedded engine reads all candidates before it sorts or limits. A sample of the n-gram's terms tells where
to cut, so that a window holds about SPARSELY terms even when all of them are used equally often.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from catalog.domain.access import Caller
from catalog.domain.terms.terms import Vocabulary, collection
from catalog.domain.terms.visibility import is_visible, projection
from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.ngrams import LONGEST_BEGINNING, LONGEST_KEY, SAMPLED, beginning, insides, key_of, whole
from catalog.store.query.paging.cursors import ASCENDING, DESCENDING
from catalog.store.records import Query, TermRecord
from catalog.store.tenant_collections import TermCollection
from catalog.vocabulary import Usage

LONGEST = 128  # characters that may be typed
MOST = 100  # terms in an answer

MOST_LOOKED_AT = 1000
"""How many terms of an n-gram are read for one lookup."""

CUTS = 32
WORTH_COUNTING = 3  # letters; a shorter n-gram is in many terms
FEW_PIECES = 4  # n-grams that are counted to find the rarest

_ORDER = [("uses", DESCENDING), ("key", ASCENDING)]

Fits = Callable[[str], bool]


class TermPosition(NamedTuple):
    """Where a term stands among those of its usage."""

    uses: int
    key: str


class VisibleTerms(NamedTuple):
    """The terms of a tenant as a caller sees them. Hidden terms are read, dropped, and count as read."""

    collection: TermCollection
    caller: Caller

    async def find(self, query: Query, most: int, *, is_ordered: bool = False) -> list[TermRecord]:
        found = self.collection.records.find(query, {"key": 1, **projection(self.caller)})
        return await (found.sort(_ORDER) if is_ordered else found).limit(most).to_list(most)

    def visible(self, found: Iterable[TermRecord]) -> list[TermRecord]:
        return [term for term in found if is_visible(self.caller, term)]


async def suggest(caller: Caller, vocabulary: Vocabulary, typed: str, limit: int) -> list[TermRecord]:
    """Return at most `limit` terms that the caller sees, best first. Every term begins with an empty text.

    If the text is longer than the longest n-grams (LONGEST_BEGINNING letters, LONGEST_INSIDE within a term), the terms
    of its rarest n-gram are searched, the MOST_LOOKED_AT most used ones of each usage. Within a term only the first
    LONGEST_KEY letters are searched.

    Raises Refused: INVALID_QUERY for more than LONGEST characters.
    """
    if len(typed) > LONGEST:
        raise Refused(INVALID_QUERY, f"q: at most {LONGEST} characters are allowed, not {len(typed)}")
    terms, key = VisibleTerms(collection(caller.tenant, vocabulary), caller), key_of(typed)
    rarest, sampled = await _rarest(terms, key)
    if sampled == 0:
        few = await terms.find({"pieces": rarest}, MOST_LOOKED_AT)
        if len(few) < MOST_LOOKED_AT:  # reading these costs less than the lookups
            fitting = (term for term in terms.visible(few) if key in term["key"])
            return sorted(fitting, key=lambda term: _rank(term, key))[:limit]
    return await _ranked(terms, key, rarest, limit)


def _rank(term: TermRecord, key: str) -> tuple[bool, int, int, str, str]:
    match = 0 if term["key"] == key else 1 if term["key"].startswith(key) else 2
    return (term["usage"] != Usage.DEFAULT, match, *_by_use(term))


def _by_use(term: TermRecord) -> tuple[int, str, str]:
    return -term["uses"], term["key"], term["_id"]


async def _ranked(terms: VisibleTerms, key: str, rarest: str, limit: int) -> list[TermRecord]:
    equal = await terms.find({"pieces": whole(key)}, MOST_LOOKED_AT)
    found: list[TermRecord] = []
    for usage in Usage.DEFAULT, Usage.FOLK:
        found += sorted((term for term in terms.visible(equal) if term["usage"] == usage), key=_by_use)
        for piece, fits in _lookups(key, rarest):
            if len(found) < limit:
                found += await _best(terms, {"pieces": piece, "usage": usage.value}, fits, limit - len(found))
    return found[:limit]


def _lookups(key: str, rarest: str) -> Iterator[tuple[str, Fits]]:
    """The n-grams to look up: of the terms that begin with `key`, then of those that contain it."""
    longer = len(key) > LONGEST_BEGINNING
    yield rarest if longer else beginning(key), lambda term: term.startswith(key) and term != key
    if key:
        yield rarest, lambda term: key in term and not term.startswith(key)


async def _best(terms: VisibleTerms, among: Query, fits: Fits, most: int) -> list[TermRecord]:
    found: list[TermRecord] = []
    left = MOST_LOOKED_AT
    async for window in _windows(terms, among):
        read = await terms.find(among | window, left, is_ordered=True)
        found += sorted((term for term in terms.visible(read) if fits(term["key"])), key=_by_use)
        left -= len(read)
        if len(found) >= most or left <= 0:
            break
    return found[:most]


async def _windows(terms: VisibleTerms, among: Query) -> AsyncIterator[Query]:
    """Conditions that split the terms, best first. Each window is about twice as wide as the one before."""
    read = await terms.find(among | {"pieces": SAMPLED + among["pieces"]}, CUTS, is_ordered=True)
    positions = [TermPosition(term["uses"], term["key"]) for term in read]
    cuts = [positions[2**step - 2] for step in range(1, CUTS.bit_length()) if 2**step - 2 < len(positions)]
    for after, until in pairwise([None, *cuts, None]):
        for window in _between(after, until):
            yield window


def _between(after: TermPosition | None, until: TermPosition | None) -> Iterator[Query]:
    """The positions behind `after`, up to `until`. Each condition is one range of the index."""
    if after and until and after.uses == until.uses:
        yield {"uses": after.uses, "key": {"$gt": after.key, "$lte": until.key}}
        return
    if after:
        yield {"uses": after.uses, "key": {"$gt": after.key}}
    bounds = ({"$lt": after.uses} if after else {}) | ({"$gt": until.uses} if until else {})
    yield {"uses": bounds} if bounds else {}
    if until:
        yield {"uses": until.uses, "key": {"$lte": until.key}}


async def _rarest(terms: VisibleTerms, key: str) -> tuple[str, int | None]:
    """The n-gram of `key` that the sample has least often, and how often (None: not counted)."""
    pieces = _few(insides(key[:LONGEST_KEY])) if key else [beginning(key)]
    if len(key) < WORTH_COUNTING:
        return pieces[0], None
    counted = await asyncio.gather(
        *(
            terms.collection.records.count_documents({"pieces": SAMPLED + piece}, limit=MOST_LOOKED_AT)
            for piece in pieces
        )
    )
    sampled, rarest = min(zip(counted, pieces, strict=True))
    return rarest, sampled


def _few(pieces: Sequence[str]) -> list[str]:
    """A few, evenly from the first to the last."""
    last, steps = len(pieces) - 1, max(1, min(len(pieces), FEW_PIECES) - 1)
    return list(dict.fromkeys(pieces[step * last // steps] for step in range(steps + 1)))

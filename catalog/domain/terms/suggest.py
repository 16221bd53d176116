"""What a UI asks on each key press: the words that best complete what has been typed.

An administrator's words come before coined ones, then a word that is what was typed before one that begins with it
before one that holds it, then the more used, then the alphabet. Case does not matter.

The words of a piece (see `store.pieces`) stand in an index by use and alphabet, and are read from its top, in windows:
the embedded engine reads all candidates before it sorts or limits. A sample of the piece's words tells where to cut,
so that a window holds some SPARSELY words also when all of them are used equally often.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from pymongo import ASCENDING, DESCENDING

from catalog.domain.access import Caller
from catalog.domain.terms.terms import Names, collection, looked_at, shown
from catalog.errors import NOT_SEARCHED, Refused
from catalog.store.query.ngrams import LONGEST_BEGINNING, LONGEST_KEY, SAMPLED, beginning, insides, key_of, whole
from catalog.store.query.pages import Collection
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Usage

LONGEST = 128  # characters that are asked for
MOST = 100  # words that are answered

MOST_LOOKED_AT = 1000
"""How many words of a piece are read for one lookup."""

CUTS = 32
WORTH_COUNTING = 3  # letters; a shorter piece is in many words
FEW_PIECES = 4  # of which the rarest one is looked for

_ORDER = [("uses", DESCENDING), ("key", ASCENDING)]

Fits = Callable[[str], bool]


class Place(NamedTuple):
    """Where a word stands among those of its usage."""

    uses: int
    key: str


class Words(NamedTuple):
    """The words of a tenant, as a caller sees them: what does not show is read past, and counts as looked at."""

    collection: Collection
    caller: Caller

    def find(self, query: Raw) -> Any:
        return self.collection.find(query, {"key": 1, **looked_at(self.caller)})

    def shown(self, found: Iterable[Raw]) -> list[Raw]:
        return [word for word in found if shown(self.caller, word)]


async def suggest(caller: Caller, names: Names, typed: str, limit: int) -> list[Raw]:
    """At most `limit` words that show to the caller, best first. When nothing is typed, every word begins with it.

    Where more was typed than the longest pieces hold (LONGEST_BEGINNING letters, LONGEST_INSIDE for what stands
    inside), the words of its rarest piece are looked through, the MOST_LOOKED_AT most used ones of each usage.

    What stands inside of a word is found in its first LONGEST_KEY letters.

    Raises Refused: NOT_SEARCHED, for more than LONGEST characters.
    """
    if len(typed) > LONGEST:
        raise Refused(NOT_SEARCHED, f"q: at most {LONGEST} characters are allowed, not {len(typed)}")
    words, key = Words(collection(caller.tenant, names).raw, caller), key_of(typed)
    rarest, sampled = await _rarest(words, key)
    if sampled == 0:
        few = await words.find({"pieces": rarest}).limit(MOST_LOOKED_AT).to_list(MOST_LOOKED_AT)
        if len(few) < MOST_LOOKED_AT:  # cheaper read than asked about
            return sorted((word for word in words.shown(few) if key in word["key"]), key=lambda word: _rank(word, key))[
                :limit
            ]
    return await _ranked(words, key, rarest, limit)


def _rank(word: Raw, key: str) -> tuple[Any, ...]:
    match = 0 if word["key"] == key else 1 if word["key"].startswith(key) else 2
    return word["usage"] != Usage.DEFAULT, match, *_place(word)


def _place(word: Raw) -> tuple[int, str, str]:
    return -word["uses"], word["key"], word["_id"]


async def _ranked(words: Words, key: str, rarest: str, limit: int) -> list[Raw]:
    same = await words.find({"pieces": whole(key)}).limit(MOST_LOOKED_AT).to_list(MOST_LOOKED_AT)
    found: list[Raw] = []
    for usage in Usage.DEFAULT, Usage.FOLK:
        found += sorted((word for word in words.shown(same) if word["usage"] == usage), key=_place)
        for piece, fits in _lookups(key, rarest):
            if len(found) < limit:
                found += await _best(words, {"pieces": piece, "usage": usage.value}, fits, limit - len(found))
    return found[:limit]


def _lookups(key: str, rarest: str) -> Iterator[tuple[str, Fits]]:
    """The pieces to look for: of what begins with `key`, then of what holds it."""
    longer = len(key) > LONGEST_BEGINNING
    yield rarest if longer else beginning(key), lambda word: word.startswith(key) and word != key
    if key:
        yield rarest, lambda word: key in word and not word.startswith(key)


async def _best(words: Words, among: Raw, fits: Fits, wanted: int) -> list[Raw]:
    found: list[Raw] = []
    left = MOST_LOOKED_AT
    async for window in _windows(words, among):
        read = await words.find(among | window).sort(_ORDER).limit(left).to_list(left)
        found += sorted((word for word in words.shown(read) if fits(word["key"])), key=_place)
        left -= len(read)
        if len(found) >= wanted or left <= 0:
            break
    return found[:wanted]


async def _windows(words: Words, among: Raw) -> AsyncIterator[Raw]:
    """Conditions that part the words, best first. Each window is about twice as wide as the one before."""
    sample = among | {"pieces": SAMPLED + among["pieces"]}
    read = await words.find(sample).sort(_ORDER).limit(CUTS).to_list(CUTS)
    places = [Place(word["uses"], word["key"]) for word in read]
    cuts = [places[2**step - 2] for step in range(1, CUTS.bit_length()) if 2**step - 2 < len(places)]
    for after, until in pairwise([None, *cuts, None]):
        for window in _between(after, until):
            yield window


def _between(after: Place | None, until: Place | None) -> Iterator[Raw]:
    """The places behind `after`, up to `until`. Each condition is one range of the index."""
    if after and until and after.uses == until.uses:
        yield {"uses": after.uses, "key": {"$gt": after.key, "$lte": until.key}}
        return
    if after:
        yield {"uses": after.uses, "key": {"$gt": after.key}}
    bounds = ({"$lt": after.uses} if after else {}) | ({"$gt": until.uses} if until else {})
    yield {"uses": bounds} if bounds else {}
    if until:
        yield {"uses": until.uses, "key": {"$lte": until.key}}


async def _rarest(words: Words, key: str) -> tuple[str, int | None]:
    """The one of the longest pieces of `key` that the sample has least often, and how often (None: not counted)."""
    pieces = _few(insides(key[:LONGEST_KEY])) if key else [beginning(key)]
    if len(key) < WORTH_COUNTING:
        return pieces[0], None
    counted = await asyncio.gather(
        *(words.collection.count_documents({"pieces": SAMPLED + piece}, limit=MOST_LOOKED_AT) for piece in pieces)
    )
    sampled, rarest = min(zip(counted, pieces, strict=True))
    return rarest, sampled


def _few(pieces: Sequence[str]) -> list[str]:
    """A few, evenly from the first to the last."""
    last, steps = len(pieces) - 1, max(1, min(len(pieces), FEW_PIECES) - 1)
    return list(dict.fromkeys(pieces[step * last // steps] for step in range(steps + 1)))

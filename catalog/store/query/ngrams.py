"""N-grams of a term, by which an index finds it by any part of it.

The key is the term without case and accents (see `catalog.folding`). `*fol` is an n-gram anywhere in the key, `^fol` a
prefix, `=folk` the whole key. One term in SPARSELY, chosen by its hash, has each n-gram a second time behind a `~`: a
sample that tells a lookup how many terms have an n-gram before it reads them (see `domain.terms.suggest`).

N-grams are made of the first LONGEST_KEY characters of a key, so a long term costs no more than a short one. A longer
term has the n-gram `+`, by which a filter finds the terms that it has to match itself.
"""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b

from catalog.folding import search_key
from catalog.store.records import Changes, Query

INSIDE, BEGINNING, WHOLE, SAMPLED, LONG = "*", "^", "=", "~", "+"

LONGEST_INSIDE = 4  # letters
LONGEST_BEGINNING = 8
LONGEST_KEY = 32  # letters of a key that n-grams are made of

SPARSELY = 64

# English letters and digits, the most frequent ones first, to guess which n-gram is rare.
_FREQUENT = "e01tainosr2h3l4d5c6u7m8f9pgwybvkxjqz"


def key_of(text: str) -> str:
    return search_key(text)


def spelling(term: str) -> Changes:
    """The fields by which a term is found. They never change."""
    key = key_of(term)
    return {"key": key, "pieces": list(_ngrams(key))}


@lru_cache(4096)  # many items have the same few tags
def _ngrams(key: str) -> tuple[str, ...]:
    cut = key[:LONGEST_KEY]
    unsorted = {*_inside(cut), *_beginnings(cut), WHOLE + key} | ({LONG} if cut != key else set())
    ngrams = sorted(unsorted, key=len)  # a scan finds the short ones soon
    sample = ngrams if _is_sampled(key) else []
    return (*(SAMPLED + ngram for ngram in sample), *ngrams)


def insides(key: str) -> list[str]:
    """The longest n-grams of `key`, which is not empty, from the first to the last.

    Every term that contains `key` in its first LONGEST_KEY letters has them.
    """
    length = min(len(key), LONGEST_INSIDE)
    return [INSIDE + key[start : start + length] for start in range(len(key) - length + 1)]


def beginning(key: str) -> str:
    """The longest n-gram that all terms with the prefix `key` have. It may be empty."""
    return BEGINNING + key[:LONGEST_BEGINNING]


def whole(key: str) -> str:
    return WHOLE + key


def having(ngram: str) -> Query:
    """The condition on the n-grams of terms that may have this one, also after their first LONGEST_KEY letters."""
    return {"$in": [ngram, LONG]} if ngram.startswith(INSIDE) else {"$eq": ngram}


def rarest(key: str) -> str:
    """The n-gram of `key` that the fewest terms have, by a guess."""
    return max(insides(key), key=lambda ngram: sum(_rarity(letter) for letter in ngram[1:]))


def _rarity(letter: str) -> int:
    return _FREQUENT.index(letter) if letter in _FREQUENT else len(_FREQUENT)


def _inside(key: str) -> Iterator[str]:
    for length in range(1, LONGEST_INSIDE + 1):
        yield from (INSIDE + key[start : start + length] for start in range(len(key) - length + 1))


def _beginnings(key: str) -> Iterator[str]:
    return (BEGINNING + key[:length] for length in range(min(len(key), LONGEST_BEGINNING) + 1))


def _is_sampled(key: str) -> bool:
    return blake2b(key.encode(), digest_size=1).digest()[0] % SPARSELY == 0

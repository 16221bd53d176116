"""The pieces of a word, which an index finds it by, wherever in the word they stand.

`*fol` is inside the key (the word without regard to case), `^fol` is its beginning, `=folk` is all of it. One word in
SPARSELY, told by its hash, carries each piece once more behind a `~`: a sample, by which a lookup knows how far apart
the words of a piece are before it reads them (see `domain.suggest`).

Only the first LONGEST_KEY characters of a key are cut into pieces, so that a long word does not cost more than a short
one. A word that goes on behind them carries `+`, by which a filter finds the words that it has to look through.
"""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any

INSIDE, BEGINNING, WHOLE, SAMPLED, LONG = "*", "^", "=", "~", "+"

LONGEST_INSIDE = 4  # letters
LONGEST_BEGINNING = 8
LONGEST_KEY = 32  # letters of a key that pieces are made of

SPARSELY = 64

# English letters and digits, the most frequent ones first: a guess at what is rare.
_FREQUENT = "e01tainosr2h3l4d5c6u7m8f9pgwybvkxjqz"


def key_of(text: str) -> str:
    return text.casefold()


def spelling(word: str) -> dict[str, Any]:
    """The fields that a word is found by. They are the word's for good."""
    key = key_of(word)
    return {"key": key, "pieces": list(_pieces(key))}


@lru_cache(4096)  # items are tagged with the same few words again and again
def _pieces(key: str) -> tuple[str, ...]:
    cut = key[:LONGEST_KEY]
    unsorted = {*_inside(cut), *_beginnings(cut), WHOLE + key} | ({LONG} if cut != key else set())
    pieces = sorted(unsorted, key=len)  # who scans them finds the short ones soon
    sample = pieces if _is_sampled(key) else []
    return (*(SAMPLED + piece for piece in sample), *pieces)


def insides(key: str) -> list[str]:
    """The longest pieces of `key`, from the first to the last. `key` is not empty.

    Every word with `key` inside its first LONGEST_KEY letters has them.
    """
    length = min(len(key), LONGEST_INSIDE)
    return [INSIDE + key[start : start + length] for start in range(len(key) - length + 1)]


def beginning(key: str) -> str:
    """The longest piece that every word that begins with `key` has. Every word begins with an empty one."""
    return BEGINNING + key[:LONGEST_BEGINNING]


def whole(key: str) -> str:
    return WHOLE + key


def having(piece: str) -> dict[str, Any]:
    """The condition on `pieces` of the words that may have a piece, which may stand behind the letters that are cut."""
    return {"$in": [piece, LONG]} if piece.startswith(INSIDE) else {"$eq": piece}


def rarest(key: str) -> str:
    """The piece inside that narrows most, as far as one can guess."""
    return max(insides(key), key=lambda piece: sum(_rarity(letter) for letter in piece[1:]))


def _rarity(letter: str) -> int:
    return _FREQUENT.index(letter) if letter in _FREQUENT else len(_FREQUENT)


def _inside(key: str) -> Iterator[str]:
    for length in range(1, LONGEST_INSIDE + 1):
        yield from (INSIDE + key[start : start + length] for start in range(len(key) - length + 1))


def _beginnings(key: str) -> Iterator[str]:
    return (BEGINNING + key[:length] for length in range(min(len(key), LONGEST_BEGINNING) + 1))


def _is_sampled(key: str) -> bool:
    return blake2b(key.encode(), digest_size=1).digest()[0] % SPARSELY == 0

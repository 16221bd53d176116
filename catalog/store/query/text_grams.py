"""N-grams of the texts of an item, by which an index finds it by any part of its name, values or description.

They are made of search keys (see `catalog.folding`), and begin with a letter for the kind and one for the place, so
that a search in one place of one kind reads no others. A name has n-grams of 2 and of 3 letters, and its first 1, 2 and
3 letters. Longer texts have n-grams of 3 letters, and of 1 and 2 where a letter is a word or a syllable (Chinese,
Japanese, Korean). An item whose values or description have more than MOST n-grams has LONG, too: a search has to match
it itself.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from catalog.folding import search_key
from catalog.vocabulary import Kind

NAME_LENGTHS = (2, 3)
LONGEST_BEGINNING = max(NAME_LENGTHS)
TEXT_LENGTH = 3

MOST = 400
"""N-grams of the values of an item, and of its description, about 60 words. Each costs time at the creation."""

LONGEST_READ = 8192
"""Characters of a text that n-grams are made of."""

FIRST_IDEOGRAPH = 0x2E80

LONG = ""
"""The n-gram of items with longer texts."""


class TextPlace(StrEnum):
    BEGINNING = "^"  # of the name
    NAME = "*"
    VALUE = "v"
    DESCRIPTION = "d"

    @property
    def field(self) -> str:
        """The field of an entry with the n-grams of this place."""
        return "names" if self in {TextPlace.BEGINNING, TextPlace.NAME} else "texts"


def name_grams(kind: Kind, name: str) -> list[str]:
    """The n-grams of a name."""
    key = search_key(name)
    inside = {gram for length in NAME_LENGTHS for gram in _grams(key, length)}
    beginnings = {key[:length] for length in range(1, LONGEST_BEGINNING + 1)}
    return _marked(kind, TextPlace.BEGINNING, beginnings) + _marked(kind, TextPlace.NAME, inside)


def text_grams(kind: Kind, values: Iterable[str], description: str) -> list[str]:
    """The n-grams of the values and the description of an item."""
    in_values = _marked(kind, TextPlace.VALUE, _of_texts(values))
    return in_values + _marked(kind, TextPlace.DESCRIPTION, _of_texts([description]))


def _of_texts(texts: Iterable[str]) -> set[str]:
    grams: set[str] = set()
    left = LONGEST_READ
    for text in texts:
        key = search_key(text[: left + 1])
        grams.update(_text_grams(key[:left]))
        left -= len(key)
        if left < 0 or len(grams) > MOST:
            return {LONG, *sorted(grams)[:MOST]}
    return grams


def searched_grams(kind: Kind, place: TextPlace, key: str) -> list[str]:
    """The n-grams of all texts in a place that contain `key`, except those that are LONG. None: no index finds them."""
    match place:
        case TextPlace.BEGINNING:
            found = {key[:LONGEST_BEGINNING]}
        case TextPlace.NAME:
            found = set(_grams(key, min(len(key), max(NAME_LENGTHS)))) if len(key) >= min(NAME_LENGTHS) else set()
        case _ if len(key) >= TEXT_LENGTH:
            found = set(_grams(key, TEXT_LENGTH))
        case _:
            found = {key} if _is_ideographic(key) else set()
    return _marked(kind, place, found)


def is_long_enough(key: str) -> bool:
    """Whether values and descriptions are searched for a key."""
    return len(key) >= TEXT_LENGTH or _is_ideographic(key)


def long_of(kind: Kind, place: TextPlace) -> str:
    return f"{kind.value[0]}{place}{LONG}"


def _marked(kind: Kind, place: TextPlace, grams: Iterable[str]) -> list[str]:
    mark = kind.value[0] + place.value
    return sorted([mark + gram for gram in grams])


def _text_grams(key: str) -> Iterator[str]:
    yield from _grams(key, TEXT_LENGTH)
    if not key.isascii():
        for length in range(1, TEXT_LENGTH):
            yield from (gram for gram in _grams(key, length) if _is_ideographic(gram))


def _grams(key: str, length: int) -> Iterator[str]:
    return (key[start : start + length] for start in range(len(key) - length + 1))


def _is_ideographic(key: str) -> bool:
    return bool(key) and all(ord(letter) >= FIRST_IDEOGRAPH for letter in key)

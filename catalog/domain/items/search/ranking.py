"""Ranking: the stage of a search in which an item is found depends on the field that contains the text."""

from collections.abc import Iterable, Iterator
from enum import IntEnum

from catalog.folding import search_key
from catalog.store.query.text_grams import is_long_enough
from catalog.store.records import ItemRecord


class MatchRank(IntEnum):
    EXACT = 0
    PREFIX = 1
    INSIDE = 2
    TAGGED = 3
    ANNOTATED = 4  # the name of a metadata pair
    VALUED = 5  # its value
    DESCRIBED = 6


def rank(item: ItemRecord, key: str) -> MatchRank | None:
    """The best stage in which an item is found by the key of a text."""
    name = item["name_key"]
    if name == key:
        return MatchRank.EXACT
    if name.startswith(key):
        return MatchRank.PREFIX
    return next((stage for stage, texts in _texts(item, key) if any(key in search_key(each) for each in texts)), None)


def _texts(item: ItemRecord, key: str) -> Iterator[tuple[MatchRank, Iterable[str]]]:
    """The texts of an item by stage, the best first."""
    pairs = item["metadata"]
    yield MatchRank.INSIDE, (item["name_key"],)
    yield MatchRank.TAGGED, item["tags"]
    yield MatchRank.ANNOTATED, (pair["name"] for pair in pairs)
    if is_long_enough(key):
        yield MatchRank.VALUED, (pair["value"] for pair in pairs if isinstance(pair["value"], str))
        yield MatchRank.DESCRIBED, (item["description"],)

"""Changes of the lists of an item: elements are removed first, then added.

Each function raises Refused: NOT_CHANGED for a list that grew beyond `most`. An older list that is longer may shrink.
"""

from collections.abc import Collection, Container, Sequence, Sized
from typing import TypeVar

from bson import ObjectId

from catalog.domain import naming
from catalog.domain.items.inputs import ListChange, MetadataChange, PairToRemove, TagsChange
from catalog.domain.limits import LARGEST_METADATA
from catalog.domain.validation import size_of
from catalog.errors import NOT_CHANGED, Refused
from catalog.store.records import PairRecord

H = TypeVar("H", str, ObjectId)
L = TypeVar("L", bound=Sized)


def changed_ids(
    field: str, ids: Collection[ObjectId], change: ListChange[ObjectId, ObjectId], most: int
) -> list[ObjectId]:
    return _limited(field, ids, _changed(ids, change), most)


def changed_tags(tags: Collection[str], change: TagsChange, most: int) -> list[str]:
    """Raises Refused: NOT_CHANGED also for a new tag whose name is not allowed."""
    removed = [naming.spelling_in(tags, tag) for tag in change.remove]
    added = [_spelling("tags", tags, tag) for tag in change.add]
    return _limited("tags", tags, _changed(tags, ListChange(removed, added)), most)


def changed_metadata(pairs: Sequence[PairRecord], change: MetadataChange, most: int) -> list[PairRecord]:
    """A pair replaces an earlier one of its name. Raises Refused: NOT_CHANGED also for a name that is not allowed."""
    names = {pair["name"] for pair in pairs}
    removed = [PairToRemove(naming.spelling_in(names, pair.name), pair.value) for pair in change.remove]
    kept = [pair for pair in pairs if not any(_covers(each, pair) for each in removed)] if removed else pairs
    left = {pair["name"]: pair for pair in kept}
    for pair in change.add:
        name = _spelling("metadata", names, pair.name)
        left[name] = {"name": name, "value": pair.value}
    if change.add and size_of(pair["value"] for pair in left.values()) > LARGEST_METADATA:
        raise Refused(NOT_CHANGED, f"metadata: at most {LARGEST_METADATA} bytes of values are allowed")
    return _limited("metadata", pairs, list(left.values()), most)


def _changed(elements: Collection[H], change: ListChange[H, H]) -> list[H]:
    removed = set(change.remove)
    return list(dict.fromkeys([element for element in elements if element not in removed] + list(change.add)))


def _limited(field: str, before: Sized, after: L, most: int) -> L:
    if len(after) > max(most, len(before)):
        raise Refused(NOT_CHANGED, f"{field}: at most {most} are allowed, not {len(after)}")
    return after


def _spelling(field: str, present: Container[str], name: str) -> str:
    """The name as the list has it already, else normalized as a new one."""
    if name in present:
        return name
    try:
        return naming.term(name)
    except naming.NameInvalidError as problem:
        refused = Refused(NOT_CHANGED, f"{field}: {problem}")
        refused.subject = name
        raise refused from None


def _covers(removed: PairToRemove, pair: PairRecord) -> bool:
    return removed.name == pair["name"] and removed.value in (None, pair["value"])

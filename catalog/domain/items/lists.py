"""How the lists of an item change: they lose what is to be removed, then gain what is to be added."""

from collections.abc import Collection, Container, Hashable, Iterable, Sequence
from typing import TypeVar

from catalog.domain import naming
from catalog.domain.items.inputs import ListChange, MetadataChange, PairToRemove, TagsChange
from catalog.errors import NOT_CHANGED, Refused
from catalog.store.tenant_documents import Raw

H = TypeVar("H", bound=Hashable)


def changed_elements(elements: Iterable[H], change: ListChange[H, H]) -> list[H]:
    removed = set(change.remove)
    return list(dict.fromkeys([element for element in elements if element not in removed] + list(change.add)))


def changed_tags(tags: Collection[str], change: TagsChange) -> list[str]:
    """Raises Refused: NOT_CHANGED for a new tag whose name is not allowed."""
    removed = [naming.spelling_in(tags, tag) for tag in change.remove]
    added = [_spelling("tags", tags, tag) for tag in change.add]
    return changed_elements(tags, ListChange(removed, added))


def changed_metadata(pairs: Sequence[Raw], change: MetadataChange) -> list[Raw]:
    """A pair replaces an earlier one of its name. Raises Refused: NOT_CHANGED for a new name that is not allowed."""
    names = {pair["name"] for pair in pairs}
    removed = [PairToRemove(naming.spelling_in(names, pair.name), pair.value) for pair in change.remove]
    left = {pair["name"]: pair for pair in pairs if not any(_covers(each, pair) for each in removed)}
    for pair in change.add:
        name = _spelling("metadata", names, pair.name)
        left[name] = {"name": name, "value": pair.value}
    return list(left.values())


def refuse_longer(field: str, before: Sequence[object], after: Sequence[object], most: int) -> None:
    """Raises Refused: NOT_CHANGED for a list that grew beyond its limit. A longer one of earlier times may shrink."""
    if len(after) > max(most, len(before)):
        raise Refused(NOT_CHANGED, f"{field}: at most {most} are allowed, not {len(after)}")


def _spelling(field: str, present: Container[str], name: str) -> str:
    """The name as the list has it already, else normalized as a new one."""
    if name in present:
        return name
    try:
        return naming.term(name)
    except naming.NameInvalidError as problem:
        raise Refused(NOT_CHANGED, f"{field}: {problem}") from None


def _covers(removed: PairToRemove, pair: Raw) -> bool:
    return removed.name == pair["name"] and removed.value in (None, pair["value"])

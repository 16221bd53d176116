"""Differences of two versions: elements by name that were added, removed or changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_LISTED = 1000
"""Elements of each list of an answer. The counts are of all."""


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    name: str
    before: T
    after: T


@dataclass(slots=True)
class Differences(Generic[T]):
    """The differences from the first version. The lists may end early; the counts do not."""

    added: dict[str, T] = field(default_factory=dict)
    removed: dict[str, T] = field(default_factory=dict)
    changed: list[Changed[T]] = field(default_factory=list)
    added_count: int = 0
    removed_count: int = 0
    changed_count: int = 0
    same_count: int = 0


def differences(before: Mapping[str, T], after: Mapping[str, T]) -> Differences[T]:
    found: Differences[T] = Differences()
    for name, value in after.items():
        if name not in before:
            found.added_count += 1
            if len(found.added) < MOST_LISTED:
                found.added[name] = value
        elif before[name] == value:
            found.same_count += 1
        else:
            found.changed_count += 1
            if len(found.changed) < MOST_LISTED:
                found.changed.append(Changed(name, before[name], value))
    for name, value in before.items():
        if name not in after:
            found.removed_count += 1
            if len(found.removed) < MOST_LISTED:
                found.removed[name] = value
    return found

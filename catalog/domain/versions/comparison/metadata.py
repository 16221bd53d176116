"""The metadata of versions side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.domain.limits import LONGEST_INTEGER
from catalog.store.records import Value, VersionRecord


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """A metadata name with its value in each version, None where a version lacks it."""

    name: str
    values: list[Value | None]
    differs: bool
    change: list[int | float | None]  # of numbers: how much more than in the first version


def compared_metadata(versions: Sequence[VersionRecord]) -> list[ComparedPair]:
    """All names, in the order in which they first occur."""
    by_version = [{pair["name"]: pair["value"] for pair in version["metadata"]} for version in versions]
    names = dict.fromkeys(name for values in by_version for name in values)
    return [_pair(name, [values.get(name) for values in by_version]) for name in names]


def _pair(name: str, values: list[Value | None]) -> ComparedPair:
    first = (type(values[0]) is bool, values[0])
    differs = any((type(value) is bool, value) != first for value in values)
    return ComparedPair(name, values, differs, [_change(values[0], value) for value in values])


def _change(first: Value | None, value: Value | None) -> int | float | None:
    if not _is_number(first) or not _is_number(value):
        return None
    change = value - first  # type: ignore[operator]
    return change if abs(change) < LONGEST_INTEGER else float(change)


def _is_number(value: Value | None) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

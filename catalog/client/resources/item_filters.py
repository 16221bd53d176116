"""The filter of a list or a search of items, as parameters of a query."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TypedDict

FilterExpression = Mapping[str, object] | Sequence[Mapping[str, object]]


class ListFilter(TypedDict, total=False):
    """The arguments by which a list selects items."""

    filter: FilterExpression | None
    metadata: Mapping[str, object] | None
    latest: Mapping[str, object] | None
    alias: str
    stage: str
    license: str
    library: str


class SearchFilter(ListFilter, total=False):
    """The arguments by which a search in one kind selects items."""

    status: str
    visibility: str
    owner: str


class KindFilter(SearchFilter, total=False):
    """The arguments by which a search in all kinds selects items."""

    kind: str


def filter_query(arguments: ListFilter) -> dict[str, str]:
    """The query parameters of the arguments that have a value. Raises TypeError for an unknown argument."""
    refuse_unknown(arguments, KindFilter.__optional_keys__)
    filter_ = arguments.get("filter")
    query = {"filter": json.dumps(filter_)} if filter_ else {}
    query |= {f"metadata.{name}": condition(value) for name, value in (arguments.get("metadata") or {}).items()}
    query |= {f"latest.{name}": condition(value) for name, value in (arguments.get("latest") or {}).items()}
    return query | {name: value for name, value in arguments.items() if isinstance(value, str) and value}


def refuse_unknown(arguments: Mapping[str, object], known: Collection[str]) -> None:
    """Raise TypeError for an unknown argument, as Python does, with what there is."""
    if unknown := arguments.keys() - known:
        raise TypeError(f"unexpected keyword argument {min(unknown)!r}, besides {', '.join(sorted(known))}")


def condition(value: object) -> str:
    """A value as the API writes it: `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)

"""The filter of a list or a search of items, as parameters of a query."""

import json
from collections.abc import Mapping, Sequence

FilterExpression = Mapping[str, object] | Sequence[Mapping[str, object]]


def filter_query(
    filter: FilterExpression | None,  # noqa: A002  the API's word
    metadata: Mapping[str, object] | None,
    latest: Mapping[str, object] | None = None,
    short: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The query parameters of a filter, of conditions on metadata, and of parameters that have a value."""
    query = {name: value for name, value in (short or {}).items() if value}
    query |= {f"metadata.{name}": condition(value) for name, value in (metadata or {}).items()}
    query |= {f"latest.{name}": condition(value) for name, value in (latest or {}).items()}
    return {"filter": json.dumps(filter), **query} if filter else query


def condition(value: object) -> str:
    """A value as the API writes it: `true`, not `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)

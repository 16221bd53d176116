"""`order_by` of MLflow's searches: clauses such as `name ASC`, in any case."""

import re
from collections.abc import Mapping, Sequence

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.paging.cursors import ASCENDING, DESCENDING, Order

MOST = 10  # clauses

_CLAUSE = re.compile(r"\s*(?:attributes?\.)?(?:`([^`]*)`|\"([^\"]*)\"|([^\s`\"]+))(?:\s+(\S+))?\s*")
_WAYS = {"asc": ASCENDING, "desc": DESCENDING}

MODEL_KEYS = {
    "name": "name",
    "timestamp": "lastmod",
    "last_updated_timestamp": "lastmod",
    "creation_timestamp": "serial",  # which grows with time, and has no ties
}
VERSION_KEYS = {
    "name": "name",
    "version_number": "number",
    "creation_timestamp": "timestamp",
    "last_updated_timestamp": "lastmod",
}


def order_of(clauses: Sequence[str], keys: Mapping[str, str], default: Order) -> Order:
    """The order in fields of the store. Raises Refused: INVALID_QUERY."""
    if len(clauses) > MOST:
        raise Refused(INVALID_QUERY, f"Invalid order_by: it has more than {MOST} clauses")
    order = [_clause(clause, keys) for clause in clauses]
    fields = [field for field, _ in order]
    if len(set(fields)) < len(fields):
        raise Refused(INVALID_QUERY, f"Invalid order_by: it names a field twice: {', '.join(clauses)[:200]}")
    return order or default


def _clause(clause: str, keys: Mapping[str, str]) -> tuple[str, int]:
    read = _CLAUSE.fullmatch(clause)
    if read is None:
        raise Refused(INVALID_QUERY, f"Invalid order_by clause '{clause[:80]}'. Could not be parsed.")
    key = read[1] or read[2] or read[3] or ""
    if key not in keys:
        raise Refused(INVALID_QUERY, f"Invalid order by key '{key[:80]}' specified. Valid keys are {sorted(keys)}")
    way = (read[4] or "asc").lower()
    if way not in _WAYS:
        raise Refused(INVALID_QUERY, f"Invalid ordering key in order_by clause '{clause[:80]}'.")
    return keys[key], _WAYS[way]

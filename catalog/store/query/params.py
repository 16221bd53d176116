"""The query string of a list, read and checked: filter, order, selection, and which part of the list."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.declarations import Fields, shown
from catalog.store.query.filters.filter import Filter, filter_of, read_json
from catalog.store.query.filters.patterns import escaped
from catalog.store.query.paging.cursors import Order

MOST = 1000  # documents on a page
FURTHEST = 10_000_000  # documents before the end of a page

SHORT = ("metadata.", "latest.")
"""The prefixes of short filters' names, see `short_forms`."""

_WHOLE = re.compile("[0-9]{1,4000}")  # Python parses no longer numbers
_DIRECTIONS: dict[Any, int] = {"asc": 1, "ascending": 1, 1: 1, "desc": -1, "descending": -1, -1: -1}
_COMPARISONS = frozenset({"ne", "gt", "gte", "lt", "lte"})


class PageRequest(NamedTuple):
    """Which page of a list."""

    page: int  # from 1
    limit: int  # documents on it, possibly 0

    @property
    def skip(self) -> int:
        """Documents before the page."""
        return (self.page - 1) * self.limit


class ListQuery(NamedTuple):
    """What a client asks of a list."""

    filter: Filter
    order: Order  # empty: the list's own
    selected: frozenset[str] | None  # names of fields; None: all
    after: str | None  # the cursor to go on from (empty: from the beginning); None: a page by its number
    page: PageRequest
    is_exact: bool  # whether to count all matches


def read(fields: Fields, params: Sequence[tuple[str, str]], limit: int = 10) -> ListQuery:
    """Read `filter`, its short forms, `sort`, `select`, `after`, `page`, `limit` and `total`.

    `limit` is that of a page whose size the client does not name. Raises Refused: INVALID_QUERY.
    """
    first = dict(reversed(params))
    after, size = first.get("after"), first.get("limit")
    page = page_of(first.get("page"), size or str(limit)) if after is None else PageRequest(1, limit_of(size))
    return ListQuery(
        filter_of(fields, first.get("filter"), short_forms(fields, params)),
        sort_of(fields, first.get("sort")),
        select_of(fields, first.get("select")),
        after,
        page,
        after is None and _is_exact(first.get("total")),
    )


def page_of(page: str | None, limit: str | None) -> PageRequest:
    """The page that the query string asks for. A limit of 0 is a page of nothing, as with mongoose-paginate.

    Raises Refused: INVALID_QUERY, for what is no such number, and for a page too far to be reached by counting.
    """
    requested = PageRequest(
        _whole("page", page, least=1, absent=1), min(MOST, _whole("limit", limit, least=0, absent=10))
    )
    if requested.page * max(1, requested.limit) > FURTHEST:
        raise Refused(INVALID_QUERY, f"page: a list is shown up to its document {FURTHEST}, filter further")
    return requested


def limit_of(text: str | None) -> int:
    """The size of a part after a cursor. It is at least 1: a part of nothing would lead nowhere.

    Raises Refused: INVALID_QUERY.
    """
    limit = page_of(None, text).limit
    if not limit:
        raise Refused(INVALID_QUERY, "after wants a limit of at least 1")
    return limit


def names_field(field: str, text: str | None) -> bool:
    """Whether a client's filter asks for a field, wherever in it. An invalid filter asks for none."""
    try:
        left = [read_json("filter", text or "{}")]
    except Refused:
        return False
    while left:
        each = left.pop()
        if isinstance(each, dict):
            if field in each:
                return True
            left += each.values()
        elif isinstance(each, list):
            left += each
    return False


def _is_exact(total: str | None) -> bool:
    if total not in {None, "", "exact"}:
        raise Refused(INVALID_QUERY, "total takes exact, or nothing")
    return total == "exact"


def _whole(name: str, text: str | None, *, least: int, absent: int) -> int:
    if not text:
        return absent
    if not _WHOLE.fullmatch(text) or (number := int(text)) < least:
        raise Refused(INVALID_QUERY, f"{name}: a whole number from {least} on is needed, not {shown(text)}")
    return number


def sort_of(fields: Fields, text: str | None) -> Order:
    """The order of `{"name": "asc", "timestamp": -1}`; none when it is absent.

    Raises Refused: INVALID_QUERY, naming the field.
    """
    parsed = read_json("sort", text) if text and text.strip() else {}
    if not isinstance(parsed, dict):
        raise Refused(INVALID_QUERY, 'sort is an object, like {"name": "asc"}')
    return [(_sortable(fields, name), _direction(name, way)) for name, way in parsed.items()]


def _sortable(fields: Fields, name: str) -> str:
    if fields.values and name.startswith(fields.values) and len(name) > len(fields.values):
        return name
    if name not in fields.sortable:
        raise Refused(INVALID_QUERY, f"{shown(name)} is not a field that sorts")
    return name


def _direction(name: str, way: Any) -> int:
    if isinstance(way, bool) or not isinstance(way, str | int) or way not in _DIRECTIONS:
        raise Refused(INVALID_QUERY, f"sort: {name} goes asc or desc")
    return _DIRECTIONS[way]


def select_of(fields: Fields, text: str | None) -> frozenset[str] | None:
    """The names in `["name", "tags"]`, with those that always come along. None is everything. As in the reference, text
    that is not JSON selects everything, and an unknown name nothing.

    Raises Refused: INVALID_QUERY, for what is not a list of names.
    """
    if not text:
        return None
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parsed, list):
        raise Refused(INVALID_QUERY, 'select is an array, like ["name"]')
    if not all(isinstance(name, str) for name in parsed):
        raise Refused(INVALID_QUERY, "select: what is not text is not a field that can be selected")
    return (frozenset(parsed) & fields.selectable) | fields.always


def short_forms(fields: Fields, params: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The filters that parameters such as `metadata.<name>` stand for, one each. All of them must hold.

        metadata.accuracy=0.9               is 0.9, the number
        metadata.accuracy=gte:0.9           also: gt, lt, lte, eq
        metadata.framework=ne:onnx          is there, and is not onnx
        metadata.framework=in:onnx,pytorch  is one of them
        metadata.framework=prefix:py        begins with this text
        metadata.framework=exists:false     is not there; exists:true: is there
        latest.accuracy=gte:0.9             the same, of the metadata of the latest version
        license=MIT                         a field of `fields.short`; also: eq, ne, in, prefix

    A value is a number or a boolean when it is one in JSON, else text. Quotes make it text: `"0.9"`. A value that
    begins like one of these operators wants `eq:` before it. A field of `fields.short` takes only text.

    Raises Refused: INVALID_QUERY, for `exists` with anything but true or false.
    """
    forms = []
    for key, value in params:
        if field := fields.short.get(key):
            forms.append(_short_text(field, value))
        elif path := next((_PAIRS[prefix] for prefix in SHORT if key.startswith(prefix)), ""):
            forms.append(_short_form(path, key.partition(".")[2], value))
    return forms


_PAIRS = {"metadata.": "metadata", "latest.": "latest.metadata"}


def _short_text(field: str, text: str) -> dict[str, Any]:
    operator, _, value = text.partition(":")
    match operator:
        case "in":
            return {field: {"$in": value.split(",")}}
        case "ne" | "eq":
            return {field: {f"${operator}": value}}
        case "prefix":
            return {field: {"$regex": f"^{escaped(value)}"}}
        case _:
            return {field: text}


def _short_form(path: str, name: str, text: str) -> dict[str, Any]:
    operator, _, value = text.partition(":")
    if operator == "exists":
        return _existence(path, name, value)
    return {path: {"$elemMatch": {"name": name, "value": _operand(operator, value, text)}}}


def _operand(operator: str, value: str, text: str) -> Any:
    if operator == "prefix":
        return {"$regex": f"^{escaped(_unquoted(value))}"}
    if operator == "in":
        return {"$in": [_scalar(each) for each in value.split(",")]}
    if operator in _COMPARISONS:
        return {f"${operator}": _scalar(value)}
    return _scalar(value if text.startswith("eq:") else text)


def _existence(path: str, name: str, value: str) -> dict[str, Any]:
    if value not in {"true", "false"}:
        raise Refused(INVALID_QUERY, f"{path.partition('.')[0]}.{shown(name)}: exists takes true or false")
    return {f"{path}.name": name if value == "true" else {"$ne": name}}


def _scalar(text: str) -> str | float | bool:
    try:
        value = json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return _unquoted(text)
    return value if isinstance(value, int | float) else _unquoted(text)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text

"""A `filterQuery`, compiled onto the checked filters of the store.

The tree becomes a filter as clients of the native dialect write them, which `store.query.filters.filter` checks and
bounds. A comparison never matches where the property is missing or has another type, also one with `!=`.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from catalog.dialects.kubeflow.filters.parser import Comparison, Joined, Operand, Scalar, Tree, parsed
from catalog.dialects.kubeflow.filters.properties import Column, Properties, Property
from catalog.domain.limits import LONGEST_INTEGER
from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.declarations import shown
from catalog.store.query.filters.filter import Filter, filter_of
from catalog.store.query.filters.patterns import escaped

Query = dict[str, Any]
Ids = dict[tuple[str, int], str]
"""The ids of documents, by collection and serial."""

FindIds = Callable[[str, set[int]], Awaitable[dict[int, str]]]
"""The ids of the documents of a collection with these serials."""

NOTHING: Query = {"serial": {"$in": []}}
EVERYTHING: Query = {"serial": {"$gte": 0}}
NO_ID = "none"
"""Text that is no id, so that nothing has it."""
NO_SERIAL = 0
"""Serials are counted from 1."""

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

LOWEST = -1.7976931348623157e308
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253402300799999  # the last millisecond of the year 9999

COMPARED = {"=": "$eq", "!=": "$ne", ">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
TYPES = {"string_value": str, "double_value": float, "int_value": float, "bool_value": bool}


class Compiled(NamedTuple):
    """A checked `filterQuery`. Both parts must hold."""

    of_document: Filter
    beyond: Filter | None = None
    """What is asked of properties that are elsewhere, for a document that has them."""


async def compiled(query: str, properties: Properties, find_ids: FindIds) -> Compiled:
    """The checked filter of a `filterQuery`; an empty one asks for everything. Raises Refused: INVALID_QUERY."""
    if not query.strip():
        return Compiled(Filter({}))
    tree = parsed(query)
    compiler = _Compiler(properties, await _ids(tree, properties, find_ids))
    parts = tree.parts if isinstance(tree, Joined) and tree.word == "AND" else (tree,)
    whole = filter_of(properties.fields, None, [compiler.query(part) for part in parts])
    if not _names(tree, properties.elsewhere):
        return Compiled(whole)
    here = [compiler.query(part) for part in parts if not _names(part, properties.elsewhere)]
    beyond = [compiler.query(part) for part in parts if _names(part, properties.elsewhere)]
    return Compiled(filter_of(properties.fields, None, here), filter_of(properties.fields, None, beyond))


def _names(tree: Tree, names: Collection[str]) -> bool:
    return bool(names) and any(each.name in names for each in _comparisons(tree))


async def _ids(tree: Tree, properties: Properties, find_ids: FindIds) -> Ids:
    wanted: dict[str, set[int]] = {}
    for comparison in _comparisons(tree):
        known = properties.known.get(comparison.name)
        if known and known.column is Column.SERIAL:
            wanted.setdefault(known.of, set()).update(_serials(comparison))
    return {
        (collection, serial): found
        for collection, serials in wanted.items()
        for serial, found in (await find_ids(collection, serials)).items()
    }


def _comparisons(tree: Tree) -> Iterator[Comparison]:
    if isinstance(tree, Comparison):
        yield tree
    else:
        for part in tree.parts:
            yield from _comparisons(part)


def _serials(comparison: Comparison) -> list[int]:
    if comparison.operator not in {"=", "!=", "IN"}:
        raise _mismatch(comparison)
    return [_serial(comparison, _number(comparison, each)) for each in _each(comparison.value)]


def _serial(comparison: Comparison, number: float) -> int:
    """The serial that a number is; one that nothing has for a fraction. Raises Refused: INVALID_QUERY."""
    if not -LONGEST_INTEGER <= number < LONGEST_INTEGER:
        raise _mismatch(comparison)
    return int(number) if number == int(number) else NO_SERIAL


def _each(value: Operand) -> list[Scalar]:
    return value if isinstance(value, list) else [value]


class _Compiler:
    def __init__(self, properties: Properties, ids: Ids) -> None:
        self._properties = properties
        self._ids = ids

    def query(self, tree: Tree) -> Query:
        if isinstance(tree, Joined):
            return {"$and" if tree.word == "AND" else "$or": [self.query(part) for part in tree.parts]}
        known = self._properties.known.get(tree.name)
        if known is None or (tree.column and not _fits(known, tree.column)):
            return self._custom(tree)
        return self._known(known, tree)

    def _known(self, known: Property, comparison: Comparison) -> Query:
        match known.column:
            case Column.SERIAL:
                return self._reference(known, comparison)
            case Column.ARCHIVED:
                return _archived(known.path, comparison)
            case Column.PAIR:
                return {"metadata": {"$elemMatch": {"name": known.path, "value": _text_condition(comparison)}}}
        return {known.path: CONDITIONS[known.column](comparison)}

    def _reference(self, known: Property, comparison: Comparison) -> Query:
        ids = [self._ids.get((known.of, serial), NO_ID) for serial in _serials(comparison)]
        if comparison.operator == "IN":
            return {known.path: {"$in": ids}}
        return {known.path: {COMPARED[comparison.operator]: ids[0]}}

    def _custom(self, comparison: Comparison) -> Query:
        name = comparison.name
        pair: Query = {"metadata": {"$elemMatch": {"name": name, "value": _condition(comparison)}}}
        if self._properties.labels and _type_of(comparison) is str and _holds(comparison, ""):
            return {"$or": [{self._properties.labels: name}, pair]}
        return pair


def _fits(known: Property, suffix: str) -> bool:
    """Whether a property has the type of a suffix; else the suffix means a custom property of that name."""
    return known.column is Column.SCALAR or (known.column in {Column.TEXT, Column.PAIR} and suffix == "string_value")


def _condition(comparison: Comparison) -> Query:
    """A comparison of a value whose type follows from the suffix, else from what it is compared with."""
    wanted = _type_of(comparison)
    if wanted is str:
        return _text_condition(comparison)
    if wanted is bool:
        return _flag_condition(comparison)
    return _number_condition(comparison)


def _type_of(comparison: Comparison) -> type:
    if comparison.column:
        return TYPES[comparison.column]
    kinds = {
        bool if isinstance(each, bool) else str if isinstance(each, str) else float for each in _each(comparison.value)
    }
    if len(kinds) > 1:
        raise Refused(INVALID_QUERY, f"{shown(comparison.name)}: the values of a list are of one type")
    return kinds.pop() if kinds else str


def _text_condition(comparison: Comparison) -> Query:
    values = _each(comparison.value)
    if not all(isinstance(each, str) for each in values):
        raise _mismatch(comparison)
    match comparison.operator:
        case "IN":
            return {"$in": values}
        case "!=":
            return {"$ne": values[0], "$gte": ""}
        case "LIKE" | "ILIKE":
            return _pattern(str(values[0]), ignores_case=comparison.operator == "ILIKE")
        case operator:
            return {COMPARED[operator]: values[0]}


def _pattern(like: str, *, ignores_case: bool) -> Query:
    """A LIKE of SQL as a regular expression. What is text with `%` at its ends needs no search through everything."""
    options = {"$options": "i"} if ignores_case else {}
    inner = like.strip("%")
    if not inner or ("_" not in inner and "%" not in inner):
        start, end = "" if like.startswith("%") else "^", "" if like.endswith("%") else "$"
        return {"$regex": f"{start}{escaped(inner)}{end}"} | options
    body = "".join({"%": ".*", "_": "."}.get(each, escaped(each)) for each in like)
    return {"$regex": f"^{body}$", "$options": "is" if ignores_case else "s"}


def _number_condition(comparison: Comparison) -> Query:
    values = [_number(comparison, each) for each in _each(comparison.value)]
    match comparison.operator:
        case "IN":
            return {"$in": values}
        case "!=":
            return {"$ne": values[0], "$gte": LOWEST}
        case "LIKE" | "ILIKE":
            raise _mismatch(comparison)
        case operator:
            return {COMPARED[operator]: values[0]}


def _number(comparison: Comparison, value: Scalar) -> int | float:
    """A number, also one in quotes. Raises Refused: INVALID_QUERY."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise _mismatch(comparison)
    number = float(value) if isinstance(value, str) else value
    if isinstance(number, bool) or number != number or abs(number) > -LOWEST:  # noqa: PLR0124  not a number
        raise _mismatch(comparison)
    return number


def _flag_condition(comparison: Comparison) -> Query:
    values = [_flag(comparison, each) for each in _each(comparison.value)]
    match comparison.operator:
        case "IN":
            return {"$in": values}
        case "=":
            return {"$eq": values[0]}
        case "!=":
            return {"$eq": not values[0]}
    raise _mismatch(comparison)


def _flag(comparison: Comparison, value: Scalar) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise _mismatch(comparison)
    return value


def _time_condition(comparison: Comparison) -> Query:
    condition = _number_condition(comparison)
    return {
        name: [_date(each) for each in value] if isinstance(value, list) else _date(value)
        for name, value in condition.items()
    }


def _date(milliseconds: float) -> str:
    return (EPOCH + timedelta(milliseconds=min(max(milliseconds, 0), LATEST))).isoformat()


CONDITIONS: dict[Column, Callable[[Comparison], Query]] = {
    Column.TEXT: _text_condition,
    Column.NUMBER: _number_condition,
    Column.TIME: _time_condition,
    Column.SCALAR: _condition,
}


def _archived(path: str, comparison: Comparison) -> Query:
    """LIVE or ARCHIVED, which is a boolean in the database."""
    _text_condition(comparison)
    is_live, is_archived = _holds(comparison, "LIVE"), _holds(comparison, "ARCHIVED")
    if is_live == is_archived:
        return EVERYTHING if is_live else NOTHING
    return {path: {"$eq": True} if is_archived else {"$ne": True}}


def _holds(comparison: Comparison, text: str) -> bool:
    """Whether a comparison with text holds for `text`."""
    values = [str(each) for each in _each(comparison.value)]
    match comparison.operator:
        case "IN":
            return text in values
        case "LIKE":
            return _like(values[0], text)
        case "ILIKE":
            return _like(values[0].lower(), text.lower())
    one = values[0]
    answers = {
        "=": text == one,
        "!=": text != one,
        "<": text < one,
        "<=": text <= one,
        ">": text > one,
        ">=": text >= one,
    }
    return answers[comparison.operator]


def _like(like: str, text: str) -> bool:
    """For short texts of our own only: the pattern of a client is matched step by step, without going back."""
    reached = {0}
    for sign in like:
        if sign == "%":
            reached = set(range(min(reached), len(text) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(text) and sign in ("_", text[at])}
    return len(text) in reached


def _mismatch(comparison: Comparison) -> Refused:
    return Refused(
        INVALID_QUERY,
        f"{shown(comparison.name)}: {comparison.operator} does not go with a value of this type",
    )

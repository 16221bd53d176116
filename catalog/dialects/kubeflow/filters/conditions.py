"""One comparison of a `filterQuery` as the condition of a field. It never holds for a value of another type."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from catalog.dialects.kubeflow.filters.parser import Comparison, Operand, Scalar
from catalog.dialects.kubeflow.filters.properties import Column
from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.declarations import shown
from catalog.store.query.filters.patterns import like
from catalog.store.records import Query

NOTHING: Query = {"serial": {"$in": []}}
EVERYTHING: Query = {"serial": {"$gte": 0}}

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

LOWEST = -1.7976931348623157e308
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253402300799999  # the last millisecond of the year 9999

COMPARED = {"=": "$eq", "!=": "$ne", ">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
TYPES = {"string_value": str, "double_value": float, "int_value": float, "bool_value": bool}


def each_of(value: Operand) -> list[Scalar]:
    return value if isinstance(value, list) else [value]


def condition_of(comparison: Comparison) -> Query:
    """A comparison of a value whose type follows from the suffix, else from what it is compared with."""
    wanted = type_of(comparison)
    if wanted is str:
        return text_condition(comparison)
    if wanted is bool:
        return _flag_condition(comparison)
    return _number_condition(comparison)


def type_of(comparison: Comparison) -> type:
    if comparison.column:
        return TYPES[comparison.column]
    kinds = {
        bool if isinstance(each, bool) else str if isinstance(each, str) else float
        for each in each_of(comparison.value)
    }
    if len(kinds) > 1:
        raise Refused(INVALID_QUERY, f"{shown(comparison.name)}: the values of a list are of one type")
    return kinds.pop() if kinds else str


def text_condition(comparison: Comparison) -> Query:
    values = each_of(comparison.value)
    if not all(isinstance(each, str) for each in values):
        raise mismatch(comparison)
    match comparison.operator:
        case "IN":
            return {"$in": values}
        case "!=":
            return {"$ne": values[0], "$gte": ""}
        case "LIKE" | "ILIKE":
            return like(str(values[0]), ignores_case=comparison.operator == "ILIKE")
        case operator:
            return {COMPARED[operator]: values[0]}


def _number_condition(comparison: Comparison) -> Query:
    values = [number_of(comparison, each) for each in each_of(comparison.value)]
    match comparison.operator:
        case "IN":
            return {"$in": values}
        case "!=":
            return {"$ne": values[0], "$gte": LOWEST}
        case "LIKE" | "ILIKE":
            raise mismatch(comparison)
        case operator:
            return {COMPARED[operator]: values[0]}


def number_of(comparison: Comparison, value: Scalar) -> int | float:
    """A number, also one in quotes. Raises Refused: INVALID_QUERY."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise mismatch(comparison)
    number = float(value) if isinstance(value, str) else value
    if isinstance(number, bool) or number != number or abs(number) > -LOWEST:  # noqa: PLR0124  not a number
        raise mismatch(comparison)
    return number


def _flag_condition(comparison: Comparison) -> Query:
    values = [_flag(comparison, each) for each in each_of(comparison.value)]
    match comparison.operator:
        case "IN":
            return {"$in": values}
        case "=":
            return {"$eq": values[0]}
        case "!=":
            return {"$eq": not values[0]}
    raise mismatch(comparison)


def _flag(comparison: Comparison, value: Scalar) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise mismatch(comparison)
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
    Column.TEXT: text_condition,
    Column.NUMBER: _number_condition,
    Column.TIME: _time_condition,
    Column.SCALAR: condition_of,
}


def archived(path: str, comparison: Comparison) -> Query:
    """LIVE or ARCHIVED, which is a boolean in the database."""
    text_condition(comparison)
    is_live, is_archived = holds(comparison, "LIVE"), holds(comparison, "ARCHIVED")
    if is_live == is_archived:
        return EVERYTHING if is_live else NOTHING
    return {path: {"$eq": True} if is_archived else {"$ne": True}}


def holds(comparison: Comparison, text: str) -> bool:
    """Whether a comparison with text holds for `text`."""
    values = [str(each) for each in each_of(comparison.value)]
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


def _like(pattern: str, text: str) -> bool:
    """For short texts of our own only: the pattern of a client is matched step by step, without going back."""
    reached = {0}
    for sign in pattern:
        if sign == "%":
            reached = set(range(min(reached), len(text) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(text) and sign in ("_", text[at])}
    return len(text) in reached


def mismatch(comparison: Comparison) -> Refused:
    return Refused(
        INVALID_QUERY,
        f"{shown(comparison.name)}: {comparison.operator} does not go with a value of this type",
    )

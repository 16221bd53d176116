"""Matches one document as MongoDB does, for the part of a filter that is not sent to the database. It supports only
what `filter` compiles to.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from bson import Int64

from catalog.store.query.filters.patterns import Rich

Matcher = Callable[[Mapping[str, Any]], bool]
Test = Callable[[list[Any]], bool]
"""A predicate of all values at a path of one document."""


class _Missing(Enum):
    MISSING = "no such field"


_MISSING = _Missing.MISSING


def matcher(query: Mapping[str, Any]) -> Matcher:
    """`query` as a predicate of one document. Dates of a document without a zone are UTC."""
    tests = [_clause(key, operand) for key, operand in query.items()]
    return lambda document: all(test(document) for test in tests)


def _clause(key: str, operand: Any) -> Matcher:
    if key in _JOINTS:
        joint, matchers = _JOINTS[key], [matcher(each) for each in operand]
        return lambda document: joint(each(document) for each in matchers)
    path, test = key.split("."), _every(operand if _is_operators(operand) else {"$eq": operand})
    return lambda document: test(list(_values(document, path)))


_JOINTS: dict[str, Callable[[Iterator[bool]], bool]] = {
    "$and": all,
    "$or": any,
    "$nor": lambda answers: not any(answers),
}


def _is_operators(operand: Any) -> bool:
    return isinstance(operand, Mapping) and any(key.startswith("$") for key in operand)


def _every(operators: Mapping[str, Any]) -> Test:
    options = operators.get("$options", "")
    tests = [
        _regex(operand, options) if name == "$regex" else _TESTS[name](operand)
        for name, operand in operators.items()
        if name != "$options"
    ]
    return lambda values: all(test(values) for test in tests)


def _values(document: Any, path: list[str]) -> Iterator[Any]:
    """The values at `path`. A list on the way stands for each object in it."""
    if not path:
        yield document
    elif isinstance(document, list):
        for each in document:
            if isinstance(each, Mapping):
                yield from _values(each, path)
    else:
        yield from _values(document.get(path[0], _MISSING) if isinstance(document, Mapping) else _MISSING, path[1:])


class _Element(list[Any]):
    """A list that is itself an element of one: `$elemMatch` has chosen it, and looks no deeper."""


def _candidates(values: list[Any]) -> Iterator[Any]:
    """The values and, of a list, its elements too."""
    for value in values:
        yield value
        if isinstance(value, list) and not isinstance(value, _Element):
            yield from value


_BRACKETS: dict[type, str] = {bool: "boolean", int: "number", Int64: "number", float: "number", str: "text"}


def _comparable(value: Any) -> tuple[str, Any]:
    """`value` with its bracket: values of different brackets are never equal, nor in any order."""
    match value:
        case None | _Missing.MISSING:
            return "null", None
        case datetime():
            return "date", value if value.tzinfo else value.replace(tzinfo=UTC)
        case list():
            return "list", tuple(_comparable(each) for each in value)
        case Mapping():
            return "object", tuple((key, _comparable(each)) for key, each in value.items())
    return _BRACKETS.get(type(value), type(value).__name__), value


def _among(operand: list[Any]) -> Test:
    allowed = {_comparable(each) for each in operand}
    return lambda values: any(_comparable(value) in allowed for value in _candidates(values))


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Any], Test]:
    def compared(operand: Any) -> Test:
        bracket, bound = _comparable(operand)

        def test(values: list[Any]) -> bool:
            pairs = (_comparable(value) for value in _candidates(values))
            return any(holds(value, bound) for kind, value in pairs if kind == bracket)

        return test

    return compared


def _regex(operand: Any, options: str) -> Test:
    found_in = operand.found_in if isinstance(operand, Rich) else _plain(operand, options)
    return lambda values: any(isinstance(value, str) and found_in(value) for value in _candidates(values))


def _plain(pattern: str, options: str) -> Callable[[str], bool]:
    """Text and anchors only, which Python's regular expressions match in linear time."""
    flags = (re.IGNORECASE if "i" in options else 0) | (re.MULTILINE if "m" in options else 0)
    compiled = re.compile(pattern, flags)
    return lambda text: compiled.search(text) is not None


def _elem_match(operand: Mapping[str, Any]) -> Test:
    one = _value_matcher(_every(operand)) if _is_values_only(operand) else _object_matcher(matcher(operand))
    return lambda values: any(one(each) for value in values if isinstance(value, list) for each in value)


def _value_matcher(test: Test) -> Callable[[Any], bool]:
    return lambda element: test([_Element(element) if isinstance(element, list) else element])


def _object_matcher(matches: Matcher) -> Callable[[Any], bool]:
    return lambda element: isinstance(element, Mapping) and matches(element)


def _is_values_only(operand: Mapping[str, Any]) -> bool:
    return _is_operators(operand) and not operand.keys() & _JOINTS.keys()


def _all(operand: list[Any]) -> Test:
    tests = [_every(each if _is_operators(each) else {"$eq": each}) for each in operand]
    return lambda values: bool(tests) and all(test(values) for test in tests)


def _not(test: Test) -> Test:
    return lambda values: not test(values)


_TESTS: dict[str, Callable[[Any], Test]] = {
    "$eq": lambda operand: _among([operand]),
    "$ne": lambda operand: _not(_among([operand])),
    "$in": _among,
    "$nin": lambda operand: _not(_among(operand)),
    "$gt": _ordered(operator.gt),
    "$gte": _ordered(operator.ge),
    "$lt": _ordered(operator.lt),
    "$lte": _ordered(operator.le),
    "$not": lambda operand: _not(_every(operand)),
    "$exists": lambda operand: lambda values: any(value is not _MISSING for value in values) == operand,
    "$size": lambda operand: lambda values: any(isinstance(value, list) and len(value) == operand for value in values),
    "$all": _all,
    "$elemMatch": _elem_match,
}

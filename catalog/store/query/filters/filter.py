"""A client's `filter`, compiled by an allow-list into a query that is safe to run. What reaches the database is built
here, operator by operator, and never copied from the client. See `fields` for what may be used on which resource.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.budgets import Budget
from catalog.store.query.declarations import Field, Fields, FieldType, shown
from catalog.store.query.filters.literals import literal
from catalog.store.query.filters.matching import Matcher, matcher
from catalog.store.query.filters.patterns import Patterns, Rich, piece_of
from catalog.store.query.filters.patterns import condition as pattern_condition
from catalog.store.query.ngrams import having

LONGEST = 64 * 1024  # characters of JSON
LEVELS = 5  # operators within operators
NODES = 64  # operators and fields
LITERALS = 1000  # in one list

Conjunct = tuple[str, Any]
"""A field's path with its operators, or `$or` or `$nor` with their queries. All the conjuncts of a filter must hold."""


@dataclass(frozen=True)
class Filter:
    query: dict[str, Any]  # for the database: only allowed operators, only literals
    matches: Matcher | None = None  # what the server tests of each document it returns; None: nothing
    budget: Budget | None = None  # for all of that


def filter_of(
    fields: Fields, text: str | None, also: Iterable[Mapping[str, Any]] = (), budget: Budget | None = None
) -> Filter:
    """The checked query of a client's JSON: an object, or an array of which one must match.

    Operators: $eq $ne $gt $gte $lt $lte $in $nin $exists $regex $options $and $or $nor $not $all $elemMatch $size. An
    object instead of a list of objects asks for an element like it. `also` are further filters, which must hold
    too (see `listing.short_forms`). `budget` is what the request may spend on matching, the usual one without it.

    Raises Refused: INVALID_QUERY, naming the operator or the field.
    """
    parsed = read_json("filter", text) if text and text.strip() else {}
    patterns = Patterns(budget or Budget())
    client = Compiler(patterns)
    whole = {"$or": parsed} if isinstance(parsed, list) else parsed
    conjuncts = [found for each in (whole, *also) for found in client.conjuncts(fields, each, 0)]
    here = [each for each in conjuncts if _is_ours(*each)]
    query = joined(each for each in conjuncts if not _is_ours(*each))
    return Filter(query, matcher(joined(here)), patterns.budget) if here else Filter(query)


def within(access: Mapping[str, Any], requested: Filter) -> dict[str, Any]:
    """A query for the documents that match both `access` and the filter. Conditions stand side by side unless they
    collide: the embedded database reads everything for a `$and`.
    """
    merged, rest = dict(access), []
    for key, condition in requested.query.items():
        together = _together(merged[key], condition) if key in merged else condition
        if together is None:
            rest.append({key: condition})
        else:
            merged[key] = together
    return merged | {"$and": [*merged.get("$and", []), *rest]} if rest else merged


def read_json(name: str, text: str) -> Any:
    """Raises Refused: INVALID_QUERY, naming the parameter."""
    if len(text) > LONGEST:
        raise Refused(INVALID_QUERY, f"{name} is longer than {LONGEST} characters")
    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise Refused(INVALID_QUERY, f"{name} is not JSON: {error.msg} at character {error.pos}") from None
    except (ValueError, RecursionError):
        raise Refused(INVALID_QUERY, f"{name} holds a number too long or is nested too deeply") from None


def _no_number(word: str) -> NoReturn:
    raise Refused(INVALID_QUERY, f"{word} is not a number in JSON")


class Compiler:
    """Reads one client's filters, counting as it goes."""

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self._nodes = 0

    def conjuncts(self, fields: Fields, conjunction: Any, level: int) -> Iterator[Conjunct]:
        for key, value in _object("a filter", conjunction).items():
            self._count(key, level)
            if key == "$and":
                for each in _list(key, value):
                    yield from self.conjuncts(fields, each, level + 1)
            elif key in {"$or", "$nor"}:
                yield key, [joined(self.conjuncts(fields, each, level + 1)) for each in _list(key, value)]
            elif key.startswith("$"):
                raise _not_here(key)
            else:
                field = fields.field(key)
                ranges = "." not in key  # through a list, each bound might be met by another element
                yield from ((key, each) for each in self._conditions(field, value, level, ranges=ranges))
                if key == fields.spelt and isinstance(value, dict) and "$regex" in value:
                    piece = piece_of(value["$regex"], value.get("$options", ""))
                    yield from [("pieces", having(piece))] if piece else []

    def _conditions(self, field: Field, value: Any, level: int, *, ranges: bool) -> Iterator[dict[str, Any]]:
        """The conditions on one field, each of a single operator (or $regex with its $options)."""
        if not isinstance(value, dict):
            yield {"$eq": _value(field, value)}
        elif field.type is FieldType.OBJECT and not any(key.startswith("$") for key in value):
            yield self._elem_match(field, value, level)
        else:
            for name, operand in _filled("an object instead of a value", value).items():
                self._count(name, level)
                if name == "$regex":
                    options = value.get("$options", "")
                    yield pattern_condition(field, operand, options, self._patterns, ranges=ranges)
                elif name != "$options":
                    yield self._condition(field, name, operand, level + 1)
                elif "$regex" not in value:
                    raise Refused(INVALID_QUERY, "$options stands beside $regex")

    def _condition(self, field: Field, name: str, operand: Any, level: int) -> dict[str, Any]:
        value: Any
        match name:
            case "$eq" | "$ne":
                value = _value(field, operand)
            case "$gt" | "$gte" | "$lt" | "$lte":
                value = literal(field, operand)
            case "$in" | "$nin":
                value = _literals(name, field, operand)
            case "$exists":
                value = _flag(name, operand)
            case "$size":
                value = _size(name, field, operand)
            case "$not":
                value = self._operators(name, field, operand, level)
            case "$all":
                value = self._all(field, operand, level)
            case "$elemMatch":
                return self._elem_match(field, operand, level)
            case _:
                raise _not_here(name)
        return {name: value}

    def _operators(self, name: str, field: Field, operand: Any, level: int) -> dict[str, Any]:
        """Conditions that must stand together in one object: no range, which could meet the client's own bounds."""
        if not any(key.startswith("$") for key in _filled(name, operand)):
            raise Refused(INVALID_QUERY, f"{name} takes an object of operators here")
        conditions = self._conditions(field, operand, level, ranges=False)
        return {key: value for condition in conditions for key, value in condition.items()}

    def _elem_match(self, field: Field, operand: Any, level: int) -> dict[str, Any]:
        if not field.many:
            raise Refused(INVALID_QUERY, "$elemMatch is for a field that is a list")
        if field.inside is None:
            return {"$elemMatch": self._operators("$elemMatch", field.each, operand, level)}
        return {"$elemMatch": joined(self.conjuncts(field.inside, _filled("$elemMatch", operand), level))}

    def _all(self, field: Field, operand: Any, level: int) -> list[Any]:
        if not any(isinstance(each, dict) for each in _list("$all", operand)):
            return [literal(field, each) for each in operand]
        for each in operand:
            if _object("each of $all", each).keys() != {"$elemMatch"}:
                raise Refused(INVALID_QUERY, "$all takes values, or objects of $elemMatch alone")
            self._count("$elemMatch", level)
        return [self._elem_match(field, each["$elemMatch"], level + 1) for each in operand]

    def _count(self, key: str, level: int) -> None:
        self._nodes += 1
        if self._nodes > NODES:
            raise Refused(INVALID_QUERY, f"a filter has at most {NODES} operators and fields")
        if key.startswith("$") and level >= LEVELS:
            raise Refused(INVALID_QUERY, f"{shown(key)} is more than {LEVELS} levels deep")


def _not_here(name: str) -> Refused:
    return Refused(INVALID_QUERY, f"{shown(name)} is not an operator that a filter may use here")


def _object(what: str, operand: Any) -> dict[str, Any]:
    if not isinstance(operand, dict):
        raise Refused(INVALID_QUERY, f"{what} is an object")
    return operand


def _filled(what: str, operand: Any) -> dict[str, Any]:
    if not _object(what, operand):
        raise Refused(INVALID_QUERY, f"{what} is empty")
    return _object(what, operand)


def _list(name: str, operand: Any) -> list[Any]:
    if not isinstance(operand, list) or not 0 < len(operand) <= LITERALS:
        raise Refused(INVALID_QUERY, f"{name} takes a list of 1 to {LITERALS} elements")
    return operand


def _value(field: Field, value: Any) -> Any:
    """What a field is compared with: a literal, null, or a whole list where the field is one."""
    if isinstance(value, list) and field.many and len(value) <= LITERALS:
        return [literal(field, each) for each in value]
    return None if value is None else literal(field, value)


def _literals(name: str, field: Field, operand: Any) -> list[Any]:
    if not isinstance(operand, list) or len(operand) > LITERALS:
        raise Refused(INVALID_QUERY, f"{name} takes a list of at most {LITERALS} values")
    return [None if each is None else literal(field, each) for each in operand]


def _flag(name: str, operand: Any) -> bool:
    if not isinstance(operand, int) or operand not in {0, 1}:
        raise Refused(INVALID_QUERY, f"{name} takes true or false")
    return bool(operand)


def _size(name: str, field: Field, operand: Any) -> int:
    if not field.many:
        raise Refused(INVALID_QUERY, f"{name} is for a field that is a list")
    if not isinstance(operand, int) or isinstance(operand, bool) or not 0 <= operand < 1 << 31:
        raise Refused(INVALID_QUERY, f"{name} takes a number of elements")
    return operand


def joined(conjuncts: Iterable[Conjunct]) -> dict[str, Any]:
    """All of them as one query, with as few `$and` as possible: the embedded database reads everything for each."""
    by_key: dict[str, list[Any]] = {}
    for key, condition in conjuncts:
        by_key.setdefault(key, []).append(condition)
    query: dict[str, Any] = {}
    rest: list[dict[str, Any]] = []
    for key, several in by_key.items():
        for condition in several if key.startswith("$") or "." in key else _elements_together(several):
            together = _together(query[key], condition) if key in query else condition
            if together is None:
                rest.append({key: _plain(condition)})
            else:
                query[key] = together
    return {key: _plain(condition) for key, condition in query.items()} | ({"$and": rest} if rest else {})


def _elements_together(several: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two or more `$elemMatch` of one list, or two values it must hold, as one `$all`."""
    for name in ("$elemMatch", "$eq"):
        some = [each for each in several if each.keys() == {name} and isinstance(each[name], str | dict)]
        if len(some) > 1 and not any("$all" in each for each in several):
            condition = some if name == "$elemMatch" else [each[name] for each in some]
            several = [*(each for each in several if each not in some), {"$all": condition}]
    return several


def _together(one: Any, other: Any) -> dict[str, Any] | None:
    """The operators of both, or None when they cannot stand in one object."""
    if _is_operators(one) and _is_operators(other) and one.keys().isdisjoint(other):
        return {**one, **other}
    return None


def _is_operators(condition: Any) -> bool:
    return isinstance(condition, dict) and bool(condition) and all(key.startswith("$") for key in condition)


def _plain(condition: Any) -> Any:
    return condition["$eq"] if _is_operators(condition) and condition.keys() == {"$eq"} else condition


def _is_ours(key: str, condition: Any) -> bool:
    """Whether the server must match this itself: a rich pattern anywhere inside, or what the engines disagree about."""
    if isinstance(condition, dict):
        # Of objects in a list, the embedded database wants one value to be `$all` of them at once.
        return ("." in key and "$all" in condition) or any(_is_ours(name, each) for name, each in condition.items())
    if isinstance(condition, list):
        return any(_is_ours("", each) for each in condition)
    return isinstance(condition, Rich)

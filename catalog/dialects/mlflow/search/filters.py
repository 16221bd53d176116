"""The filter language of MLflow's searches: conditions with AND between them.

    name ILIKE 'iris%' AND tags.`mlflow.team` = 'vision' AND version_number >= 2

The text is read by a tokenizer and a parser of a few lines, bounded in length and in conditions. `queries` makes
filters of the store out of the conditions.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from catalog.errors import INVALID_QUERY, Refused

LONGEST = 20_000  # characters
MOST = 50  # conditions
MOST_VALUES = 1000  # in one list
LONGEST_NUMBER = 18  # digits

NUMBERS = frozenset({"=", "!=", "<", "<=", ">", ">="})
TEXTS = frozenset({"=", "!=", "LIKE", "ILIKE"})
LISTS = frozenset({"IN", "NOT IN"})

Value = str | int | tuple[str, ...]


class AttributeType(Enum):
    TEXT = TEXTS
    LISTED = TEXTS | LISTS
    CHOICE = frozenset({"=", "!="}) | LISTS
    ALIAS = frozenset({"=", "IN"})
    NUMBER = NUMBERS


Attributes = Mapping[str, AttributeType]

MODEL_ATTRIBUTES: Attributes = {
    "name": AttributeType.LISTED,
    "alias": AttributeType.ALIAS,
    "creation_timestamp": AttributeType.NUMBER,
    "last_updated_timestamp": AttributeType.NUMBER,
}
VERSION_ATTRIBUTES: Attributes = {
    "name": AttributeType.LISTED,
    "version_number": AttributeType.NUMBER,
    "run_id": AttributeType.LISTED,
    "source_path": AttributeType.TEXT,
    "stage": AttributeType.CHOICE,
    "alias": AttributeType.ALIAS,
    "creation_timestamp": AttributeType.NUMBER,
    "last_updated_timestamp": AttributeType.NUMBER,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """`key` is the name of an attribute, or that of a tag. `operator` is in capitals."""

    key: str
    operator: str
    value: Value
    is_tag: bool = False


class FilterToken(NamedTuple):
    kind: str
    text: str


_TOKEN = re.compile(
    r"""
    (?P<space> \s+)
    | (?P<identifier> (?: [A-Za-z_]\w* \. )? (?: `[^`]*` ) | (?: [A-Za-z_]\w* \. ) "[^"]*" )
    | (?P<text> '(?: [^'\\]++ | '' | \\'? )*+' | "[^"]*" )
    | (?P<number> [-+]? (?: \d+ (?: \.\d* )? | \.\d+ ) (?: [eE] [-+]? \d+ )? (?! [\w.] ) )
    | (?P<word> [^\W\d] [\w./:-]* )
    | (?P<sign> != | <> | <= | >= | = | < | > )
    | (?P<mark> [(),] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"''|\\'")


def parse(text: str, attributes: Attributes) -> list[Condition]:
    """The conditions of a filter; none of an empty one. Raises Refused: INVALID_QUERY."""
    if len(text) > LONGEST:
        raise Refused(INVALID_QUERY, f"Invalid filter: it has more than {LONGEST} characters")
    return list(_FilterParser(list(_tokens(text)), attributes).conditions())


def _tokens(text: str) -> Iterator[FilterToken]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _invalid(text[at:])
        if found.lastgroup != "space":
            yield FilterToken(str(found.lastgroup), found[0])
        at = found.end()


class _FilterParser:
    def __init__(self, tokens: list[FilterToken], attributes: Attributes) -> None:
        self._tokens = tokens
        self._attributes = attributes
        self._at = 0

    def conditions(self) -> Iterator[Condition]:
        count = 0
        while self._at < len(self._tokens):
            count += 1
            if count > MOST:
                raise Refused(INVALID_QUERY, f"Invalid filter: it has more than {MOST} conditions")
            yield self._condition()
            if self._at < len(self._tokens) and self._next().text.upper() != "AND":
                raise _invalid(self._rest(self._at - 1))

    def _condition(self) -> Condition:
        start = self._at
        is_tag, key = self._identifier(start)
        operator = self._operator(start)
        allowed = AttributeType.TEXT if is_tag else self._attributes[key]
        if operator not in allowed.value:
            signs = ", ".join(sorted(allowed.value))
            raise Refused(INVALID_QUERY, f"Invalid comparator '{operator}' for '{_short(key)}': use one of {signs}")
        return Condition(key, operator, self._value(start, key, operator, allowed), is_tag)

    def _identifier(self, start: int) -> tuple[bool, str]:
        token = self._next()
        if token.kind not in {"identifier", "word"}:
            raise _invalid(self._rest(start))
        entity, dot, key = token.text.partition(".")
        if token.text.startswith("`") or not dot:
            return False, self._attribute(_unquoted(token.text))
        if entity in {"tag", "tags"}:
            return True, _unquoted(key)
        if entity not in {"attribute", "attributes"}:
            kinds = ("attribute", "tag", "tags")
            raise Refused(INVALID_QUERY, f"Invalid entity type '{_short(entity)}'. Valid entity types are {kinds}")
        return False, self._attribute(_unquoted(key))

    def _attribute(self, key: str) -> str:
        if key not in self._attributes:
            valid = sorted(self._attributes)
            raise Refused(INVALID_QUERY, f"Invalid attribute key '{_short(key)}' specified. Valid keys are {valid}")
        return key

    def _operator(self, start: int) -> str:
        token = self._next()
        word = token.text.upper()
        if token.kind == "sign":
            return "!=" if word == "<>" else word
        if word == "NOT" and self._at < len(self._tokens) and self._tokens[self._at].text.upper() == "IN":
            self._next()
            return "NOT IN"
        if token.kind == "word" and word in {"LIKE", "ILIKE", "IN"}:
            return word
        raise _invalid(self._rest(start))

    def _value(self, start: int, key: str, operator: str, allowed: AttributeType) -> Value:
        if operator in LISTS:
            return self._list(start)
        token = self._next()
        if allowed is AttributeType.NUMBER:
            return _number(key, token)
        if token.kind != "text":
            raise Refused(
                INVALID_QUERY, f"Expected a quoted string value for '{_short(key)}', got {_short(token.text)}"
            )
        return _unquoted(token.text)

    def _list(self, start: int) -> tuple[str, ...]:
        values: list[str] = []
        if self._next().text != "(":
            raise _invalid(self._rest(start))
        while True:
            token = self._next()
            if token.kind != "text":
                raise _invalid(self._rest(start))
            values.append(_unquoted(token.text))
            mark = self._next().text
            if mark == ")":
                break
            if mark != "," or len(values) >= MOST_VALUES:
                raise _invalid(self._rest(start))
        return tuple(values)

    def _next(self) -> FilterToken:
        if self._at >= len(self._tokens):
            raise _invalid(self._rest(max(0, self._at - 3)))
        self._at += 1
        return self._tokens[self._at - 1]

    def _rest(self, start: int) -> str:
        return " ".join(token.text for token in self._tokens[start:])


def _number(key: str, token: FilterToken) -> int:
    text = _unquoted(token.text) if token.kind == "text" else token.text
    if not re.fullmatch(rf"[-+]?\d{{1,{LONGEST_NUMBER}}}", text, re.ASCII):
        raise Refused(INVALID_QUERY, f"Expected an integer for '{_short(key)}', got {_short(token.text)}")
    return int(text)


def _unquoted(text: str) -> str:
    if text[:1] == "'":
        return _ESCAPED.sub("'", text[1:-1])
    return text[1:-1] if text[:1] in {'"', "`"} else text


def _short(text: str) -> str:
    return text[:80]


def _invalid(rest: str) -> Refused:
    return Refused(INVALID_QUERY, f"Invalid clause(s) in filter string: {_short(rest)}")

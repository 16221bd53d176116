"""The words of a `filterQuery`."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.declarations import shown

LONGEST = 8192  # characters of a query

HINT = 'Hint: String values must be quoted, for example name = "my-model"'

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*)
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<float>[+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?\d+[eE][+-]?\d+)
    | (?P<int>[+-]?\d+)
    | (?P<escaped>`[^`]+`)
    | (?P<word>[a-zA-Z_][a-zA-Z0-9_]*)
    | (?P<operator><=|>=|!=|<>|[=<>])
    | (?P<mark>[(),.])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class QueryToken(NamedTuple):
    kind: str
    text: str


END = QueryToken("end", "")


def tokens_of(query: str) -> Iterator[QueryToken]:
    """Raises Refused: INVALID_QUERY."""
    if len(query) > LONGEST:
        raise Refused(INVALID_QUERY, f"filterQuery: at most {LONGEST} characters are allowed")
    at = 0
    while at < len(query):
        found = _TOKEN.match(query, at)
        if found is None:
            raise malformed(f"unexpected {query[at : at + 20]!r} at character {at + 1}")
        at = found.end()
        kind = found.lastgroup or ""
        if kind != "space":
            yield QueryToken(kind, _unquoted(kind, found[0]))
    yield END


def malformed(problem: str) -> Refused:
    return Refused(INVALID_QUERY, f"invalid filter query syntax: {shown(problem)}. {HINT}")


def _unquoted(kind: str, text: str) -> str:
    if kind == "escaped":
        return text[1:-1]
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) if kind == "text" else text

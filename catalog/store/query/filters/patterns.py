"""Reads a client's regular expression so that no client's pattern reaches the database.

Neither MongoDB nor the embedded engine stops a catastrophic pattern. Text with an optional `^` and `$` is sent as
that text, escaped, or as a range; everything else is matched here by RE2, whose time is linear.
"""

import re
from typing import Any, NamedTuple

import re2

from catalog.errors import INVALID_QUERY, Refused
from catalog.store.query.budgets import Budget
from catalog.store.query.declarations import Field, FieldType, shown
from catalog.store.query.filters.literals import text
from catalog.store.query.ngrams import beginning, key_of, rarest

LONGEST = 256  # characters
MOST = 32  # patterns of a request that are more than text
SHORTEST_PIECE = 3  # letters; too many words have a shorter one

# What each of RE2's 128 cached patterns may hold, and how many instructions those of a request may have. The worst
# within them takes 5 us for each byte of the text; most take 2 ns.
_MEMORY = 1 << 18
_LARGEST_PROGRAM = 2000

_OPTIONS = re2.Options()
_OPTIONS.max_mem = _MEMORY
_OPTIONS.never_capture = True
_OPTIONS.log_errors = False

_SPECIAL = frozenset(".^$*+?()[]{}|")
_PUNCTUATION = re.compile(r"([!-/:-@\[-^`{-~])")
_SURROGATES = range(0xD800, 0xE000)
_LAST = 0x10FFFF


class Literal(NamedTuple):
    """A pattern that is nothing but text, perhaps anchored."""

    starts: bool
    text: str
    ends: bool

    def escaped(self) -> str:
        return "^" * self.starts + escaped(self.text) + "$" * self.ends


class Rich:
    """A pattern that is more than text. It is matched here, never sent to the database."""

    def __init__(self, pattern: str, flags: str, budget: Budget) -> None:
        """Raises Refused: INVALID_QUERY, for what RE2 does not read or could not match in little memory."""
        self._budget = budget
        try:
            self._search = re2.compile(f"(?{flags}){pattern}" if flags else pattern, _OPTIONS)
        except re2.error as error:
            raise Refused(INVALID_QUERY, f"$regex: {shown(error.args[0].decode(errors='replace'))}") from None
        if self._search.programsize > _LARGEST_PROGRAM:
            raise Refused(INVALID_QUERY, "$regex: the pattern is too large")

    @property
    def size(self) -> int:
        """Instructions of RE2's."""
        return int(self._search.programsize)

    def found_in(self, text: str) -> bool:
        """Raises Refused: INVALID_QUERY when the budget of the request is used up."""
        encoded = text.encode()  # of bytes, RE2 need not count characters
        self._budget.check(len(encoded))
        return self._search.search(encoded) is not None


class Patterns:
    """The rich patterns of one request: few, small together, and with one budget."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._count = 0
        self._size = 0

    def rich(self, pattern: str, flags: str) -> Rich:
        """Raises Refused: INVALID_QUERY."""
        self._count += 1
        if self._count > MOST:
            raise Refused(INVALID_QUERY, f"$regex: a request has at most {MOST} patterns that are more than text")
        rich = Rich(pattern, flags, self.budget)
        self._size += rich.size
        if self._size > _LARGEST_PROGRAM:
            raise Refused(INVALID_QUERY, "$regex: the patterns are too large together")
        return rich


def condition(field: Field, pattern: Any, options: Any, patterns: Patterns, *, ranges: bool) -> dict[str, Any]:
    """The condition that stands for `{"$regex": pattern, "$options": options}`.

    A pattern that is more than text stands in it as `Rich`. With `ranges`, `^text` becomes a range and
    `^text$` an equality, which an index answers.

    Raises Refused: INVALID_QUERY.
    """
    pattern, flags = _checked(field, pattern), _flags(options)
    plain = literal_of(pattern)
    if plain is None:
        return {"$regex": patterns.rich(pattern, "".join(sorted(flags)))}
    if ranges and plain.starts and not flags & {"i", "m"}:
        return {"$eq": plain.text} if plain.ends else _of_one(field, prefix_range(plain.text))
    remaining = "".join(sorted(flags - {"s"}))  # without a dot, `s` says nothing
    return {"$regex": plain.escaped()} | ({"$options": remaining} if remaining else {})


def piece_of(pattern: str, options: str) -> str | None:
    """A part of every word that the pattern matches, so that the database need not test all words."""
    plain = literal_of(pattern)
    if plain is None or (plain.starts and not set(options) & {"i", "m"}):  # that is a range already
        return None
    key = key_of(plain.text)
    if plain.starts and "m" not in options:
        return beginning(key) if key else None
    return rarest(key) if len(key) >= SHORTEST_PIECE else None


def literal_of(pattern: str) -> Literal | None:
    """The text that `pattern` stands for, if it is plain text; None for any other pattern."""
    starts = pattern.startswith("^")
    rest = iter(pattern[starts:])
    spelt: list[str] = []
    for character in rest:
        if character == "\\":
            character = next(rest, "")  # noqa: PLW2901  the next one means itself
            if not character.isascii() or character.isalnum() or not character:
                return None
        elif character == "$" and next(rest, None) is None:
            return Literal(starts, "".join(spelt), ends=True)
        elif character in _SPECIAL:
            return None
        spelt.append(character)
    return Literal(starts, "".join(spelt), ends=False)


def like(pattern: str, *, ignores_case: bool) -> dict[str, Any]:
    """A LIKE of SQL as the condition of a client: `%` is any text, `_` one character."""
    begins, ends = not pattern.startswith("%"), not pattern.endswith("%")
    inner = pattern.strip("%")
    if not inner and pattern:
        begins = ends = False
    body = "".join(".*" if sign == "%" else "." if sign == "_" else escaped(sign) for sign in inner)
    return {"$regex": "^" * begins + body + "$" * ends, "$options": "i" * ignores_case + "s"}


def escaped(text: str) -> str:
    """A pattern that matches `text` alone, in the database's dialect as in Python's."""
    return _PUNCTUATION.sub(r"\\\1", text)


def prefix_range(prefix: str) -> dict[str, str]:
    """The range of the texts that start with `prefix`, in the order of their UTF-8 bytes, which is by code point."""
    body = prefix.rstrip(chr(_LAST))
    if not body:
        return {"$gte": prefix}
    following = ord(body[-1]) + 1
    return {"$gte": prefix, "$lt": body[:-1] + chr(_SURROGATES.stop if following in _SURROGATES else following)}


def _of_one(field: Field, bounds: dict[str, str]) -> dict[str, Any]:
    """Of a list, one element must be within both bounds."""
    return {"$elemMatch": bounds} if field.many else bounds


def _checked(field: Field, pattern: Any) -> str:
    if field.type not in {FieldType.TEXT, FieldType.SCALAR}:
        raise Refused(INVALID_QUERY, f"{field.path} is {field.type.value}, and $regex looks into text")
    try:
        text(pattern)
    except (TypeError, ValueError):
        raise Refused(INVALID_QUERY, "$regex takes text") from None
    if len(pattern) > LONGEST or "\0" in pattern:
        raise Refused(INVALID_QUERY, f"$regex takes at most {LONGEST} characters, and no NUL")
    return str(pattern)


def _flags(options: Any) -> frozenset[str]:
    if not isinstance(options, str) or not set(options) <= set("ims"):
        raise Refused(INVALID_QUERY, "$options takes the letters i, m and s")
    return frozenset(options)

"""A `filterQuery` as a tree: comparisons, joined by AND and OR."""

from dataclasses import dataclass
from typing import TypeAlias

from catalog.dialects.kubeflow.filters.tokens import END, QueryToken, malformed, tokens_of

DEEPEST = 16
"""Parentheses within parentheses."""

MOST_VALUES = 1000
"""Values in one list."""

SUFFIXES = {"string_value", "double_value", "int_value", "bool_value"}
OPERATORS = {"LIKE", "ILIKE", "IN"}

Scalar: TypeAlias = str | int | float | bool
Operand: TypeAlias = Scalar | list[Scalar]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A property, an operator and a value. `column` is the type that a suffix forces."""

    name: str
    operator: str
    value: Operand
    column: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """Several conditions, of which all must hold (`AND`) or one (`OR`)."""

    word: str
    parts: tuple["Tree", ...]


Tree: TypeAlias = Comparison | Joined


def parsed(query: str) -> Tree:
    """Raises Refused: INVALID_QUERY."""
    return _QueryParser(list(tokens_of(query))).whole()


class _QueryParser:
    def __init__(self, tokens: list[QueryToken]) -> None:
        self._tokens = tokens
        self._at = 0

    def whole(self) -> Tree:
        tree = self._either(0)
        if self._next != END:
            raise malformed(f"unexpected {self._next.text!r}")
        return tree

    @property
    def _next(self) -> QueryToken:
        return self._tokens[self._at]

    def _take(self) -> QueryToken:
        token = self._next
        self._at += token is not END
        return token

    def _accept(self, kind: str, text: str) -> bool:
        accepted = self._next.kind == kind and self._next.text.upper() == text
        self._at += accepted
        return accepted

    def _expect(self, mark: str) -> None:
        if not self._accept("mark", mark):
            raise malformed(f"{mark!r} is expected, not {self._next.text!r}")

    def _either(self, depth: int) -> Tree:
        parts = [self._all(depth)]
        while self._accept("word", "OR"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Joined("OR", tuple(parts))

    def _all(self, depth: int) -> Tree:
        parts = [self._term(depth)]
        while self._accept("word", "AND"):
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else Joined("AND", tuple(parts))

    def _term(self, depth: int) -> Tree:
        if not self._accept("mark", "("):
            return self._comparison()
        if depth >= DEEPEST:
            raise malformed(f"more than {DEEPEST} parentheses within each other")
        tree = self._either(depth + 1)
        self._expect(")")
        return tree

    def _comparison(self) -> Comparison:
        name, column = self._name()
        operator = self._operator()
        value = self._list() if operator == "IN" else self._scalar()
        return Comparison(name, operator, value, column)

    def _name(self) -> tuple[str, str]:
        """A property, and the type that its suffix forces."""
        token = self._take()
        if token.kind not in {"word", "escaped"}:
            raise malformed(f"a property is expected, not {token.text!r}")
        parts = token.text.split(".") if token.kind == "escaped" else [token.text]
        while token.kind == "word" and self._accept("mark", "."):
            part = self._take()
            if part.kind not in {"word", "int"}:
                raise malformed(f"a property is expected, not {part.text!r}")
            parts.append(part.text)
        if len(parts) > 1 and parts[-1] in SUFFIXES:
            return ".".join(parts[:-1]), parts[-1]
        return ".".join(parts), ""

    def _operator(self) -> str:
        token = self._take()
        if token.kind == "operator":
            return "!=" if token.text == "<>" else token.text
        if token.kind == "word" and token.text.upper() in OPERATORS:
            return token.text.upper()
        raise malformed(f"an operator is expected, not {token.text!r}")

    def _list(self) -> list[Scalar]:
        self._expect("(")
        values: list[Scalar] = []
        while not self._accept("mark", ")"):
            if values:
                self._expect(",")
            values.append(self._scalar())
            if len(values) > MOST_VALUES:
                raise malformed(f"more than {MOST_VALUES} values in a list")
        return values

    def _scalar(self) -> Scalar:
        token = self._take()
        match token.kind:
            case "text":
                return token.text
            case "int" if len(token.text.lstrip("+-")) < 20:  # noqa: PLR2004  64 bits
                return int(token.text)
            case "float":
                return float(token.text)
            case "word" if token.text.lower() in {"true", "false"}:
                return token.text.lower() == "true"
        raise malformed(f"a value is expected, not {token.text!r}")

"""The YAML front matter of a card, as on the Hugging Face Hub: read within bounds, without aliases and without objects.

Values are built from the events of the parser, so nothing of the client's text chooses a Python type. Plain scalars are
read by the rules of JSON: `no` is the Norwegian language and not false, and a date stays a text.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import yaml

from catalog.vocabulary import Json

LONGEST = 64 * 1024  # characters
MOST_NODES = 5000
DEEPEST = 16

OPENING = re.compile(r"\A\ufeff?---[ \t]*\r?\n")
CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?")
WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null"), None),
    **dict.fromkeys(("true", "True"), True),
    **dict.fromkeys(("false", "False"), False),
}

Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FrontMatterError(ValueError):
    """The text is one sentence that says what is wrong with the front matter."""


class CardParts(NamedTuple):
    """The parts of a card."""

    front_matter: Mapping[str, Json]
    body: str  # Markdown


def split(text: str) -> tuple[str, str]:
    """The YAML of a card, empty without front matter, and its Markdown. Raises FrontMatterError."""
    opening = OPENING.match(text)
    closing = CLOSING.search(text, opening.end()) if opening else None
    if opening is None or closing is None:  # a horizontal rule in Markdown looks like an opening
        return "", text
    yaml_text = text[opening.end() : closing.start()]
    if len(yaml_text) > LONGEST:
        raise FrontMatterError(f"at most {LONGEST} characters are allowed")
    return yaml_text, text[closing.end() :]


def parse(text: str) -> CardParts:
    """Raises FrontMatterError."""
    yaml_text, body = split(text)
    return CardParts(mapping_of(yaml_text), body)


def mapping_of(yaml_text: str) -> dict[str, Json]:
    """The mapping that a document in YAML is; an empty one of an empty document. Raises FrontMatterError."""
    try:
        value = _Values(yaml.parse(yaml_text, Loader=Parser)).document()
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f"line {mark.line + 2}: " if mark else ""
        raise FrontMatterError(f"{where}{getattr(problem, 'problem', None) or 'this is not YAML'}") from None
    except RecursionError:
        raise FrontMatterError("it is nested too deeply") from None
    if not isinstance(value, dict | None):
        raise FrontMatterError("it must be a mapping, like `license: mit`")
    return value or {}


class _Values:
    """Builds the value of a document from its events."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._nodes = 0

    def document(self) -> Json:
        value: Json = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                value = self._value(next(self._events), 0)
        return value

    def _value(self, event: yaml.Event, depth: int) -> Json:
        self._nodes += 1
        if self._nodes > MOST_NODES or depth > DEEPEST:
            raise FrontMatterError(f"at most {MOST_NODES} values and {DEEPEST} levels are allowed")
        match event:
            case yaml.ScalarEvent():
                return _plain(event.value) if event.implicit[0] else event.value
            case yaml.SequenceStartEvent():
                return list(self._until(yaml.SequenceEndEvent, depth))
            case yaml.MappingStartEvent():
                return self._mapping(depth)
        raise FrontMatterError(f"line {event.start_mark.line + 2}: aliases are not allowed")

    def _mapping(self, depth: int) -> dict[str, Json]:
        nodes = self._until(yaml.MappingEndEvent, depth)
        found: dict[str, Json] = {}
        for key, value in zip(nodes, nodes, strict=True):
            if isinstance(key, dict | list):
                raise FrontMatterError("a key must be a text")
            found["null" if key is None else str(key)] = value
        return found

    def _until(self, end: type, depth: int) -> Iterator[Json]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield self._value(event, depth + 1)


def _plain(text: str) -> Json:
    if text in WORDS:
        return WORDS[text]
    for pattern, read in READERS:
        if pattern.fullmatch(text):
            return read(text)
    return text


def _float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


READERS: tuple[tuple[re.Pattern[str], Callable[[str], Json]], ...] = ((INTEGER, int), (FLOAT, _float))

"""Checks of inputs against the limits and the rules of names. A refusal names the field."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Never
from unicodedata import category

from catalog.domain import naming
from catalog.domain.items.inputs import MetadataPair, PairToRemove
from catalog.domain.limits import LARGEST_METADATA, LONGEST_DESCRIPTION, LONGEST_INTEGER, LONGEST_NAME, Limits
from catalog.errors import Fault, Refused
from catalog.store.records import Value

MOST_WORDS, LONGEST_WORD = 200, 128
"""How many languages and tasks an item may have, and the characters of each."""


@dataclass(frozen=True, slots=True)
class Validator:
    """Raises Refused with `fault` for what is wrong."""

    fault: Fault
    limits: Limits

    def refuse(self, sentence: str) -> Never:
        raise Refused(self.fault, sentence)

    def text(self, field: str, value: str, longest: int) -> str:
        if len(value) > longest:
            self.refuse(f"{field}: at most {longest} characters are allowed, not {len(value)}")
        if "\0" in value:
            self.refuse(f"{field}: the character NUL is not allowed")
        return value

    def line(self, field: str, value: str, longest: int) -> str:
        """Text without line breaks and other control characters."""
        self.text(field, value, longest)
        if not value.isprintable() and any(category(sign) in naming.BREAKS for sign in value):
            self.refuse(f"{field}: control characters and line breaks are not allowed")
        return value

    def description(self, value: str) -> str:
        return self.text("description", value, LONGEST_DESCRIPTION)

    def size(self, field: str, elements: Sequence[object]) -> None:
        most = self.limits.most(field.partition(".")[0])
        if len(elements) > most:
            self.refuse(f"{field}: at most {most} are allowed, not {len(elements)}")

    def new_name(self, field: str, value: str, longest: int, rule: Callable[[str], str]) -> str:
        """A new name as `rule` (one of `naming`) allows and normalizes it."""
        self.text(field, value, longest)
        try:
            name = rule(value)
        except naming.NameInvalidError as problem:
            self.refuse(f"{field}: {problem}")
        return name if name == value else self.text(field, name, longest)  # normalizing may make a text longer

    def words(self, field: str, values: Sequence[str]) -> list[str]:
        """Short texts on one line, each once."""
        if len(values) > MOST_WORDS:
            self.refuse(f"{field}: at most {MOST_WORDS} are allowed, not {len(values)}")
        for index, value in enumerate(values):
            self.line(f"{field}.{index}", value, LONGEST_WORD)
        return list(dict.fromkeys(values))

    def references(self, field: str, keys: Sequence[str]) -> list[str]:
        """References to what must exist already, each once."""
        self.size(field, keys)
        longest = LONGEST_NAME + 1 + max(LONGEST_NAME, self.limits.name)  # owner/name
        for index, key in enumerate(keys):
            self.text(f"{field}.{index}", key, longest)
        return list(dict.fromkeys(keys))

    def tags(self, field: str, tags: Sequence[str]) -> list[str]:
        """Tags of something new, normalized, each once."""
        self.size(field, tags)
        longest = self.limits.tag
        named: dict[str, None] = {}
        for at, tag in enumerate(tags):
            try:
                named[self.new_name(f"{field}.{at}", tag, longest, naming.term)] = None
            except Refused as refused:
                refused.subject = tag
                raise
        return list(named)

    def tags_in_change(self, field: str, tags: Sequence[str]) -> None:
        """Tags to add or to remove: one that the item already has may be spelled as a new one may not."""
        self.size(field, tags)
        for index, tag in enumerate(tags):
            self.text(f"{field}.{index}", tag, self.limits.tag)

    def pairs(self, field: str, pairs: Sequence[MetadataPair]) -> list[MetadataPair]:
        """Metadata of something new, with normalized names. A later pair replaces an earlier one of its name."""
        self.size(field, pairs)
        named: dict[str, MetadataPair] = {}
        for at, pair in enumerate(pairs):
            try:
                name = self.new_name(f"{field}.{at}.name", pair.name, self.limits.metadata_name, naming.term)
                self._value(f"{field}.{at}.value", pair.value)
            except Refused as refused:
                refused.subject = pair.name
                raise
            named[name] = pair if name == pair.name else MetadataPair(name, pair.value)
        self.metadata_size(field, [pair.value for pair in named.values()])
        return list(named.values())

    def metadata_size(self, field: str, values: Iterable[Value]) -> None:
        """Refuse values that would not fit into one record together."""
        if size_of(values) > LARGEST_METADATA:
            self.refuse(f"{field}: at most {LARGEST_METADATA} bytes of values are allowed")

    def pairs_in_change(self, field: str, pairs: Sequence[MetadataPair | PairToRemove]) -> None:
        """Pairs to add or to remove: one that the item already has may be spelled as a new one may not."""
        self.size(field, pairs)
        for index, pair in enumerate(pairs):
            try:
                self.text(f"{field}.{index}.name", pair.name, self.limits.metadata_name)
                if pair.value is not None:
                    self._value(f"{field}.{index}.value", pair.value)
            except Refused as refused:
                refused.subject = pair.name
                raise

    def _value(self, field: str, value: Value) -> None:
        if isinstance(value, str):
            self.text(field, value, self.limits.metadata_value)
        elif isinstance(value, int) and not -LONGEST_INTEGER <= value < LONGEST_INTEGER:
            self.refuse(f"{field}: the number does not fit into 64 bits")


def size_of(values: Iterable[Value]) -> int:
    """How many bytes the texts among some values have."""
    return sum(len(value.encode(errors="replace")) for value in values if isinstance(value, str))

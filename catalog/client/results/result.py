"""What all results have in common: frozen and typed. Fields that a newer server adds are ignored."""

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from typing import Generic, Self, TypedDict, TypeVar

from catalog.client.display import html_table, short_repr
from catalog.client.results.shapes import Document, field_readers, shape_error, shaped

T = TypeVar("T")

Value = str | float | bool
"""The value of a metadata pair."""

NEVER = datetime.fromtimestamp(0, UTC)


class ShortDisplay:
    """Is shown short, in a console and in a notebook."""

    __slots__ = ()

    def __repr__(self) -> str:
        return short_repr(self)

    def _repr_html_(self) -> str:
        return html_table(self)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Result(ShortDisplay):
    """A JSON document of the native API. Attributes have the names of its fields, but `id` stands for `_id`."""

    @classmethod
    def of(cls, document: Document) -> Self:
        """Raises NotACatalog for a document that lacks a field, or has one of another type than annotated."""
        values, read = cls._values(document), {}
        for name, read_field in field_readers(cls).items():
            value = values.get(name)
            if value is not None:
                read[name] = read_field(value)
        try:
            return cls(**read)
        except TypeError:
            needed = [each.name for each in fields(cls) if each.default is each.default_factory is MISSING]
            missing = next(name for name in needed if name not in read)
            raise shape_error(f"{missing} is missing") from None

    @classmethod
    def _values(cls, document: Document) -> dict[str, object]:
        """The values of the fields, by the names of the attributes."""
        return {**document, "id": document.get("_id", "")}


@dataclass(frozen=True, slots=True, repr=False)
class Page(ShortDisplay, Generic[T]):
    """One page of a list. `next_cursor` leads to the next page; None on the last one."""

    docs: Sequence[T]
    next_cursor: str | None


class _Pair(TypedDict):
    name: str
    value: Value


class _WithMetadata(TypedDict, total=False):
    metadata: list[_Pair]


def pairs(document: Document) -> dict[str, Value]:
    """The metadata of a document, by name."""
    return {pair["name"]: pair["value"] for pair in shaped(document, _WithMetadata).get("metadata", ())}

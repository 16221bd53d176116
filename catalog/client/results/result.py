"""What all results have in common: frozen and typed. Fields that a newer server adds are ignored."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Generic, Self, TypedDict, TypeVar

from msgspec import Struct

from catalog.client.display import html_table, short_repr
from catalog.client.results.shapes import Document, convert, shaped

T = TypeVar("T")

Value = str | int | float | bool
"""The value of a metadata pair."""

NEVER = datetime.fromtimestamp(0, UTC)


class ShortDisplay(Struct, frozen=True):
    """The short form in a console and in a notebook."""

    def __repr__(self) -> str:
        return short_repr(self)

    def _repr_html_(self) -> str:
        return html_table(self)


class Result(ShortDisplay, frozen=True, rename={"id": "_id"}):
    """A JSON document of the native API. Attributes have the names of its fields, but `id` stands for `_id`."""

    def __hash__(self) -> int:
        return hash((type(self), getattr(self, self.__struct_fields__[0])))  # mappings have no hash

    @classmethod
    def of(cls, document: Document) -> Self:
        """Raises NotACatalog for a document that lacks a field, or has one of another type than annotated."""
        return convert({name: value for name, value in cls._values(document).items() if value is not None}, cls)

    @classmethod
    def _values(cls, document: Document) -> Document:
        """The values of the fields, by their names in the document."""
        return document


class Page(ShortDisplay, Generic[T], frozen=True):
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

"""How the fields of a resource are declared: their types, and which ones sort and select."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from catalog.errors import INVALID_QUERY, Refused


class FieldType(Enum):
    """The value is the word used in refusals."""

    TEXT = "text"
    ID = "an id"
    DATE = "a date"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    SCALAR = "text, a number, or true or false"
    OBJECT = "made of fields"


TEXT, ID, DATE, NUMBER, BOOLEAN, SCALAR = (
    FieldType.TEXT,
    FieldType.ID,
    FieldType.DATE,
    FieldType.NUMBER,
    FieldType.BOOLEAN,
    FieldType.SCALAR,
)


@dataclass(frozen=True)
class Field:
    path: str
    type: FieldType  # of the value, or of each one when there are many
    many: bool = False
    inside: "Fields | None" = None  # the fields of an object

    @property
    def each(self) -> "Field":
        return replace(self, many=False)


class Fields:
    """One resource's declaration: `{"name": TEXT, "users": [ID], "metadata": [{"name": TEXT, "value": SCALAR}]}`.

    A list of objects is also reached by its dotted paths (`metadata.name`). `sort` and `select` name the fields that
    do; `always` come along with every selection.
    """

    def __init__(
        self,
        shapes: Mapping[str, Any],
        *,
        sort: str = "",
        select: str = "",
        always: str = "_id",
        spelt: str = "",
        values: str = "",
        short: Mapping[str, str] | None = None,
    ) -> None:
        self._fields = dict(_declared(shapes))
        self.sortable = frozenset(sort.split())
        self.always = frozenset(always.split())
        self.selectable = frozenset(select.split()) | self.always
        self.values = values  # the prefix of names of metadata that sort, too: see value_order
        self.short = short or {}  # parameters that stand for an equality, and their fields: see params
        self.spelt = spelt  # the field whose n-grams are stored beside it, see `ngrams`

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def field(self, path: str) -> Field:
        """Raises Refused: INVALID_QUERY, naming the path."""
        if path not in self._fields:
            raise Refused(INVALID_QUERY, f"{shown(path)} is not a field that can be searched")
        return self._fields[path]


def _declared(shapes: Mapping[str, Any]) -> Iterator[tuple[str, Field]]:
    for name, shape in shapes.items():
        many = isinstance(shape, list)
        kind = shape[0] if many else shape
        if isinstance(kind, FieldType):
            yield name, Field(name, kind, many)
            continue
        inside = Fields(kind)
        yield name, Field(name, FieldType.OBJECT, many, inside)
        yield from ((path, replace(inside.field(each), path=path)) for each in inside for path in [f"{name}.{each}"])


def shown(word: str) -> str:
    """A client's text for a refusal: shortened, and safe to encode."""
    return word[:80].encode(errors="replace").decode()

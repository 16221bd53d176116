"""Metadata pairs."""

from typing import Annotated

from msgspec import Meta, Struct

from catalog.dialects.http.docs.schemas import at_most, at_most_elements
from catalog.dialects.v1.models.common import Ignored, NonBlank, RequestBody, Text
from catalog.domain.items.inputs import ListChange, MetadataChange, MetadataPair, PairToRemove
from catalog.domain.limits import LONGEST_INTEGER

Name = Annotated[NonBlank, at_most("metadata_name", examples=["accuracy"])]
Number = Annotated[int, Meta(ge=-LONGEST_INTEGER, le=LONGEST_INTEGER - 1)]
Value = Annotated[Annotated[Text, at_most("metadata_value")] | Number | float | bool, Meta(examples=[0.97])]


class PairBody(Struct):
    """A metadata pair."""

    name: str
    value: str | int | float | bool


class NewPair(RequestBody, rename={"id": "_id"}):
    """A metadata pair to set."""

    name: Name
    value: Value
    id: Ignored = None

    def as_input(self) -> MetadataPair:
        return MetadataPair(self.name, self.value)


class OldPair(RequestBody, rename={"id": "_id"}):
    """A metadata pair to remove; without a `value`, whatever its value is."""

    name: Name
    value: Value | None = None
    id: Ignored = None

    def as_input(self) -> PairToRemove:
        return PairToRemove(self.name, self.value)


class MetadataDelta(RequestBody):
    """Pairs to remove, then pairs to add. A pair that is added replaces one of its name."""

    remove: Annotated[list[OldPair | Name], at_most_elements("metadata")] | None = None
    add: Annotated[list[NewPair], at_most_elements("metadata")] | None = None

    def as_input(self) -> MetadataChange:
        removed = [PairToRemove(pair) if isinstance(pair, str) else pair.as_input() for pair in self.remove or ()]
        return ListChange(removed, [pair.as_input() for pair in self.add or ()])

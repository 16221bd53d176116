"""A push that a client announces before it sends a byte."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from catalog.dialects.v1.models.common import Id, RequestBody, Text
from catalog.dialects.v1.models.items.items import Description, ItemName, Pairs, Reference, Tags
from catalog.dialects.v1.models.versions import Inputs, Ordinal, input_references
from catalog.domain.versions.aliases.names import LONGEST
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.preflight import PlannedPush
from catalog.errors import REQUIRED_FIELD, Refused
from catalog.store.records import ItemRecord
from catalog.vocabulary import Kind


class PushToCheck(RequestBody, kw_only=True):
    """A push: to an `item` that exists, or to your own item called `name`, which is created if there is none."""

    kind: Kind = Kind.MODEL
    item: Annotated[Reference, Meta(description="An id, name or owner/name.")] | None = None
    name: ItemName | None = None
    tags: Annotated[Tags, Meta(description="Which the item gets.")] | None = None
    metadata: Annotated[Pairs, Meta(description="Which the version and the item get.")] | None = None
    ordinal: Ordinal | None = None
    description: Annotated[Description, Meta(description="Of the version.")] | None = None
    inputs: Inputs | None = None
    alias: Annotated[Text, Meta(max_length=LONGEST, description="Which will point to the version.")] | None = None

    def as_input(self) -> PlannedPush:
        """Raises Refused: REQUIRED_FIELD."""
        if not (self.item or self.name):
            raise Refused(REQUIRED_FIELD, "item or name")
        details = VersionDetails(
            ordinal=(self.ordinal or "").strip(),
            description=self.description or "",
            metadata=[pair.as_input() for pair in self.metadata or ()],
            made_from=input_references(self.inputs or ()),
        )
        return PlannedPush(
            details=details,
            item=self.item or "",
            name=self.name or "",
            tags=self.tags or (),
            alias=self.alias or "",
        )


class CheckedPush(Struct):
    """The push would be accepted now."""

    item: Annotated[Id | None, Meta(description="The item that it changes; null: it creates one.")]

    @classmethod
    def of(cls, item: ItemRecord | None) -> Self:
        return cls(str(item["_id"]) if item else None)

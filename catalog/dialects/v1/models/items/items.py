"""Models, datasets and algorithms: what clients send."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from catalog.dialects.http.docs.schemas import at_most, at_most_elements
from catalog.dialects.http.encoded import StructFields
from catalog.dialects.v1.models.common import Change, Line, NonBlank, RequestBody, ShortText, Text
from catalog.dialects.v1.models.items.card_fields import CARD_TEXTS, CardFieldsBody
from catalog.dialects.v1.models.items.metadata import MetadataDelta, NewPair
from catalog.domain.items.inputs import LISTS, ItemChange, ListChange, NewItem
from catalog.domain.limits import LONGEST_DESCRIPTION
from catalog.vocabulary import Status, Visibility

ItemName = Annotated[NonBlank, at_most("name", description="Unique among your items of this kind.", examples=["iris"])]
TagName = Annotated[NonBlank, at_most("tag", examples=["flowers"])]
Reference = Annotated[str, Meta(min_length=1, pattern="^[^\\x00]+$")]
Tags = Annotated[list[TagName], at_most_elements("tags")]
Pairs = Annotated[list[NewPair], at_most_elements("metadata", description="Each name once.")]
References = Annotated[list[Reference], at_most_elements("users")]

ExternalId = Annotated[Line, Meta(description="Its id in another system; empty: none.", examples=["run-4711"])]
Archived = Annotated[bool, Meta(description="Archived things are left out of lists.")]
Description = Annotated[Text, Meta(max_length=LONGEST_DESCRIPTION)]


class NewDataset(CardFieldsBody):
    """A dataset to create."""

    name: ItemName
    visibility: Annotated[
        Visibility | None, Meta(description="Default: private. `public`: all users of the tenant may read it.")
    ] = None
    users: Annotated[
        References | None, Meta(description="Ids or names of users and groups who may read it.", examples=[["bob"]])
    ] = None
    editors: Annotated[
        References | None, Meta(description="Ids or names of users and groups who may also change its content.")
    ] = None
    tags: Tags | None = None
    metadata: Pairs | None = None
    description: Description | None = None
    external_id: Annotated[ExternalId | None, Meta(description="Unique among the items of a kind.")] = None
    archived: Archived | None = None

    def as_input(self) -> NewItem:
        return NewItem(**self._fields())

    def _fields(self) -> StructFields:
        return {
            "name": self.name,
            "description": self.description or "",
            **{field: getattr(self, field) or "" for field in CARD_TEXTS},
            **{field: getattr(self, field) or () for field in LISTS},
            "external_id": self.external_id or "",
            "archived": self.archived or False,
            "visibility": self.visibility or Visibility.PRIVATE,
            "tags": self.tags or (),
            "metadata": [pair.as_input() for pair in self.metadata or ()],
            "users": self.users or (),
            "editors": self.editors or (),
        }


class NewModel(NewDataset):
    """A model to create."""

    status: Annotated[Status | None, Meta(description="Default: training.")] = None
    datasets: Annotated[References | None, Meta(description="Ids, names or owner/name of datasets.")] = None

    def _fields(self) -> StructFields:
        return super()._fields() | {"status": self.status, "datasets": self.datasets or ()}


class NewAlgorithm(NewModel):
    """An algorithm to create."""


class NewName(RequestBody):
    """Another name for an item."""

    name: ItemName


class TagsDelta(RequestBody):
    """Tags to remove, then tags to add."""

    remove: Tags | None = None
    add: Tags | None = None


class ReferencesDelta(RequestBody):
    """References to remove, then references to add."""

    remove: References | None = None
    add: References | None = None


class DatasetChange(CardFieldsBody, Change):
    """Changes to a dataset."""

    visibility: Annotated[Visibility | None, Meta(examples=["public"])] = None
    owner: Annotated[
        ShortText | None, Meta(description="The id or username of a new owner; only administrators change it.")
    ] = None
    description: Description | None = None
    external_id: ExternalId | None = None
    archived: Archived | None = None
    tags: Annotated[TagsDelta | None, Meta(examples=[{"add": ["flowers"], "remove": []}])] = None
    metadata: MetadataDelta | None = None
    users: ReferencesDelta | None = None
    editors: ReferencesDelta | None = None

    def as_input(self) -> ItemChange:
        return ItemChange(**self._fields())

    def _fields(self) -> StructFields:
        return {
            "owner": self.owner,
            "visibility": self.visibility,
            "description": self.description,
            **{field: getattr(self, field) for field in (*CARD_TEXTS, *LISTS)},
            "external_id": self.external_id,
            "archived": self.archived,
            "tags": _list_change(self.tags),
            "metadata": self.metadata and self.metadata.as_input(),
            "users": _list_change(self.users),
            "editors": _list_change(self.editors),
        }


class ModelChange(DatasetChange):
    """Changes to a model."""

    status: Status | None = None
    datasets: ReferencesDelta | None = None

    def _fields(self) -> StructFields:
        return super()._fields() | {"status": self.status, "datasets": _list_change(self.datasets)}


class AlgorithmChange(ModelChange):
    """Changes to an algorithm."""


def _list_change(delta: TagsDelta | ReferencesDelta | None) -> ListChange[str, str] | None:
    if delta is None:
        return None
    remove: Sequence[str] = delta.remove or ()
    return ListChange(remove, delta.add or ())

"""Registered models and their versions.

A registered model is a model, with its card; `owner` is a text of the metadata, and a tag is a property with an empty
text. A version is a version, with its ordinal as name.
"""

from collections.abc import Iterable
from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from catalog.dialects.http.encoded import StructFields
from catalog.dialects.kubeflow.models.common import (
    BaseResource,
    Id,
    NewName,
    ResourceInput,
    State,
    archived,
    state,
    times,
)
from catalog.dialects.kubeflow.models.values import (
    CONTROLS,
    Line,
    MetadataStringValue,
    pairs_of,
    properties_of,
    unchanged,
)
from catalog.domain.items.inputs import (
    ItemChange,
    ListChange,
    MetadataChange,
    MetadataPair,
    NewItem,
    PairToRemove,
    TagsChange,
)
from catalog.domain.limits import LIMITS, LONGEST_NAME
from catalog.domain.validation import Validator
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.numbering import LONGEST_ORDINAL
from catalog.domain.versions.version_changes import VersionChange
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import ItemRecord, PairRecord, VersionRecord
from catalog.vocabulary import Visibility

OWNER = "kubeflow.owner"
"""The name of the metadata pair that has the `owner` of a registered model: text of its clients, not our owner."""

CARD = {
    "maturity": "maturity",
    "language": "languages",
    "tasks": "tasks",
    "provider": "provider",
    "logo": "logo",
    "license": "license",
    "license_link": "license_link",
    "library_name": "library",
}
"""The fields of a card: here, and in an item. Its text, the `readme`, has a record of its own."""


ORDINAL = rf"^[^/{CONTROLS}]*[^\s/.{CONTROLS}][^/{CONTROLS}]*$"
VersionName = Annotated[
    str,
    Meta(min_length=1, max_length=LONGEST_ORDINAL, examples=["v1"], extra_json_schema={"pattern": ORDINAL}),
]

Texts = Annotated[list[Line], Meta(max_length=1000)]


class RegisteredModelUpdate(ResourceInput, kw_only=True):
    """Changes to a registered model."""

    readme: str | None = None
    maturity: str | None = None
    language: Texts | None = None
    tasks: Texts | None = None
    provider: str | None = None
    logo: str | None = None
    license: str | None = None
    license_link: str | None = None
    library_name: str | None = None
    owner: Line | None = None
    state: State | None = None

    def card(self) -> StructFields:
        """The fields of the card that the client sent, as those of an item."""
        sent = {item: getattr(self, field) for field, item in CARD.items()}
        return {name: value for name, value in sent.items() if value is not None}

    def as_change(self, item: ItemRecord) -> ItemChange:
        """The change of an item. Raises Refused: INVALID_FIELD."""
        is_archived = archived(self.state)
        if is_archived is bool(item.get("archived")):  # clients send it with every change
            is_archived = None
        tags, metadata = self._terms(item)
        return ItemChange(
            description=self.description,
            external_id=self.external_id,
            archived=is_archived,
            tags=tags,
            metadata=metadata,
            **self.card(),
        )

    def _terms(self, item: ItemRecord) -> tuple[TagsChange | None, MetadataChange | None]:
        """What changes of the tags and of the metadata: properties replace all but `owner`."""
        removed: list[PairToRemove] = []
        added = [] if self.owner is None else [_owner(self.owner)]
        if self.custom_properties is None:
            return None, ListChange(removed, added) if added else None
        pairs = unchanged(item["metadata"], _pairs(pairs_of(self.custom_properties)))
        before = {pair["name"]: pair["value"] for pair in item["metadata"]}
        labels = [pair.name for pair in pairs if pair.value == "" and before.get(pair.name) != ""]
        named = {pair.name for pair in pairs}
        kept = [tag for tag in item["tags"] if tag in named and tag in before]  # the pair of that name hid the tag
        tags = ListChange([tag for tag in item["tags"] if tag not in {*labels, *kept}], labels)
        gone = before.keys() - {pair.name for pair in pairs if pair.name not in labels} - {OWNER}
        removed = [PairToRemove(name) for name in gone]
        added += [pair for pair in pairs if pair.name not in labels and not _same(before.get(pair.name), pair.value)]
        return tags, ListChange(removed, added)


class RegisteredModelCreate(RegisteredModelUpdate, kw_only=True):
    """A registered model to create."""

    name: NewName

    def as_input(self, visibility: Visibility) -> NewItem:
        """Raises Refused: INVALID_FIELD."""
        pairs = _pairs(pairs_of(self.custom_properties or {}))
        owner = [_owner(self.owner)] if self.owner else []
        return NewItem(
            name=self.name,
            description=self.description or "",
            visibility=visibility,
            tags=[pair.name for pair in pairs if pair.value == ""],
            metadata=[*(pair for pair in pairs if pair.value != ""), *owner],
            external_id=self.external_id or "",
            archived=bool(archived(self.state)),
            **self.card(),
        )


class RegisteredModel(BaseResource, kw_only=True):
    """A registered model."""

    readme: str | UnsetType = UNSET
    maturity: str | UnsetType = UNSET
    language: list[str] | UnsetType = UNSET
    tasks: list[str] | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    logo: str | UnsetType = UNSET
    license: str | UnsetType = UNSET
    license_link: str | UnsetType = UNSET
    library_name: str | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    state: State

    @classmethod
    def of(cls, item: ItemRecord, readme: str = "") -> Self:
        texts: StructFields = {field: item.get(name) or UNSET for field, name in CARD.items()}
        labels = {tag: MetadataStringValue("") for tag in item["tags"]}
        owner = next((str(pair["value"]) for pair in item["metadata"] if pair["name"] == OWNER), UNSET)
        return cls(
            id=str(item["serial"]),
            name=item["name"],
            description=item["description"] or UNSET,
            external_id=item.get("external_id") or UNSET,
            custom_properties=labels | properties_of(pair for pair in item["metadata"] if pair["name"] != OWNER),
            state=state(item.get("archived")),
            owner=owner,
            readme=readme or UNSET,
            **texts,
            **times(item["timestamp"], item["lastmod"]),
        )


class ModelVersionUpdate(ResourceInput, kw_only=True):
    """Changes to a version."""

    state: State | None = None
    author: Line | None = None

    def as_change(self, version: VersionRecord) -> VersionChange:
        """Raises Refused: INVALID_FIELD."""
        return VersionChange(
            description=self.description,
            external_id=self.external_id,
            archived=archived(self.state),
            author=self.author,
            metadata=_replaced(version["metadata"], self),
        )


class ModelVersionCreate(ModelVersionUpdate, kw_only=True):
    """A version to create."""

    name: VersionName
    registered_model_id: Id

    def as_details(self) -> VersionDetails:
        """Raises Refused: INVALID_FIELD."""
        return VersionDetails(
            ordinal=self.name,
            description=self.description or "",
            metadata=pairs_of(self.custom_properties or {}),
            author=self.author or "",
            archived=bool(archived(self.state)),
            external_id=self.external_id or "",
        )


class ModelVersionOfModel(ModelVersionCreate, kw_only=True):
    """A version to create for the model of the path or, with an `id`, a version of it to change."""

    registered_model_id: Id | None = None  # type: ignore[assignment]
    id: Id | None = None
    create_time_since_epoch: str | None = None
    last_update_time_since_epoch: str | None = None


class ModelVersion(BaseResource, kw_only=True):
    """A version of a registered model."""

    registered_model_id: Id
    state: State
    author: str | UnsetType = UNSET

    @classmethod
    def of(cls, version: VersionRecord, model: int) -> Self:
        """`model` is the serial of its model."""
        return cls(
            id=str(version.get("serial")),
            name=version["ordinal"],
            description=version["description"] or UNSET,
            external_id=version.get("external_id") or UNSET,
            custom_properties=properties_of(version["metadata"]),
            registered_model_id=str(model),
            state=state(version.get("archived")),
            author=version.get("author") or UNSET,
            **times(version["timestamp"], version["lastmod"]),
        )


def _same(before: object, after: object) -> bool:
    """Whether two values are equal, with their types: 1, 1.0 and true are three values."""
    return _type(before) is _type(after) and before == after


def _type(value: object) -> type:
    """BSON has a class of its own for long whole numbers."""
    return next((each for each in (bool, float, int) if isinstance(value, each)), type(value))


def _owner(text: str) -> MetadataPair:
    """Raises Refused: INVALID_FIELD."""
    return MetadataPair(OWNER, Validator(INVALID_FIELD, LIMITS).line("owner", text, LONGEST_NAME))


def _pairs(pairs: Iterable[MetadataPair]) -> list[MetadataPair]:
    """Raises Refused: INVALID_FIELD for the name of our own."""
    found = list(pairs)
    if any(pair.name == OWNER for pair in found):
        raise Refused(INVALID_FIELD, f"customProperties: {OWNER} is the field `owner`")
    return found


def _replaced(before: Iterable[PairRecord], body: ResourceInput) -> MetadataChange | None:
    """The change that leaves just the pairs of the client."""
    if body.custom_properties is None:
        return None
    known = list(before)
    pairs = unchanged(known, pairs_of(body.custom_properties))
    named = {pair.name for pair in pairs}
    return ListChange([PairToRemove(pair["name"]) for pair in known if pair["name"] not in named], pairs)

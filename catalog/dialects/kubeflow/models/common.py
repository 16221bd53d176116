"""Types that the structs of all entities share."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, TypedDict, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.kubeflow.models.values import NAME, AnyValue, Line, Properties, pairs_of, properties_of, unchanged
from catalog.domain.tracking.records import Details, DetailsChange
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import PairRecord, TrackedRecord

T = TypeVar("T")

ID = "^[1-9][0-9]{0,8}$"
Id = Annotated[str, Meta(pattern=ID, examples=["1"])]
"""A whole number as text, as every answer shows ids."""

NewName = Annotated[str, Meta(min_length=1, max_length=255, examples=["iris"], extra_json_schema={"pattern": NAME})]
OptionalName = Annotated[str, Meta(max_length=255, extra_json_schema={"pattern": f"^$|{NAME}"})]
"""Without a name, something gets one."""

Milliseconds = Annotated[str, Meta(pattern="^[0-9]{1,18}$", description="Unix time in milliseconds, as text.")]

ARCHIVED, LIVE = "ARCHIVED", "LIVE"
State = Annotated[str, Meta(extra_json_schema={"enum": [LIVE, ARCHIVED]})]


class ResourceInput(Struct, rename="camel", kw_only=True, forbid_unknown_fields=True):
    """The JSON object of a request. `null` counts as absent."""

    custom_properties: Properties | None = None
    description: str | None = None
    external_id: Line | None = None

    def details(self) -> Details:
        return Details(
            name=getattr(self, "name", None) or "",
            description=self.description or "",
            external_id=self.external_id or "",
            metadata=pairs_of(self.custom_properties or {}),
        )

    def details_change(self, before: Iterable[PairRecord]) -> DetailsChange:
        """The change of an entity that has the metadata `before`."""
        properties = self.custom_properties
        return DetailsChange(
            description=self.description,
            external_id=self.external_id,
            metadata=None if properties is None else unchanged(before, pairs_of(properties)),
        )


class BaseResource(Struct, rename="camel", kw_only=True):
    """The fields of every answer about one entity."""

    id: Id
    name: str
    description: str | UnsetType = UNSET
    external_id: str | UnsetType = UNSET
    custom_properties: dict[str, AnyValue]
    create_time_since_epoch: Milliseconds
    last_update_time_since_epoch: Milliseconds


class Times(TypedDict):
    """The fields of `BaseResource` that tell when."""

    create_time_since_epoch: str
    last_update_time_since_epoch: str


class ResourceFields(Times):
    """The fields of `BaseResource`, of a record."""

    id: str
    name: str
    description: str | UnsetType
    external_id: str | UnsetType
    custom_properties: dict[str, AnyValue]


class Error(Struct):
    """The reason for a refusal."""

    code: Annotated[str, Meta(description="The reason phrase of the status.", examples=["Not Found"])]
    message: str


def shown_fields(record: TrackedRecord) -> ResourceFields:
    return {
        "id": str(record["serial"]),
        "name": record["name"],
        "description": record["description"] or UNSET,
        "external_id": record.get("external_id") or UNSET,
        "custom_properties": properties_of(record["metadata"]),
        **times(record["timestamp"], record["lastmod"]),
    }


def times(created: datetime, changed: datetime) -> Times:
    return {
        "create_time_since_epoch": str(milliseconds(created)),
        "last_update_time_since_epoch": str(milliseconds(changed)),
    }


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def milliseconds_of(text: str | None) -> int | None:
    return None if not text else int(text)


def state(archived: object) -> str:
    return ARCHIVED if archived else LIVE


def archived(text: str | None) -> bool | None:
    """Raises Refused: INVALID_FIELD."""
    if text not in {None, LIVE, ARCHIVED}:
        raise Refused(INVALID_FIELD, f"state: {text!r} is neither {LIVE} nor {ARCHIVED}")
    return None if text is None else text == ARCHIVED


def or_unset(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def serial_of(text: str, what: str = "id") -> int:
    """An id of a client as the serial that it is. Raises Refused: INVALID_FIELD."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) < 2**31):  # noqa: PLR2004
        raise Refused(INVALID_FIELD, f"{what}: {text[:40]!r} is not an id")
    return int(text)


def present(fields: Mapping[str, T | None]) -> dict[str, T]:
    return {name: value for name, value in fields.items() if value is not None}

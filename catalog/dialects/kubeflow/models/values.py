"""Values of `customProperties`, and how they are stored as values of metadata.

| property | value of the metadata |
|---|---|
| MetadataStringValue | text; of a model, a property with an empty text is a tag |
| MetadataIntValue | a whole number |
| MetadataDoubleValue | a floating-point number, also where it is whole |
| MetadataBoolValue | true or false |
| MetadataStructValue | text, `data:application/json;base64,...` with the bytes that the client sent |

Clients refuse an `int_value` of more than nine digits, so a longer whole number is shown as a double.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from catalog.domain.items.inputs import MetadataPair
from catalog.domain.limits import LONGEST_INTEGER
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import PairRecord, Value

STRUCT = "data:application/json;base64,"
"""The beginning of a text that is a struct: a data URL (RFC 2397)."""

LONGEST_INT = 999_999_999
"""Nine digits, the most that clients read in an `int_value`."""

CONTROLS = r"\u0000-\u001F\u007F-\u009F\u2028\u2029"
"""Characters that no line has, in a pattern of the document."""

LINE = f"^[^{CONTROLS}]*$"
NAME = rf"^[^\s{CONTROLS}]([^{CONTROLS}]*[^\s{CONTROLS}])?$"

Line = Annotated[str, Meta(extra_json_schema={"pattern": LINE})]
"""Text on one line. The document says so; the domain checks it."""

WHOLE = "^-?([1-9][0-9]{0,18}|0)$"


class MetadataValue(Struct, tag_field="metadataType", frozen=True):
    """A value of a property."""


class MetadataStringValue(MetadataValue, tag="MetadataStringValue", frozen=True):
    """Text. An empty one is a label."""

    string_value: str


class MetadataIntValue(MetadataValue, tag="MetadataIntValue", frozen=True):
    """A whole number, as text."""

    int_value: Annotated[str, Meta(pattern=WHOLE, max_length=20, examples=["3"])]


class MetadataDoubleValue(MetadataValue, tag="MetadataDoubleValue", frozen=True):
    """A number."""

    double_value: float


class MetadataBoolValue(MetadataValue, tag="MetadataBoolValue", frozen=True):
    """True or false."""

    bool_value: bool


class MetadataStructValue(MetadataValue, tag="MetadataStructValue", frozen=True):
    """A JSON object in Base64."""

    struct_value: Annotated[str, Meta(examples=["eyJhIjogMX0="], extra_json_schema={"format": "byte"})]


AnyValue = MetadataStringValue | MetadataIntValue | MetadataDoubleValue | MetadataBoolValue | MetadataStructValue

Properties = Annotated[
    dict[str, AnyValue],
    Meta(
        examples=[{"accuracy": {"metadataType": "MetadataDoubleValue", "double_value": 0.97}}],
        description="By name: 1 to 255 characters on one line, without a space at an end.",
    ),
]


def pairs_of(properties: Mapping[str, AnyValue]) -> list[MetadataPair]:
    """Raises Refused: INVALID_FIELD."""
    return [MetadataPair(name, value_of(name, value)) for name, value in properties.items()]


def value_of(name: str, value: AnyValue) -> Value:
    """A property as the value of a metadata pair. Raises Refused: INVALID_FIELD."""
    match value:
        case MetadataStringValue():
            return value.string_value
        case MetadataDoubleValue():
            return value.double_value
        case MetadataBoolValue():
            return value.bool_value
        case MetadataIntValue():
            number = int(value.int_value)
            if not -LONGEST_INTEGER <= number < LONGEST_INTEGER:
                raise Refused(INVALID_FIELD, f"customProperties.{name}: the number does not fit into 64 bits")
            return number
        case MetadataStructValue():
            if not _is_object(value.struct_value):
                raise Refused(INVALID_FIELD, f"customProperties.{name}: a JSON object in Base64 is needed")
            return STRUCT + value.struct_value


def property_of(value: Value) -> AnyValue:
    """The value of a metadata pair as a property."""
    match value:
        case bool():
            return MetadataBoolValue(value)
        case int() if abs(value) <= LONGEST_INT:
            return MetadataIntValue(str(value))
        case int() | float():
            return MetadataDoubleValue(float(value))
        case _:
            coded = str(value).removeprefix(STRUCT)
            is_struct = len(coded) < len(str(value)) and _is_object(coded)
            return MetadataStructValue(coded) if is_struct else MetadataStringValue(str(value))


def properties_of(pairs: Iterable[PairRecord]) -> dict[str, AnyValue]:
    return {pair["name"]: property_of(pair["value"]) for pair in pairs}


def same_number(before: Value | None, after: Value) -> bool:
    """Whether a double is how a client saw a whole number that is too long for it."""
    is_long = isinstance(before, int) and not isinstance(before, bool) and abs(before) > LONGEST_INT
    return is_long and isinstance(after, float) and before is not None and float(before) == after


def unchanged(before: Iterable[PairRecord], after: Iterable[MetadataPair]) -> list[MetadataPair]:
    """The pairs of a client, where a whole number that it saw as a double is the number that it was."""
    known = {pair["name"]: pair["value"] for pair in before}
    return [
        MetadataPair(pair.name, known[pair.name]) if same_number(known.get(pair.name), pair.value) else pair
        for pair in after
    ]


def _is_object(coded: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(b64decode(coded, validate=True)), dict)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        return False

"""Types that the structs of all modules share."""

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct

from catalog.dialects.http.encoded import StructFields

NOT_NUL = "^[^\\x00]*$"
NOT_BLANK = "^[^\\x00]*\\S[^\\x00]*$"

Id = Annotated[str, Meta(pattern="^[0-9a-f]{24}$")]
Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Digest = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", description="SHA-256; empty for a draft.")]

Text = Annotated[str, Meta(pattern=NOT_NUL)]
"""Text of a client that may be empty."""

NonBlank = Annotated[str, Meta(min_length=1, pattern=NOT_BLANK)]
"""Text of a client with at least one character that is not a space."""

ShortText = Annotated[str, Meta(max_length=255, pattern=NOT_NUL)]
ONE_LINE = "^[^\\x00-\\x1f\\x7f]*$"

Line = Annotated[str, Meta(max_length=255, pattern=ONE_LINE)]
"""Text of a client on one line."""

ShortNonBlank = Annotated[str, Meta(min_length=1, max_length=255, pattern=NOT_BLANK)]


def moment(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


JsonObject: TypeAlias = dict[str, Any]
"""An object of JSON with any fields."""

AnyJsonValue: TypeAlias = Any
Ignored: TypeAlias = Annotated[AnyJsonValue, Meta(description="Ignored.")]


class RequestBody(Struct, forbid_unknown_fields=True):
    """The JSON object of a request. `null` counts as absent."""


class Change(RequestBody):
    """The JSON object of a PUT: the fields to change."""

    def values(self) -> StructFields:
        """The fields that the client sent."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}

"""The server itself, as it describes itself."""

from typing import Annotated

from msgspec import Meta, Struct

from catalog.vocabulary import Visibility

Words = Annotated[dict[str, str], Meta(description="Each word under itself, as the reference lists them.")]


class ServerVersion(Struct):
    """The version of the server."""

    version: str


class ErrorEntry(Struct):
    """One entry of the error catalogue."""

    status: Annotated[int, Meta(description="The status of the answer.")]
    value: Annotated[int, Meta(description="The stable number, to program against.")]
    message: str


class FieldValues(Struct, rename="pascal"):
    """The values that fields with fixed values accept."""

    algorithm_status_types: Words
    model_status_types: Words
    password_reset_status_types: Words
    usage_types: Words
    user_roles: Words
    visibility_types: Words


class PasswordRules(Struct, rename={"strength": "passwordStrength", "validity_days": "ValidityPasswordDays"}):
    """The required strength of passwords, and for how many days they are valid."""

    strength: Annotated[str, Meta(description="From 0 (any password) to 3 (strong).")]
    validity_days: Annotated[str, Meta(description="0: forever.")]


class ServerInfoBody(Struct):
    """How the server is set up."""

    version: str
    demo: str
    token_expiration_time: str
    timestamp: Annotated[str, Meta(description="The time of the server, in milliseconds since 1970.")]
    log: str
    default_visibility: Annotated[
        Visibility, Meta(description="Of items that are created over an API without the notion of visibility.")
    ]
    limits: Annotated[dict[str, int], Meta(description="What an item may hold.")]

"""Personal access tokens."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Self

from msgspec import Meta, Struct

from catalog.dialects.v1.models.common import Id, Moment, RequestBody, ShortNonBlank, ShortText, moment
from catalog.domain.people.authentication.access_tokens import LIFE, TokenInput
from catalog.durations import Duration
from catalog.errors import INVALID_FIELD, Refused
from catalog.store.records import AccessTokenRecord
from catalog.vocabulary import Scope

Seconds = Annotated[int, Meta(ge=1, description="seconds")]
DurationText = Annotated[str, Meta(pattern="^[0-9]{1,9}[smhd]?$", description="such as 12h or 90d", examples=["90d"])]


class NewToken(RequestBody):
    """A personal access token to create."""

    name: Annotated[ShortNonBlank, Meta(description="What the token is for.", examples=["nightly"])]
    scopes: Annotated[
        list[Scope] | None, Meta(description="Default: `read`. `write` includes `read`.", examples=[["read"]])
    ] = None
    expires_in: Seconds | DurationText | None = None
    expires: Annotated[ShortText | None, Meta(description="A date, instead of `expires_in`.")] = None

    def as_input(self) -> TokenInput:
        """Raises Refused: INVALID_FIELD."""
        return TokenInput(self.name, tuple(self.scopes or ()), *lasting(self.expires_in, self.expires))


def lasting(expires_in: int | str | None, expires: str | None) -> tuple[datetime | None, timedelta]:
    """When a token is to expire, or else after which time. Raises Refused: INVALID_FIELD."""
    if expires_in is not None and expires is not None:
        raise Refused(INVALID_FIELD, "expires: give either expires_in or expires")
    life = LIFE if expires_in is None else duration_of("expires_in", expires_in)
    return None if expires is None else _date(expires), life


def duration_of(field: str, text: int | str) -> timedelta:
    """Raises Refused: INVALID_FIELD."""
    try:
        return Duration(str(text))
    except ValueError as wrong:
        raise Refused(INVALID_FIELD, f"{field}: {wrong}") from None


def _date(text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(INVALID_FIELD, "expires: a date such as 2030-12-31T23:59:59Z is needed") from None


class AccessTokenBody(Struct, rename={"id": "_id"}):
    """A personal access token, without the token itself."""

    id: Id
    name: str
    user: Id
    scopes: list[str]
    timestamp: Moment
    expires: Moment
    used: Annotated[Moment | None, Meta(description="When it was last used.")]

    @classmethod
    def of(cls, record: AccessTokenRecord, **more: str) -> Self:
        used = record.get("used")
        return cls(
            id=str(record["_id"]),
            name=record["name"],
            user=str(record["user"]),
            scopes=record["scopes"],
            timestamp=moment(record["timestamp"]),
            expires=moment(record["expires"]),
            used=moment(used) if used else None,
            **more,
        )


class NewAccessToken(AccessTokenBody):
    """A personal access token that was just created."""

    token: Annotated[str, Meta(description="The token. It is shown only once.")]

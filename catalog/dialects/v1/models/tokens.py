"""Personal access tokens."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from catalog.dialects.v1.models.common import Body, Id, Moment, ShortNonBlank, ShortText, moment
from catalog.domain.people.access_tokens import TokenInput
from catalog.store.records import AccessTokenRecord
from catalog.vocabulary import Scope

Seconds = Annotated[int, Meta(ge=1, description="seconds")]
Duration = Annotated[str, Meta(pattern="^[0-9]{1,9}[smhd]?$", description="such as 12h or 90d", examples=["90d"])]


class NewToken(Body):
    """A personal access token to create."""

    name: Annotated[ShortNonBlank, Meta(description="What the token is for.", examples=["nightly"])]
    scopes: Annotated[
        list[Scope] | None, Meta(description="Default: `read`. `write` includes `read`.", examples=[["read"]])
    ] = None
    expires_in: Seconds | Duration | None = None
    expires: Annotated[ShortText | None, Meta(description="A date, instead of `expires_in`.")] = None

    def as_input(self) -> TokenInput:
        return TokenInput(self.name, tuple(self.scopes or ()), self.expires_in, self.expires)


class AccessToken(Struct, rename={"id": "_id"}):
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


class NewAccessToken(AccessToken):
    """A personal access token that was just created."""

    token: Annotated[str, Meta(description="The token. It is shown only once.")]

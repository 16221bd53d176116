"""Users, signing in, and forgotten passwords: what clients send, and the answers that only these routes give."""

from typing import Annotated, Self

from msgspec import Meta, Struct
from msgspec.structs import asdict

from catalog.dialects.v1.models.common import (
    NOT_BLANK,
    NOT_NUL,
    AnyJsonValue,
    Change,
    Moment,
    RequestBody,
    ShortNonBlank,
    ShortText,
    moment,
)
from catalog.dialects.v1.models.people.people import UserBody
from catalog.domain.people.authentication.credentials import LONGEST_PASSWORD
from catalog.domain.people.users import LONGEST_VALIDITY, NewUser, UserChange
from catalog.store.records import UserRecord
from catalog.vocabulary import Role

VALIDITY = {"validity_days": "validityPasswordDays"}

Password = Annotated[str, Meta(min_length=1, max_length=LONGEST_PASSWORD, pattern=NOT_BLANK, examples=["Engine-No-1"])]
PasswordOrEmpty = Annotated[str, Meta(max_length=LONGEST_PASSWORD, pattern=NOT_NUL)]
ValidityDays = Annotated[int, Meta(ge=0, le=LONGEST_VALIDITY, description="Days that a password lasts; 0: forever.")]

STRENGTH = "As strong as `GET /v1/types/passwordStrength` says."


class Credentials(RequestBody):
    """The credentials of a sign-in."""

    username: Annotated[ShortNonBlank, Meta(examples=["ada"])]
    password: Password
    tenant: Annotated[ShortText | None, Meta(description="Default: the default tenant.", examples=["acme"])] = None


class SignedInUser(Struct):
    """A user who is signed in."""

    user: UserBody
    token_expiration_time: Annotated[str, Meta(description="How long the token is valid.")]
    token: Annotated[str, Meta(description="`JWT <token>`, for the header `Authorization`.")]


class UserToCreate(RequestBody, rename=VALIDITY):
    """A user to create."""

    username: Annotated[ShortNonBlank, Meta(description="Not 24 hexadecimal digits.", examples=["ada"])]
    password: Annotated[Password, Meta(description=STRENGTH)]
    email: Annotated[ShortNonBlank, Meta(examples=["ada@example.org"])]
    role: Annotated[Role, Meta(examples=["regular"])]
    validity_days: Annotated[ValidityDays | None, Meta(description="Default: DEFAULT_DAYS_VALIDITY_PASSWORD.")] = None

    def as_input(self) -> NewUser:
        return NewUser(
            username=self.username,
            password=self.password,
            email=self.email,
            role=self.role,
            validity_days=self.validity_days,
        )


class UserUpdate(Change, rename=VALIDITY):
    """Fields of a user to change. Only administrators change `role` and `validityPasswordDays`.

    A new password, role or email ends all credentials of the user.
    """

    email: Annotated[ShortText | None, Meta(examples=["ada@example.org"])] = None
    password: Annotated[PasswordOrEmpty | None, Meta(description=STRENGTH)] = None
    role: Role | None = None
    validity_days: ValidityDays | None = None

    def as_input(self) -> UserChange:
        return UserChange(**self.values())


class DatedUser(UserBody, kw_only=True):
    """A user who was just created or removed."""

    timestamp: Moment
    lastmod: Moment

    @classmethod
    def with_dates(cls, record: UserRecord) -> Self:
        timestamp, lastmod = moment(record["timestamp"]), moment(record["lastmod"])
        return cls(**asdict(UserBody.of(record)), timestamp=timestamp, lastmod=lastmod)


class ResetRequest(RequestBody):
    """The user whose password is to be reset."""

    email: Annotated[ShortText | None, Meta(examples=["ada@example.org"])] = None


class PasswordChoice(RequestBody):
    """A new password, with the token of the mail. All three are needed."""

    tenant: Annotated[AnyJsonValue, Meta(extra_json_schema={"type": "string"}, examples=["acme"])] = None
    reset: Annotated[ShortText | None, Meta(description="The token of the mail.", examples=["0" * 24])] = None
    password: Annotated[PasswordOrEmpty | None, Meta(description=STRENGTH, examples=["Engine-No-2"])] = None


class Message(Struct):
    """A message about the next step."""

    message: str

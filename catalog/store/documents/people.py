"""Users, groups, and what signs users in."""

from datetime import datetime, timedelta

from beanie import PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from catalog.store.clock import now
from catalog.store.documents.indexes import latest, over, unique, unique_text
from catalog.store.tenant_documents import SealedDocument
from catalog.vocabulary import Kind, ResetStatus, Role, Scope


class RobotItemSubdocument(BaseModel):
    """An item that a robot may touch."""

    kind: Kind
    item: PydanticObjectId


class RobotSubdocument(BaseModel):
    """What makes an account a robot's. Without items and tags it is not limited to any."""

    description: str = ""
    scopes: list[Scope]
    items: list[RobotItemSubdocument] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    created_by: str  # the username of an administrator
    expires: datetime | None = None  # of the newest token; None: there is none
    used: datetime | None = None  # when a token that is gone was last used


class UserDocument(SealedDocument):
    """A person, or a robot: an account for scripts, which has no password and no email."""

    username: str
    username_key: str | None = None  # see catalog.folding; an older user may have none
    password: str = Field(repr=False)  # a hash
    email: str | None = None
    role: Role
    createdPassword: datetime = Field(default_factory=now)
    validityPasswordDays: int
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)
    signed_out: datetime | None = None  # tokens issued before this moment are refused
    demotion_token: PydanticObjectId | None = None  # while one is decided, see domain.people.last_admin
    groups: list[PydanticObjectId] = Field(default_factory=list)  # that the user is a member of
    robot: RobotSubdocument | None = None  # None, also in older records: a person

    class Settings:
        name = "users"
        indexes = (
            IndexModel([("groups", ASCENDING), ("username", ASCENDING)]),
            unique("username"),
            unique_text("username_key"),
            unique_text("email"),
            latest(),
        )


class GroupDocument(SealedDocument):
    """Users with whom an item is shared under one name. The members are users whose `groups` have its id."""

    name: str
    name_key: str  # folded, see domain.naming
    description: str = ""
    timestamp: datetime = Field(default_factory=now)
    lastmod: datetime = Field(default_factory=now)

    class Settings:
        name = "groups"
        indexes = (unique("name_key"), latest())


class AccessTokenDocument(SealedDocument):
    """A personal access token. Only the digest of the token is stored."""

    user: PydanticObjectId
    name: str
    digest: str = Field(repr=False)  # SHA-256 of the token, 64 hexadecimal characters
    scopes: list[Scope]
    timestamp: datetime = Field(default_factory=now)
    expires: datetime
    used: datetime | None = None  # to the minute or so

    class Settings:
        name = "access_tokens"
        indexes = (
            unique("digest"),
            unique("user", "name"),
            IndexModel([("user", ASCENDING), ("timestamp", DESCENDING), ("_id", DESCENDING)]),
            latest(),
            over("expires", timedelta(days=30)),  # until then its owner sees that it has expired
        )


class PasswordResetDocument(SealedDocument):
    """Permission to set a new password once. `id` is the SHA-256 of the token in the mail."""

    id: str  # type: ignore[assignment]
    user: PydanticObjectId
    status: ResetStatus = ResetStatus.VALID
    timestamp: datetime = Field(default_factory=now)
    expires: datetime

    class Settings:
        name = "password_resets"
        indexes = (IndexModel([("user", ASCENDING)]), over("expires", timedelta(days=1)))

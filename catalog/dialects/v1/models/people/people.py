"""Users."""

from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.v1.models.common import Id, Moment, moment
from catalog.domain.access import Caller
from catalog.store.records import UserRecord

NAMES = {"id": "_id", "validity_days": "validityPasswordDays", "created_password": "createdPassword"}


class UserBody(Struct, kw_only=True, rename=NAMES):
    """A user. Other users see only the id and the username; administrators and the user see all fields."""

    validity_days: Annotated[int | UnsetType, Meta(description="Days that a password lasts; 0: forever.")] = UNSET
    id: Id
    username: str
    email: str | UnsetType = UNSET
    role: Annotated[str | UnsetType, Meta(extra_json_schema={"enum": ["admin", "regular"]})] = UNSET
    created_password: Annotated[Moment | UnsetType, Meta(description="When the password was chosen.")] = UNSET

    @classmethod
    def of(cls, record: UserRecord) -> Self:
        """The whole record."""
        return cls(
            validity_days=record["validityPasswordDays"],
            id=str(record["_id"]),
            username=record["username"],
            email=record.get("email") or UNSET,
            role=record["role"],
            created_password=moment(record["createdPassword"]),
        )

    @classmethod
    def seen_by(cls, caller: Caller, record: UserRecord) -> Self:
        if caller.is_admin or record["_id"] == caller.user:
            return cls.of(record)
        return cls(id=str(record["_id"]), username=record["username"])

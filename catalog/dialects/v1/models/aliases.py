"""Aliases and the history of their moves."""

from collections.abc import Mapping
from typing import Annotated, Self

from bson import ObjectId
from msgspec import Meta, Struct

from catalog.dialects.v1.models.common import Id, Moment, RequestBody, Text, moment
from catalog.dialects.v1.models.people.people import UserBody
from catalog.domain.access import Caller
from catalog.domain.versions.aliases.names import LONGEST
from catalog.store.records import AliasMoveRecord, AliasRecord, UserRecord

Users = Mapping[ObjectId, UserRecord]

Which = Annotated[
    Text,
    Meta(
        min_length=1,
        max_length=LONGEST,
        description="An ordinal, an alias, `latest`, or the name of a file.",
        examples=["3"],
    ),
]
Expected = Annotated[
    Text,
    Meta(
        max_length=LONGEST,
        description="Refuse unless the alias points to this version now; empty: unless there is no such alias.",
        examples=["2"],
    ),
]
Mover = Annotated[UserBody | Id, Meta(description="Who moved it; only the id of a user who was removed.")]


class AliasTarget(RequestBody):
    """The version that an alias is to name."""

    version: Which
    expected: Expected | None = None


class AliasBody(Struct):
    """A movable name for one version."""

    name: str
    version: Annotated[str, Meta(description="The ordinal of the version.")]
    moved: Moment
    user: Mover

    @classmethod
    def of(cls, record: AliasRecord, users: Users, caller: Caller) -> Self:
        return cls(record["name"], record["ordinal"], moment(record["moved"]), _mover(record["user"], users, caller))

    @classmethod
    def then(cls, record: AliasMoveRecord, users: Users, caller: Caller) -> Self:
        """As the alias was after a move."""
        user = _mover(record["user"], users, caller)
        return cls(record["alias"], record.get("version") or "", moment(record["moved"]), user)


class Aliases(Struct):
    """The aliases of an item, by name."""

    docs: list[AliasBody]


class AliasMoveBody(Struct, rename={"id": "_id"}):
    """A move of an alias from one version to another."""

    id: Id
    alias: str
    version: Annotated[str | None, Meta(description="The ordinal; null: the alias was removed.")]
    previous: Annotated[str | None, Meta(description="The ordinal that it pointed to before; null: it was new.")]
    moved: Moment
    user: Mover
    is_rollback: bool

    @classmethod
    def of(cls, record: AliasMoveRecord, users: Users, caller: Caller) -> Self:
        return cls(
            id=str(record["_id"]),
            alias=record["alias"],
            version=record.get("version"),
            previous=record.get("previous"),
            moved=moment(record["moved"]),
            user=_mover(record["user"], users, caller),
            is_rollback=record["is_rollback"],
        )


def _mover(key: ObjectId, users: Users, caller: Caller) -> UserBody | str:
    user = users.get(key)
    return UserBody.seen_by(caller, user) if user else str(key)

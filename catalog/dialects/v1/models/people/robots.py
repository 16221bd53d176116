"""Robots: accounts for scripts that belong to no person."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Self

from bson import ObjectId
from msgspec import Meta, Struct

from catalog.dialects.v1.models.common import Change, Id, Moment, RequestBody, ShortNonBlank, ShortText, Text, moment
from catalog.dialects.v1.models.people.tokens import DurationText, Seconds, duration_of, lasting
from catalog.domain.limits import LONGEST_DESCRIPTION
from catalog.domain.people import robots
from catalog.domain.people.robots import LONGEST_REFERENCE, MOST_ITEMS, MOST_TAGS
from catalog.store.records import UserRecord
from catalog.vocabulary import Kind, Scope

ItemReference = Annotated[str, Meta(min_length=1, max_length=LONGEST_REFERENCE, pattern="^[^\\x00]*$")]
Items = Annotated[
    list[ItemReference],
    Meta(
        max_length=MOST_ITEMS,
        description="Items that the robot is limited to: ids, `owner/name`, `datasets/owner/name`.",
        examples=[["ada/iris"]],
    ),
]
Tags = Annotated[
    list[ShortNonBlank],
    Meta(max_length=MOST_TAGS, description="The robot is limited to items with one of them.", examples=[["nightly"]]),
]
Scopes = Annotated[list[Scope], Meta(description="Default: `read`. `write` includes `read`.", examples=[["write"]])]
Description = Annotated[Text, Meta(max_length=LONGEST_DESCRIPTION)]


class NewRobotBody(RequestBody):
    """A robot to create. Without items and tags it has the rights of a regular user."""

    username: Annotated[
        ShortNonBlank, Meta(description="Unlike every username and group, in any case.", examples=["nightly-build"])
    ]
    description: Description | None = None
    scopes: Scopes | None = None
    items: Items | None = None
    tags: Tags | None = None
    expires_in: Seconds | DurationText | None = None
    expires: Annotated[ShortText | None, Meta(description="A date, instead of `expires_in`.")] = None

    def as_input(self) -> robots.NewRobot:
        """Raises Refused: INVALID_FIELD."""
        expires, life = lasting(self.expires_in, self.expires)
        return robots.NewRobot(
            username=self.username,
            description=self.description or "",
            scopes=self.scopes or (),
            items=self.items or (),
            tags=self.tags or (),
            expires=expires,
            life=life,
        )


class RobotChangeBody(Change):
    """Changes to a robot. Lists replace the present ones."""

    description: Description | None = None
    scopes: Scopes | None = None
    items: Items | None = None
    tags: Tags | None = None

    def as_input(self) -> robots.RobotChange:
        return robots.RobotChange(description=self.description, scopes=self.scopes, items=self.items, tags=self.tags)


class NewRobotToken(RequestBody):
    """A new token of a robot."""

    expires_in: Seconds | DurationText | None = None
    expires: Annotated[ShortText | None, Meta(description="A date, instead of `expires_in`.")] = None
    overlap: Annotated[
        Seconds | DurationText | None, Meta(description="How long the old token stays valid. Default: not at all.")
    ] = None

    def as_arguments(self) -> tuple[datetime | None, timedelta, timedelta]:
        """When the token expires, or after which time; and the overlap. Raises Refused: INVALID_FIELD."""
        overlap = timedelta() if self.overlap is None else duration_of("overlap", self.overlap)
        return (*lasting(self.expires_in, self.expires), overlap)


class RobotItemBody(Struct, rename={"id": "_id"}):
    """An item that a robot is limited to."""

    kind: Kind
    id: Id
    name: Annotated[str | None, Meta(description="`owner/name`; null when the item is gone.")]


class RobotBody(Struct, kw_only=True, rename={"id": "_id"}):
    """A robot: an account for scripts that belongs to no person."""

    id: Id
    username: str
    description: str
    scopes: list[str]
    items: list[RobotItemBody]
    tags: list[str]
    created_by: Annotated[str, Meta(description="The username of the administrator.")]
    expires: Annotated[Moment | None, Meta(description="When its newest token expires; null: it has none.")]
    used: Annotated[Moment | None, Meta(description="When it was last seen, to the minute or so.")]
    timestamp: Moment
    lastmod: Moment

    @classmethod
    def of(cls, record: UserRecord, names: Mapping[ObjectId, str], used: Mapping[ObjectId, datetime]) -> Self:
        """`names` are those of items, `used` is when robots were last seen."""
        robot = record.get("robot")
        assert robot is not None
        expires, last = robot.get("expires"), used.get(record["_id"])
        return cls(
            id=str(record["_id"]),
            username=record["username"],
            description=robot["description"],
            scopes=robot["scopes"],
            items=[
                RobotItemBody(Kind(each["kind"]), str(each["item"]), names.get(each["item"])) for each in robot["items"]
            ],
            tags=robot["tags"],
            created_by=robot["created_by"],
            expires=moment(expires) if expires else None,
            used=moment(last) if last else None,
            timestamp=moment(record["timestamp"]),
            lastmod=moment(record["lastmod"]),
        )


class RobotWithToken(RobotBody, kw_only=True):
    """A robot with a token that was just created."""

    token: Annotated[str, Meta(description="The token. It is shown only once.")]

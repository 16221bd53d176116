"""Records of people, groups and credentials."""

from datetime import datetime
from typing import NotRequired, TypedDict

from bson import ObjectId


class RobotItemRecord(TypedDict):
    kind: str
    item: ObjectId


class RobotRecord(TypedDict):
    description: str
    scopes: list[str]
    items: list[RobotItemRecord]
    tags: list[str]
    created_by: str
    expires: NotRequired[datetime | None]
    used: NotRequired[datetime | None]


class UserRecord(TypedDict):
    _id: ObjectId
    username: str
    username_key: NotRequired[str | None]
    password: str
    email: NotRequired[str | None]
    role: str
    createdPassword: datetime
    validityPasswordDays: int
    timestamp: datetime
    lastmod: datetime
    signed_out: NotRequired[datetime | None]
    demotion_token: NotRequired[ObjectId | None]
    groups: NotRequired[list[ObjectId]]
    robot: NotRequired[RobotRecord | None]


class GroupRecord(TypedDict):
    _id: ObjectId
    name: str
    name_key: str
    description: str
    timestamp: datetime
    lastmod: datetime


class AccessTokenRecord(TypedDict):
    _id: ObjectId
    user: ObjectId
    name: str
    digest: str
    scopes: list[str]
    timestamp: datetime
    expires: datetime
    used: NotRequired[datetime | None]


class PasswordResetRecord(TypedDict):
    _id: str
    user: ObjectId
    status: str
    timestamp: datetime
    expires: datetime

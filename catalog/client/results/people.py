"""Users, groups, tenants and tokens as the client returns them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict

from catalog.client.results.result import NEVER, Result, ShortDisplay
from catalog.client.results.shapes import Document, shaped


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class User(Result):
    id: str
    username: str = ""
    email: str = ""
    """Shown to administrators only, as is the role."""
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Party(Result):
    """A user or a group. `kind` is `user` or `group`."""

    id: str
    name: str
    kind: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Grant(Party):
    """What a user or a group `may` do with an item: `manage`, `edit` or `read`."""

    may: str = ""
    shared_by: str = ""
    """Who has shared it; empty where that is not known."""
    shared: datetime = NEVER


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Group(Result):
    """Users with whom an item is shared under one name."""

    id: str
    name: str
    description: str = ""
    members: Sequence[User] | None = None
    """None where they are not shown: in lists, and to users who are no members."""
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Token(Result):
    """A personal access token. `token` is set only in the result of its creation."""

    id: str
    name: str = ""
    user: str = ""
    scopes: Sequence[str] = ()
    token: str = field(default="", repr=False)
    timestamp: datetime = NEVER
    expires: datetime = NEVER
    used: datetime | None = None


class _ItemOfRobot(TypedDict):
    _id: str
    kind: str
    name: str | None


class _OfRobot(TypedDict, total=False):
    items: list[_ItemOfRobot]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Robot(Result):
    """An account for scripts. `token` is set only in the results of its creation and of its rotation.

    `items` are the items that it is limited to, as `kind/owner/name`.
    """

    id: str
    username: str = ""
    description: str = ""
    scopes: Sequence[str] = ()
    items: Sequence[str] = ()
    tags: Sequence[str] = ()
    created_by: str = ""
    token: str = field(default="", repr=False)
    expires: datetime | None = None
    used: datetime | None = None
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER

    @classmethod
    def _values(cls, document: Document) -> dict[str, object]:
        items = [
            f"{item['kind']}/{item['name'] or item['_id']}" for item in shaped(document, _OfRobot).get("items", ())
        ]
        return {**super(Robot, cls)._values(document), "items": items}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Tenant(Result):
    id: str
    organization: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""
    database: str = ""
    quota_bytes: int = 0
    inspection: str = "warn"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Identity(ShortDisplay):
    """The tenant and the user that a client is signed in as."""

    tenant: str
    user: User

"""Users, groups, tenants and tokens as the client returns them."""

from datetime import datetime
from typing import TypedDict

from catalog.client.results.result import NEVER, Result, ShortDisplay
from catalog.client.results.shapes import Document, shaped


class User(Result, frozen=True, kw_only=True):
    id: str
    username: str = ""
    email: str = ""
    """Shown to administrators only, as is the role."""
    role: str = ""


class Party(Result, frozen=True, kw_only=True):
    """A user or a group. `kind` is `user` or `group`."""

    id: str
    name: str
    kind: str = "user"


class Grant(Party, frozen=True, kw_only=True):
    """What a user or a group `may` do with an item: `manage`, `edit` or `read`."""

    may: str = ""
    shared_by: str = ""
    """Who has shared it; empty where that is not known."""
    shared: datetime = NEVER


class Group(Result, frozen=True, kw_only=True):
    """Users with whom an item is shared under one name."""

    id: str
    name: str
    description: str = ""
    members: tuple[User, ...] | None = None
    """None where they are not shown: in lists, and to users who are no members."""
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER


class Token(Result, frozen=True, kw_only=True):
    """A personal access token. `token` is set only in the result of its creation."""

    id: str
    name: str = ""
    user: str = ""
    scopes: tuple[str, ...] = ()
    token: str = ""
    timestamp: datetime = NEVER
    expires: datetime = NEVER
    used: datetime | None = None


class _ItemOfRobot(TypedDict):
    _id: str
    kind: str
    name: str | None


class _OfRobot(TypedDict, total=False):
    items: list[_ItemOfRobot]


class Robot(Result, frozen=True, kw_only=True):
    """An account for scripts. `token` is set only in the results of its creation and of its rotation.

    `items` are the items that it is limited to, as `kind/owner/name`.
    """

    id: str
    username: str = ""
    description: str = ""
    scopes: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    created_by: str = ""
    token: str = ""
    expires: datetime | None = None
    used: datetime | None = None
    timestamp: datetime = NEVER
    lastmod: datetime = NEVER

    @classmethod
    def _values(cls, document: Document) -> dict[str, object]:
        items = [
            f"{item['kind']}/{item['name'] or item['_id']}" for item in shaped(document, _OfRobot).get("items", ())
        ]
        return {**document, "items": items}


class Tenant(Result, frozen=True, kw_only=True):
    id: str
    organization: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""
    database: str = ""
    quota_bytes: int = 0
    inspection: str = "warn"


class Identity(ShortDisplay, frozen=True, kw_only=True):
    """The tenant and the user that a client is signed in as."""

    tenant: str
    user: User

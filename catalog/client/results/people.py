"""Users, groups, tenants and tokens as the client returns them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.client.results.result import NEVER, Raw, Result, ShortDisplay


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

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        members = raw.get("members")
        shown = None if members is None else tuple(User.of(user) for user in members)
        return super(Group, cls)._read(raw) | {"members": shown}


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

    @classmethod
    def _read(cls, raw: Raw) -> dict[str, Any]:
        return super(Token, cls)._read(raw) | {"scopes": tuple(raw.get("scopes", ()))}


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
    def _read(cls, raw: Raw) -> dict[str, Any]:
        items = (f"{item['kind']}/{item['name'] or item['_id']}" for item in raw.get("items", ()))
        lists = {"scopes": tuple(raw.get("scopes", ())), "items": tuple(items), "tags": tuple(raw.get("tags", ()))}
        return super(Robot, cls)._read(raw) | lists


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


def user_of(raw: Raw | str) -> User | str:
    return raw if isinstance(raw, str) else User.of(raw)

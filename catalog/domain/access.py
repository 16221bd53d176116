"""Who may what. Each rule is told once as a question and, where lists need it, once as a filter, side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from catalog.store.database import Tenant
from catalog.vocabulary import PUBLIC_READER, Role, Scope, Visibility


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: a user, in a tenant."""

    tenant: Tenant
    user: ObjectId
    username: str
    role: Role
    scope: Scope | None = None  # of the personal access token that asks; None: signed in with a password

    @property
    def may_write(self) -> bool:
        """Whether anything at all: a token may be for reading only."""
        return self.scope is not Scope.READ

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN


def readers(owner: ObjectId, users: Iterable[ObjectId], visibility: str) -> list[ObjectId | str]:
    """Everyone who may read an item, written on it at each change: its owner, its users, and `public`."""
    everyone = [PUBLIC_READER] if visibility == Visibility.PUBLIC else []
    return list(dict.fromkeys([owner, *users, *everyone]))


def may_read(caller: Caller, item: Mapping[str, Any]) -> bool:
    return caller.is_admin or caller.user in item["readers"] or PUBLIC_READER in item["readers"]


def readable_by(caller: Caller) -> dict[str, Any]:
    """The filter that says the same. (Beside a bare `$in` the embedded engine's planner forgets a range.)"""
    return {} if caller.is_admin else {"readers": {"$elemMatch": {"$in": [caller.user, PUBLIC_READER]}}}


def may_change(caller: Caller, item: Mapping[str, Any]) -> bool:
    """Also: delete it, and add or remove versions."""
    return caller.is_admin or bool(item["owner"] == caller.user)


def changeable_by(caller: Caller) -> dict[str, Any]:
    """The filter that says the same."""
    return {} if caller.is_admin else {"owner": caller.user}

"""Who may what. Each rule is told once as a question and, where lists need it, once as a filter, side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bson import ObjectId

from catalog.errors import CANNOT_MODIFY, READ_ONLY_TOKEN, Fault, Refused
from catalog.store.database import Tenant
from catalog.store.fence import Permits, anything
from catalog.vocabulary import PUBLIC_READER, Role, Scope, Visibility


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: a user, in a tenant."""

    tenant: Tenant
    user: ObjectId
    username: str
    role: Role
    scope: Scope | None = None  # of the personal access token that asks; None: signed in with a password
    token: ObjectId | None = None  # that token

    async def still_allowed(self) -> None:
        """Look again at what the first look was at: the tenant, the user, the role, the token.

        Every write through `tenant` does so by itself. Between two steps of long work this ends it earlier.

        Raises Refused: AUTHENTICATION.
        """
        await self.tenant.still_allowed()

    @property
    def may_write(self) -> bool:
        """Whether anything at all: a token may be for reading only."""
        return self.scope is not Scope.READ

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN


USERS = "users"
ACCESS_TOKENS = "access_tokens"

IN_PERSON = "not with a personal access token: sign in with the password"

IN_PERSON_ONLY = frozenset({USERS, ACCESS_TOKENS, "password_resets"})
"""Collections that no personal access token changes, not even an administrator's: it could raise its own rights."""


def permits(scope: Scope | None) -> Permits:
    """Which collections a caller may change: the rule of scopes, which the caller's handle applies to each write."""
    return anything if scope is None else lambda collection: _refuse_scope(scope, collection, CANNOT_MODIFY)


def refuse_out_of_scope(caller: Caller, collection: str, fault: Fault) -> None:
    """The same rule, before a change of several steps begins.

    Raises Refused: READ_ONLY_TOKEN, or `fault` for what is not done with a personal access token.
    """
    if caller.scope:
        _refuse_scope(caller.scope, collection, fault)


def _refuse_scope(scope: Scope, collection: str, fault: Fault) -> None:
    if scope is Scope.READ:
        raise Refused(READ_ONLY_TOKEN)
    if collection in IN_PERSON_ONLY:
        raise Refused(fault, IN_PERSON)


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

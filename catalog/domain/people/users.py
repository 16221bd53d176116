"""The users of a tenant."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from bson import ObjectId

from catalog.domain.access import USERS, Caller, refuse_out_of_scope
from catalog.domain.people import last_admin
from catalog.domain.people.account_removal import remove_account
from catalog.domain.people.authentication import access_tokens
from catalog.domain.people.authentication.credentials import (
    PasswordPolicy,
    hash_password,
    not_ended,
    refuse_weak,
    sign_out,
)
from catalog.domain.people.usernames import find, group_named, new_username
from catalog.errors import (
    BUSY,
    CANNOT_CREATE,
    CANNOT_DELETE,
    CANNOT_MODIFY,
    INVALID_FIELD,
    NAME_TAKEN,
    NOT_FOUND,
    OTHER_USER,
    Fault,
    Refused,
)
from catalog.folding import folded
from catalog.store.clock import now
from catalog.store.concurrency.unique_writes import write_unless_taken
from catalog.store.documents.people import UserDocument
from catalog.store.failures import Duplicate
from catalog.store.ids import document_id, object_id
from catalog.store.records import Changes, UserRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import record_of
from catalog.vocabulary import Role

LONGEST_VALIDITY = 36500
"""Days for which a password may be valid. 0 is for ever."""


@dataclass(frozen=True, kw_only=True)
class NewUser:
    """A user to create. Without `validity_days` the policy says for how long the password is valid."""

    username: str
    password: str = field(repr=False)
    email: str
    role: Role
    validity_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class UserChange:
    """New values of fields of a user. None leaves a field as it is."""

    email: str | None = None
    password: str | None = field(default=None, repr=False)
    role: Role | None = None
    validity_days: int | None = None


async def create(caller: Caller, new: NewUser, policy: PasswordPolicy) -> UserRecord:
    """Create a user.

    Raises Refused: INVALID_FIELD, NAME_TAKEN, CANNOT_CREATE for a personal access token.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_CREATE)
    username = new_username(new.username)
    if object_id(username):
        raise Refused(INVALID_FIELD, "username: 24 hexadecimal digits are an id, please choose another name")
    refuse_weak(new.password, policy)
    days = policy.days if new.validity_days is None else new.validity_days
    user = await add(caller.tenant, username, new.password, new.role, email=new.email, days=days)
    return cast("UserRecord", record_of(user))


async def add(
    tenant: Tenant,
    username: str,
    password: str,
    role: Role,
    *,
    email: str | None,
    days: int,
    identity: ObjectId | None = None,
) -> UserDocument:
    """Add a user without checks of the password. `identity` is the user's id, if the server has chosen one.

    Raises Refused: NAME_TAKEN when a user has this email, or when a user or a group has this name in any case.
    """
    user = UserDocument(
        id=document_id(identity or ObjectId()),
        username=username,
        username_key=folded(username),
        password=await hash_password(password),
        email=email,
        role=role,
        validityPasswordDays=days,
    )
    return await add_account(tenant, user)


async def add_account(tenant: Tenant, user: UserDocument) -> UserDocument:
    """Add a person or a robot. Raises Refused: NAME_TAKEN, as `add`."""
    username = user.username
    await _refuse_group_name(tenant, username)
    added = await write_unless_taken(lambda: tenant.users.insert(user), lambda: _taken(tenant, user))
    try:
        # A group of this name may have been created since: of the two, at least one finds the other.
        await _refuse_group_name(tenant, username)
    except Refused:
        await tenant.users.records.delete_one({"_id": added.id})
        raise
    return added


async def _taken(tenant: Tenant, user: UserDocument) -> Refused | None:
    """The refusal of a user whose name or email another one has; None when no user has it any more."""
    same = [{"username": user.username}, {"username_key": user.username_key}]
    if other := await tenant.users.records.find_one({"$or": same}, {"username": 1}):
        details = f"User validation failed: a user with the same username already exists ({other['username']})"
        return Refused(NAME_TAKEN, details)
    if user.email and await tenant.users.records.find_one({"email": user.email}, {"_id": 1}):
        return Refused(NAME_TAKEN, f"The email {user.email} already exists")
    return None


async def _refuse_group_name(tenant: Tenant, username: str) -> None:
    """Raises Refused: NAME_TAKEN."""
    if group := await group_named(tenant, username):
        raise Refused(NAME_TAKEN, f"User validation failed: a group with the same name already exists ({group})")


async def take_over(tenant: Tenant, user: UserDocument) -> None:
    """Add a user of another registry as it is. There, usernames may differ by case alone.

    Raises Duplicate.
    """
    user.username_key = folded(user.username)
    try:
        await tenant.users.insert(user)
    except Duplicate:
        user.username_key = None
        await tenant.users.insert(user)


async def read(caller: Caller, key: str) -> UserRecord:
    """The user with this id or username. Raises Refused: NOT_FOUND."""
    return await find(caller.tenant, key)


async def change(caller: Caller, key: str, change: UserChange, policy: PasswordPolicy) -> UserRecord:
    """Change your own email or password; administrators also change other users, and roles.

    A new password, role or email ends all credentials of the user. A personal access token changes no user: it could
    raise its own rights.

    Raises Refused: NOT_FOUND, OTHER_USER, INVALID_FIELD, NAME_TAKEN, LAST_ADMIN, CANNOT_MODIFY, BUSY.
    """
    tenant = caller.tenant
    user = await _changeable(caller, key)
    _refuse_robot(user, CANNOT_MODIFY)
    fields = await _changed_fields(caller, user, change, policy)
    is_demotion = user["role"] == Role.ADMIN and "role" in fields
    async with last_admin.demotion(tenant, user["_id"], is_admin=is_demotion) as condition:
        try:
            changed = await tenant.users.modify({"_id": user["_id"], **condition}, {"$set": fields})
        except Duplicate:
            raise Refused(NAME_TAKEN, f"The email {fields['email']} already exists") from None
    if changed is None:
        raise Refused(BUSY if condition else NOT_FOUND, key)
    if "signed_out" in fields:
        await access_tokens.revoke_all(tenant.base, user["_id"])  # the caller may be the user who was just signed out
    return changed


async def _changed_fields(caller: Caller, user: UserRecord, change: UserChange, policy: PasswordPolicy) -> Changes:
    fields: Changes = {"lastmod": now()}
    if change.email and change.email != user.get("email"):
        fields |= {"email": change.email, **sign_out()}
    if change.role is not None and change.role != user["role"]:
        if not caller.is_admin:
            raise Refused(CANNOT_MODIFY, "role: only administrators change roles")
        fields |= {"role": change.role.value, **sign_out()}
    if change.validity_days is not None and change.validity_days != user["validityPasswordDays"]:
        if not caller.is_admin:
            raise Refused(CANNOT_MODIFY, "Only administrators change for how long a password is valid")
        fields["validityPasswordDays"] = change.validity_days
    if change.password:
        refuse_weak(change.password, policy)
        fields |= await _new_password(change.password)
    return fields


async def end_credentials(caller: Caller, key: str) -> UserRecord:
    """End all sessions, personal access tokens and reset links of yourself, or as an administrator of any user.

    Raises Refused: NOT_FOUND, OTHER_USER, CANNOT_MODIFY for a personal access token.
    """
    user = await _changeable(caller, key)
    changed = await caller.tenant.users.modify({"_id": user["_id"]}, {"$set": sign_out()})
    if changed is None:
        raise Refused(NOT_FOUND, key)
    await access_tokens.revoke_all(caller.tenant.base, user["_id"])
    return changed


async def _changeable(caller: Caller, key: str) -> UserRecord:
    """The user, whom the caller may change. Raises Refused: NOT_FOUND, OTHER_USER, CANNOT_MODIFY."""
    user = await find(caller.tenant, key)
    if not caller.is_admin and caller.user != user["_id"]:
        raise Refused(OTHER_USER, f"{key}: only administrators change other users")
    refuse_out_of_scope(caller, USERS, CANNOT_MODIFY)
    return user


async def set_password(
    tenant: Tenant, user: ObjectId, password: str, *, issued: datetime | None = None
) -> UserRecord | None:
    """Give a user a new password, without checks of it, and end all credentials.

    `issued` is when the credential was issued that permits this: another change may have ended it meanwhile. Returns
    None when one has, and when there is no such user.
    """
    fields = await _new_password(password)
    changed = await tenant.users.modify(
        {"_id": user, **(not_ended(issued) if issued else {})}, {"$set": fields | {"lastmod": now()}}
    )
    if changed is not None:
        await access_tokens.revoke_all(tenant, user)
    return changed


async def _new_password(password: str) -> Changes:
    return {"password": await hash_password(password), "createdPassword": now(), **sign_out()}


async def remove(caller: Caller, key: str, new_owner: str = "") -> UserRecord:
    """Remove a user who owns nothing, or whose items all go to `new_owner` (an id or a username).

    Without a new owner, the caller gets what the user has in the trash. Items that were shared with the user no longer
    are. After a crash half-way, the same request continues.

    Raises Refused: NOT_FOUND, IN_USE, INVALID_TRANSFER, LAST_ADMIN, BUSY, CANNOT_DELETE for a personal access token.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_DELETE)
    user = await find(caller.tenant, key)
    _refuse_robot(user, CANNOT_DELETE)
    return await remove_account(caller, user, new_owner)


def _refuse_robot(user: UserRecord, fault: Fault) -> None:
    """Raises Refused: `fault`."""
    if user.get("robot"):
        raise Refused(fault, f"{user['username']} is a robot")

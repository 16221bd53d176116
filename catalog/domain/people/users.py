"""The people of a tenant."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from weakref import WeakSet

from bson import ObjectId
from pymongo import ReturnDocument

from catalog.domain import naming
from catalog.domain.access import USERS, Caller, refuse_out_of_scope
from catalog.domain.body_fields import Form, change_form
from catalog.domain.items.in_use import refuse_while_used
from catalog.domain.limits import LONGEST_NAME
from catalog.domain.people import access_tokens, last_admin, ownership_transfer
from catalog.domain.people.credentials import (
    LONGEST_PASSWORD,
    hashed,
    not_ended,
    signs_out,
    strength,
    strength_name,
    verified,
)
from catalog.errors import (
    AUTHENTICATION,
    BUSY,
    CANNOT_CREATE,
    CANNOT_DELETE,
    CANNOT_MODIFY,
    NOT_CHANGED,
    NOT_CREATED,
    NOT_DELETED,
    NOT_FOUND,
    Refused,
)
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import User, now, object_id
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, Role

FIELDS = frozenset({"username", "password", "email", "role", "validityPasswordDays"})
CHANGEABLE = FIELDS - {"username"}

LONGEST_VALIDITY = 36500
"""Days that a password may last. 0 is for ever."""

_folded: WeakSet[Tenant] = WeakSet()
"""Tenants whose older users have been given their `username_key`."""


class Policy(NamedTuple):
    """What a password must be, and for how many days it serves (0: for ever)."""

    strength: int
    days: int


async def create(tenant: Tenant, body: Any, caller: Caller, policy: Policy) -> Raw:
    """Keep a new user.

    Raises Refused: NOT_CREATED, CANNOT_CREATE by a personal access token.
    """
    refuse_out_of_scope(caller, USERS, CANNOT_CREATE)
    form = Form(body, NOT_CREATED, FIELDS)
    username = form.named("username", "Path `username` is required.", LONGEST_NAME, naming.username)
    if object_id(username):
        form.refuse("username: 24 hexadecimal digits are an id, please choose another name")
    password = form.required("password", "Path `password` is required.", LONGEST_PASSWORD)
    email = form.required("email", "Please, supply an email")
    role = form.one_of("role", Role) or form.refuse("role: Path `role` is required.")
    refuse_weak(form, password, policy)
    days = form.whole("validityPasswordDays", LONGEST_VALIDITY, "days")
    user = await add(tenant, username, password, role, email=email, days=policy.days if days is None else days)
    document: Raw = user.model_dump(by_alias=True)
    return document


async def add(tenant: Tenant, username: str, password: str, role: Role, *, email: str | None, days: int) -> User:
    """Keep a new user, whatever the password.

    Raises Refused: NOT_CREATED when the email is taken, or the username, in whatever case.
    """
    await _fold_older(tenant)
    user = User(
        username=username,
        username_key=naming.folded(username),
        password=await hashed(password),
        email=email,
        role=role,
        validityPasswordDays=days,
    )
    try:
        return await tenant.users.insert(user)
    except Duplicate:
        same = [{"username": username}, {"username_key": user.username_key}]
        if there := await tenant.users.raw.find_one({"$or": same}, {"username": 1}):
            taken = f"User validation failed: a user with the same username already exists ({there['username']})"
        else:
            taken = f"The email {email} already exists"
        raise Refused(NOT_CREATED, taken) from None


async def take_over(tenant: Tenant, user: User) -> None:
    """Keep a user as another registry has kept it. There, usernames may differ by case alone.

    Raises Duplicate.
    """
    user.username_key = naming.folded(user.username)
    try:
        await tenant.users.insert(user)
    except Duplicate:
        user.username_key = None
        await tenant.users.insert(user)


async def _fold_older(tenant: Tenant) -> None:
    """Give older users the key that the unique index compares, once in each process.

    Where several have one key, the first gets it, and that is enough: no new user takes it.
    """
    tenant = tenant.base  # which all requests share
    if tenant in _folded:
        return
    await tenant.users.prepare()
    async for user in tenant.users.raw.find({"username_key": None}, {"username": 1}):
        with suppress(Duplicate):
            key = naming.folded(user["username"])
            await tenant.users.raw.update_one({"_id": user["_id"]}, {"$set": {"username_key": key}})
    _folded.add(tenant)


async def find(tenant: Tenant, key: str) -> Raw:
    """The user with this id or username.

    Raises Refused: NOT_FOUND.
    """
    identity = object_id(key)
    user: Raw | None = await (tenant.users.raw.find_one({"_id": identity}) if identity else _named(tenant, key))
    if user is None:
        raise Refused(NOT_FOUND, key)
    return user


async def _named(tenant: Tenant, username: str) -> Raw | None:
    for name in naming.spellings(username):
        user: Raw | None = await tenant.users.raw.find_one({"username": name})
        if user is not None:
            return user
    return None


async def change(tenant: Tenant, key: str, body: Any, caller: Caller, policy: Policy) -> Raw:
    """Change one's own email or password; an administrator anybody's, and roles.

    A new password, role or address ends all credentials of the user; nothing of this is done by a personal access
    token, which would make itself more than it is.

    Raises Refused: NOT_FOUND, EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED, CANNOT_MODIFY, BUSY.
    """
    user = await find(tenant, key)
    if not caller.is_admin and caller.user != user["_id"]:
        raise Refused(NOT_CHANGED, key)
    refuse_out_of_scope(caller, USERS, CANNOT_MODIFY)
    fields = await _changed(user, body, caller, policy)
    is_demotion = user["role"] == Role.ADMIN and "role" in fields
    async with last_admin.stepping_down(tenant, user, NOT_CHANGED, is_one=is_demotion) as condition:
        try:
            changed: Raw | None = await tenant.users.raw.find_one_and_update(
                {"_id": user["_id"], **condition}, {"$set": fields}, return_document=ReturnDocument.AFTER
            )
        except Duplicate:
            raise Refused(NOT_CHANGED, f"The email {fields['email']} already exists") from None
    if changed is None:
        raise Refused(BUSY if condition else NOT_FOUND, key)
    if "signed_out" in fields:
        await access_tokens.end(tenant.base, user["_id"])  # it may be the caller who was just signed out
    return changed


async def _changed(user: Raw, body: Any, caller: Caller, policy: Policy) -> Raw:
    """The fields that a PUT sets, checked."""
    form = change_form(body, CHANGEABLE)
    fields: Raw = {"lastmod": now()}
    email = form.text("email")
    if email and email != user.get("email"):
        fields |= {"email": email, **signs_out()}
    password = form.text("password", LONGEST_PASSWORD)
    role = form.one_of("role", Role)
    if role is not None and role != user["role"]:
        if not caller.is_admin:
            raise Refused(CANNOT_MODIFY, "role: only an administrator gives roles")
        fields |= {"role": role.value, **signs_out()}
    days = form.whole("validityPasswordDays", LONGEST_VALIDITY, "days")
    if days is not None and days != user["validityPasswordDays"]:
        if not caller.is_admin:
            raise Refused(CANNOT_MODIFY, "validityPasswordDays: only an administrator says how long a password lasts")
        fields["validityPasswordDays"] = days
    if password:
        refuse_weak(form, password, policy)
        fields |= await _new_password(password)
    return fields


async def with_password(tenant: Tenant, user: ObjectId, password: str, *, by: datetime | None = None) -> Raw | None:
    """Give a user a new password, whatever it is, and end all credentials.

    `by` is when the credential was issued that is used for it: another change may have ended that meanwhile. None when
    it has, or when there is no such user.
    """
    fields = await _new_password(password)
    changed: Raw | None = await tenant.users.raw.find_one_and_update(
        {"_id": user, **(not_ended(by) if by else {})},
        {"$set": fields | {"lastmod": now()}},
        return_document=ReturnDocument.AFTER,
    )
    if changed is not None:
        await access_tokens.end(tenant, user)
    return changed


async def _new_password(password: str) -> Raw:
    return {"password": await hashed(password), "createdPassword": now(), **signs_out()}


async def remove(tenant: Tenant, key: str, heir: str = "", caller: Caller | None = None) -> Raw:
    """Remove a user who owns nothing, or whose `heir` (an id or a username) is to have all that the user owns.

    Without an heir, what the user has in the trash goes to the caller. What was shared with the user no longer is.
    After a crash half-way, asking again goes on with the rest.

    Raises Refused: NOT_FOUND, NOT_DELETED (also when heir and user have things of one name), BUSY, CANNOT_DELETE by a
    personal access token.
    """
    if caller:  # before anything moves
        refuse_out_of_scope(caller, USERS, CANNOT_DELETE)
    user = await find(tenant, key)
    is_admin = user["role"] == Role.ADMIN
    if heir:
        if is_admin:  # before anything moves
            await last_admin.refuse_last(tenant, user["_id"], NOT_DELETED)
        taking = await find(tenant, heir)
        await ownership_transfer.pass_on(tenant, user, taking)
        inherits = taking["_id"]
    elif caller is None or caller.user == user["_id"]:
        await ownership_transfer.refuse_while_in_trash(tenant, user["_id"])
        inherits = None
    else:
        inherits = caller.user
    async with last_admin.stepping_down(tenant, user, NOT_DELETED, is_one=is_admin) as condition:
        await refuse_while_used(tenant, {"owner": user["_id"]})
        await ownership_transfer.pass_on_trash(tenant, user["_id"], inherits)
        gone = await tenant.users.raw.delete_one({"_id": user["_id"], "role": user["role"], **condition})
    if not gone.deleted_count:
        raise Refused(BUSY, key)
    tenant = tenant.base  # what follows belongs to the removal, also of the caller
    await access_tokens.end(tenant, user["_id"])
    await tenant.password_resets.raw.delete_many({"user": user["_id"]})
    await _unshare(tenant, user["_id"])
    await ownership_transfer.pass_on_trash(tenant, user["_id"], inherits)  # what came there meanwhile
    return user


async def _unshare(tenant: Tenant, user: ObjectId) -> None:
    for kind in Kind:
        await tenant.items(kind).raw.update_many(
            {"users": user},
            {"$pull": {"users": user, "readers": user}, "$inc": {"revision": 1}},
        )
    await tenant.trash.raw.update_many({"item.users": user}, {"$pull": {"item.users": user, "item.readers": user}})


async def signed_in(tenant: Tenant | None, username: str, password: str) -> Raw:
    """The user, when the password is right. A hash of an older kind is replaced by a better one.

    Raises Refused: AUTHENTICATION, the same and after the same time for an unknown user as for a wrong password; after
    the same time for an unknown tenant.
    """
    user = await _named(tenant, username) if tenant else None
    right, better = await verified(password[:LONGEST_PASSWORD], user["password"] if user else None)
    if tenant is None:
        raise Refused(AUTHENTICATION, "Incorrect tenant")
    if user is None or not right:
        raise Refused(AUTHENTICATION, "Incorrect username or password")
    refuse_expired(user)
    unchanged = {"_id": user["_id"], "signed_out": user.get("signed_out")}
    if not await tenant.users.raw.find_one(unchanged, {"_id": 1}):
        # Verifying takes a tenth of a second. All credentials have ended meanwhile, and this password with them.
        raise Refused(AUTHENTICATION, "Incorrect username or password")
    if better:
        await tenant.users.raw.update_one(
            {"_id": user["_id"], "password": user["password"]}, {"$set": {"password": better}}
        )
    if (since := user.get("signed_out")) and since > (moment := now()):
        # From a clock that was wrong: until then no token would be good. Those from before this moment stay ended.
        await tenant.users.raw.update_one({"_id": user["_id"], "signed_out": since}, {"$set": {"signed_out": moment}})
    return user


def refuse_expired(user: Raw) -> None:
    """Raises Refused: AUTHENTICATION."""
    days = user["validityPasswordDays"]
    if days and user["createdPassword"] + timedelta(days=days) < now():
        raise Refused(AUTHENTICATION, "The password has expired, please ask for a new one")


def refuse_weak(form: Form, password: str, policy: Policy) -> None:
    """Raises Refused: the fault of the form."""
    level = strength(password)
    if level < policy.strength:
        form.refuse(f"The password strength is {strength_name(level)}, please choose a stronger password")

"""The people of a tenant."""

from datetime import timedelta
from typing import Any, NamedTuple

from bson import ObjectId
from pymongo import ReturnDocument

from catalog.domain.access import Caller
from catalog.domain.credentials import LONGEST_PASSWORD, hashed, strength, strength_name, verified
from catalog.domain.forms import Form, change_form
from catalog.domain.references import refuse_while_used
from catalog.domain.trash import restorable
from catalog.errors import (
    AUTHENTICATION,
    CANNOT_MODIFY,
    NOT_CHANGED,
    NOT_CREATED,
    NOT_DELETED,
    NOT_FOUND,
    Refused,
)
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import User, now, object_id
from catalog.store.seam import Raw
from catalog.vocabulary import Kind, Role

FIELDS = frozenset({"username", "password", "email", "role"})
CHANGEABLE = FIELDS - {"username"}


class Policy(NamedTuple):
    """What a password must be, and for how many days it serves (0: for ever)."""

    strength: int
    days: int


async def create(tenant: Tenant, body: Any, policy: Policy) -> Raw:
    """Keep a new user.

    Raises Refused: NOT_CREATED.
    """
    form = Form(body, NOT_CREATED, FIELDS)
    username = form.required("username", "Path `username` is required.")
    if object_id(username):
        form.refuse("username: 24 hexadecimal digits are an id, please choose another name")
    password = form.required("password", "Path `password` is required.", LONGEST_PASSWORD)
    email = form.required("email", "Please, supply an email")
    role = form.one_of("role", Role) or form.refuse("role: Path `role` is required.")
    _refuse_weak(form, password, policy)
    user = await add(tenant, username, password, role, email=email, days=policy.days)
    document: Raw = user.model_dump(by_alias=True)
    return document


async def add(tenant: Tenant, username: str, password: str, role: Role, *, email: str | None, days: int) -> User:
    """Keep a new user, whatever the password. Raises Refused: NOT_CREATED when name or email is taken."""
    user = User(username=username, password=await hashed(password), email=email, role=role, validityPasswordDays=days)
    try:
        return await tenant.users.insert(user)
    except Duplicate:
        if await tenant.users.raw.find_one({"username": username}, {"_id": 1}):
            taken = f"User validation failed: a user with the same username already exists ({username})"
        else:
            taken = f"The email {email} already exists"
        raise Refused(NOT_CREATED, taken) from None


async def find(tenant: Tenant, key: str) -> Raw:
    """The user with this id or username.

    Raises Refused: NOT_FOUND.
    """
    identity = object_id(key)
    query = {"_id": identity} if identity else {"username": key}
    user: Raw | None = await tenant.users.raw.find_one(query)
    if user is None:
        raise Refused(NOT_FOUND, key)
    return user


async def change(tenant: Tenant, key: str, body: Any, caller: Caller, policy: Policy) -> Raw:
    """Change one's own email or password; an administrator anybody's, and roles.

    A new password or role signs the user out everywhere.

    Raises Refused: NOT_FOUND, EMPTY_BODY, NO_VALID_FIELDS, NOT_CHANGED, CANNOT_MODIFY.
    """
    user = await find(tenant, key)
    if not caller.is_admin and caller.user != user["_id"]:
        raise Refused(NOT_CHANGED, key)
    fields = await _changed(tenant, user, body, caller, policy)
    try:
        changed: Raw | None = await tenant.users.raw.find_one_and_update(
            {"_id": user["_id"]}, {"$set": fields}, return_document=ReturnDocument.AFTER
        )
    except Duplicate:
        raise Refused(NOT_CHANGED, f"The email {fields['email']} already exists") from None
    if changed is None:
        raise Refused(NOT_FOUND, key)
    return changed


async def _changed(tenant: Tenant, user: Raw, body: Any, caller: Caller, policy: Policy) -> Raw:
    """The fields that a PUT sets, checked."""
    form = change_form(body, CHANGEABLE)
    fields: Raw = {"lastmod": now()}
    if email := form.text("email"):
        fields["email"] = email
    if password := form.text("password", LONGEST_PASSWORD):
        _refuse_weak(form, password, policy)
        fields |= {"password": await hashed(password), "createdPassword": now(), "signed_out": now()}
    role = form.one_of("role", Role)
    if role is not None and role != user["role"]:
        await _refuse_role(tenant, user, caller)
        fields |= {"role": role.value, "signed_out": now()}
    return fields


async def remove(tenant: Tenant, key: str) -> Raw:
    """Remove a user who owns nothing. What was shared with him is so no longer.

    Raises Refused: NOT_FOUND, NOT_DELETED.
    """
    user = await find(tenant, key)
    await refuse_while_used(tenant, {"owner": user["_id"]})
    thrown = await tenant.trash.raw.find_one({"owner": user["_id"], **restorable()})
    if thrown is not None:
        what = f"{thrown['_id']} {Kind(thrown['kind']).one.capitalize()}"
        raise Refused(NOT_DELETED, f"Used in {what}, which is in the trash: purge it, or restore it")
    if user["role"] == Role.ADMIN and await _is_last_admin(tenant, user["_id"]):
        raise Refused(NOT_DELETED, "The tenant would be left without an administrator")
    await tenant.users.raw.delete_one({"_id": user["_id"]})
    for kind in Kind:
        await tenant.items(kind).raw.update_many(
            {"users": user["_id"]},
            {"$pull": {"users": user["_id"], "readers": user["_id"]}, "$inc": {"revision": 1}},
        )
    await tenant.trash.raw.update_many(
        {"item.users": user["_id"]}, {"$pull": {"item.users": user["_id"], "item.readers": user["_id"]}}
    )
    return user


async def signed_in(tenant: Tenant, username: str, password: str) -> Raw:
    """The user, when the password is right. A hash of an older kind is replaced by a better one.

    Raises Refused: AUTHENTICATION, the same and after the same time for an unknown user as for a wrong password.
    """
    user: Raw | None = await tenant.users.raw.find_one({"username": username})
    right, better = await verified(password[:LONGEST_PASSWORD], user["password"] if user else None)
    if user is None or not right:
        raise Refused(AUTHENTICATION, "Incorrect username or password")
    if user["validityPasswordDays"] and user["createdPassword"] + timedelta(days=user["validityPasswordDays"]) < now():
        raise Refused(AUTHENTICATION, "The password has expired, please ask for a new one")
    if better:
        await tenant.users.raw.update_one(
            {"_id": user["_id"], "password": user["password"]}, {"$set": {"password": better}}
        )
    return user


async def _refuse_role(tenant: Tenant, user: Raw, caller: Caller) -> None:
    if not caller.is_admin:
        raise Refused(CANNOT_MODIFY, "role: only an administrator gives roles")
    if user["role"] == Role.ADMIN and await _is_last_admin(tenant, user["_id"]):
        raise Refused(NOT_CHANGED, "role: the tenant would be left without an administrator")


async def _is_last_admin(tenant: Tenant, user: ObjectId) -> bool:
    other = await tenant.users.raw.find_one({"role": Role.ADMIN.value, "_id": {"$ne": user}}, {"_id": 1})
    return other is None


def _refuse_weak(form: Form, password: str, policy: Policy) -> None:
    level = strength(password)
    if level < policy.strength:
        form.refuse(f"The password strength is {strength_name(level)}, please choose a stronger password")

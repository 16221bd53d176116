"""The names of users and groups: one namespace, in which no two names differ by case alone."""

from catalog.domain import naming
from catalog.domain.limits import LONGEST_NAME
from catalog.errors import INVALID_FIELD, NOT_FOUND, Refused
from catalog.folding import folded
from catalog.store.ids import object_id
from catalog.store.records import UserRecord
from catalog.store.tenant import Tenant


def new_username(text: str, field: str = "username") -> str:
    """The normalized form of a new username, given in `field`. Raises Refused: INVALID_FIELD."""
    try:
        username = naming.username(text)
    except naming.NameInvalidError as problem:
        raise Refused(INVALID_FIELD, f"{field}: {problem}") from None
    if len(username) > LONGEST_NAME:  # normalizing may make a text longer
        raise Refused(INVALID_FIELD, f"{field}: at most {LONGEST_NAME} characters are allowed, not {len(username)}")
    return username


async def user_named(tenant: Tenant, name: str) -> str | None:
    """The username that is this name in any case."""
    user = await tenant.users.records.find_one({"username_key": folded(name)}, {"username": 1})
    return user["username"] if user else None


async def group_named(tenant: Tenant, name: str) -> str | None:
    """The name of a group that is this name in any case."""
    group = await tenant.groups.records.find_one({"name_key": folded(name)}, {"name": 1})
    return group["name"] if group else None


async def find(tenant: Tenant, key: str) -> UserRecord:
    """The user of a tenant with this id or username. Raises Refused: NOT_FOUND."""
    identity = object_id(key)
    user = await (tenant.users.records.find_one({"_id": identity}) if identity else find_by_name(tenant, key))
    if user is None:
        raise Refused(NOT_FOUND, key)
    return user


async def find_by_name(tenant: Tenant, username: str) -> UserRecord | None:
    for name in naming.spellings(username):
        user = await tenant.users.records.find_one({"username": name})
        if user is not None:
            return user
    return None

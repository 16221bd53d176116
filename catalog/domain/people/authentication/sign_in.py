"""Signing in with a username and a password."""

from catalog.domain.people.authentication.credentials import LONGEST_PASSWORD, refuse_expired, verify_password
from catalog.domain.people.usernames import find_by_name
from catalog.errors import AUTHENTICATION, Refused
from catalog.store.clock import now
from catalog.store.records import UserRecord
from catalog.store.tenant import Tenant


async def sign_in(tenant: Tenant | None, username: str, password: str) -> UserRecord:
    """The user with this username and password. A hash of an older kind is replaced by a better one.

    Raises Refused: AUTHENTICATION, the same and after the same time for an unknown user as for a wrong password; after
    the same time for an unknown tenant.
    """
    user = await find_by_name(tenant, username) if tenant else None
    if user and user.get("robot"):  # it has no password
        user = None
    is_right, better_hash = await verify_password(password[:LONGEST_PASSWORD], user["password"] if user else None)
    if tenant is None:
        raise Refused(AUTHENTICATION, "Incorrect tenant")
    if user is None or not is_right:
        raise Refused(AUTHENTICATION, "Incorrect username or password")
    refuse_expired(user)
    unchanged = {"_id": user["_id"], "signed_out": user.get("signed_out")}
    if not await tenant.users.records.find_one(unchanged, {"_id": 1}):
        # Verifying takes a tenth of a second. All credentials have ended meanwhile, and this password with them.
        raise Refused(AUTHENTICATION, "Incorrect username or password")
    if better_hash:
        await tenant.users.records.update_one(
            {"_id": user["_id"], "password": user["password"]}, {"$set": {"password": better_hash}}
        )
    if (since := user.get("signed_out")) and since > (moment := now()):
        # Written by a clock that was wrong: until then every new token would be refused.
        await tenant.users.records.update_one(
            {"_id": user["_id"], "signed_out": since}, {"$set": {"signed_out": moment}}
        )
    return user

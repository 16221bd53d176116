"""Removing people and robots, and transferring what they own."""

from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.artifacts import owners
from catalog.domain.items.in_use import refuse_while_used
from catalog.domain.items.sharing import unshare_all
from catalog.domain.people import last_admin, ownership_transfer
from catalog.domain.people.authentication import access_tokens
from catalog.domain.people.usernames import find
from catalog.domain.tracking.removal import refuse_while_owned
from catalog.errors import BUSY, Refused
from catalog.store.records import UserRecord
from catalog.vocabulary import Role


async def remove_account(caller: Caller, user: UserRecord, new_owner: str = "") -> UserRecord:
    """Remove a person or a robot, as `remove` says."""
    tenant, key = caller.tenant, user["username"]
    is_admin = user["role"] == Role.ADMIN
    gets_trash = await _transfer(caller, user, new_owner) if new_owner else await _who_gets_trash(caller, user)
    async with last_admin.demotion(tenant, user["_id"], is_admin=is_admin) as condition:
        await refuse_while_used(tenant, {"owner": user["_id"]})
        await refuse_while_owned(tenant, user["_id"])
        await ownership_transfer.transfer_trash(tenant, user["_id"], gets_trash)
        removed = await tenant.users.records.delete_one({"_id": user["_id"], "role": user["role"], **condition})
    if not removed.deleted_count:
        raise Refused(BUSY, key)
    tenant = tenant.base  # what follows belongs to the removal, also when the caller removed the own account
    await access_tokens.revoke_all(tenant, user["_id"])
    await tenant.password_resets.records.delete_many({"user": user["_id"]})
    await owners.remove_all(tenant, user["_id"])
    await unshare_all(tenant, user["_id"])
    await ownership_transfer.transfer_trash(tenant, user["_id"], gets_trash)  # what was removed in the meantime
    return user


async def _transfer(caller: Caller, user: UserRecord, new_owner: str) -> ObjectId:
    if user["role"] == Role.ADMIN:  # before anything moves
        await last_admin.refuse_last(caller.tenant, user["_id"])
    owner = await find(caller.tenant, new_owner)
    await ownership_transfer.transfer(caller.tenant, user, owner)
    return owner["_id"]


async def _who_gets_trash(caller: Caller, user: UserRecord) -> ObjectId | None:
    if caller.user != user["_id"]:
        return caller.user
    await ownership_transfer.refuse_while_in_trash(caller.tenant, user["_id"])
    return None

"""Usernames have a key by which the unique index ignores case, width and composition."""

from contextlib import suppress

from catalog.folding import folded
from catalog.store.failures import Duplicate
from catalog.store.migrations.progress import Progress
from catalog.store.tenant import Tenant


async def run(tenant: Tenant, progress: Progress) -> None:
    """Write the key of users that have none.

    Where several users have the same key, only the first gets it, which is enough to refuse a new user with that key.
    """
    async for user in tenant.users.records.find({"username_key": None}, {"username": 1}):
        with suppress(Duplicate):
            key = {"username_key": folded(user["username"])}
            await tenant.users.records.update_one({"_id": user["_id"], "username_key": None}, {"$set": key})
            progress.add(1)

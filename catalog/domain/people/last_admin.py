"""A tenant always has an administrator, also when two administrators demote each other at the same instant.

An administrator who is to be demoted or removed is *marked* first, with a demotion token; only then does the server
look for another administrator who is not marked. When two demotions run at once, each has marked before it looks, so at
least one sees the mark of the other: the one with the smaller id waits for the other to decide, and the other is
refused. The write that follows is conditional on the mark. A mark that outlived its server is removed before it is
ignored.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from bson import ObjectId

from catalog.errors import LAST_ADMIN, Refused
from catalog.store.clock import now
from catalog.store.records import Query, UserRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Role

LONGEST_DEMOTION = timedelta(seconds=20)
"""The server that wrote an older mark has died."""

PAUSE = 0.02
"""Seconds between two looks at a demotion that is being decided."""


@asynccontextmanager
async def demotion(tenant: Tenant, user: ObjectId, *, is_admin: bool) -> AsyncIterator[Query]:
    """Yield the condition that the write of a demotion must contain: it then succeeds only while another administrator
    stays. For a user who is no administrator the condition is empty.

    Raises Refused: LAST_ADMIN.
    """
    if not is_admin:
        yield {}
        return
    demotion_token = ObjectId()
    marked = {"_id": user, "demotion_token": demotion_token}
    await tenant.users.records.update_one({"_id": user}, {"$set": {"demotion_token": demotion_token}})
    try:
        while not await _another_stays(tenant, user):  # noqa: ASYNC110  the other may be on another server
            await asyncio.sleep(PAUSE)
        yield {"demotion_token": demotion_token}
    finally:
        await tenant.base.users.records.update_one(marked, {"$unset": {"demotion_token": ""}})


async def refuse_last(tenant: Tenant, user: ObjectId) -> None:
    """Raises Refused: LAST_ADMIN, when there is no other administrator at this moment."""
    if not await _others(tenant, user):
        raise Refused(LAST_ADMIN)


async def _others(tenant: Tenant, user: ObjectId) -> list[UserRecord]:
    query = {"role": Role.ADMIN.value, "_id": {"$ne": user}}
    return await tenant.users.records.find(query, {"demotion_token": 1}).to_list(None)


async def _another_stays(tenant: Tenant, user: ObjectId) -> bool:
    others = await _others(tenant, user)
    if any(other.get("demotion_token") is None for other in others):
        return True
    if not others or min(other["_id"] for other in others) < user:
        raise Refused(LAST_ADMIN)
    await _remove_old_marks(tenant, others)
    return False


async def _remove_old_marks(tenant: Tenant, others: Sequence[UserRecord]) -> None:
    for other in others:
        demotion_token = other.get("demotion_token")
        if demotion_token and demotion_token.generation_time + LONGEST_DEMOTION < now():
            await tenant.users.records.update_one(
                {"_id": other["_id"], "demotion_token": demotion_token}, {"$unset": {"demotion_token": ""}}
            )

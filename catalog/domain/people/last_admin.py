"""A tenant is never left without an administrator, not even when two of them demote each other at the same instant.

Whoever is to be one no more is *marked* first, and only then looks for another who is not. Of two
at once each has marked before it looks, so at least one sees the other's mark: the one with the
smaller id waits for the other to decide, and the other gives way. The write that follows holds only
for as long as the mark is there, and a mark whose server died is taken off before it is disregarded.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from bson import ObjectId

from catalog.errors import Fault, Refused
from catalog.store.database import Tenant
from catalog.store.documents import now
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Role

HOLD = timedelta(seconds=20)
"""A mark that is older was left by a server that died."""

ALONE = "The tenant would be left without an administrator"

PAUSE = 0.02
"""Seconds between two looks at somebody who is deciding."""


@asynccontextmanager
async def stepping_down(tenant: Tenant, user: Raw, fault: Fault, *, is_one: bool) -> AsyncIterator[Raw]:
    """Yield what the query of the write must hold, so that it happens only while another administrator is sure to stay.

    Nothing, where `is_one` says that this is about no administrator.

    Raises Refused: `fault`.
    """
    if not is_one:
        yield {}
        return
    mine = {"_id": user["_id"], "leaving": ObjectId()}
    await tenant.users.raw.update_one({"_id": user["_id"]}, {"$set": {"leaving": mine["leaving"]}})
    try:
        while not await _another_stays(tenant, user["_id"], fault):  # noqa: ASYNC110  it may be on another server
            await asyncio.sleep(PAUSE)
        yield {"leaving": mine["leaving"]}
    finally:
        await tenant.base.users.raw.update_one(mine, {"$unset": {"leaving": ""}})


async def refuse_last(tenant: Tenant, user: ObjectId, fault: Fault) -> None:
    """Raises Refused: `fault`, when there is no other administrator just now."""
    if not await _others(tenant, user):
        raise Refused(fault, ALONE)


async def _others(tenant: Tenant, user: ObjectId) -> list[Raw]:
    query = {"role": Role.ADMIN.value, "_id": {"$ne": user}}
    found: list[Raw] = await tenant.users.raw.find(query, {"leaving": 1}).to_list(None)
    return found


async def _another_stays(tenant: Tenant, user: ObjectId, fault: Fault) -> bool:
    others = await _others(tenant, user)
    if any(other.get("leaving") is None for other in others):
        return True
    if not others or min(other["_id"] for other in others) < user:
        raise Refused(fault, ALONE)
    await _take_off_old_marks(tenant, others)
    return False


async def _take_off_old_marks(tenant: Tenant, others: Sequence[Raw]) -> None:
    for other in others:
        if other["leaving"].generation_time + HOLD < now():
            await tenant.users.raw.update_one(
                {"_id": other["_id"], "leaving": other["leaving"]}, {"$unset": {"leaving": ""}}
            )

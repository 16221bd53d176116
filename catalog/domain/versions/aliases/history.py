"""The history of aliases: which user pointed an alias from which version to which, and when."""

from collections.abc import AsyncIterator
from datetime import datetime

from catalog.domain.access import Caller
from catalog.domain.naming import normalized
from catalog.domain.versions.aliases import moves
from catalog.errors import ALIAS_UNKNOWN, Refused
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.records import AliasMoveRecord, ItemRecord, Query
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

NEWEST_FIRST = [("revision", DESCENDING), ("_id", DESCENDING)]


async def complete(caller: Caller, kind: Kind, item: ItemRecord) -> None:
    """Move the entries in the outbox of an item to the history. Doing so twice is safe: each entry has its own id."""
    waiting = item.get("alias_outbox")
    if not waiting:
        return
    tenant = caller.tenant.base  # the moves are committed: the rest needs no rights
    await tenant.alias_moves.insert_missing(waiting)
    stored = {"$pull": {"alias_outbox": {"_id": {"$in": [entry["_id"] for entry in waiting]}}}}
    left = await tenant.items(kind).records.update_one({"_id": item["_id"]}, stored)
    if not left.matched_count and await tenant.trash.records.find_one({"_id": item["_id"]}, {"_id": 1}) is None:
        await remove(tenant, item)  # the item was removed for good in between


async def remove(tenant: Tenant, item: ItemRecord) -> None:
    """Remove the history of all aliases of an item."""
    await tenant.alias_moves.records.delete_many({"item": item["_id"]})


def of_item(item: ItemRecord, name: str = "") -> Query:
    """The filter of the moves of one alias, or of all aliases of an item."""
    return {"item": item["_id"]} | ({"alias": normalized(name)} if name else {})


async def refuse_unknown(caller: Caller, item: ItemRecord, name: str) -> None:
    """Raises Refused: ALIAS_UNKNOWN for an alias that never existed."""
    if moves.find(item, name) is None and not await caller.tenant.alias_moves.records.find_one(of_item(item, name)):
        raise Refused(ALIAS_UNKNOWN, name)


async def newest_first(caller: Caller, item: ItemRecord, name: str) -> AsyncIterator[AliasMoveRecord]:
    """The moves of an alias."""
    async for entry in caller.tenant.alias_moves.records.find(of_item(item, name)).sort(NEWEST_FIRST):
        yield entry


async def at(caller: Caller, kind: Kind, item: ItemRecord, name: str, moment: datetime) -> AliasMoveRecord:
    """The move that an alias had made last at a moment.

    Raises Refused: ALIAS_UNKNOWN, if there was no such alias then.
    """
    await complete(caller, kind, item)
    query = of_item(item, name) | {"moved": {"$lte": moment}}
    found = await caller.tenant.alias_moves.records.find_one(query, sort=NEWEST_FIRST)
    if found is None or found.get("version") is None:
        raise Refused(ALIAS_UNKNOWN, f"{name} did not exist at {moment.isoformat()}")
    return found

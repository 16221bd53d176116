"""The removal of tenants, and of the remains that a crash left.

A removed tenant is `removing` while its database and its bytes are dropped, then `removed` while another server may
still use a cached handle and write into the dropped database; then everything is dropped once more. A removal is a
lease: the server that runs it renews `lastmod`, and another server takes over soon after it stops doing so.
"""

import logging
from datetime import timedelta

from catalog.blobs.protocol import Storage, StorageUnavailableError
from catalog.errors import NOT_CONFIRMED, NOT_FOUND, PROTECTED, Refused
from catalog.store.clock import now
from catalog.store.concurrency.fence import FRESH
from catalog.store.concurrency.leases import Lease, LeaseLostError
from catalog.store.database import Database
from catalog.store.records import Query, TenantRecord

logger = logging.getLogger(__name__)

LINGERING = timedelta(seconds=FRESH + 1)
"""After this time no server writes into a removed tenant any more. A second of it is for requests that had begun."""

LEAVING = frozenset({"removing", "removed"})
"""The states of a tenant whose name and database are free soon."""

STALE = {"making": timedelta(seconds=20), "removing": timedelta(seconds=10), "removed": LINGERING}
"""After this time in a state a tenant is dropped. The server that worked on it must have died: creating a tenant takes
a second, and a removal is renewed every RENEWED_EVERY seconds."""

RENEWED_EVERY = 2.0
"""Seconds between two renewals of a removal."""

CLEARED_EVERY = 10.0
"""Seconds between two searches for stale tenants."""


async def remove(
    database: Database, storage: Storage, name: str, default: str, confirmed: str | None = None
) -> TenantRecord:
    """Remove a tenant with everything in it. Nothing can enter it from the first step on.

    A client may repeat the name, as `confirmed`.

    Raises Refused: NOT_FOUND, NOT_CONFIRMED when `confirmed` is another name, PROTECTED for the default tenant.
    """
    if name == default:
        raise Refused(PROTECTED, f"{name} is the default tenant")
    if confirmed not in {None, name}:
        raise Refused(NOT_CONFIRMED, f"confirm: to remove {name}, its name is needed here")
    lease = _removal(database, name)
    removed = await database.tenants.records.find_one({"_id": name, "state": "ready"})
    if removed is None or not await lease.take(
        {"state": "ready", "database": removed["database"]}, {"state": "removing"}
    ):
        raise Refused(NOT_FOUND, name)
    database.forget(name, removed["database"], removed.get("generation") or "")
    if await _drop(database, storage, removed, lease):
        await lease.release({"state": "removed"})
    return removed


async def clear(database: Database, storage: Storage, name: str | None = None) -> None:
    """Drop stale tenants, or the one of this name: finish removals and remove tenants that a crash left incomplete."""
    query: Query = {"_id": name} if name else {}
    for state, age in STALE.items():
        async for record in database.tenants.records.find({**query, "state": state, "lastmod": {"$lt": now() - age}}):
            # Only one server may drop it: another that saw it too could drop what has been created since.
            seen: Query = {"state": record["state"], "lastmod": record["lastmod"]}
            lease = _removal(database, record["_id"])
            try:
                if await lease.take(seen, {"state": "removing"}) and await _drop(database, storage, record, lease):
                    await database.tenants.records.delete_one(lease.mine)
            except (StorageUnavailableError, OSError) as failure:
                if name:
                    raise
                # Others may succeed. This one is tried again when the lease ends.
                logger.warning("the files of %s, which is removed, cannot be cleared away: %s", record["_id"], failure)


async def _drop(database: Database, storage: Storage, record: TenantRecord, lease: Lease[TenantRecord]) -> bool:
    """Drop all data of a tenant. False when another server took over the removal, and continues it."""
    try:
        async with lease.renewed(RENEWED_EVERY):
            # Checked before each step: a tenant of the same name may have been created while this server was suspended.
            await lease.check()
            await database.drop(record["database"])
            await lease.check()
            await storage.forget(record["_id"])
    except LeaseLostError:
        return False
    return True


def _removal(database: Database, name: str) -> Lease[TenantRecord]:
    """The lease of a removal. `lastmod` says when it was renewed; STALE says how long it holds from then on."""
    where = {"state": "removing"}
    return Lease(database.tenants.records, name, timedelta(), until="lastmod", owner="remover", where=where)

"""Rounds of the sweep: tenant after tenant, each swept by one server at a time, as due or as the operator asks.

That one server sweeps a tenant spares work. What keeps every version's bytes does not hang on it, see `kept`.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple

from catalog.blobs.protocol import Storage, StorageUnavailableError
from catalog.domain.cleanup.sweep import Swept, sweep
from catalog.domain.files.blob_records import LEASE
from catalog.domain.jobs import Jobs
from catalog.domain.terms import term_counts
from catalog.errors import BUSY, DATABASE_AWAY, INTERNAL, NOT_FOUND, REQUEST, STORAGE_AWAY, Refused
from catalog.store.database import UNAVAILABLE, Database
from catalog.store.documents import AHEAD, RegisteredTenant, now
from catalog.store.leases import Lease, LeaseLostError
from catalog.store.records import Query, TenantRecord

logger = logging.getLogger(__name__)

BEAT = 2.0
"""Seconds between two renewals of a sweep's turn. A tenant that is removed meanwhile is left within that time."""

TURN = timedelta(seconds=30)
"""After this long without a renewal the server whose turn it is must have died."""

LOOK = timedelta(minutes=5)
"""How often at most a server looks for tenants that are due."""

RECOUNTED = timedelta(days=1)
"""How often the uses of words are counted again: it reads all items, which is too much for every sweep."""

PAGE = 100


class Turn(NamedTuple):
    """What became of a tenant in a round: either `swept` or `refused`."""

    tenant: str
    swept: Swept = Swept()
    refused: Refused | None = None


async def rounds(
    database: Database,
    storage: Storage,
    *,
    grace: timedelta,
    only: str = "",
    dry_run: bool = False,
    every: timedelta = timedelta(),
    counted_since: datetime | None = None,
) -> AsyncGenerator[Turn, None]:
    """Sweep every tenant, or `only` one; of all, those that nobody has swept for as long as `every`.

    The uses of words are counted again, too, unless they were since `counted_since`.

    Raises Refused: REQUEST for a grace that would not spare uploads, NOT_FOUND for `only` what is not there.
    """
    if grace < LEASE:
        least = int(LEASE.total_seconds() // 60)
        raise Refused(REQUEST, f"grace: {least}m is the least, so that uploads under way are let be")
    found = False
    async for record in _due(database, only, every):
        found = True
        if dry_run:
            yield await _looked_at(database, storage, record, grace)
        else:
            uncounted = counted_since is None or not _is_since(counted_since, record.recounted)
            yield await _turn(database, storage, record, grace, every, uncounted=uncounted)
    if only and not found:
        raise Refused(NOT_FOUND, only)


def schedule(jobs: Jobs, database: Database, storage: Storage, every: timedelta, grace: timedelta) -> None:
    """Sweep each tenant every so often, by whichever server finds it due first.

    The uses of terms are counted again after each start of a server, and each day: a crash, or a database that was
    away, may have come between an item and the count of its terms.
    """
    began = now()

    async def sweep_due() -> None:
        counted_since = max(began, now() - RECOUNTED)
        async for turn in rounds(database, storage, grace=grace, every=every, counted_since=counted_since):
            if any(turn.swept):
                logger.info("swept %s: %s", turn.tenant, turn.swept._asdict())

    jobs.every(min(every, LOOK).total_seconds(), sweep_due, "the sweep")


async def _due(database: Database, only: str, every: timedelta) -> AsyncIterator[RegisteredTenant]:
    """Page by page: a cursor would not live as long as a round may last."""
    last = ""
    while True:
        wanted = {"state": "ready", "_id": only or {"$gt": last}, **_idle(every)}
        page = await database.tenants.find(wanted).sort("+_id").limit(PAGE).to_list()
        for record in page:
            yield record
        if only or len(page) < PAGE:
            return
        last = page[-1].id


def _idle(every: timedelta) -> Query:
    return {"swept": {"$not": {"$gt": now() - every, "$lt": now() + AHEAD}}} if every else {}


def _is_since(moment: datetime, done: datetime | None) -> bool:
    return done is not None and moment <= done < now() + AHEAD


async def _looked_at(database: Database, storage: Storage, record: RegisteredTenant, grace: timedelta) -> Turn:
    try:
        swept = await sweep(database.tenant(record), storage.of(record.id), grace=grace, dry_run=True)
    except Exception as failure:  # noqa: BLE001  one tenant's trouble is not the next one's
        return Turn(record.id, refused=_refused(failure, record.id))
    return Turn(record.id, swept)


async def _turn(
    database: Database,
    storage: Storage,
    record: RegisteredTenant,
    grace: timedelta,
    every: timedelta,
    *,
    uncounted: bool,
) -> Turn:
    tenant, blobs, lease = database.tenant(record), storage.of(record.id), sweep_lease(database, record.id)
    try:
        if await lease.acquire(_idle(every)) is None:
            return Turn(record.id, refused=_refused(LeaseLostError(), record.id))
        async with lease.renewed(BEAT):
            swept = await sweep(tenant, blobs, grace=grace)
            if uncounted:
                swept = swept._replace(words=await term_counts.repair(tenant))
        await lease.release({"swept": now()})
        if uncounted:
            await database.tenants.records.update_one({"_id": record.id}, {"$set": {"recounted": now()}})
        return Turn(record.id, swept)
    except Exception as failure:  # noqa: BLE001  one tenant's trouble is not the next one's
        return Turn(record.id, refused=_refused(failure, record.id))


def sweep_lease(database: Database, tenant: str) -> Lease[TenantRecord]:
    return Lease(database.tenants.records, tenant, TURN, until="sweeping", owner="sweep", where={"state": "ready"})


def _refused(failure: Exception, tenant: str) -> Refused:
    match failure:
        case LeaseLostError():
            return Refused(BUSY, "another server sweeps it, or it is being removed")
        case StorageUnavailableError():
            return Refused(STORAGE_AWAY)
        case _ if isinstance(failure, UNAVAILABLE):
            return Refused(DATABASE_AWAY)
        case _:
            logger.error("the sweep of %s failed", tenant, exc_info=failure)
            return Refused(INTERNAL, "see the server's log")

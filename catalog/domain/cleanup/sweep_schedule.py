"""Sweeps of all tenants: each is swept by one server at a time, when it is due or when the operator asks.

That only one server sweeps a tenant saves work. The safety of bytes does not depend on it, see `blob_records`.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple

from catalog.blobs.protocol import StorageUnavailableError
from catalog.domain.cleanup.sweep import SweepResult, sweep
from catalog.domain.files.blob_records import LEASE
from catalog.domain.jobs import Jobs
from catalog.errors import BUSY, DATABASE_AWAY, INTERNAL, NOT_FOUND, REQUEST, STORAGE_AWAY, Refused
from catalog.store.clock import AHEAD, now
from catalog.store.concurrency.leases import Lease, LeaseLostError
from catalog.store.database import Database
from catalog.store.derived import search_entries, term_counts, version_summaries
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.failures import UNAVAILABLE
from catalog.store.migrations.opening import open_tenant
from catalog.store.records import Query, TenantRecord

logger = logging.getLogger(__name__)

BEAT = 2.0
"""Seconds between two renewals of the lease. The sweep of a tenant that is removed meanwhile ends within that time."""

LEASE_LENGTH = timedelta(seconds=30)
"""A server that has not renewed its lease for this long has died."""

LOOK_EVERY = timedelta(minutes=5)
"""How often a server looks for tenants that are due, or more often if sweeps are due more often."""

COUNT_EVERY = timedelta(days=1)
"""How often the uses of terms are counted again: that reads all items, which is too much for every sweep."""

PAGE = 100


class TenantSweep(NamedTuple):
    """The outcome of the sweep of a tenant: `result`, or `refused` if it was not swept."""

    tenant: str
    result: SweepResult = SweepResult()
    refused: Refused | None = None


async def sweep_tenants(
    database: Database,
    *,
    grace: timedelta,
    only: str = "",
    dry_run: bool = False,
    every: timedelta = timedelta(),
    counted_since: datetime | None = None,
) -> AsyncGenerator[TenantSweep, None]:
    """Sweep every tenant that was not swept within `every`, or `only` one.

    The uses of terms are counted again, unless they were since `counted_since`.

    Raises Refused: REQUEST for a grace that is too short for uploads under way, NOT_FOUND for an unknown tenant.
    """
    if grace < LEASE:
        least = int(LEASE.total_seconds() // 60)
        raise Refused(REQUEST, f"grace: at least {least}m is needed, so that running uploads keep their bytes")
    found = False
    async for record in _due(database, only, every):
        found = True
        if dry_run:
            yield await _try_out(database, record, grace)
        else:
            uncounted = counted_since is None or not _is_since(counted_since, record.recounted)
            yield await _sweep(database, record, grace, every, uncounted=uncounted)
    if only and not found:
        raise Refused(NOT_FOUND, only)


def schedule(jobs: Jobs, database: Database, every: timedelta, grace: timedelta) -> None:
    """Sweep each tenant every so often, by the server that finds it due first.

    The uses of terms are counted again after each start of a server, and each day: a crash, or a database that was
    away, may have come between an item and the count of its terms.
    """
    began = now()

    async def sweep_due() -> None:
        counted_since = max(began, now() - COUNT_EVERY)
        async for each in sweep_tenants(database, grace=grace, every=every, counted_since=counted_since):
            if any(each.result):
                logger.info("swept %s: %s", each.tenant, each.result._asdict())

    jobs.every(min(every, LOOK_EVERY).total_seconds(), sweep_due, "the sweep")


async def _due(database: Database, only: str, every: timedelta) -> AsyncIterator[RegisteredTenant]:
    """Page by page: a cursor does not live as long as the sweeps may take."""
    last = ""
    while True:
        query = {"state": "ready", "_id": only or {"$gt": last}, **_idle(every)}
        page = await database.tenants.find(query).sort("+_id").limit(PAGE).to_list()
        for record in page:
            yield record
        if only or len(page) < PAGE:
            return
        last = page[-1].id


def _idle(every: timedelta) -> Query:
    return {"swept": {"$not": {"$gt": now() - every, "$lt": now() + AHEAD}}} if every else {}


def _is_since(moment: datetime, done: datetime | None) -> bool:
    return done is not None and moment <= done < now() + AHEAD


async def _try_out(database: Database, record: RegisteredTenant, grace: timedelta) -> TenantSweep:
    try:
        result = await sweep(await open_tenant(database, record, None), grace=grace, dry_run=True)
    except Exception as failure:  # noqa: BLE001  a failure in one tenant does not stop the others
        return TenantSweep(record.id, refused=_refused(failure, record.id))
    return TenantSweep(record.id, result)


async def _sweep(
    database: Database,
    record: RegisteredTenant,
    grace: timedelta,
    every: timedelta,
    *,
    uncounted: bool,
) -> TenantSweep:
    lease = sweep_lease(database, record.id)
    try:
        tenant = await open_tenant(database, record, None)
        if await lease.acquire(_idle(every)) is None:
            return TenantSweep(record.id, refused=_refused(LeaseLostError(), record.id))
        async with lease.renewed(BEAT):
            result = await sweep(tenant, grace=grace)
            if uncounted:
                result = result._replace(words=await term_counts.repair(tenant))
                await search_entries.repair(tenant)
                await version_summaries.repair(tenant)
        await lease.release({"swept": now()})
        if uncounted:
            await database.tenants.records.update_one({"_id": record.id}, {"$set": {"recounted": now()}})
        return TenantSweep(record.id, result)
    except Exception as failure:  # noqa: BLE001  a failure in one tenant does not stop the others
        return TenantSweep(record.id, refused=_refused(failure, record.id))


def sweep_lease(database: Database, tenant: str) -> Lease[TenantRecord]:
    return Lease(
        database.tenants.records, tenant, LEASE_LENGTH, until="sweeping", owner="sweep", where={"state": "ready"}
    )


def _refused(failure: Exception, tenant: str) -> Refused:
    match failure:
        case Refused():
            return failure
        case LeaseLostError():
            return Refused(BUSY, "another server sweeps it, or it is being removed")
        case StorageUnavailableError():
            return Refused(STORAGE_AWAY)
        case _ if isinstance(failure, UNAVAILABLE):
            return Refused(DATABASE_AWAY)
        case _:
            logger.error("the sweep of %s failed", tenant, exc_info=failure)
            return Refused(INTERNAL, "see the server's log")

"""External ids, which are unique among the models, versions, experiments, runs, environments and services of a tenant.

Within a collection a unique index decides. Between collections a lease does: a request that gives something an external
id holds it while it looks into the other collections and writes.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic

from catalog.errors import BUSY, EXTERNAL_ID_TAKEN, Refused
from catalog.store.concurrency.leases import Lease
from catalog.store.concurrency.optimistic import pause, queue_of
from catalog.store.tenant import COUNTERS, Tenant

EXTERNAL_IDS = "external_ids"
"""The record of the lease, among the counters of a tenant."""

LENGTH = timedelta(seconds=10)
"""How long a server that ends while it holds the lease keeps the others waiting."""

PATIENCE = 15.0
"""Seconds that a request waits for the lease."""


@asynccontextmanager
async def reserved(
    tenant: Tenant, external_id: str | None, own: Mapping[str, object] | None = None
) -> AsyncGenerator[None, None]:
    """Reserve an external id, while the body writes it. Nothing is checked without one, or where the record `own` has
    it.

    Raises Refused: EXTERNAL_ID_TAKEN, BUSY.
    """
    if not external_id or (own and own.get("external_id") == external_id):
        yield
        return
    async with queue_of(EXTERNAL_IDS, tenant.identity):
        lease = await _acquired(tenant.base)
        try:
            await refuse_taken(tenant, external_id, own)
            yield
        finally:
            await lease.release()


async def refuse_taken(tenant: Tenant, external_id: str | None, own: Mapping[str, object] | None = None) -> None:
    """Raises Refused: EXTERNAL_ID_TAKEN when something else than `own` has it now."""
    if not external_id:
        return
    of = tenant
    for bound in (of.models, of.versions, of.experiments, of.runs, of.environments, of.services):
        found = await bound.records.find_one({"external_id": external_id}, {"_id": 1})
        if found is not None and (own is None or found["_id"] != own["_id"]):
            raise Refused(EXTERNAL_ID_TAKEN, external_id)


async def _acquired(tenant: Tenant) -> Lease[dict[str, object]]:
    """The lease, as soon as no other server holds it. Raises Refused: BUSY."""
    lease = Lease(tenant.collection(COUNTERS), EXTERNAL_IDS, LENGTH, until="until", owner="holder")
    end = monotonic() + PATIENCE
    while await lease.acquire() is None:
        if monotonic() > end:
            raise Refused(BUSY, "others give external ids")
        await tenant.add(EXTERNAL_IDS, 0)  # it may not exist yet
        await pause()
    return lease

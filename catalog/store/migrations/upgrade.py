"""The upgrade of one tenant: the missing steps, by one server at a time.

The number of the schema is raised after each step, so that an interrupted upgrade goes on with the step that was
interrupted. While a lease is held, `schema_target` is the number that is being written: servers of an older version
refuse the tenant from then on.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from catalog.errors import NOT_FOUND, TENANT_NEWER, Refused
from catalog.store.concurrency.leases import Lease, LeaseLostError
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.migrations import indexes
from catalog.store.migrations.progress import Progress, Report
from catalog.store.migrations.steps.sequence import STEPS, Step
from catalog.store.records import TenantRecord
from catalog.store.tenant import Tenant

logger = logging.getLogger(__name__)

LEASE_LENGTH = timedelta(seconds=15)
"""A server that has not renewed its lease for this long has died. Another one goes on."""

BEAT = 2.0
"""Seconds between two renewals of the lease."""

LOOK_EVERY = 0.2
"""Seconds between two looks at a tenant that another server upgrades."""


def number_of(record: RegisteredTenant) -> int:
    """The schema number of a tenant: 0 for one from a version without schema numbers."""
    return record.schema_number or 0


def missing_steps(record: RegisteredTenant, steps: Sequence[Step] = STEPS) -> Sequence[Step]:
    """The steps that a tenant still needs. Raises Refused: TENANT_NEWER."""
    number = number_of(record)
    if max(number, record.schema_target or 0) > len(steps):
        newer = max(number, record.schema_target or 0)
        raise Refused(
            TENANT_NEWER,
            f"{record.id} has schema {newer}, this server knows schemas up to {len(steps)}: run the newer version",
            headers={"Retry-After": "60"},
        )
    return steps[number:]


async def upgrade(
    database: Database,
    name: str,
    report: Report = logger.info,
    *,
    state: str = "ready",
    steps: Sequence[Step] = STEPS,
    repeat: bool = False,
) -> None:
    """Run the missing steps of a tenant, or all of them to `repeat`. While another server does so, wait.

    Raises Refused: TENANT_NEWER; NOT_FOUND when the tenant is not there, or not in this `state`.
    """
    lease = Lease(
        database.tenants.records, name, LEASE_LENGTH, until="migrating", owner="migrator", where={"state": state}
    )
    while True:
        record = await database.tenants.find_one({"_id": name, "state": state})
        if record is None:
            raise Refused(NOT_FOUND, name)
        if not missing_steps(record, steps) and not repeat:
            return
        # The number is part of the condition: of two servers that saw the same one, the second looks again.
        if not await lease.acquire({"schema_number": record.schema_number}):
            await asyncio.sleep(LOOK_EVERY)
            continue
        try:
            async with lease.renewed(BEAT):
                await _run(database.tenant(record), lease, record, 0 if repeat else number_of(record), report, steps)
        except LeaseLostError:
            logger.warning("%s: another server goes on with the upgrade", name)
        else:
            return
        finally:
            await lease.release()


async def _run(
    tenant: Tenant,
    lease: Lease[TenantRecord],
    record: RegisteredTenant,
    done: int,
    report: Report,
    steps: Sequence[Step],
) -> None:
    """Run the steps after the first `done` ones. Raises LeaseLostError."""
    name = record.id
    report(f"{name}: upgrade from schema {number_of(record)} to {len(steps)}")
    await lease.write({"schema_target": len(steps)})
    await indexes.create_missing(tenant)
    for number, step in enumerate(steps[done:], done + 1):
        progress = Progress(f"{name}: step {number} of {len(steps)}, {step.name}", report)
        await step.run(tenant, progress)
        await lease.write({"schema_number": max(number, number_of(record))})
        report(f"{name}: step {number} of {len(steps)}, {step.name}: done, {progress.count} records")
    await indexes.drop_obsolete(tenant)
    report(f"{name}: schema {len(steps)}")

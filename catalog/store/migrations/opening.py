"""Opening a tenant: its handle is given out when its records have the form that this version reads.

The requests of a process that open the same tenant wait for one upgrade together.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

from catalog.errors import TENANT_NEWER, TENANT_UPGRADE_FAILED, TENANT_UPGRADING, Refused
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.failures import UNAVAILABLE
from catalog.store.migrations.upgrade import missing_steps, upgrade
from catalog.store.tenant import Tenant

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a request waits for an upgrade. Most tenants are small."""

RETRY_AFTER = 5
"""Seconds after which a client tries again."""

FAILED_FOR = 30
"""Seconds before an upgrade that failed is tried again."""

PAGE = 100


async def open_tenant(database: Database, record: RegisteredTenant, patience: float | None = PATIENCE) -> Tenant:
    """The handle of a tenant, whose records are brought up to date first. None as `patience` waits to the end.

    Raises Refused: TENANT_NEWER, TENANT_UPGRADING when it takes longer, TENANT_UPGRADE_FAILED, NOT_FOUND.
    """
    if _needs_upgrade(database, record):
        await _upgraded(database, record.id, patience)
    return database.tenant(record)


async def open_all(database: Database) -> AsyncIterator[Tenant]:
    """The handles of all tenants that can be opened, for background jobs. The others are logged and skipped."""
    last = ""
    while True:  # page by page: a cursor does not live as long as an upgrade may take
        page = await database.tenants.find({"state": "ready", "_id": {"$gt": last}}).sort("+_id").limit(PAGE).to_list()
        for record in page:
            try:
                yield await open_tenant(database, record, None)
            except Refused as refused:
                if refused.fault is not TENANT_NEWER:  # that is logged already
                    logger.warning("%s is skipped: %s", record.id, refused)
        if len(page) < PAGE:
            return
        last = page[-1].id


def _needs_upgrade(database: Database, record: RegisteredTenant) -> bool:
    """Raises Refused: TENANT_NEWER, which is logged once for each tenant."""
    try:
        return bool(missing_steps(record))
    except Refused as newer:
        if record.id not in database.newer:
            logger.warning("%s", newer.details)
            database.newer.add(record.id)
        raise


async def _upgraded(database: Database, name: str, patience: float | None) -> None:
    """Wait for the upgrade of a tenant, which one task of the process runs.

    Raises Refused: TENANT_NEWER, TENANT_UPGRADING, TENANT_UPGRADE_FAILED, NOT_FOUND.
    """
    task = database.upgrades.get(name)
    if task is None:
        task = database.upgrades[name] = asyncio.create_task(_try_upgrading(database, name), name=f"upgrade of {name}")
        task.add_done_callback(lambda ended: _forget(database, name, ended))
    await asyncio.wait({task}, timeout=patience)
    if not task.done():
        raise Refused(TENANT_UPGRADING, name, headers={"Retry-After": str(RETRY_AFTER)})
    if refused := task.result():
        raise Refused(refused.fault, refused.details, headers=refused.headers)


async def _try_upgrading(database: Database, name: str) -> Refused | None:
    """Upgrade a tenant. Returns why that is not possible. Raises one of UNAVAILABLE."""
    try:
        await upgrade(database, name)
    except Refused as refused:
        return refused
    except UNAVAILABLE:
        raise
    except Exception:
        logger.exception("%s: the upgrade failed, and is tried again in %d s", name, FAILED_FOR)
        return Refused(TENANT_UPGRADE_FAILED, name, headers={"Retry-After": str(FAILED_FOR)})
    return None


def _forget(database: Database, name: str, ended: asyncio.Task[Refused | None]) -> None:
    """Let the next request try again: at once, or later after a failure, which would most likely come again."""
    refused = None if ended.cancelled() or ended.exception() else ended.result()
    has_failed = refused is not None and refused.fault is TENANT_UPGRADE_FAILED
    ended.get_loop().call_later(FAILED_FOR if has_failed else 0, database.upgrades.pop, name, None)

"""Backups that a server makes by itself: each tenant in an archive of its own, by one server at a time."""

import logging
from contextlib import aclosing
from datetime import timedelta

from catalog.blobs.protocol import Storage
from catalog.domain.jobs import Jobs
from catalog.operations.backup import TenantBackup, find_tenants
from catalog.operations.streaming import stream
from catalog.operations.targets import SUFFIX, Target
from catalog.store.clock import AHEAD, now
from catalog.store.concurrency.leases import Lease, LeaseLostError
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.records import Query

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=5)
"""How often a server looks for tenants that are due, or more often if backups are."""

LEASE_LENGTH = timedelta(seconds=30)
BEAT = 2.0


class ScheduledBackups:
    """`keep` is how many archives of each tenant stay; those of removed tenants stay, too."""

    def __init__(self, database: Database, storage: Storage, target: Target, every: timedelta, keep: int) -> None:
        self._database = database
        self._storage = storage
        self._target = target
        self._every = every
        self._keep = keep

    def schedule(self, jobs: Jobs) -> None:
        jobs.every(min(self._every, LOOK_EVERY).total_seconds(), self.run, "the scheduled backup")

    async def run(self) -> None:
        """Back up each tenant that is due. A failure of one does not stop the others."""
        for record in await find_tenants(self._database, ()):
            try:
                await self._one(record)
            except Exception:
                logger.exception("the backup of %s failed, and is tried again", record.id)

    async def _one(self, record: RegisteredTenant) -> None:
        tenants = self._database.tenants.records
        lease = Lease(tenants, record.id, LEASE_LENGTH, until="backing_up", owner="backup", where={"state": "ready"})
        if await lease.acquire(self._due()) is None:
            return
        began = now()
        name = f"{record.id}-{began:%Y%m%dT%H%M%SZ}{SUFFIX}"
        reports: list[TenantBackup] = []
        try:
            async with (
                lease.renewed(BEAT),
                aclosing(stream(self._database, self._storage, [record], report=reports.append)) as chunks,
            ):
                await self._target.save(name, chunks)
        except LeaseLostError:
            return
        except BaseException:
            await lease.release()
            raise
        await lease.release({"backed_up": began})
        for done in reports:
            lost = f"; the bytes of {len(done.lost)} files are lost" if done.lost else ""
            logger.info("backed up %s: %d records, %d files (%s)%s", done.tenant, done.records, done.blobs, name, lost)
        await self._rotate(record.id)

    def _due(self) -> Query:
        return {"backed_up": {"$not": {"$gt": now() - self._every, "$lt": now() + AHEAD}}}

    async def _rotate(self, tenant: str) -> None:
        """Remove the oldest archives of a tenant. The moments in the names have one length, so they sort."""
        length = len(f"{tenant}-") + len("20260101T000000Z") + len(SUFFIX)
        mine = [name for name in await self._target.names() if name.startswith(f"{tenant}-") and len(name) == length]
        for name in mine[: -self._keep]:
            await self._target.remove(name)

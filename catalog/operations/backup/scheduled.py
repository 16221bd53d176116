"""Backups that a server makes by itself: each tenant in an archive of its own, by one server at a time."""

import asyncio
import logging
import re
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from catalog.blobs.protocol import Storage
from catalog.domain.jobs import Jobs
from catalog.operations.backup.archive import ArchiveError, read
from catalog.operations.backup.streaming import stream
from catalog.operations.backup.targets import SUFFIX, PartialBackup, Target
from catalog.operations.backup.writing import Increment, ResumptionRefusedError, TenantBackup, find_tenants
from catalog.store.clock import AHEAD, Clock, now
from catalog.store.concurrency.leases import Lease, LeaseLostError
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.ids import object_id
from catalog.store.records import Query

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(minutes=5)
"""How often a server looks for tenants that are due, or more often if backups are."""

LEASE_LENGTH = timedelta(seconds=30)
BEAT = 2.0


MOMENT = "%Y%m%dT%H%M%SZ"

NAME = re.compile(rf"(?P<made>\d{{8}}T\d{{6}}Z)(?:-since-(?P<since>\d{{8}}T\d{{6}}Z))?{re.escape(SUFFIX)}")
"""What follows the tenant and a hyphen in the name of an archive. `since` is the full backup that it continues."""


class BackupPlan(NamedTuple):
    """How often, how often with all bytes (zero: each time), and how many archives of each tenant stay."""

    every: timedelta
    full_every: timedelta
    keep: int


class Made(NamedTuple):
    """An archive that is there."""

    name: str
    made: str
    since: str | None  # None: it is a full one


class ScheduledBackups:
    """An increment continues the last full backup, so two archives restore a tenant.

    Archives of removed tenants stay, and so does a full one while an increment that continues it is there.
    """

    def __init__(
        self, database: Database, storage: Storage, target: Target, plan: BackupPlan, clock: Clock = now
    ) -> None:
        self._database = database
        self._storage = storage
        self._target = target
        self._plan = plan
        self._now = clock

    def schedule(self, jobs: Jobs) -> None:
        jobs.every(min(self._plan.every, LOOK_EVERY).total_seconds(), self.run, "the scheduled backup")

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
        began = self._now()
        try:
            async with lease.renewed(BEAT):
                name, reports = await self._archive(record, began)
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

    async def _archive(self, record: RegisteredTenant, began: datetime) -> tuple[str, list[TenantBackup]]:
        """Save a backup of a tenant, or the rest of an interrupted one. Returns its name, and what it contains."""
        full = await self._base(record, began)
        since = await asyncio.to_thread(self._increment, full.name) if full else None
        suffix = f"-since-{full.made}{SUFFIX}" if full and since else SUFFIX
        name = f"{record.id}-{began.strftime(MOMENT)}{suffix}"
        partial = await self._partial(record, since)
        name, resume = (partial.name, partial.found.resumption) if partial else (name, None)
        reports: list[TenantBackup] = []
        archived = stream(self._database, self._storage, [record], since=since, resume=resume, report=reports.append)
        async with aclosing(archived) as chunks:
            await self._target.save(name, chunks, partial=partial)
        return name, reports

    async def _partial(self, record: RegisteredTenant, since: Increment | None) -> PartialBackup | None:
        """What an interrupted attempt has left, to go on with. Anything else that is left is removed."""

        def is_ours(name: str) -> bool:
            return _parsed(record.id, name) is not None

        partial = await self._target.partial(is_ours, since.identity if since else "", [record.id])
        with suppress(ResumptionRefusedError):
            if partial:
                partial.found.resumption.remaining([record])
                return partial
        await self._target.clear(is_ours)
        return None

    def _due(self) -> Query:
        return {"backed_up": {"$not": {"$gt": self._now() - self._plan.every, "$lt": self._now() + AHEAD}}}

    async def _base(self, record: RegisteredTenant, began: datetime) -> Made | None:
        """The full backup to continue. None: a full one is due."""
        if not self._plan.full_every:
            return None
        newest = max((made for made in await self._archives(record.id) if made.since is None), default=None)
        if newest is None or _moment(newest.made) <= began - self._plan.full_every:
            return None
        # A tenant that was restored, or made anew with the same name, begins anew.
        generation = object_id(record.generation)
        return None if generation is None or generation.generation_time >= _moment(newest.made) else newest

    def _increment(self, name: str) -> Increment | None:
        """None for a full backup that is damaged. Raises OSError, StorageUnavailableError."""
        try:
            with read(self._target.source(name)) as full:
                return Increment.of(full.identity, full.made)
        except (ArchiveError, ValueError):
            logger.warning("%s is damaged: the next backup has all bytes", name)
            return None

    async def _archives(self, tenant: str) -> list[Made]:
        """The archives of a tenant, the oldest first."""
        found = [made for name in await self._target.names() if (made := _parsed(tenant, name))]
        return sorted(found, key=lambda each: each.made)

    async def _rotate(self, tenant: str) -> None:
        """Remove the oldest archives of a tenant, but no full one that another archive continues."""
        archives = await self._archives(tenant)
        kept = archives[-self._plan.keep :]
        needed = {each.since for each in kept} | {each.made for each in kept}
        for each in archives[: -self._plan.keep]:
            if each.since is not None or each.made not in needed:
                await self._target.remove(each.name)


def _parsed(tenant: str, name: str) -> Made | None:
    """None: it is no archive of the tenant."""
    start, rest = name[: len(tenant) + 1], NAME.fullmatch(name[len(tenant) + 1 :])
    return Made(name, rest["made"], rest["since"]) if rest and start == f"{tenant}-" else None


def _moment(text: str) -> datetime:
    return datetime.strptime(text, MOMENT).replace(tzinfo=UTC)

"""The database: one connection, the catalogue of tenants, and a handle for each tenant."""

import logging
import math
from asyncio import Task, gather, sleep
from functools import cached_property, lru_cache
from time import monotonic

from motor.motor_asyncio import AsyncIOMotorClient

from catalog.blobs.protocol import Storage
from catalog.errors import NOT_FOUND, Refused
from catalog.store.concurrency.combined_writes import most_apart
from catalog.store.concurrency.fence import Fence
from catalog.store.documents.tenants import FailedAttempts, RegisteredTenant
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.store.failures import UNAVAILABLE, readable_failures
from catalog.store.records import (
    FailedAttemptsRecord,
    TenantRecord,
)
from catalog.store.tenant import Tenant
from catalog.store.tenant_collections import OF_A_TENANT
from catalog.store.tenant_documents import BoundCollection, Raw, seal
from catalog.store.tenant_state import TenantPolicy
from catalog.vocabulary import InspectionPolicy

logger = logging.getLogger(__name__)

CATALOGUE = "registry-catalog"
"""The catalogue database, unless DATABASE names another."""

HANDLES = 256
"""How many tenants' handles are cached. A handle takes 0.1 KB, and microseconds to create."""

RETRY = 1.0
"""Seconds between two attempts to reach the database at the start."""


class Database:
    """A connection. `tenants` is the catalogue of tenants; `tenant()` returns the handle of one.

    `storage` has the tenants' bytes. Without one the handles know records only.
    """

    def __init__(
        self, client: AsyncIOMotorClient[Raw], catalogue: str = CATALOGUE, storage: Storage | None = None
    ) -> None:
        self.client = client
        self.catalogue = catalogue
        self.storage = storage
        self.tenants = BoundCollection[RegisteredTenant, TenantRecord](RegisteredTenant, client[catalogue]["tenants"])
        self.attempts = BoundCollection[FailedAttempts, FailedAttemptsRecord](
            FailedAttempts, client[catalogue]["attempts"]
        )
        self.upgrades: dict[str, Task[Refused | None]] = {}
        """The upgrades of tenants that this process runs, see `migrations.opening`."""
        self.newer: set[str] = set()
        """Tenants of a newer version that the log has mentioned."""
        self._most_apart = math.inf
        self._handle = lru_cache(HANDLES)(self._new_handle)

    async def open(self, wait: float = 0) -> None:
        """Prepare the catalogue. A database that does not answer is tried again for `wait` seconds, and logged.

        Raises DatabaseUnavailable.
        """
        ends = monotonic() + wait
        while True:
            try:
                return await self._open()
            except DatabaseUnavailable as failure:
                # A database that answered and refused would refuse again.
                if monotonic() >= ends or not isinstance(failure.__cause__, UNAVAILABLE):
                    raise
                logger.warning("%s; trying for %d s more", failure, ends - monotonic())
                await sleep(RETRY)

    async def _open(self) -> None:
        with readable_failures():
            self._most_apart = most_apart(await self.client.server_info())
            await seal(self.client, (RegisteredTenant, FailedAttempts, *OF_A_TENANT))
            await self.tenants.prepare()
            await self.attempts.prepare()
            await self.operator.log.prepare()

    @cached_property
    def operator(self) -> Tenant:
        """The handle for the journal of requests without a tenant. Only after `open`."""
        return Tenant("", self.client[self.catalogue])

    async def ping(self) -> None:
        """Raises one of UNAVAILABLE when the database does not answer."""
        await self.client.admin.command("ping")

    def tenant(self, record: RegisteredTenant) -> Tenant:
        handle: Tenant = self._handle(record.id, record.database, record.generation or "")
        return handle.with_policy(
            TenantPolicy(record.quota_bytes or 0, record.inspection or InspectionPolicy.WARN, record.timestamp)
        )

    def forget(self, name: str, database: str, generation: str) -> None:
        """Drop the cached answer that a generation of a tenant exists."""
        handle: Tenant = self._handle(name, database, generation)
        handle.known.seen = -math.inf
        if handle.fence:
            handle.fence.lapse()

    def _new_handle(self, name: str, database: str, generation: str) -> Tenant:
        # A record without a generation is new, or from an older version; see `domain.tenants.tenants.enter`.
        handle = Tenant(name, self.client[database], generation)
        handle.known.most_apart = self._most_apart
        if self.storage:
            handle.blobs = self.storage.of(name)
        if generation:
            handle.fence = Fence(lambda age: self.refuse_gone(handle, age))
        return handle

    async def refuse_gone(self, tenant: Tenant, age: float) -> None:
        """Check that this generation of a tenant exists, with an answer of at most `age` seconds ago.

        Raises Refused: NOT_FOUND.
        """
        if monotonic() - tenant.known.seen < age:
            return
        asked = monotonic()
        same = {"_id": tenant.name, "generation": tenant.generation, "state": {"$nin": ["removing", "removed"]}}
        if await self.tenants.records.find_one(same, {"_id": 1}) is None:
            raise Refused(NOT_FOUND, f"the tenant {tenant.name} was removed meanwhile")
        tenant.known.seen = asked

    async def holds(self, database: str) -> bool:
        """Whether a database of this name has any collection."""
        return bool(await self.client[database].list_collection_names())

    async def drop(self, database: str) -> None:
        """Drop a tenant's database, if it exists."""
        await self.client.drop_database(database)

    async def stop_upgrades(self) -> None:
        """End the upgrades of this process. Another server, or the next start, goes on with them."""
        running = list(self.upgrades.values())
        for task in running:
            task.cancel()
        await gather(*running, return_exceptions=True)

    def close(self) -> None:
        self.client.close()

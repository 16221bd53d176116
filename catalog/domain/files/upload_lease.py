"""One request at a time adds to an upload, on any server.

Its server renews the lease each second. A second request takes it over when that server has died, and when the first
client has fallen silent: a client whose connection broke returns long before a server can tell that it left.

Looks are counted, not seconds: after a server was suspended, neither another server nor a client is blamed for it.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from catalog.errors import NOT_FOUND, UPLOAD_BUSY, UPLOAD_CUT_OFF, Refused
from catalog.store.concurrency.leases import Lease
from catalog.store.records import Query, UploadRecord
from catalog.store.tenant import Tenant

LEASE = timedelta(seconds=10)
"""How long the lease lasts unless it is renewed."""

RENEWED_EVERY = 1.0
"""Seconds between two renewals."""

DEAD_AFTER = 3.0
"""Seconds without a renewal after which a server counts as stopped, if another request asks."""

SILENT_AFTER = 2.0
"""Seconds after which a client that sends nothing loses the lease, if another request asks."""

ASKS_EVERY = 0.25  # seconds

T = TypeVar("T")


@asynccontextmanager
async def upload_lease(tenant: Tenant, name: str) -> AsyncGenerator["UploadLease"]:
    """Hold the lease of an upload, after waiting for it if need be.

    Raises Refused: NOT_FOUND, UPLOAD_BUSY when another request goes on adding to it.
    """
    lease = UploadLease(tenant, name)
    if not await lease.try_acquire():
        await lease.wait()
    renewing = asyncio.create_task(lease.renew())
    try:
        yield lease
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await lease.release()


class UploadLease:
    """`upload` is the record as it was when the lease was acquired."""

    upload: UploadRecord

    def __init__(self, tenant: Tenant, name: str) -> None:
        self._uploads = tenant.base.uploads.records  # the lease is released even when its caller has lost all rights
        self._name = name
        self._lease = Lease(self._uploads, name, LEASE, until="lease_until", owner="lease_owner")
        self._is_waiting = False  # for the client, not for the storage
        self._silent_looks = 0
        self._storing: asyncio.Timeout | None = None

    async def interruptible(self, storing: Awaitable[T]) -> T:
        """The result of `storing`, which reads from `received`.

        Raises Refused: UPLOAD_CUT_OFF when another request takes the lease over.
        """
        try:
            async with asyncio.timeout(None) as self._storing:
                return await storing
        except TimeoutError:
            if self._storing is None or not self._storing.expired():
                raise
            raise Refused(UPLOAD_CUT_OFF, "nothing came any more, and another request goes on") from None
        finally:
            self._storing = None

    async def received(self, content: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass on what the client sends, and note when the server waits for it."""
        try:
            self._wait_for_client()
            async for chunk in content:
                self._is_waiting = False
                yield chunk
                self._wait_for_client()
        finally:
            self._is_waiting = False

    async def try_acquire(self) -> bool:
        """Acquire the lease if it is free."""
        return self._acquired(await self._lease.acquire())

    async def wait(self) -> None:
        """Ask for the lease, and acquire it once it is free, or when its holder does not renew it.

        If a slow server counts as stopped by mistake, the storage takes the bytes of one of the two, and the
        upload still becomes one version.
        """
        before = await self._uploads.find_one({"_id": self._name}, {"lease_owner": 1, "lease_until": 1})
        if before is None:
            raise Refused(NOT_FOUND, self._name)
        owner = before.get("lease_owner")
        await self._uploads.update_one({"_id": self._name, "lease_owner": owner}, {"$set": {"lease_requested": owner}})
        for _ in range(math.ceil(DEAD_AFTER / ASKS_EVERY)):
            await asyncio.sleep(ASKS_EVERY)
            if await self.try_acquire():
                return
        not_renewed: Query = {"lease_owner": owner, "lease_until": before.get("lease_until")}
        if not self._acquired(await self._lease.take(not_renewed)):
            raise Refused(UPLOAD_BUSY, self._name)

    async def renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWED_EVERY)
            self._silent_looks += self._is_waiting
            upload = await self._lease.read("lease_requested") if await self._lease.renew() else None
            is_asked = upload is not None and upload.get("lease_requested") == self._lease.token
            if upload is None or (is_asked and self._client_is_silent()):
                self._interrupt()

    async def release(self) -> None:
        await self._lease.release()

    def _acquired(self, upload: UploadRecord | None) -> bool:
        if upload is None:
            return False
        self.upload = upload
        return True

    def _wait_for_client(self) -> None:
        self._is_waiting, self._silent_looks = True, 0

    def _client_is_silent(self) -> bool:
        """Whether it sent nothing between so many looks. The first of them may have come at once."""
        return self._is_waiting and (self._silent_looks - 1) * RENEWED_EVERY >= SILENT_AFTER

    def _interrupt(self) -> None:
        """Only while bytes are added: completing an upload that is whole is not interrupted."""
        if self._storing and not self._storing.expired():
            self._storing.reschedule(asyncio.get_running_loop().time())

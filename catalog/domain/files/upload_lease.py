"""Turns: of those who want to add to an upload one does at a time, on whatever server he is.

Whoever has the turn says so again each second. It goes on to another who asks when its server has died, and
when its client has fallen silent: one whose line broke comes back long before a server can tell that he went.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import TypeVar

from catalog.errors import NOT_FOUND, UPLOAD_BUSY, UPLOAD_CUT_OFF, Refused
from catalog.store.database import Tenant
from catalog.store.leases import Lease
from catalog.store.records import Query, UploadRecord

LEASE = timedelta(seconds=10)
"""How long a turn lasts unless it is renewed."""

RENEWED_EVERY = 1.0
"""Seconds between two renewals by a server that lives."""

DEAD_AFTER = 3.0
"""Seconds without a renewal after which a server is taken for dead, if somebody asks."""

SILENT_AFTER = 2.0
"""Seconds after which a client that sends nothing has to let another go on, if one asks."""

ASKS_EVERY = 0.25  # seconds

T = TypeVar("T")


@asynccontextmanager
async def turn(tenant: Tenant, name: str) -> AsyncGenerator["Turn"]:
    """Have the upload to oneself, after a while if need be.

    Raises Refused: NOT_FOUND, UPLOAD_BUSY when somebody else goes on adding to it.
    """
    mine = Turn(tenant, name)
    if not await mine.free():
        await mine.wait()
    renewing = asyncio.create_task(mine.renew())
    try:
        yield mine
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        await mine.end()


class Turn:
    """`upload` is the record as it is since the turn began."""

    upload: UploadRecord

    def __init__(self, tenant: Tenant, name: str) -> None:
        self._uploads = tenant.base.uploads.records  # the lease is released whatever has become of the caller
        self._name = name
        self._lease = Lease(self._uploads, name, LEASE, until="held", owner="holder")
        self._waits_since: float | None = None  # for the client, not for the storage
        self._storing: asyncio.Timeout | None = None

    async def while_heard(self, storing: Awaitable[T]) -> T:
        """What `storing` answers, which reads from `heard`.

        Raises Refused: UPLOAD_CUT_OFF when the turn went to another.
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

    async def heard(self, content: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass on what the client sends, and know when it is he who is waited for."""
        try:
            self._waits_since = monotonic()
            async for chunk in content:
                self._waits_since = None
                yield chunk
                self._waits_since = monotonic()
        finally:
            self._waits_since = None

    async def free(self) -> bool:
        """Begin the turn if it is nobody's."""
        return self._begun(await self._lease.acquire())

    async def wait(self) -> None:
        """Ask for the turn, and begin it once it is free, or when nobody alive has it.

        Should somebody be taken for dead who is only slow, the storage takes the bytes of one of the two, and the
        upload still becomes one version.
        """
        before = await self._uploads.find_one({"_id": self._name}, {"holder": 1, "held": 1})
        if before is None:
            raise Refused(NOT_FOUND, self._name)
        holder = before.get("holder")
        await self._uploads.update_one({"_id": self._name, "holder": holder}, {"$set": {"asked": holder}})
        over = monotonic() + DEAD_AFTER
        while monotonic() < over:
            await asyncio.sleep(ASKS_EVERY)
            if await self.free():
                return
        not_renewed: Query = {"holder": holder, "held": before["held"]}
        if not self._begun(await self._lease.take(not_renewed)):
            raise Refused(UPLOAD_BUSY, self._name)

    async def renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWED_EVERY)
            renewed = await self._lease.renew("asked")
            is_asked = renewed is not None and renewed.get("asked") == self._lease.token
            if renewed is None or (is_asked and self._is_silent()):
                self._give_way()

    async def end(self) -> None:
        await self._lease.release()

    def _begun(self, upload: UploadRecord | None) -> bool:
        if upload is None:
            return False
        upload.setdefault("size", None)  # a record lacks what has no value
        self.upload = upload
        return True

    def _is_silent(self) -> bool:
        return self._waits_since is not None and monotonic() - self._waits_since >= SILENT_AFTER

    def _give_way(self) -> None:
        """Only while bytes are added: an upload that is whole is made a version without a break."""
        if self._storing and not self._storing.expired():
            self._storing.reschedule(asyncio.get_running_loop().time())

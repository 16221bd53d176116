"""A backup as a stream of bytes, for a client or for a target that reads it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence

from catalog.blobs.protocol import Storage
from catalog.operations.backup.writing import BackupError, Increment, Resumption, TenantBackup, write
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant

logger = logging.getLogger(__name__)

AHEAD = 4
"""Blocks that are read before the reader asks: at most as many mebibytes, or one part of documents."""


STALLED = 600.0
"""Seconds in which the reader must take a block. No sweep runs meanwhile."""


def ignored(_: TenantBackup) -> None:
    """Report nothing."""


async def stream(
    database: Database,
    storage: Storage,
    records: Sequence[RegisteredTenant],
    *,
    since: Increment | None = None,
    resume: Resumption | None = None,
    report: Callable[[TenantBackup], None] = ignored,
    stalled: float = STALLED,
) -> AsyncGenerator[bytes, None]:
    """Yield an archive of the tenants. After an error it has no end, so a reader sees that it is incomplete.

    A task of its own writes it: its leases must not depend on how fast it is read. When the reader takes nothing for
    `stalled` seconds, it ends, and the reader gets the error.

    Raises BackupError, ResumptionRefusedError, StorageUnavailableError, DatabaseError.
    """
    queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(AHEAD)

    async def put(block: bytes) -> None:
        try:
            async with asyncio.timeout(stalled):
                await queue.put(block)
        except TimeoutError:
            logger.warning("a backup ended: its reader took nothing for %g seconds", stalled)
            raise BackupError(f"The backup ended: its reader took nothing for {stalled:g} seconds") from None

    async def produce() -> None:
        try:
            await write(put, database, storage, records, report, since=since, resume=resume)
        except Exception as failure:  # noqa: BLE001  it is raised where the archive is read
            while queue.full():  # the archive has no end, so these are not needed
                queue.get_nowait()
            queue.put_nowait(failure)
        else:
            await queue.put(None)

    producing = asyncio.create_task(produce(), name="a backup")
    try:
        while (part := await queue.get()) is not None:
            if isinstance(part, Exception):
                raise part
            yield part
    finally:
        producing.cancel()
        await asyncio.gather(producing, return_exceptions=True)

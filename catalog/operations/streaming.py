"""A backup as a stream of bytes, for a client or for a target that reads it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from catalog.blobs.protocol import Storage
from catalog.operations.backup import Increment, TenantBackup, write
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant

AHEAD = 4
"""Blocks that are read before the reader asks: at most as many mebibytes, or one part of documents."""


def ignored(_: TenantBackup) -> None:
    """Report nothing."""


async def stream(
    database: Database,
    storage: Storage,
    records: Sequence[RegisteredTenant],
    *,
    since: Increment | None = None,
    report: Callable[[TenantBackup], None] = ignored,
) -> AsyncGenerator[bytes, None]:
    """Yield an archive of the tenants. After an error it has no end, so nobody takes it for complete.

    A task of its own writes it: its leases must not depend on how fast it is read.

    Raises BackupError, StorageUnavailableError, DatabaseError.
    """
    queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(AHEAD)

    async def produce() -> None:
        try:
            await write(queue.put, database, storage, records, report, since=since)
        except Exception as failure:  # noqa: BLE001  it is raised where the archive is read
            await queue.put(failure)
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

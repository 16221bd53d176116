"""`catalog backup` and `catalog restore`: run beside a server, on its database and its storage."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from catalog.blobs.protocol import StorageUnavailableError
from catalog.durations import human_size
from catalog.operations.archive import ArchiveError, NotRegularFileError
from catalog.operations.backup import TenantBackup, UnknownTenantError, backup
from catalog.operations.restore import RestoreError, TenantRestore, restore
from catalog.operations.stores import Stores, open_stores
from catalog.settings.settings import Settings
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.store.failures import DatabaseError

Tell = Callable[[str], None]


class CommandError(Exception):
    """The message says why the command failed, and what to do."""


def make(settings: Settings, file: Path, tenants: Collection[str], tell: Tell) -> bool:
    """Back up, with a line for each tenant and for each lost blob. False when there are lost ones.

    Raises CommandError.
    """
    whole = True

    def one(done: TenantBackup) -> None:
        nonlocal whole
        whole = whole and not done.lost
        tell(_line(done))
        for digest, why, named in done.lost:
            where = "; ".join(named) or "a version that is gone by now"
            tell(f"{done.tenant}: not in the backup: the bytes of {digest} ({where}) are {why}. Push the file again")

    _run(settings, file, lambda stores: backup(stores.database, stores.storage, file, tenants, one))
    return whole


def bring_back(settings: Settings, file: Path, tenants: Collection[str], name: str, tell: Tell) -> None:
    """Restore, with a line for each tenant.

    Raises CommandError.
    """

    def one(done: TenantRestore) -> None:
        if done.was_there:
            tell(f"{done.tenant}: left as it is: an earlier, interrupted restore of this backup has completed it")
            return
        left_out = f"; {done.orphans} versions of items that had gone were left out" if done.orphans else ""
        tell(_line(done) + left_out)

    _run(settings, file, lambda stores: restore(stores.database, stores.storage, file, tenants, one, name=name))


def _line(done: TenantBackup | TenantRestore) -> str:
    files = "1 file" if done.blobs == 1 else f"{done.blobs} files"
    return f"{done.tenant}: {done.records} records, {files} ({human_size(done.size)})"


def _run(settings: Settings, file: Path, work: Callable[[Stores], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_stores(
            settings.database, settings.data_path, settings.storage_settings, settings.embedded_engine
        ) as stores:
            await work(stores)

    try:
        asyncio.run(run())
    except (ArchiveError, RestoreError, DatabaseUnavailable, UnknownTenantError, NotRegularFileError) as error:
        raise CommandError(str(error)) from error
    except StorageUnavailableError as error:
        raise CommandError(f"The storage of files does not answer: {error}") from error
    except DatabaseError as error:
        raise CommandError(f"The database failed: {str(error).partition(' (configured')[0]}") from error
    except OSError as error:
        raise CommandError(f"{error.filename or file}: {(error.strerror or str(error)).lower()}") from error

"""`catalog backup` and `catalog restore`: run beside a server, on its database and its storage."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from catalog.blobs.protocol import StorageUnavailableError
from catalog.durations import human_size
from catalog.operations.archive import BadArchive, NotRegular
from catalog.operations.backup import BackedUp, NoSuchTenant, backup
from catalog.operations.restore import CannotRestore, Restored, restore
from catalog.operations.stores import Stores, open_stores
from catalog.settings.settings import Settings
from catalog.store.database import DatabaseError
from catalog.store.embedded.process import DatabaseUnavailable

Tell = Callable[[str], None]


class CannotDo(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """Says why, and what to do."""


def make(settings: Settings, file: Path, tenants: Collection[str], tell: Tell) -> bool:
    """Back up, with a line for each tenant and for all bytes that the storage has lost. False when there are such.

    Raises CannotDo.
    """
    whole = True

    def one(done: BackedUp) -> None:
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

    Raises CannotDo.
    """

    def one(done: Restored) -> None:
        if done.was_there:
            tell(f"{done.tenant}: left as it is: a restore of this backup that was stopped had brought it back")
            return
        left_out = f"; {done.orphans} versions of items that had gone were left out" if done.orphans else ""
        tell(_line(done) + left_out)

    _run(settings, file, lambda stores: restore(stores.database, stores.storage, file, tenants, one, name=name))


def _line(done: BackedUp | Restored) -> str:
    files = "1 file" if done.blobs == 1 else f"{done.blobs} files"
    return f"{done.tenant}: {done.records} records, {files} ({human_size(done.size)})"


def _run(settings: Settings, file: Path, work: Callable[[Stores], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_stores(settings.database, settings.data_path, settings.storage_settings) as stores:
            await work(stores)

    try:
        asyncio.run(run())
    except (BadArchive, CannotRestore, DatabaseUnavailable, NoSuchTenant, NotRegular) as error:
        raise CannotDo(str(error)) from error
    except StorageUnavailableError as error:
        raise CannotDo(f"The storage of files does not answer: {error}") from error
    except DatabaseError as error:
        raise CannotDo(f"The database failed: {str(error).partition(' (configured')[0]}") from error
    except OSError as error:
        raise CannotDo(f"{error.filename or file}: {(error.strerror or str(error)).lower()}") from error

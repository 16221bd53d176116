"""`catalog backup` and `catalog restore`: run beside a server, on its database and its storage."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

from catalog.commands.sizes import told
from catalog.operations.archive import BadArchive
from catalog.operations.backup import BackedUp, NoSuchTenant, backup
from catalog.operations.opened import Opened, opened
from catalog.operations.restore import CannotRestore, Restored, restore
from catalog.settings import Settings
from catalog.store.embedded import DatabaseUnavailable

Tell = Callable[[str], None]


class CannotDo(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """Says why, and what to do."""


def make(settings: Settings, file: Path, tenants: Collection[str], tell: Tell) -> bool:
    """Back up, with a line for each tenant. False when bytes that a version names are not in the storage.

    Raises CannotDo.
    """
    whole = True

    def one(done: BackedUp) -> None:
        nonlocal whole
        whole = whole and not done.missing
        tell(_line(done))
        for digest in done.missing:
            tell(f"{done.tenant}: the bytes of {digest} are missing in the storage, so the backup lacks them, too")

    _run(settings, file, lambda here: backup(here.database, here.storage, file, tenants, one))
    return whole


def bring_back(settings: Settings, file: Path, tenants: Collection[str], name: str, tell: Tell) -> None:
    """Restore, with a line for each tenant.

    Raises CannotDo.
    """

    def one(done: Restored) -> None:
        left_out = f"; {done.orphans} versions of items that had gone were left out" if done.orphans else ""
        tell(_line(done) + left_out)

    _run(settings, file, lambda here: restore(here.database, here.storage, file, tenants, one, name=name))


def _line(done: BackedUp | Restored) -> str:
    files = "1 file" if done.blobs == 1 else f"{done.blobs} files"
    return f"{done.tenant}: {done.records} records, {files} ({told(done.size)})"


def _run(settings: Settings, file: Path, work: Callable[[Opened], Awaitable[None]]) -> None:
    async def run() -> None:
        async with opened(settings) as here:
            await work(here)

    try:
        asyncio.run(run())
    except (BadArchive, CannotRestore, DatabaseUnavailable, NoSuchTenant) as error:
        raise CannotDo(str(error)) from error
    except OSError as error:
        raise CannotDo(f"{error.filename or file}: {(error.strerror or str(error)).lower()}") from error

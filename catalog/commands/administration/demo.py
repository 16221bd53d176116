"""`catalog demo`: runs beside a server, on its database and its storage."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from catalog.blobs.protocol import StorageUnavailableError
from catalog.commands.administration.backup import CommandError, Tell
from catalog.domain.demo.content import MOST_MODELS
from catalog.errors import Refused
from catalog.operations import demo
from catalog.operations.backup.writing import UnknownTenantError
from catalog.operations.stores import Stores, open_stores
from catalog.settings.settings import Settings
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.store.failures import DatabaseError

T = TypeVar("T")


def fill(settings: Settings, tenant: str, models: int, tell: Tell) -> None:
    """Fill a tenant, with a line for each item. Raises CommandError."""
    if models > MOST_MODELS:
        raise CommandError(f"--models: at most {MOST_MODELS} are possible")
    filled = _run(settings, lambda stores: demo.fill(stores.database, tenant, models, tell))
    for name in filled.skipped:
        tell(f"{name}: left out, its owner has another one of this name")
    tell(f"{tenant}: {filled.people} people, {filled.items} items and {filled.versions} versions are new")


def remove(settings: Settings, tenant: str, tell: Tell) -> None:
    """Remove the demo, with a line for each thing that stays. Raises CommandError."""
    emptied = _run(settings, lambda stores: demo.remove(stores.database, tenant))
    for line in emptied.kept:
        tell(f"left: {line}")
    tell(f"{tenant}: {emptied.items} items and {emptied.people} people of the demo are removed")


def _run(settings: Settings, work: Callable[[Stores], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_stores(
            settings.database, settings.data_path, settings.storage_settings, settings.embedded_engine
        ) as stores:
            return await work(stores)

    try:
        return asyncio.run(run())
    except (DatabaseUnavailable, Refused, UnknownTenantError) as error:
        raise CommandError(str(error)) from error
    except StorageUnavailableError as error:
        raise CommandError(f"The storage of files does not answer: {error}") from error
    except DatabaseError as error:
        raise CommandError(
            f"The database failed, start the command again: {str(error).partition(' (configured')[0]}"
        ) from error

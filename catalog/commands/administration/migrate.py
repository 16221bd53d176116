"""`catalog migrate`: runs beside a server, on its database."""

import asyncio
from collections.abc import Callable, Collection

from catalog.commands.administration.backup import CommandError
from catalog.operations.backup.writing import UnknownTenantError
from catalog.operations.migrate import MigrationResult, migrate
from catalog.operations.stores import open_stores
from catalog.settings.settings import Settings
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.store.failures import DatabaseError


def run(
    settings: Settings, tenants: Collection[str], tell: Callable[[str], None], *, dry_run: bool, repeat: bool
) -> bool:
    """Upgrade the tenants, with lines about the progress. False when one of them is not up to date now.

    Raises CommandError.
    """

    async def upgraded() -> MigrationResult:
        async with open_stores(
            settings.database, settings.data_path, settings.storage_settings, settings.embedded_engine
        ) as stores:
            return await migrate(stores.database, tenants, tell, dry_run=dry_run, repeat=repeat)

    try:
        result = asyncio.run(upgraded())
    except (DatabaseUnavailable, UnknownTenantError) as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(
            f"The database failed, start the command again: {str(error).partition(' (configured')[0]}"
        ) from error
    tell(_summary(result))
    return result.is_complete


def _summary(result: MigrationResult) -> str:
    parts = [f"{result.current} up to date"]
    parts += [f"{result.behind} to upgrade"] if result.behind else []
    parts += [f"{result.failed} not upgraded"] if result.failed else []
    return f"Tenants: {', '.join(parts)}"

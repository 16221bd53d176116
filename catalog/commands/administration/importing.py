"""`catalog import measurify`: run beside a server, on its database and its storage."""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path

from catalog.blobs.protocol import StorageUnavailableError
from catalog.commands.administration.backup import CommandError, Tell
from catalog.durations import human_size
from catalog.operations.measurify.registry_import import import_registry
from catalog.operations.measurify.report import TenantImport
from catalog.operations.restore import RestoreError
from catalog.operations.stores import open_stores
from catalog.settings.settings import Settings
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.store.failures import DatabaseError
from catalog.store.foreign import ForeignDatabase, ForeignDatabaseError

CATALOGUE = "registry-catalog"
"""The name that Measurify uses."""


def measurify(settings: Settings, uri: str, uploads: Path, tenants: Collection[str], tell: Tell) -> bool:
    """Import, with lines for each tenant. False if something could not be imported.

    Raises CommandError.
    """
    if not uploads.is_dir():
        raise CommandError(f"{uploads} is not a folder: name the one that the registry keeps its files in")
    complete = True

    def one(done: TenantImport) -> None:
        nonlocal complete
        complete = complete and not done.problems
        tell(
            f"{done.tenant}: {done.users} users, {done.words} words, {done.items} items, "
            f"{done.versions} versions ({human_size(done.size)})"
        )
        for problem in done.problems:
            tell(f"{done.tenant}: left out: {problem}")

    try:
        asyncio.run(_run(settings, uri, uploads, tenants, one))
    except (RestoreError, DatabaseUnavailable) as error:
        raise CommandError(str(error)) from error
    except StorageUnavailableError as error:
        raise CommandError(f"The storage of files does not answer: {error}") from error
    except ForeignDatabaseError as error:
        raise CommandError(f"The registry's database cannot be read: {error}") from error
    except DatabaseError as error:
        raise CommandError(f"The database of the catalog failed: {error}") from error
    except OSError as error:
        raise CommandError(f"{error.filename or uploads}: {(error.strerror or str(error)).lower()}") from error
    return complete


async def _run(
    settings: Settings, uri: str, uploads: Path, tenants: Collection[str], one: Callable[[TenantImport], None]
) -> None:
    source = ForeignDatabase(uri, CATALOGUE)
    try:
        async with open_stores(
            settings.database, settings.data_path, settings.storage_settings, settings.embedded_engine
        ) as stores:
            await import_registry(stores.database, source, uploads, tenants, one)
    finally:
        source.close()

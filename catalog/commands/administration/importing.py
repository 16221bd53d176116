"""`catalog import measurify`: run beside a server, on its database and its storage."""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from catalog.blobs.protocol import StorageUnavailableError
from catalog.commands.administration.backup import CommandError, Tell
from catalog.durations import human_size
from catalog.operations.measurify import TenantImport, take_over
from catalog.operations.restore import RestoreError
from catalog.operations.stores import open_stores
from catalog.settings.settings import Settings
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.store.tenant_documents import Raw

CATALOGUE = "registry-catalog"
"""Measurify's own name for it."""

PATIENCE_MS = 5000


def measurify(settings: Settings, uri: str, uploads: Path, tenants: Collection[str], tell: Tell) -> bool:
    """Import, with lines for each tenant. False when something could not be taken over.

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
    except PyMongoError as error:
        raise CommandError(
            f"The registry's database cannot be read: {str(error).partition(' (configured')[0]}"
        ) from error
    except OSError as error:
        raise CommandError(f"{error.filename or uploads}: {(error.strerror or str(error)).lower()}") from error
    return complete


async def _run(
    settings: Settings, uri: str, uploads: Path, tenants: Collection[str], one: Callable[[TenantImport], None]
) -> None:
    catalogue = parse_uri(uri)["database"] or CATALOGUE
    source: AsyncIOMotorClient[Raw] = AsyncIOMotorClient(uri, tz_aware=True, serverSelectionTimeoutMS=PATIENCE_MS)
    try:
        async with open_stores(
            settings.database, settings.data_path, settings.storage_settings, settings.embedded_engine
        ) as stores:
            await take_over(stores.database, source, catalogue, uploads, tenants, one)
    finally:
        source.close()

"""The database and the storage that a command works on, without a server."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from catalog.blobs.protocol import Storage
from catalog.blobs.selection import select_storage
from catalog.settings.values import StorageSettings
from catalog.store.connection import connect
from catalog.store.database import Database
from catalog.store.embedded.process import Embedded


class Stores(NamedTuple):
    database: Database
    storage: Storage


@asynccontextmanager
async def open_stores(
    database_uri: str, data_path: Path, storage: StorageSettings, embedded_engine: str = "python"
) -> AsyncGenerator[Stores]:
    """Open both. `embedded` as the URI starts an embedded database in `data_path`, and ends it again.

    Raises DatabaseUnavailable, also when the embedded database belongs to a running server.
    """
    with ExitStack() as stack:
        if database_uri == "embedded":
            database_uri = stack.enter_context(Embedded(data_path, embedded_engine)).ready()
        opened_storage = select_storage(storage)
        database = connect(database_uri, opened_storage)
        stack.callback(database.close)
        await database.open()
        yield Stores(database, opened_storage)

"""What the commands that run beside a server work on: its database and its storage, without a server."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from typing import NamedTuple

from catalog.blobs.protocol import Storage
from catalog.blobs.selection import storage_of
from catalog.settings.settings import Settings
from catalog.store.database import Database, connect
from catalog.store.embedded.process import Embedded


class Opened(NamedTuple):
    database: Database
    storage: Storage


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Opened]:
    """The database and the storage of the settings. An embedded database is started, and ended again.

    Raises DatabaseUnavailable, also when the embedded database belongs to a server that is running.
    """
    with ExitStack() as stack:
        uri = settings.database
        if uri == "embedded":
            uri = stack.enter_context(Embedded(settings.data_path)).ready()
        storage = storage_of(settings)
        database = connect(uri, storage)
        stack.callback(database.close)
        await database.open()
        yield Opened(database, storage)

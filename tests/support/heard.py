"""A tenant whose database commands are noted."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandListener

from catalog.blobs.protocol import Storage
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.tenant import Tenant
from tests.support.app import OURS, in_database


class Heard(CommandListener):
    """The names of the commands that the driver sends."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self._next: list[asyncio.Future[None]] = []

    def next_command(self):
        """Comes true when the driver sends its next command."""
        self._next = [asyncio.get_running_loop().create_future()]
        return self._next[0]

    def started(self, event) -> None:
        if event.command_name.startswith("sasl"):  # a connection more
            return
        self.commands.append(event.command_name)
        while self._next:
            future = self._next.pop()
            future.get_loop().call_soon_threadsafe(future.set_result, None)

    def succeeded(self, event) -> None:
        pass

    def failed(self, event) -> None:
        pass


@asynccontextmanager
async def tenant_heard_by(heard: Heard, mongo: str, storage: Storage) -> AsyncIterator[Tenant]:
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    uri = in_database(mongo, name)
    database = Database(AsyncIOMotorClient(uri, tz_aware=True, event_listeners=[heard]), name, storage)
    await database.open()
    tenant = database.tenant(RegisteredTenant(id=name, database=name))
    await tenant.prepare()
    yield tenant
    await database.drop(name)
    database.close()

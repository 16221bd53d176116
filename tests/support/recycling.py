"""Databases that tests have finished with, emptied and used again.

Creating the database of a tenant takes thirty commands and a tenth of a second, and every index is a file that the
engine keeps. What a test wrote is removed with one command for each collection that it wrote to.
"""

from collections import defaultdict, deque
from weakref import WeakKeyDictionary

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import monitoring

from catalog.store.database import Database

WRITES = {"insert", "update", "delete", "findAndModify", "findandmodify"}
CHANGES_OF_INDEXES = {"collMod", "create", "createIndexes", "drop", "dropDatabase", "dropIndexes", "renameCollection"}

LEAST = 4
"""Databases that stay spare: what still writes to one when its test has ended is done before another test has it."""


class Writes(monitoring.CommandListener):
    """Which collections of each database were written, and the databases with other indexes than they had."""

    def __init__(self) -> None:
        self.written: defaultdict[str, set[str]] = defaultdict(set)
        self.changed: set[str] = set()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name in WRITES:
            self.written[event.database_name].add(event.command[event.command_name])
        elif event.command_name == "bulkWrite":
            for each in event.command["nsInfo"]:
                database, _, collection = each["ns"].partition(".")
                self.written[database].add(collection)
        elif event.command_name in CHANGES_OF_INDEXES:
            self.changed.add(event.database_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


WRITTEN = Writes()
monitoring.register(WRITTEN)  # before any client is created


def prepared(name: str) -> None:
    """Note that the indexes of a new database are complete: it may be used again until a test changes them."""
    WRITTEN.changed.discard(name)


async def empty(client: AsyncIOMotorClient, name: str) -> None:
    """Remove all records of a database that were written through this process."""
    for collection in WRITTEN.written.pop(name, ()):
        await client[name][collection].delete_many({})
    WRITTEN.written.pop(name, None)  # the removals themselves


class SpareDatabases:
    """Databases of one kind, which have the same indexes."""

    def __init__(self, client: AsyncIOMotorClient) -> None:
        self._client = client
        self._names: deque[str] = deque()

    def give_back(self, name: str) -> None:
        """Hand over a database that a test has finished with."""
        self._names.append(name)

    def next(self) -> str | None:
        """A database with all its indexes, and with the records of the test that had it. None when none is spare."""
        while len(self._names) > LEAST:
            name = self._names.popleft()
            if name not in WRITTEN.changed:
                return name
        return None

    async def take(self) -> str | None:
        """The same, emptied."""
        name = self.next()
        if name:
            await empty(self._client, name)
        return name


class Wire:
    """A connection to the real database, and the databases of tenants that its tests have finished with."""

    def __init__(self, client: AsyncIOMotorClient) -> None:
        self.client = client
        self.tenants = SpareDatabases(client)


SPARE: WeakKeyDictionary[Database, SpareDatabases] = WeakKeyDictionary()
"""The spare databases of tenants, by the connection that reaches them."""

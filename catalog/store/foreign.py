"""The database of another application, which is only read: that of a registry that is imported."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from bson.errors import BSONError
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

ForeignRecord = dict[str, Any]
"""A document of the other application: nothing is known of its fields."""

PATIENCE_MS = 5000

BY_AGE = [("timestamp", ASCENDING), ("_id", ASCENDING)]


class ForeignDatabaseError(Exception):
    """The database cannot be read. The message says why."""


class ForeignDatabase:
    """A server of the other application, and the `default` database that its URI names."""

    def __init__(self, uri: str, default: str) -> None:
        """`default` is used where the URI names no database. Raises ForeignDatabaseError for a URI that is none."""
        with _readable():
            self.default: str = parse_uri(uri)["database"] or default
            self._client: AsyncIOMotorClient[ForeignRecord] = AsyncIOMotorClient(
                uri, tz_aware=True, serverSelectionTimeoutMS=PATIENCE_MS
            )

    async def by_id(
        self, database: str, collection: str, fields: dict[str, int] | None = None
    ) -> AsyncIterator[ForeignRecord]:
        """The documents of a collection, with these `fields` (none: all). Raises ForeignDatabaseError."""
        with _readable():
            async for document in self._client[database][collection].find({}, fields).sort("_id", ASCENDING):
                yield document

    async def by_age(self, database: str, collection: str) -> AsyncIterator[ForeignRecord]:
        """The documents of a collection, the oldest first. Raises ForeignDatabaseError."""
        with _readable():
            async for document in self._client[database][collection].find({}).sort(BY_AGE):
                yield document

    def close(self) -> None:
        self._client.close()


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (PyMongoError, BSONError, ValueError) as failure:
        raise ForeignDatabaseError(str(failure).partition(" (configured")[0]) from failure

"""How MongoDB is reached."""

from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import (
    PyMongoError,
)
from pymongo.uri_parser import parse_uri

from catalog.blobs.protocol import Storage
from catalog.store import driver_threads
from catalog.store.database import CATALOGUE, Database
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.store.tenant_documents import Raw

PATIENCE_MS = 3000
"""How long a request waits for a database that does not answer."""

LOOKED_AT_MS = 3000
"""How often the driver checks each server of the database. A server that hangs is detected after this and PATIENCE_MS,
and requests that wait for it fail then."""

OPTIONS: dict[str, Any] = {
    "w": "majority",
    "journal": True,
    "serverSelectionTimeoutMS": PATIENCE_MS,
    "connectTimeoutMS": PATIENCE_MS,
    "heartbeatFrequencyMS": LOOKED_AT_MS,
}


def connect(uri: str, storage: Storage | None = None) -> Database:
    """A connection to MongoDB, not yet used.

    A write is acknowledged when a majority has it on disk, so a success survives a crash. `w` and `journal` in the URI
    take precedence.

    Raises DatabaseUnavailable when `uri` cannot be understood.
    """
    driver_threads.install()
    try:
        parsed = parse_uri(uri)
        options = {name: value for name, value in OPTIONS.items() if name not in parsed["options"]}
        client: AsyncIOMotorClient[Raw] = AsyncIOMotorClient(uri, tz_aware=True, appname="catalog", **options)
    except (PyMongoError, ValueError) as failure:
        raise DatabaseUnavailable(f"DATABASE is not a MongoDB address: {failure}") from failure
    return Database(client, parsed["database"] or CATALOGUE, storage)

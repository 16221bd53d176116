"""Fencing: a write that comes too late is refused, anywhere in the code.

A request begins with a check of the caller. Minutes may pass until it writes: its body is slow, a file is hashed.
So each write through a tenant's handle passes a *fence*, which checks again: the tenant's generation and, for the
handle of a caller, the caller's rights. Routes and dialects cannot forget it.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection

FRESH = 3.0
"""Seconds for which a server uses a cached answer of the database about a tenant, a user or a token."""

COMMIT = 1.0
"""Seconds for which one check is valid, so that the writes of one change share it. The check itself accepts cached
answers of at most FRESH - COMMIT seconds, so that no write is later than FRESH after the right to it is lost."""

WRITES = frozenset(
    {
        *("insert_one", "insert_many", "update_one", "update_many", "replace_one", "delete_one", "delete_many"),
        *("find_one_and_update", "find_one_and_replace", "find_one_and_delete", "bulk_write", "rename", "drop"),
        *("create_index", "create_indexes", "drop_index", "drop_indexes"),
        *("create_search_index", "create_search_indexes", "drop_search_index", "update_search_index"),
    }
)
"""Methods of the driver's collections that change data or create a database."""

Look = Callable[[float], Awaitable[None]]
"""Raises Refused when the writer may no longer write. It may use cached answers of at most so many seconds."""

Permits = Callable[[str], None]
"""Raises Refused for a collection that the writer may never change."""


def anything(_: str) -> None:
    """Permit each collection."""


class Fence:
    """Checks each write of one handle. `is_crossed`: a write has passed."""

    __slots__ = ("_look", "_permits", "_until", "is_crossed")

    def __init__(self, look: Look, permits: Permits = anything) -> None:
        self.is_crossed = False
        self._look = look
        self._permits = permits
        self._until = 0.0

    async def look(self, age: float = FRESH - COMMIT) -> None:
        """Check now, with cached answers of at most `age` seconds. Raises Refused."""
        self._until = 0.0
        await self._look(age)
        self._until = monotonic() + COMMIT

    def lapse(self) -> None:
        """End the validity of the last check."""
        self._until = 0.0

    async def keep(self) -> None:
        """Check, unless the last check is still valid. Raises Refused."""
        if monotonic() >= self._until:
            await self.look()

    async def cross(self, collection: str) -> None:
        """Check before a write to a collection. Raises Refused."""
        self._permits(collection)
        await self.keep()
        self.is_crossed = True


class Fenced:
    """A collection of the driver behind a fence: reads pass unchecked, writes are checked."""

    __slots__ = ("_collection", "_fence", "_name")

    def __init__(self, collection: "AsyncIOMotorCollection[dict[str, Any]]", name: str, fence: Fence) -> None:
        self._collection = collection
        self._name = name
        self._fence = fence

    async def cross(self) -> None:
        """Check before a write that is not made by a method of this collection. Raises Refused."""
        await self._fence.cross(self._name)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._collection, name)
        if name not in WRITES:
            return method

        async def write(*args: Any, **options: Any) -> Any:
            await self._fence.cross(self._name)
            return await method(*args, **options)

        return write

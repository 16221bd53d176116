"""Fencing: a write that comes too late is refused, wherever in the code it is made.

A request begins with a look at who asks. Minutes may pass until it writes: its body was slow, a file was hashed.
So each write through a tenant's handle passes a *fence*, which looks again: at the tenant's generation and, through the
handle that a caller has, at the caller's rights. Nothing has to be remembered by a route or by a dialect.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection

FRESH = 3.0
"""Seconds that a server believes what the database said of a tenant, of a user or of a token."""

COMMIT = 1.0
"""Seconds that one look holds, so that the writes of one change are made together. The look itself believes a memory
that is so much younger, so that nobody writes later than FRESH after losing the right to."""

WRITES = frozenset(
    {
        *("insert_one", "insert_many", "update_one", "update_many", "replace_one", "delete_one", "delete_many"),
        *("find_one_and_update", "find_one_and_replace", "find_one_and_delete", "bulk_write", "rename", "drop"),
        *("create_index", "create_indexes", "drop_index", "drop_indexes"),
        *("create_search_index", "create_search_indexes", "drop_search_index", "update_search_index"),
    }
)
"""Methods of the driver's collections that change something, or make a database that is not there."""

Look = Callable[[float], Awaitable[None]]
"""Raises Refused when the writer may not write any more. It may believe a memory of at most so many seconds."""

Permits = Callable[[str], None]
"""Raises Refused for a collection that the writer may not change at all."""


def anything(_: str) -> None:
    """Permit each collection."""


class Fence:
    """`is_crossed` tells whether a write has passed."""

    __slots__ = ("_look", "_permits", "_until", "is_crossed")

    def __init__(self, look: Look, permits: Permits = anything) -> None:
        self.is_crossed = False
        self._look = look
        self._permits = permits
        self._until = 0.0

    async def look(self, age: float = FRESH - COMMIT) -> None:
        """Look now, and believe what was learnt at most `age` seconds ago. Raises Refused."""
        self._until = 0.0
        await self._look(age)
        self._until = monotonic() + COMMIT

    def lapse(self) -> None:
        """Let the last look hold no longer."""
        self._until = 0.0

    async def keep(self) -> None:
        """Look, unless the last look still holds. Raises Refused."""
        if monotonic() >= self._until:
            await self.look()

    async def cross(self, collection: str) -> None:
        """Before each write. Raises Refused."""
        self._permits(collection)
        await self.keep()
        self.is_crossed = True


class Fenced:
    """A collection of the driver's, behind a fence: reads go through as they are, writes when they may."""

    __slots__ = ("_collection", "_fence", "_name")

    def __init__(self, collection: "AsyncIOMotorCollection[dict[str, Any]]", name: str, fence: Fence) -> None:
        self._collection = collection
        self._name = name
        self._fence = fence

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._collection, name)
        if name not in WRITES:
            return method

        async def write(*given: Any, **named: Any) -> Any:
            await self._fence.cross(self._name)
            return await method(*given, **named)

        return write

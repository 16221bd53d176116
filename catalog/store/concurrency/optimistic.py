"""Optimistic changes: read a record, decide, write if its revision is still the one that was read, else again.

No change is lost and nothing is locked. Every attempt that fails means that another change succeeded.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar, cast

from motor.motor_asyncio import AsyncIOMotorCollection

from catalog.errors import BUSY, Refused
from catalog.store.records import Changes, Query

ATTEMPTS = 100
"""How often a change is tried that others keep overtaking."""

LONGEST_PAUSE = 0.02
"""Seconds between two attempts at most."""

R = TypeVar("R", bound=Mapping[str, Any])


class RecordGoneError(Exception):
    """The record that was to change is not there any more, or is not one to change."""


class Revised(NamedTuple, Generic[R]):
    before: R
    after: R


async def revise(
    collection: AsyncIOMotorCollection[R],
    read: Callable[[], Awaitable[R | None]],
    changes: Callable[[R], Awaitable[Changes]],
    *,
    first: R | None = None,
    where: Query | None = None,
) -> Revised[R]:
    """Set what `changes` says of a record, and raise its revision.

    `first` is the record, with all its fields, if it was read a moment ago. `where` must be true of the record besides
    its revision. The record afterwards is made of the one that was read: its revision says that nothing else has
    changed. (`findAndModify` would return it, but the embedded engine in Rust reads the whole collection for it.)

    Raises RecordGoneError when `read` finds nothing, Refused: BUSY after ATTEMPTS, and what `changes` raises.
    """
    record = first or await read()
    for _ in range(ATTEMPTS):
        if record is None:
            raise RecordGoneError
        fields = await changes(record)
        same = {"_id": record["_id"], "revision": record["revision"], **(where or {})}
        written = await collection.update_one(same, {"$set": fields, "$inc": {"revision": 1}})
        if written.matched_count:
            return Revised(record, cast("R", {**record, **fields, "revision": record["revision"] + 1}))
        await pause()
        record = await read()
    raise Refused(BUSY, "others change it again and again")


async def pause() -> None:
    """Wait for a moment of random length, so that servers which collided do not collide again."""
    await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  it only spreads the attempts

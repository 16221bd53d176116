"""Optimistic changes: read a record, decide, write if its revision is still the one that was read, else again.

No change is lost and nothing is locked. Every attempt that fails means that another change succeeded.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ReturnDocument

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

    `first` is the record if it was read a moment ago. `where` must be true of the record besides its revision.

    Raises RecordGoneError when `read` finds nothing, Refused: BUSY after ATTEMPTS, and what `changes` raises.
    """
    record = first or await read()
    for _ in range(ATTEMPTS):
        if record is None:
            raise RecordGoneError
        fields = await changes(record)
        after = await collection.find_one_and_update(
            {"_id": record["_id"], "revision": record["revision"], **(where or {})},
            {"$set": fields, "$inc": {"revision": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if after is not None:
            return Revised(record, after)
        await pause()
        record = await read()
    raise Refused(BUSY, "others change it again and again")


async def pause() -> None:
    """Wait for a moment of random length, so that servers which collided do not collide again."""
    await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  it only spreads the attempts

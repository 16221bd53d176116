"""Optimistic changes: read a record, decide, write if its revision is still the one that was read, else again.

No change is lost and nothing is locked in the database. Every attempt that fails means that another change succeeded.
Changes of one server that were overtaken queue, so that many at once take the time of one after the other.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar, cast
from weakref import WeakValueDictionary

from motor.motor_asyncio import AsyncIOMotorCollection

from catalog.errors import BUSY, STALE, Refused
from catalog.store.records import Changes, Query

ATTEMPTS = 100
"""How often a change is tried that others keep overtaking."""

LONGEST_PAUSE = 0.02
"""Seconds between two attempts at most."""

LONG = 32
"""Elements of a list that is written in parts: a database changes one of 900 in half the time that it writes all."""

R = TypeVar("R", bound=Mapping[str, Any])

_queues: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()


class RecordGoneError(Exception):
    """The record to change is gone, or no longer matches."""


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
    changed. (`findAndModify` would return it, but both embedded engines read the whole collection for it.)

    Raises RecordGoneError when `read` finds nothing, Refused: BUSY after ATTEMPTS, and what `changes` raises.
    """
    record = _present(first or await read())
    if revised := await _attempt(collection, record, changes, where):
        return revised
    async with queue_of(collection.full_name, record["_id"]):
        for _ in range(ATTEMPTS):
            record = _present(await read())
            if revised := await _attempt(collection, record, changes, where):
                return revised
            await pause()
    raise Refused(BUSY, "others change it again and again")


def refuse_stale(revision: int, seen: Collection[int] | None) -> None:
    """Check that a record has one of the revisions that a client has seen. None: any. Raises Refused: STALE."""
    if seen is not None and revision not in seen:
        raise Refused(STALE, f"another revision was seen, it is {revision} now")


def queue_of(*key: Hashable) -> asyncio.Lock:
    """The lock under which the changes of one server to one thing wait for each other."""
    return _queues.setdefault(key, asyncio.Lock())


def _present(record: R | None) -> R:
    if record is None:
        raise RecordGoneError
    return record


async def _attempt(
    collection: AsyncIOMotorCollection[R],
    record: R,
    changes: Callable[[R], Awaitable[Changes]],
    where: Query | None,
) -> Revised[R] | None:
    """None where another change was first."""
    fields = await changes(record)
    same = {"_id": record["_id"], "revision": record["revision"], **(where or {})}
    written = await collection.update_one(same, {"$set": _in_parts(record, fields), "$inc": {"revision": 1}})
    if not written.matched_count:
        return None
    return Revised(record, cast("R", {**record, **fields, "revision": record["revision"] + 1}))


def _in_parts(record: Mapping[str, Any], fields: Changes) -> Changes:
    """The fields to set, with the elements of long lists of which few are new in place of the lists.

    The revision, on which the write depends, says that the list is as it was read. An element that stays is the same
    object: equal ones may be of different types, as 1 and True are.
    """
    parts: Changes = {}
    for name, value in fields.items():
        before = record.get(name)
        if isinstance(value, list) and isinstance(before, list) and LONG <= len(before) <= len(value):
            kept = len(before)
            new = [at for at, element in enumerate(value) if at >= kept or element is not before[at]]
            if 0 < len(new) <= kept // 4:
                parts |= {f"{name}.{at}": value[at] for at in new}
                continue
        parts[name] = value
    return parts


async def pause() -> None:
    """Wait for a moment of random length, so that servers which collided do not collide again."""
    await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  it only spreads the attempts

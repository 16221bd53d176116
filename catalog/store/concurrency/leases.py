"""Leases: one server at a time works on a record.

A lease is two fields of the record: the owner, a token that is new for each lease, and the moment until which the
lease holds. Every step is one conditional write, so two servers never hold a lease at once by the database's account.
(None is a `findAndModify`, for which both embedded engines read the whole collection.)

Clocks: a server compares its own clock with a moment that another server wrote. A lease ends early, or late, by the
difference of the two clocks, so its length should be several times what NTP leaves (milliseconds). A moment more than
AHEAD in the future comes from a clock that was wrong, and counts as past.

Fencing: a server that was suspended may believe that it still holds a lease which another has taken meanwhile.
A write that must not happen then includes `lease.mine` in its filter, which names the token.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Generic, TypeVar

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import PyMongoError

from catalog.store.clock import AHEAD, now
from catalog.store.records import Changes, Query

R = TypeVar("R", bound=Mapping[str, Any])


class LeaseLostError(Exception):
    """Another server holds the lease, or the record is gone."""


def free(until: str) -> Query:
    """The filter of records whose lease is free. It ends at the moment in the field `until`."""
    moment = now()
    return {until: {"$not": {"$gt": moment, "$lt": moment + AHEAD}}}


class Lease(Generic[R]):
    """A lease on the record `key`, not yet acquired.

    `until` and `owner` name the fields. Without `owner` the record identifies the holder in another way, by `where`.
    `where` must be true of the record for as long as the lease is held.
    """

    def __init__(
        self,
        collection: AsyncIOMotorCollection[R],
        key: ObjectId | str,
        length: timedelta,
        *,
        until: str,
        owner: str = "",
        where: Query | None = None,
    ) -> None:
        self.token = ObjectId()
        self._collection = collection
        self._key = key
        self._length = length
        self._until = until
        self._where = where or {}
        self._owner: Query = {owner: self.token} if owner else {}

    @property
    def mine(self) -> Query:
        """The filter of the record while this lease holds it: the fencing token."""
        return {"_id": self._key, **self._where, **self._owner}

    async def acquire(self, condition: Query | None = None) -> R | None:
        """Take the lease if it is free, and `condition` is true. The record, or None."""
        return await self.take({**self._where, **free(self._until), **(condition or {})})

    async def take(self, condition: Query, changes: Changes | None = None) -> R | None:
        """Take the lease, also from another holder, if `condition` is true, and make `changes` in the same write.

        The record, or None.
        """
        changes = {**(changes or {}), **self._owner, self._until: now() + self._length}
        taken = await self._collection.update_one({"_id": self._key, **condition}, {"$set": changes})
        return await self._collection.find_one(self.mine) if taken.matched_count else None

    async def renew(self) -> bool:
        """Hold the lease for its length again. False when it is lost."""
        renewed = await self._collection.update_one(self.mine, {"$set": {self._until: now() + self._length}})
        return bool(renewed.matched_count)

    async def read(self, *fields: str) -> R | None:
        """These fields of the record, or None when the lease is lost."""
        return await self._collection.find_one(self.mine, dict.fromkeys(("_id", *fields), 1))

    async def check(self) -> None:
        """Renew the lease. Raises LeaseLostError."""
        if not await self.renew():
            raise LeaseLostError

    async def write(self, changes: Changes) -> None:
        """Make `changes` of the record, and renew the lease. Raises LeaseLostError."""
        changed = {"$set": {self._until: now() + self._length, **changes}}
        if not (await self._collection.update_one(self.mine, changed)).matched_count:
            raise LeaseLostError

    async def release(self, changes: Changes | None = None) -> None:
        """End the lease, unless it is lost, and make `changes` in the same write."""
        await self._collection.update_one(self.mine, {"$set": {self._until: now(), **(changes or {})}})

    @asynccontextmanager
    async def renewed(self, every: float) -> AsyncGenerator[None, None]:
        """Renew the lease every so many seconds. The body is cancelled when it is lost.

        A renewal that the database does not answer is tried again at the next beat. Raises LeaseLostError.
        """
        try:
            async with asyncio.timeout(None) as held:
                renewing = asyncio.create_task(self._renewed(every, held))
                try:
                    yield
                finally:
                    renewing.cancel()
                    await asyncio.gather(renewing, return_exceptions=True)
        except TimeoutError:
            if held.expired():
                raise LeaseLostError from None
            raise

    async def _renewed(self, every: float, held: asyncio.Timeout) -> None:
        is_held = True
        while is_held:
            await asyncio.sleep(every)
            with suppress(PyMongoError):
                is_held = await self.renew()
        held.reschedule(asyncio.get_running_loop().time())

"""Reads of one record that wait at the same time share a command.

A read that comes while the same record is being read does not take that answer, which may be older than a write that
its client has seen acknowledged. It waits for the next read, with all that came meanwhile. So many clients of one model
cost the database one command at a time, a read that comes alone does not wait, and no answer is older
than its request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextvars import Context
from functools import partial
from typing import Any, TypeVar, cast

import bson
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import DESCENDING

from catalog.store.records import Query

R = TypeVar("R", bound=Mapping[str, Any])

_AS_THE_DRIVER: CodecOptions[Any] = CodecOptions(tz_aware=True)

Read = Callable[[], Awaitable[R | None]]
Waiting = list[asyncio.Future[bytes | None]]


class SharedReads:
    """The reads of one tenant that wait."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Waiting] = {}
        """The readers that wait for the next read, of each record that is being read."""
        self._readers: set[asyncio.Task[None]] = set()

    async def find_one(
        self, collection: AsyncIOMotorCollection[R], query: Query, fields: Mapping[str, int] | None = None
    ) -> R | None:
        """The record that a query by a unique key finds. Each reader has a copy of its own."""
        key = (collection.name, *query.items(), *(fields or {}).items())
        return await self._shared(key, partial(collection.find_one, query, fields))

    async def find_highest(
        self, collection: AsyncIOMotorCollection[R], query: Query, field: str, least: int, fields: Mapping[str, int]
    ) -> R | None:
        """Of the records that a query finds the one whose field is highest, and `least` at least."""
        key = (collection.name, *query.items(), field, least, *fields.items())
        highest = {**query, field: {"$gte": least}}
        return await self._shared(key, partial(collection.find_one, highest, fields, sort=[(field, DESCENDING)]))

    async def _shared(self, key: Hashable, read: Read[R]) -> R | None:
        waiting = self._waiting.get(key)
        if waiting is not None:
            found: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
            waiting.append(found)
            content = await found
            return cast("R", bson.decode(content, _AS_THE_DRIVER)) if content is not None else None
        self._waiting[key] = []
        try:
            return await read()
        finally:
            if self._waiting[key]:
                # A task of its own, without the context of a request: the others outlive it.
                reader = asyncio.create_task(self._read(key, read), context=Context())
                self._readers.add(reader)
                reader.add_done_callback(self._readers.discard)
            else:
                del self._waiting[key]

    async def _read(self, key: Hashable, read: Read[R]) -> None:
        """Read the record for all who wait, until none does."""
        try:
            while waiting := self._waiting[key]:
                self._waiting[key] = []
                await _answer(waiting, read)
        finally:
            del self._waiting[key]


async def _answer(waiting: Waiting, read: Read[R]) -> None:
    try:
        found = await read()
        content = bson.encode(found) if found is not None else None
        for reader in waiting:
            if not reader.done():
                reader.set_result(content)
    except Exception as failure:  # noqa: BLE001  each of those who wait raises it
        for reader in waiting:
            if not reader.done():
                reader.set_exception(failure)
    finally:  # however it ends, no reader waits for ever
        for reader in waiting:
            reader.cancel()

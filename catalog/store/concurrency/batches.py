"""Group commit: writes that wait at the same time share their commands.

While one batch is being written the next one collects. A write that comes alone is therefore a batch of one and does
not wait, and under load the number of commands grows much slower than that of the writes. Clients that write again as
soon as they are answered would alternate between a large and a small batch: the next batch waits a moment for as many
writers as there were.

A caller who stops waiting does not stop the others. Each write has a result or an exception of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from contextvars import Context
from time import monotonic
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

W = TypeVar("W")
T = TypeVar("T")

MOST = 100
"""Writes in one batch."""

PATIENCE = 0.25
"""How long a batch waits for as many writers as there were, as a share of the time that the last one took."""

Outcomes = Sequence[T | Exception]
"""What became of each write of a batch, in its order."""


class Batches(Generic[W, T]):
    """Writes of one kind in batches, one batch after the other. `write_all` writes a batch."""

    def __init__(self, write_all: Callable[[Sequence[W]], Awaitable[Outcomes[T]]]) -> None:
        self._write_all = write_all
        self._waiting: list[tuple[W, asyncio.Future[T]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._crowd = 1
        """How many writers there were when the last batch was written."""
        self._is_crowd = asyncio.Event()

    async def write(self, request: W) -> T:
        """Write `request` with the next batch, and return its result. Raises what `write_all` returns or raises for it.

        Cancelled before its batch begins it is not written; afterwards it is.
        """
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, result))
        if len(self._waiting) >= self._crowd:
            self._is_crowd.set()
        if self._writer is None:
            # A task of its own, without the context of a request: it outlives the request that starts it.
            self._writer = asyncio.create_task(self._run(), context=Context())
        return await result

    async def _run(self) -> None:
        took = 0.0
        try:
            while self._waiting:
                await self._gather(PATIENCE * took)
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                began = monotonic()
                try:
                    if batch := [(request, result) for request, result in batch if not result.done()]:
                        await self._write(batch)
                finally:  # however it ends, no writer waits for ever
                    for _, result in batch:
                        result.cancel()
                took, self._crowd = monotonic() - began, min(len(batch) + len(self._waiting), MOST)
        finally:
            self._writer, self._crowd = None, 1

    async def _gather(self, patience: float) -> None:
        """Wait for as many writers as there were, not longer than `patience`, in seconds."""
        if len(self._waiting) < self._crowd:
            self._is_crowd.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_crowd.wait(), patience)

    async def _write(self, batch: Sequence[tuple[W, asyncio.Future[T]]]) -> None:
        outcomes: Outcomes[T]
        try:
            outcomes = await self._write_all([request for request, _ in batch])
        except Exception as failure:  # noqa: BLE001  each of those who wait raises it
            outcomes = [failure] * len(batch)
        for (_, result), outcome in zip(batch, outcomes, strict=True):
            if result.done():  # cancelled meanwhile
                continue
            if isinstance(outcome, Exception):
                result.set_exception(outcome)
            else:
                result.set_result(outcome)


class BatchesByKey(Generic[W, T]):
    """Batches of the writes of each key by themselves. They exist while one is written or something holds them."""

    def __init__(self) -> None:
        self._batches: WeakValueDictionary[Hashable, Batches[W, T]] = WeakValueDictionary()

    async def write(self, key: Hashable, request: W, write_all: Callable[[Sequence[W]], Awaitable[Outcomes[T]]]) -> T:
        """Write `request` with the next batch of its key, and return its result, see `Batches.write`."""
        return await self.of(key, write_all).write(request)

    def of(self, key: Hashable, write_all: Callable[[Sequence[W]], Awaitable[Outcomes[T]]]) -> Batches[W, T]:
        """The batches of a key. `write_all` is that of the first who asks, with what it remembers."""
        batches = self._batches.get(key)
        if batches is None:
            batches = self._batches[key] = Batches(write_all)
        return batches

    def __contains__(self, key: Hashable) -> bool:
        return key in self._batches

"""Background jobs: what a server does every so many seconds, beside the requests.

A job that fails runs again at its next turn. Its failures are logged once for each kind of failure, until it succeeds:
a database that is away for an hour makes one line, not thousands.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, Never

from catalog.store.failures import UNAVAILABLE

logger = logging.getLogger(__name__)


class Job(NamedTuple):
    name: str  # what it does, for the log: "the sweep"
    seconds: float
    run: Callable[[], Awaitable[object]]
    first: float  # seconds before the first run


class Jobs:
    """The jobs of one process. They run while `running` is entered."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def every(
        self, seconds: float, run: Callable[[], Awaitable[object]], name: str, *, first: float | None = None
    ) -> None:
        """Run a function every so many seconds, for the first time after `first` seconds or after as many."""
        self._jobs.append(Job(name, seconds, run, seconds if first is None else first))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(_repeat(job), name=job.name) for job in self._jobs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(job: Job) -> Never:
    logged: set[type[Exception]] = set()
    await asyncio.sleep(job.first)
    while True:
        try:
            await job.run()
        except Exception as failure:  # noqa: BLE001  it runs again
            if type(failure) not in logged:
                _log(job, failure)
            logged.add(type(failure))
        else:
            logged.clear()
        await asyncio.sleep(job.seconds)


def _log(job: Job, failure: Exception) -> None:
    if isinstance(failure, UNAVAILABLE):
        logger.warning("%s waits for the database: %s", job.name, failure)
    else:
        logger.error("%s failed, and runs again in %g s", job.name, job.seconds, exc_info=failure)

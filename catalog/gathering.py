"""Run coroutines at the same time, so that nothing of them still runs when the caller goes on."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TypeVar

T = TypeVar("T")


async def gather_all(coroutines: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """Their results. If some raise, all end before the first exception passes through.

    `asyncio.gather` raises at once: what its caller then cleans up or reads, the others may still be writing.
    """
    ends = await asyncio.gather(*coroutines, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return [end for end in ends if not isinstance(end, BaseException)]

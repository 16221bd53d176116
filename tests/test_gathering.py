"""What runs at the same time has ended when the caller goes on."""

import asyncio

import pytest

from catalog.gathering import gather_all


async def test_results_come_in_the_order_of_the_coroutines():
    assert await gather_all(asyncio.sleep(seconds, seconds) for seconds in (0.02, 0.01, 0)) == [0.02, 0.01, 0]


async def test_all_end_before_the_first_failure_passes_through():
    ended = []

    async def ends_late() -> None:
        await asyncio.sleep(0.01)
        ended.append("late")

    async def fails(message: str) -> None:
        raise OSError(message)

    with pytest.raises(OSError, match="first"):
        await gather_all([fails("first"), ends_late(), fails("second")])

    assert ended == ["late"]


async def test_a_caller_who_is_cancelled_cancels_them_all():
    cancelled = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append("waits")
            raise

    task = asyncio.create_task(gather_all([waits(), waits()]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled == ["waits", "waits"]

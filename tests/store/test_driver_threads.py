"""The threads in which Motor runs the driver: what a call returns, how many run at once, what a cancellation does."""

import asyncio
import threading

import pytest
from motor.frameworks import asyncio as framework

from catalog.store.connection import connect
from catalog.store.driver_threads import DriverThreads


def runner(threads):
    """How Motor runs a function in a pool of threads."""
    return lambda function, *arguments: asyncio.get_running_loop().run_in_executor(threads, function, *arguments)


async def test_a_call_returns_what_its_function_returns_or_raises():
    run = runner(DriverThreads(2))

    assert await run(max, 3, 5) == 5
    with pytest.raises(ZeroDivisionError):
        await run(divmod, 1, 0)


async def test_as_many_calls_run_at_once_as_there_may_be_threads_and_the_next_waits():
    together, run = threading.Barrier(3, timeout=60), runner(DriverThreads(3))
    names = await asyncio.gather(
        *(run(lambda: (together.wait(), threading.current_thread().name)[1]) for _ in range(9))
    )

    assert len(set(names)) == 3


async def test_an_idle_thread_is_used_again():
    run = runner(DriverThreads(9))

    assert len({await run(threading.get_ident) for _ in range(20)}) == 1


async def test_a_call_that_is_cancelled_before_its_turn_is_not_made_and_one_that_has_begun_is_completed():
    begun, may_end, made = threading.Event(), threading.Event(), []
    run = runner(DriverThreads(1))

    def first() -> None:
        begun.set()
        assert may_end.wait(60)
        made.append("first")

    calls = [asyncio.ensure_future(run(first)), asyncio.ensure_future(run(made.append, "second"))]
    await asyncio.to_thread(begun.wait, 60)
    for call in calls:
        call.cancel()
    may_end.set()
    await run(made.append, "third")

    assert made == ["first", "third"]


def test_a_call_that_outlives_its_event_loop_does_not_end_the_thread():
    may_end, threads = threading.Event(), DriverThreads(1)

    async def left_behind() -> None:
        threads.submit(may_end.wait, 60)

    async def later() -> object:
        return await runner(threads)(max, 1, 2)

    asyncio.run(left_behind())
    may_end.set()

    assert asyncio.run(later()) == 2


def test_a_call_without_an_event_loop_has_a_future_that_any_thread_may_wait_for():
    assert DriverThreads(1).submit(max, 1, 2).result() == 2


async def test_the_calls_that_were_made_are_completed_when_the_process_ends():
    begun, made, threads = threading.Event(), [], DriverThreads(1)
    threads.submit(lambda: (begun.set(), made.append("written")))
    await asyncio.to_thread(begun.wait, 60)

    threads.end()

    assert made == ["written"]


async def test_motor_uses_these_threads_once_a_database_is_opened():
    connect("mongodb://localhost:1/").client.close()

    assert isinstance(framework._EXECUTOR, DriverThreads)

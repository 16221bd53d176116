"""Writes that wait at the same time are one batch, and each has its own end."""

import asyncio

import pytest

from catalog.store.concurrency.batches import MOST, Batches


class Writer:
    """Writes numbers when it may: answers each with its double, and refuses negative ones."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.together = Batches(self.write_all)

    async def write_all(self, numbers):
        self.batches.append(list(numbers))
        self.begun.set()
        await self.may_end.wait()
        if 0 in numbers:
            raise ConnectionError("the database is gone")
        return [ValueError(number) if number < 0 else 2 * number for number in numbers]

    async def start(self, *numbers):
        """Tasks that write these numbers, all of which wait by now."""
        tasks = [asyncio.create_task(self.together.write(number)) for number in numbers]
        await asyncio.sleep(0)
        return tasks

    async def with_one_in_flight(self):
        [first] = await self.start(1)
        await self.begun.wait()
        return first


async def ends(tasks):
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_lone_write_is_a_batch_of_its_own_at_once():
    writer = Writer()
    writer.may_end.set()

    assert [await writer.together.write(number) for number in (1, 2)] == [2, 4]
    assert writer.batches == [[1], [2]]


async def test_what_comes_while_a_batch_is_written_is_the_next_batch():
    writer = Writer()
    first = await writer.with_one_in_flight()
    others = await writer.start(2, 3, 4)

    writer.may_end.set()

    assert await ends([first, *others]) == [2, 4, 6, 8]
    assert writer.batches == [[1], [2, 3, 4]]


async def test_writers_who_write_again_at_once_stay_in_one_batch():
    writer = Writer()

    async def twice(number):
        return [await writer.together.write(number), await writer.together.write(number)]

    first = asyncio.create_task(twice(1))
    await writer.begun.wait()
    others = [asyncio.create_task(twice(number)) for number in (2, 3)]
    await asyncio.sleep(0.01)  # the next batch waits for a part of the time that the first one takes
    writer.may_end.set()

    assert await ends([first, *others]) == [[2, 2], [4, 4], [6, 6]]
    assert [len(batch) for batch in writer.batches] == [1, 3, 2]


async def test_a_batch_is_never_larger_than_the_most():
    writer = Writer()
    first = await writer.with_one_in_flight()
    others = await writer.start(*range(1, MOST + 2))

    writer.may_end.set()
    await ends([first, *others])

    assert [len(batch) for batch in writer.batches] == [1, MOST, 1]


async def test_one_that_is_refused_does_not_stop_the_others():
    writer = Writer()
    first = await writer.with_one_in_flight()
    others = await writer.start(2, -3, 4)

    writer.may_end.set()

    _, two, refused, four = await ends([first, *others])
    assert (two, repr(refused), four) == (4, repr(ValueError(-3)), 8)


async def test_when_a_batch_fails_all_of_it_fail_and_the_next_one_is_written():
    writer = Writer()
    first = await writer.with_one_in_flight()
    failing = await writer.start(0, 2)

    writer.may_end.set()
    ended = await ends([first, *failing])

    assert [type(end) for end in ended] == [int, ConnectionError, ConnectionError]
    assert await writer.together.write(5) == 10


async def test_one_that_is_cancelled_while_it_waits_is_not_written():
    writer = Writer()
    first = await writer.with_one_in_flight()
    others = await writer.start(2, 3)

    others[0].cancel()
    writer.may_end.set()
    _, cancelled, three = await ends([first, *others])

    assert (type(cancelled), three) == (asyncio.CancelledError, 6)
    assert writer.batches == [[1], [3]]


async def test_one_that_is_cancelled_while_it_is_written_does_not_stop_the_others():
    writer = Writer()
    first = await writer.with_one_in_flight()
    others = await writer.start(2)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    writer.may_end.set()

    assert await ends(others) == [4]
    assert writer.batches == [[1], [2]]

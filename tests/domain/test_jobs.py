"""Jobs run again and again beside the requests, whatever goes wrong in one of them."""

import asyncio

from pymongo.errors import ServerSelectionTimeoutError

from catalog.domain.jobs import Jobs
from tests.support.serving import SOON


async def ran(failures, times):
    """Run a job so many times. The first runs fail in these ways."""
    enough, runs = asyncio.Event(), []

    async def run():
        runs.append(1)
        if len(runs) == times:
            enough.set()
        if len(runs) <= len(failures) and (failure := failures[len(runs) - 1]):
            raise failure

    jobs = Jobs()
    jobs.every(0.001, run, "the sweep")
    async with jobs.running():
        await asyncio.wait_for(enough.wait(), SOON)
    return runs


async def test_a_job_runs_again_after_a_failure_which_is_logged_once_for_each_kind(caplog):
    failures = [OSError("full"), OSError("full"), ValueError("odd"), OSError("full")]

    await ran(failures, times=6)

    assert [record.exc_info[0] for record in caplog.records] == [OSError, ValueError]
    assert caplog.messages[0] == "the sweep failed, and runs again in 0.001 s"


async def test_a_failure_after_a_success_is_logged_again(caplog):
    await ran([OSError("full"), None, OSError("full")], times=5)

    assert len(caplog.records) == 2


async def test_a_database_that_is_away_makes_one_line_without_a_trace(caplog):
    await ran([ServerSelectionTimeoutError("nobody answers")] * 3, times=4)

    [record] = caplog.records
    assert record.getMessage() == "the sweep waits for the database: nobody answers"
    assert record.exc_info is None


async def test_jobs_end_with_the_server():
    began, ended = asyncio.Event(), asyncio.Event()

    async def endless():
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    jobs = Jobs()
    jobs.every(60, endless, "an endless job", first=0)
    async with jobs.running():
        await asyncio.wait_for(began.wait(), SOON)

    assert ended.is_set()

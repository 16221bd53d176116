"""What a catalog stands on goes away for a while, under a mixed load: it says so, loses nothing, and recovers alone."""

import asyncio
import os
import signal
import subprocess
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest

from tests.support.ill_s3 import IllStore
from tests.support.mixed import Oracle, Writer, client_of, settle
from tests.support.serving import SOON, Server

WRITERS = 4
STOPPED = 0.0  # seconds at least that a database is stopped; `tests.soak.faults` takes longer
ENOUGH = 20  # acknowledged writes
PADDING = 60_000  # letters


@asynccontextmanager
async def load(server, oracle, *, stuffing=0):
    """Writers at work, who are waited for at the end, and some who stuff the database. Yields the tasks of all."""
    token = (await asyncio.to_thread(server.login)).json()["token"]
    async with client_of(server.url, token) as client:
        work = [Writer(client, oracle, number).write() for number in range(WRITERS)]
        work += [Writer(client, oracle, f"stuffing {number}", PADDING).stuff() for number in range(stuffing)]
        writers = [asyncio.create_task(each) for each in work]
        try:
            yield writers
        finally:
            oracle.is_over = True
            ended = await asyncio.gather(*writers, return_exceptions=True)
            oracle.is_over = False
    assert [end for end in ended if end] == []


async def come(true):
    """Ask until the answer is yes, and return it."""
    async with asyncio.timeout(SOON):
        while not (answer := await true()):  # noqa: ASYNC110  it is another process that comes to it
            await asyncio.sleep(0.01)
    return answer


async def ready(server):
    async with httpx.AsyncClient(timeout=SOON) as client:
        answer = await client.get(f"{server.url}/health/ready")
    assert answer.status_code == 200 or answer.headers["Retry-After"]
    return answer.json()


async def test_a_database_that_hangs_is_told_of_and_what_goes_on_when_it_does_is_what_was_acknowledged(tmp_path):
    await outlast_a_database_that_hangs(tmp_path, STOPPED)


async def outlast_a_database_that_hangs(folder, seconds):
    """Returns how many writes were acknowledged, and how many refused."""
    oracle = Oracle()
    with Server(folder, JWT_EXPIRATIONTIME="1h") as server:
        async with load(server, oracle) as writers:
            await oracle.until(ENOUGH, *writers)
            os.kill(server.database_pid, signal.SIGSTOP)
            try:
                away = await come(lambda: without(server, "database"))  # the signal takes a moment
                await come(lambda: refused(oracle, WRITERS))
                await asyncio.sleep(seconds)
            finally:
                os.kill(server.database_pid, signal.SIGCONT)
            await oracle.until(ENOUGH, *writers)
        await settled(server, oracle)
        await come(lambda: is_ready(server))

    assert away["status"] == "not ready"
    return oracle.written, oracle.refused


async def without(server, part):
    """What the server says when this part alone is away: on a busy machine another one may be late, too."""
    answer = await ready(server)
    away = [name for name, state in answer.items() if state == "away"]
    return answer if away == [part] else None


async def refused(oracle, times):
    return oracle.refused >= times


async def settled(server, oracle):
    token = (await asyncio.to_thread(server.login)).json()["token"]
    async with client_of(server.url, token) as client:
        await settle(client, oracle)


# A disk that is full


@contextmanager
def full(disk):
    """Nothing more can be written to the disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                pass
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture
def disk(tmp_path):
    """A disk of its own, of 24 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=24m", "a-small-disk", place]
    if os.geteuid() or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.parametrize(("setting", "stuffing"), [("UPLOAD_PATH", 0), ("DATA_PATH", 4)])
async def test_a_disk_that_is_full_for_a_while_costs_nothing_that_was_acknowledged(tmp_path, disk, setting, stuffing):
    oracle = Oracle()
    with Server(tmp_path, JWT_EXPIRATIONTIME="1h", **{setting: str(disk / "kept")}) as server:
        async with load(server, oracle, stuffing=stuffing) as writers:
            await oracle.until(ENOUGH, *writers)
            with full(disk):
                await come(lambda: refused(oracle, WRITERS))
            await oracle.until(ENOUGH, *writers)
            await come(lambda: is_ready(server))
        await settled(server, oracle)
        log = server.log.read_text()

    assert files_under(tmp_path, "incoming") == []
    assert "unexpected" not in log


def files_under(folder, name):
    return [file for place in folder.rglob(name) for file in place.iterdir()]


async def is_ready(server):
    return (await ready(server))["status"] == "ready"


# A store that is unwell


@pytest.fixture
async def ill(s3):
    async with IllStore(s3.url).serving() as store:
        yield store


@pytest.fixture
def on_ill(tmp_path, ill, s3):
    """A server whose files are in that store. A coroutine starts it, since the store runs in this loop."""

    @asynccontextmanager
    async def started():
        settings = s3.settings(f"s3://{s3.bucket()}/catalog") | {"S3_ENDPOINT": ill.url, "JWT_EXPIRATIONTIME": "1h"}
        server = Server(tmp_path, **settings)
        await asyncio.to_thread(server.__enter__)
        try:
            yield server
        finally:
            await asyncio.to_thread(server.__exit__, None, None, None)

    return started


async def test_a_store_that_fails_now_and_then_is_asked_again_and_nobody_notices(ill, on_ill):
    oracle = Oracle()
    async with on_ill() as server:
        ill.fails_every = 3
        async with load(server, oracle) as writers:
            await oracle.until(2 * ENOUGH, *writers)
        await settled(server, oracle)

    assert ill.failed > ENOUGH / 3
    assert oracle.refused == 0


async def test_a_store_that_fails_for_a_while_refuses_files_and_nothing_else(ill, on_ill):
    oracle = Oracle()
    async with on_ill() as server:
        async with load(server, oracle) as writers:
            await oracle.until(ENOUGH, *writers)
            ill.fails_every = 1
            away = await come(lambda: without(server, "storage"))
            await come(lambda: refused(oracle, WRITERS))
            ill.fails_every = 0
            await oracle.until(ENOUGH, *writers)
        await come(lambda: is_ready(server))
        await settled(server, oracle)

    assert away["status"] == "not ready"


async def test_a_store_that_hangs_holds_up_uploads_and_nobody_else(ill, on_ill):
    async with on_ill() as server:
        token = (await asyncio.to_thread(server.login)).json()["token"]
        async with client_of(server.url, token) as client:
            made = (await client.post("/v1/models", json={"name": "iris"})).json()["_id"]
            ill.well.clear()
            sending = asyncio.create_task(client.post(f"/v1/models/{made}/versions?name=a.bin", content=b"petals"))
            away = await come(lambda: without(server, "storage"))
            read = await client.get(f"/v1/models/{made}")
            still_sending = not sending.done()
            ill.well.set()
            sent = await sending
            came_back = await client.get(f"/v1/models/{made}/versions/1")

    assert (away["status"], read.status_code, still_sending) == ("not ready", 200, True)
    assert (sent.status_code, came_back.content) == (200, b"petals")

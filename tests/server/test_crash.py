"""Kill -9 of server or database under a mixed load: nothing acknowledged is lost, and nothing is half there."""

import asyncio
import os
import random
import signal
from datetime import timedelta

from catalog.blobs.files import FileStorage
from catalog.domain.cleanup import sweep
from catalog.domain.files import quota
from catalog.domain.tenants import tenants
from catalog.store.connection import connect
from catalog.store.embedded.process import Embedded
from tests.support.mixed import Oracle, Writer, client_of, settle, words_told, words_used
from tests.support.serving import SOON, TENANT, Server

CYCLES = 4  # in every other one it is the database that dies
WRITERS = 4
BEFORE, AFTER = (10, 40), 5  # acknowledged writes of one cycle before the kill, and after the database's
MIDST = 0.05  # seconds at most from the last of them to the kill, so that it comes at any moment of a write


async def test_what_was_acknowledged_outlives_any_kill_and_nothing_is_half_there(tmp_path):
    oracle = Oracle()
    with Server(tmp_path, JWT_EXPIRATIONTIME="1h", API_TOKEN="the-operator-of-a-crash") as server:
        async for client in killed(server, oracle, CYCLES, random.Random(6)):
            await settle(client, oracle)
        async with client_of(server.url, server.login().json()["token"]) as client:
            await client.post("/v1/sweep", headers={"Authorization": "the-operator-of-a-crash"}, timeout=SOON)
            assert await words_told(client) == words_used(oracle)
        server.stop()

    assert len([shape for shape in oracle.shapes() if shape.digests]) > CYCLES
    assert oracle.written > CYCLES * BEFORE[0]
    await swept_clean(tmp_path, oracle)


async def killed(server, oracle, cycles, chance):
    """Write, kill and start again, so often. Yields a client after each, when the server answers again."""
    token = server.login().json()["token"]
    for cycle in range(cycles):
        async with client_of(server.url, token) as client:
            writing = [Writer(client, oracle, f"{cycle} {number}").write() for number in range(WRITERS)]
            writers = [asyncio.create_task(each) for each in writing]
            try:
                await oracle.until(chance.randint(*BEFORE), *writers)
                await asyncio.sleep(chance.random() * MIDST)
                if cycle % 2:
                    os.kill(server.database_pid, signal.SIGKILL)
                    await oracle.until(AFTER, *writers)
                else:
                    server.kill()
            finally:
                # To their ends: a server that lives goes on with requests whose client is gone.
                oracle.is_over = True
                ended = await asyncio.gather(*writers, return_exceptions=True)
                oracle.is_over = False
        assert [end for end in ended if end] == []
        if not cycle % 2:
            server.start()
        async with client_of(server.url, token) as client:
            yield client


async def swept_clean(folder, oracle):
    """Sweep what a stopped server has left, and return what went. Nothing is there then that no version names, and no
    file of the artifact service.
    """
    with Embedded(folder / "data") as embedded:
        database = connect(embedded.ready(), FileStorage(folder / "uploads"))
        await database.open()
        tenant = await tenants.enter(database, TENANT)
        swept = await sweep.sweep(tenant, grace=timedelta())
        named = {file["digest"] async for version in tenant.versions.records.find({}) for file in version["files"]}
        logged = {file["digest"] async for file in tenant.artifact_files.records.find({})}
        left = [file for file in (folder / "uploads").rglob("*") if file.is_file()]
        assert {digest for shape in oracle.shapes() for digest in shape.digests} == named
        assert {file.name for file in left} == named | logged
        assert len(left) == len(named | logged)
        assert await quota.usage(tenant) == sum(file.stat().st_size for file in left)
        database.close()
    return swept

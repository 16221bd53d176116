"""Kill -9 of the server and of its database, under writes: nothing acknowledged is lost, nothing is half there."""

import asyncio
import hashlib
import os
import random
import signal
from contextlib import suppress
from datetime import timedelta
from itertools import count

import httpx

from catalog.blobs.files import FileStorage
from catalog.domain import kept, sweep, tenants
from catalog.store.database import connect
from catalog.store.embedded import Embedded
from tests.serving import SOON, TENANT, Server

CYCLES = 6  # in every other one it is the database that dies
WRITERS = 4
BEFORE, AFTER = (10, 40), 5  # acknowledged writes of one cycle before the kill, and after the database's
MIDST = 0.05  # seconds at most from the last of them to the kill, so that it comes at any moment of a write


class Oracle:
    """Everything that the catalog was asked to keep, and what it said it has kept."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.models: dict[str, str] = {}  # id -> name
        self.versions: dict[tuple[str, str], str] = {}  # (id of the model, ordinal) -> digest
        self.digests: set[str] = set()  # of everything that was ever sent
        self.names = (f"model-{number}" for number in count())
        self.written = 0
        self.is_over = False

    async def until(self, writes: int, *writers: asyncio.Task[None]) -> None:
        """Wait for so many more acknowledged writes."""
        enough = self.written + writes
        async with asyncio.timeout(SOON):
            while self.written < enough:
                assert [writer.result() for writer in writers if writer.done()] == []
                await asyncio.sleep(0.001)


async def test_what_was_acknowledged_outlives_any_kill_and_nothing_is_half_there(tmp_path):
    oracle = Oracle()
    with Server(tmp_path, JWT_EXPIRATIONTIME="1h") as server:
        async for client in killed(server, oracle, CYCLES, random.Random(6)):
            await check(client, oracle)
        server.stop()

    assert len(oracle.models) > CYCLES
    assert len(oracle.versions) > CYCLES
    await swept_clean(tmp_path)


async def killed(server, oracle, cycles, chance):
    """Write, kill and start again, so often. Yields a client after each, when the server answers again."""
    token = server.login().json()["token"]
    async with client_of(server, token) as client:
        await make_model(client, oracle)
    for cycle in range(cycles):
        async with client_of(server, token) as client:
            writers = [asyncio.create_task(write(client, oracle, cycle, number)) for number in range(WRITERS)]
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
        async with client_of(server, token) as client:
            yield client


async def swept_clean(folder):
    """Sweep what a stopped server has left, and return what went. Nothing is there then that no version names."""
    with Embedded(folder / "data") as embedded:
        database = connect(embedded.ready())
        await database.open()
        tenant = await tenants.enter(database, TENANT)
        swept = await sweep.sweep(tenant, FileStorage(folder / "uploads").of(TENANT), grace=timedelta())
        named = {file["digest"] async for version in tenant.versions.raw.find({}) for file in version["files"]}
        left = [file for file in (folder / "uploads").rglob("*") if file.is_file()]
        assert {file.name for file in left} == named
        assert len(left) == len(named)
        assert await kept.usage(tenant) == sum(file.stat().st_size for file in left)
        database.close()
    return swept


def client_of(server, token):
    return httpx.AsyncClient(base_url=server.url, headers={"Authorization": token}, timeout=SOON)


async def write(client, oracle, cycle, number):
    """Make models and add versions to them, until the server is gone or it is over."""
    chance = random.Random(f"{cycle} {number}")
    with suppress(httpx.TransportError):
        while not oracle.is_over:
            if chance.random() < 0.3:
                await make_model(client, oracle)
            else:
                await add_version(client, oracle, chance.choice(list(oracle.models)), chance)


async def make_model(client, oracle):
    name = next(oracle.names)
    oracle.asked.add(name)
    made = await client.post("/v1/models", json=a_model(name))
    if acknowledged(made):
        oracle.models[made.json()["_id"]] = name
        oracle.written += 1


async def add_version(client, oracle, model, chance):
    content = chance.randbytes(chance.choice((1, 40_000, 800_000)) + chance.randrange(1000))
    digest = hashlib.sha256(content).hexdigest()
    oracle.digests.add(digest)
    kept = await client.post(f"/v1/models/{model}/versions", files={"file": ("weights.bin", content)})
    if acknowledged(kept):
        [version] = [version for version in kept.json()["versions"] if version["digest"] == digest]
        oracle.versions[model, version["ordinal"]] = digest
        oracle.written += 1


def a_model(name):
    return {"name": name, "tags": ["kept"], "metadata": [{"name": "of", "value": name}], "visibility": "public"}


def acknowledged(answer):
    """A database that is away is no fault; any other refusal would be."""
    assert answer.status_code in {200, 503}, answer.text
    return answer.status_code == 200


async def check(client, oracle):
    """Compare what can be seen with what was asked and what was acknowledged."""
    models = {model["_id"]: model async for model in everything(client)}

    assert oracle.models.items() <= {key: model["name"] for key, model in models.items()}.items()
    assert {model["name"] for model in models.values()} <= oracle.asked
    for key, model in models.items():
        assert {field: model[field] for field in a_model("")} == a_model(model["name"])
        assert (await client.get(f"/v1/models/{key}")).json() == model
    seen = {(key, version["ordinal"]): version for key, model in models.items() for version in model["versions"]}
    assert len(seen) == sum(len(model["versions"]) for model in models.values())
    assert oracle.versions.items() <= {place: version["digest"] for place, version in seen.items()}.items()
    await asyncio.gather(*(check_bytes(client, oracle, place, version) for place, version in seen.items()))
    for name in sorted(oracle.asked - {model["name"] for model in models.values()}):
        # Of what was cut off nothing is left that would be in the way of trying again.
        again = await client.post("/v1/models", json=a_model(name))
        assert again.status_code == 200, again.text
        oracle.models[again.json()["_id"]] = name


async def everything(client):
    page = 1
    while page:
        listed = (await client.get("/v1/models", params={"limit": 50, "page": page})).json()
        for model in listed["docs"]:
            yield model
        page = listed["nextPage"]


async def check_bytes(client, oracle, place, version):
    model, ordinal = place
    downloaded = await client.get(f"/v1/models/{model}/versions/{ordinal}")
    assert downloaded.status_code == 200, downloaded.text
    assert hashlib.sha256(downloaded.content).hexdigest() == version["digest"]
    assert version["digest"] in oracle.digests

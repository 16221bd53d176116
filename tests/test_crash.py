"""Kill -9 of the server and of its database, under writes: nothing acknowledged is lost, nothing is half there."""

import asyncio
import hashlib
import os
import random
import signal
from contextlib import suppress
from itertools import count

import httpx

from tests.serving import SOON, Server

CYCLES = 6  # in every other one it is the database that dies
WRITERS = 4
BEFORE, AFTER = (10, 40), 5  # acknowledged writes of one cycle before the kill, and after the database's


class Oracle:
    """Everything that the catalog was asked to keep, and what it said it has kept."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.models: dict[str, str] = {}  # id -> name
        self.versions: dict[tuple[str, str], str] = {}  # (id of the model, ordinal) -> digest
        self.digests: set[str] = set()  # of everything that was ever sent
        self.names = (f"model-{number}" for number in count())
        self.written = 0

    async def until(self, writes: int, *writers: asyncio.Task[None]) -> None:
        """Wait for so many more acknowledged writes."""
        enough = self.written + writes
        async with asyncio.timeout(SOON):
            while self.written < enough:
                assert [writer.result() for writer in writers if writer.done()] == []
                await asyncio.sleep(0.001)


async def test_what_was_acknowledged_outlives_any_kill_and_nothing_is_half_there(tmp_path):
    oracle, chance = Oracle(), random.Random(6)
    with Server(tmp_path, JWT_EXPIRATIONTIME="1h") as server:
        token = server.login().json()["token"]
        async with client_of(server, token) as client:
            await make_model(client, oracle)
        for cycle in range(CYCLES):
            async with client_of(server, token) as client:
                writers = [asyncio.create_task(write(client, oracle, cycle, number)) for number in range(WRITERS)]
                try:
                    await oracle.until(chance.randint(*BEFORE), *writers)
                    if cycle % 2:
                        os.kill(server.database_pid, signal.SIGKILL)
                        await oracle.until(AFTER, *writers)
                    else:
                        server.kill()
                finally:
                    for writer in writers:
                        writer.cancel()
                    ended = await asyncio.gather(*writers, return_exceptions=True)
            assert not [end for end in ended if isinstance(end, AssertionError)]
            if not cycle % 2:
                server.start()
            async with client_of(server, token) as client:
                await check(client, oracle)

    assert len(oracle.models) > CYCLES
    assert len(oracle.versions) > CYCLES


def client_of(server, token):
    return httpx.AsyncClient(base_url=server.url, headers={"Authorization": token}, timeout=SOON)


async def write(client, oracle, cycle, number):
    """Make models and add versions to them, until the server is gone."""
    chance = random.Random(f"{cycle} {number}")
    with suppress(httpx.TransportError):
        while True:
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
    content = chance.randbytes(chance.randint(1, 40_000))
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

"""Two servers on one database and one storage: what one learns the other knows, and either may go."""

import asyncio
import hashlib
import random
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Self

import httpx
import pytest

from catalog.store.connection import connect
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.migrations.steps.sequence import NEWEST
from tests.support.app import API_TOKEN, OURS, PASSWORD, in_database
from tests.support.guesses import counted_guesses
from tests.support.ports import reserved_port
from tests.support.processes import until
from tests.support.serving import SOON, TENANT, Server

LOOKS_EVERY = 0.1  # seconds between two looks of the balancer
WRITERS = 2
VERSIONS = 20


@pytest.fixture(scope="module")
def pair(tmp_path_factory, mongo) -> Iterator[list[Server]]:
    """They start at the same moment, on a database that is new; one is a single process, the other has workers."""
    folder = tmp_path_factory.mktemp("pair")
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    shared = {
        "DATABASE": in_database(mongo, f"{name}-catalogue"),
        "DEFAULT_TENANT_DATABASE": f"{name}-default",
        "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD": PASSWORD,
        "UPLOAD_PATH": str(folder / "uploads"),
        "API_TOKEN": API_TOKEN,
        "JWT_SECRET": "a secret of the tests, long enough for HS256",
        "STOP_DELAY": "1",
    }
    with ExitStack() as stack, ThreadPoolExecutor(2) as starters:
        servers = []
        for number in (1, 2):
            (folder / f"server-{number}").mkdir()
            port = str(stack.enter_context(reserved_port()))  # where the balancer expects it again
            servers.append(Server(folder / f"server-{number}", WORKERS=str(number), HTTP_PORT=port, **shared))
        list(starters.map(stack.enter_context, servers))
        yield servers


class Balancer:
    """Sends each request to a server that was ready when it last looked, and to another when its connection is refused.

    Whatever else happens to a request is told to its client.
    """

    def __init__(self, servers: list[Server]) -> None:
        self.urls = [server.url for server in servers]
        self.ready = list(self.urls)
        self._client = httpx.Client(timeout=SOON)  # which keeps connections, as balancers do
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watching.join()
        self._client.close()

    def send(self, method: str, path: str, token: str, **asked) -> httpx.Response:
        while True:
            url = random.choice(self.ready or self.urls)
            try:
                return self._client.request(method, f"{url}{path}", headers={"Authorization": token}, **asked)
            except httpx.ConnectError:
                continue

    def _watch(self) -> None:
        while not self._over.wait(LOOKS_EVERY):
            self.ready = [url for url in self.urls if is_ready(url)]


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", timeout=SOON).status_code == 200
    except httpx.TransportError:
        return False


def signed_in(server: Server) -> str:
    return server.login(password=PASSWORD).raise_for_status().json()["token"]


def test_two_servers_that_start_at_once_are_one_catalog(pair):
    one, other = pair
    made = sum("was created" in line for server in pair for line in server.told)
    token = signed_in(one)

    with one.client(token) as here, other.client(token) as there:
        here.post("/v1/models", json={"name": "iris"}).raise_for_status()
        uploaded = there.post("/v1/models/iris/versions", files={"file": ("w", b"weights")}).raise_for_status()
        fetched = here.get(f"/v1/models/{uploaded.json()['_id']}/versions/1")

    assert made == 1
    assert fetched.content == b"weights"


def test_a_token_that_one_server_revokes_is_out_on_the_other(pair):
    one, other = pair
    with one.client(signed_in(one)) as here, other.client(signed_in(other)) as there:
        made = here.post("/v1/tokens", json={"name": "ci", "scopes": ["read"]}).raise_for_status().json()
        as_script = {"Authorization": made["token"]}
        assert {client.get("/v1/models", headers=as_script).status_code for client in (here, there)} == {200}

        here.delete(f"/v1/tokens/{made['_id']}").raise_for_status()

        until(lambda: there.get("/v1/models", headers=as_script).status_code == 401)


def test_wrong_passwords_are_counted_on_both(pair):
    with pair[0].client(signed_in(pair[0])) as admin:
        person = {"username": "eve", "password": PASSWORD, "email": "eve@example.org", "role": "regular"}
        admin.post("/v1/users", json=person).raise_for_status()
    guess = {"username": "eve", "password": "a wrong one", "tenant": TENANT}

    with counted_guesses(pair[0].settings["DATABASE"]) as counted:
        answers = [
            httpx.post(f"{pair[turn % 2].url}/v1/login", json=guess, timeout=SOON).status_code for turn in range(5)
        ]

    assert answers == [401] * 5
    assert counted == [5]
    assert [server.login("eve", PASSWORD).status_code for server in pair] == [429, 429]


async def test_a_tenant_of_an_older_version_is_upgraded_once(pair):
    token = signed_in(pair[0])
    with pair[0].client(token) as client:
        client.post("/v1/models", json={"name": "upgraded"}).raise_for_status()
        for _ in range(VERSIONS):
            client.post("/v1/models/upgraded/versions", files={"file": ("w", b"weights")}).raise_for_status()
    database = connect(pair[0].settings["DATABASE"])
    await database.open()
    tenant = database.tenant(RegisteredTenant(id=TENANT, database=pair[0].settings["DEFAULT_TENANT_DATABASE"]))
    await tenant.versions.records.update_many({}, {"$unset": {"serial": ""}})
    await database.tenants.records.update_one({"_id": TENANT}, {"$unset": {"schema_number": "", "schema_target": ""}})

    async def is_upgraded() -> bool:  # each server looks at the tenant again within 3 seconds
        for server in pair:
            await asyncio.to_thread(httpx.get, f"{server.url}/v1/models", headers={"Authorization": token})
        return await database.tenants.records.find_one({"_id": TENANT, "schema_number": NEWEST}) is not None

    async with asyncio.timeout(30):
        while not await is_upgraded():
            pass
    serials = [version.get("serial") async for version in tenant.versions.records.find({})]
    database.close()

    assert sum(server.log.read_text().count("upgrade from schema 0 to") for server in pair) == 1
    assert len(set(serials)) == len(serials) >= VERSIONS
    assert None not in serials


def test_a_rolling_restart_under_load_loses_nothing(pair):
    token, written, over = signed_in(pair[0]), {}, threading.Event()

    def write(balancer):
        chance = random.Random(threading.get_ident())
        while not over.is_set():
            name, content = f"n{chance.randbytes(6).hex()}", chance.randbytes(chance.randrange(300_000))
            made = balancer.send("POST", "/v1/models", token, json={"name": name})
            assert made.status_code == 200, made.text
            path = f"/v1/models/{made.json()['_id']}/versions"
            kept = balancer.send("POST", path, token, files={"file": ("weights", content)})
            assert kept.status_code == 200, kept.text
            written[f"{path}/1"] = hashlib.sha256(content).hexdigest()

    with Balancer(pair) as balancer, ThreadPoolExecutor(WRITERS) as writers:
        at_it = [writers.submit(write, balancer) for _ in range(WRITERS)]
        try:
            for server in pair:
                before = len(written)
                until(lambda before=before: len(written) > before + 10 or any(writer.done() for writer in at_it))
                assert server.stop() == 0
                server.start()
                until(lambda server=server: server.url in balancer.ready)
        finally:
            over.set()
        for writer in at_it:
            writer.result()

    with pair[0].client(token) as here:
        found = {path: hashlib.sha256(here.get(path).content).hexdigest() for path in written}
    assert found == written

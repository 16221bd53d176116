"""A real application over a real database: the embedded one, or the MongoDB of CATALOG_TEST_DATABASE."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from litestar import Litestar
from mongomock.collection import BulkOperationBuilder
from mongomock_motor import AsyncMongoMockClient

from catalog.app import create_app
from catalog.blobs.memory import MemoryStorage
from catalog.domain.access import Caller
from catalog.domain.people import credentials, users
from catalog.settings.settings import Settings, load
from catalog.store.database import Database, Tenant, connect
from catalog.store.documents import RegisteredTenant
from catalog.store.embedded.process import Embedded
from catalog.vocabulary import Role
from tests.support.s3_server import S3Server, s3_server

API_TOKEN = "the-operator-of-the-tests"
PASSWORD = "Engine-No-1"
OURS = f"t{uuid.uuid4().hex[:6]}"
"""What the names of this run's databases begin with."""


def in_database(uri: str, name: str) -> str:
    """The same server, with `name` as its catalogue."""
    parts = urlsplit(uri)
    query = parts.query if "authSource" in parts.query or "@" not in parts.netloc else f"{parts.query}&authSource=admin"
    return parts._replace(path=f"/{name}", query=query.lstrip("&")).geturl()


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Passwords cost a hundredth here: most tests begin with four people who sign in. Servers of their own pay all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(credentials, "_HASHES", credentials.hashes(memory=8, passes=1))
        yield


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database on the real wire."""
    if given := os.environ.get("CATALOG_TEST_DATABASE"):
        yield given
        return
    with Embedded(tmp_path_factory.mktemp("database")) as embedded:
        yield embedded.ready()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A server that speaks S3, without a bucket yet."""
    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("catalog")
    return load(
        Path("no-such-file.env"),
        {
            "API_TOKEN": API_TOKEN,
            "JWT_SECRET": "a secret of the tests, long enough for HS256",
            "DATA_PATH": str(folder / "data"),
            "UPLOAD_PATH": str(folder / "uploads"),
            "DEFAULT_TENANT": f"{OURS}-default",
            "DEFAULT_TENANT_DATABASE": f"{OURS}-default",
            "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD": PASSWORD,
        },
    )


@pytest.fixture(scope="session")
async def app(mongo: str, settings: Settings) -> AsyncIterator[Litestar]:
    app = create_app(settings, in_database(mongo, f"{OURS}-catalogue"))
    started, over = asyncio.Event(), asyncio.Event()

    async def live() -> None:  # in one task from beginning to end, as Litestar's lifespan wants
        async with app.lifespan():
            started.set()
            await over.wait()

    life = asyncio.create_task(live())
    await asyncio.wait([life, asyncio.create_task(started.wait())], return_when=asyncio.FIRST_COMPLETED)
    yield app
    over.set()
    await life
    if "CATALOG_TEST_DATABASE" in os.environ:
        await _drop_ours(mongo)


async def _drop_ours(mongo: str) -> None:
    database = connect(mongo)
    for name in await database.client.list_database_names():
        if name.startswith(OURS):
            await database.drop(name)
    database.close()


@pytest.fixture(scope="session")
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://catalog") as client:
        yield client


@dataclass
class Organisation:
    """A tenant with its administrator and, as they are asked for, regular users."""

    client: httpx.AsyncClient
    name: str
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    async def sign_in(self, username: str) -> dict[str, str]:
        body = {"username": username, "password": PASSWORD, "tenant": self.name}
        answer = (await self.client.post("/v1/login", json=body)).raise_for_status().json()
        self.tokens[username], self.ids[username] = answer["token"], answer["user"]["_id"]
        return self.as_(username)

    async def hire(self, *usernames: str) -> None:
        for username in usernames:
            body = {
                "username": username,
                "password": PASSWORD,
                "email": f"{username}@example.org",
                "role": "regular",
            }
            (await self.client.post("/v1/users", json=body, headers=self.as_("admin"))).raise_for_status()
            await self.sign_in(username)

    def as_(self, username: str) -> dict[str, str]:
        """The headers of a request by a user."""
        return {"Authorization": self.tokens[username]}


async def organisation(client: httpx.AsyncClient, *people: str) -> Organisation:
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    body = {"_id": name, "email": "info@example.org", "admin_username": "admin", "admin_password": PASSWORD}
    (await client.post("/v1/tenants", json=body, headers={"Authorization": API_TOKEN})).raise_for_status()
    made = Organisation(client, name)
    await made.sign_in("admin")
    await made.hire(*people)
    return made


@pytest.fixture
async def org(client: httpx.AsyncClient) -> Organisation:
    """A tenant of this test alone, with `admin`, `ada`, `bob` and `eve`."""
    return await organisation(client, "ada", "bob", "eve")


@pytest.fixture
async def other_org(client: httpx.AsyncClient) -> Organisation:
    """Another tenant, with an `ada` of its own."""
    return await organisation(client, "ada")


def _without_sort(add_update):
    def adding(
        self, selector, doc, multi=False, upsert=False, collation=None, array_filters=None, hint=None, sort=None
    ):
        assert sort is None
        return add_update(self, selector, doc, multi, upsert, collation, array_filters, hint)

    return adding


# PyMongo 4.11 began to hand a `sort` to every update of a bulk, which the mock has not learnt yet.
BulkOperationBuilder.add_update = _without_sort(BulkOperationBuilder.add_update)


@pytest.fixture(params=["mock", "wire"])
async def database(request: pytest.FixtureRequest, mongo: str, storage: MemoryStorage) -> AsyncIterator[Database]:
    """The same tests on the mock and on the real wire."""
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    if request.param == "mock":
        opened = Database(AsyncMongoMockClient(tz_aware=True), name, storage)
    else:
        opened = connect(in_database(mongo, name), storage)
    await opened.open()
    yield opened
    opened.close()


@pytest.fixture
async def tenant(database: Database) -> Tenant:
    """A tenant's handle, without a server around it."""
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    made = database.tenant(RegisteredTenant(id=name, database=name))
    await made.prepare()
    return made


async def somebody(tenant: Tenant, username: str = "ada", role: Role = Role.REGULAR) -> Caller:
    """A user of the tenant, as a caller."""
    user = await users.add(tenant, username, PASSWORD, role, email=f"{username}@example.org", days=0)
    return Caller(tenant, user.id, username, role)


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()

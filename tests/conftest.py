"""A real application over a real database: the embedded one, or the MongoDB of CATALOG_TEST_DATABASE."""

import asyncio
import os
import random
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest
from litestar import Litestar
from mongomock.collection import BulkOperationBuilder
from mongomock.collection import Collection as MockCollection
from mongomock_motor import AsyncMongoMockClient

from catalog.app import create_app
from catalog.blobs.memory import MemoryStorage
from catalog.domain.items.search import names, search
from catalog.domain.people.authentication import credentials
from catalog.inspection import inspector
from catalog.settings.settings import Settings
from catalog.store.connection import connect
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.embedded.process import Embedded
from catalog.store.tenant import Tenant
from tests.support import process_tests
from tests.support.app import OURS, in_database, settings_in
from tests.support.leftovers import clear_up_after_this_process
from tests.support.memory import folder_in_memory
from tests.support.recycling import SPARE, Wire, prepared
from tests.support.s3_server import S3Server, s3_server
from tests.support.tenants import Organisation, organisation_of_a_test

TESTS = Path(__file__).parent

LONG = ("compose", "deploy", "docs", "server", "soak", "dialects/test_page.py", "dialects/test_fuzz.py", "bench")
"""Folders and files of long tests. They run first, so that at the end no worker has one of them alone."""

PATIENT = "connectTimeoutMS=60000&serverSelectionTimeoutMS=60000"
"""Of the database that the tests share. A server gives one up that hangs for three seconds, which on a busy machine it
may do: then any test would fail.
"""

# Property tests use the same examples in each run, so that a failure has its cause in the change. `make fuzz` uses new
# ones.
# A busy machine makes the generation of examples slow, and nothing else.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
if "CATALOG_FUZZ_EXAMPLES" not in os.environ:
    hypothesis.settings.load_profile("repeatable")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # of pytest-xdist, whose processes take part in the run of another one
        clear_up_after_this_process(_use_memory(config))
    process_tests.record_processes()


def _use_memory(config: pytest.Config) -> Path | None:
    """Have all temporary files in memory, in one folder, unless they are to be somewhere else."""
    if config.option.basetemp is not None or (folder := folder_in_memory()) is None:
        return None
    config.option.basetemp = folder / "tests"
    (folder / "tmp").mkdir()
    os.environ["TMPDIR"] = str(folder / "tmp")
    tempfile.tempdir = None  # which may have been asked for
    return folder


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    for item in items:
        if process_tests.refers_to_processes(item):
            item.add_marker("process")
    items.sort(key=_is_short)


def _is_short(item: pytest.Function) -> bool:
    return not any(item.path.is_relative_to(TESTS / part) for part in LONG)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    random.seed(item.nodeid)  # the same bytes in each run, others than those of every other test
    process_tests.started.clear()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    if process_tests.started and not item.get_closest_marker("process"):
        pytest.fail(f"mark it as `process`, for it starts one: {process_tests.started}")


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Passwords cost a hundredth here: most tests begin with four people who sign in. Servers of their own pay all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(credentials, "_HASHES", credentials.hashes(memory=8, passes=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def patient_searches() -> Iterator[None]:
    """A search that answers what it has found after some milliseconds finds everything here, on a busy machine, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "SECONDS", 60)
        patch.setattr(search, "SOON", 60)
        yield


@pytest.fixture(scope="session", autouse=True)
def patient_inspections() -> Iterator[None]:
    """An inspection that is given up after some seconds ends by itself here, on a busy machine, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspector, "SECONDS", 60.0)
        yield


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database on the real wire."""
    if given := os.environ.get("CATALOG_TEST_DATABASE"):
        yield given
        return
    with Embedded(tmp_path_factory.mktemp("database")) as embedded:
        yield f"{embedded.ready()}&{PATIENT}"


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A server that speaks S3, without a bucket yet."""
    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_in(tmp_path_factory.mktemp("catalog"))


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


@pytest.fixture
async def org(client: httpx.AsyncClient) -> AsyncIterator[Organisation]:
    """A tenant of this test alone, with `admin`, `ada`, `bob` and `eve`."""
    async with organisation_of_a_test(client, "ada", "bob", "eve") as made:
        yield made


@pytest.fixture
async def other_org(client: httpx.AsyncClient) -> AsyncIterator[Organisation]:
    """Another tenant, with an `ada` of its own."""
    async with organisation_of_a_test(client, "ada") as made:
        yield made


def _without_sort(add_update):
    def adding(
        self, selector, doc, multi=False, upsert=False, collation=None, array_filters=None, hint=None, sort=None
    ):
        assert sort is None
        return add_update(self, selector, doc, multi, upsert, collation, array_filters, hint)

    return adding


# PyMongo 4.11 began to hand a `sort` to every update of a bulk, which the mock has not learnt yet.
BulkOperationBuilder.add_update = _without_sort(BulkOperationBuilder.add_update)


def _create_indexes(self, indexes, session=None):
    options = ("name", "unique", "sparse", "expireAfterSeconds", "partialFilterExpression")
    return [
        self.create_index(
            list(index.document["key"].items()),
            session=session,
            **{name: index.document[name] for name in options if name in index.document},
        )
        for index in indexes
    ]


# The mock's own leaves out `partialFilterExpression`: records without a field that others have once would be equal.
MockCollection.create_indexes = _create_indexes


@pytest.fixture(scope="session")
def wire(mongo: str) -> Iterator[Wire]:
    """The connection that `database` and `tenant` share, with the databases that earlier tests used."""
    opened = connect(mongo)
    yield Wire(opened.client)
    opened.close()


@pytest.fixture(params=["mock", "wire"])
async def database(request: pytest.FixtureRequest, storage: MemoryStorage) -> AsyncIterator[Database]:
    """The same tests on the mock and on the real wire."""
    name = f"{OURS}-{uuid.uuid4().hex[:8]}"
    if request.param == "mock":
        opened = Database(AsyncMongoMockClient(tz_aware=True), name, storage)
        await opened.open()
        yield opened
        opened.close()
        return
    wire: Wire = request.getfixturevalue("wire")
    opened = Database(wire.client, name, storage)  # tests derive names from that of the catalogue: it is new
    SPARE[opened] = wire.tenants
    await opened.open()
    yield opened


@pytest.fixture
async def tenant(database: Database) -> AsyncIterator[Tenant]:
    """A tenant's handle, without a server around it."""
    spare = SPARE.get(database)
    used = await spare.take() if spare else None
    name = used or f"{OURS}-{uuid.uuid4().hex[:8]}"
    made = database.tenant(RegisteredTenant(id=name, database=name))
    if not used:
        await made.prepare()
        prepared(name)
    yield made
    if spare:
        spare.give_back(name)


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()

"""Every list that the API offers is walked by an index: asked of the database, with the commands that lists send."""

import json
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from catalog.domain.access import Caller, readable_by, readers
from catalog.store.clock import now
from catalog.store.database import Database
from catalog.store.documents.items import ITEMS
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.query import fields
from catalog.store.query.filters.filter import filter_of, within
from catalog.store.query.paging import serial_scan, value_order
from catalog.store.query.paging.cursors import Order
from catalog.store.query.paging.pages import LATEST, NEWEST, Listing, ListPage, after, page
from catalog.store.query.paging.serial_scan import ScanStatistics
from catalog.store.query.params import sort_of
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind, Role
from tests.support.app import OURS, in_database

ADA = ObjectId("64b7f0000000000000000001")
MANY = 300  # more than the narrowest window holds
ASKING = ("find", "aggregate", "count")


class Heard(CommandListener):
    """The questions that a client asked."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in ASKING:
            kept = {key: value for key, value in event.command.items() if not key.startswith("$") and key != "lsid"}
            self.commands.append(kept)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


class Library:
    """A tenant with something in it, and what is asked of its database."""

    def __init__(self, database: Database, tenant: Tenant, heard: Heard) -> None:
        self.database = database
        self.tenant = tenant
        self.heard = heard

    async def plans(self, asked: Listing) -> list[tuple[bool, str]]:
        """How the database answers a first page, a later one, a walk by cursor and its next step.

        With each plan goes whether it is of a whole collection in order.
        """
        self.heard.commands.clear()
        await page(asked, skip=0, limit=10)
        await page(asked, skip=20, limit=10)
        _, cursor = await after(asked, "", limit=10)
        if cursor:
            await after(asked, cursor, limit=10)
        questions, self.heard.commands = self.heard.commands, []
        home = asked.collection.database
        return [(question.get("filter") == {}, await explained(home, question)) for question in questions]


async def explained(database: Any, question: dict[str, Any]) -> str:
    return json.dumps(await database.command("explain", question, verbosity="queryPlanner"), default=str)


@pytest.fixture(scope="module")
async def library(mongo: str) -> AsyncIterator[Library]:
    heard = Heard()
    uri = in_database(mongo, f"{OURS}-indexes")
    database = Database(AsyncIOMotorClient(uri, tz_aware=True, event_listeners=[heard]), f"{OURS}-indexes")
    await database.open()
    tenant = database.tenant(RegisteredTenant(id="indexes", database=f"{OURS}-indexes-tenant"))
    await tenant.prepare()
    for kind in Kind:
        await tenant.items(kind).records.insert_many([an_item(serial) for serial in range(1, MANY + 1)])
    for words in (tenant.tags, tenant.metadata):
        await words.records.insert_many([a_word(number) for number in range(MANY)])
    await tenant.users.records.insert_many([a_user(number) for number in range(MANY)])
    await database.tenants.records.insert_many([a_tenant(number) for number in range(MANY)])
    yield Library(database, tenant, heard)
    database.close()


def an_item(serial: int) -> dict[str, Any]:
    return {
        "serial": serial,
        "name": f"m{serial}",
        "owner": ADA if serial % 2 else ObjectId(),
        "users": [ADA] if serial % 3 else [],
        "visibility": "public",
        "status": "test",
        "tags": ["often"],
        "datasets": [ADA] if serial % 5 else [],
        "metadata": [{"name": "accuracy", "value": serial}],
        "description": "",
        "aliases": [{"name": "champion", "number": 1}] if serial % 7 == 0 else [],
        "license": "MIT" if serial % 11 == 0 else "",
        "library": "keras" if serial % 13 == 0 else "",
        "languages": ["en"] if serial % 17 == 0 else [],
        "tasks": ["tagging"] if serial % 17 == 0 else [],
        "stages": ["production"] if serial % 9 == 0 else [],
        "latest": {"number": 1, "metadata": [{"name": "loss", "value": serial}]} if serial % 3 == 0 else None,
        "timestamp": now(),
        "lastmod": now(),
        "readers": readers(ADA, [], [], "public"),
    }


def a_word(number: int) -> dict[str, Any]:
    return {"_id": f"w{number}", "usage": "folk", "owner": ADA, "uses": number, "timestamp": now()}


def a_user(number: int) -> dict[str, Any]:
    who = {"username": f"u{number}", "email": f"u{number}@example.org", "role": "regular"}
    return who | {"timestamp": now(), "lastmod": now(), "createdPassword": now(), "validityPasswordDays": 1}


def a_tenant(number: int) -> dict[str, Any]:
    return {"_id": f"t{number}", "database_key": f"t{number}", "state": "ready", "timestamp": now(), "lastmod": now()}


FILTERS = {
    "everything": {},
    "tag": {"tags": "often"},
    "two tags": {"$and": [{"tags": "often"}, {"tags": "seldom"}]},
    "one of some tags": {"tags": {"$in": ["often", "seldom"]}},
    "metadata name": {"metadata.name": "accuracy"},
    "metadata": {"metadata": {"name": "accuracy", "value": {"$gte": 0.5}}},
    "owner": {"owner": str(ADA)},
    "users": {"users": str(ADA)},
    "alias": {"aliases.name": "champion"},
    "license": {"license": "MIT"},
    "library": {"library": "keras"},
    "language": {"languages": "en"},
    "task": {"tasks": "tagging"},
    "stage": {"stages": "production"},
    "name in the latest version": {"latest.metadata.name": "loss"},
    "value in the latest version": {"latest.metadata": {"name": "loss", "value": {"$lt": 100}}},
    "visibility": {"visibility": "public"},
    "name": {"name": "m7"},
    "beginning of a name": {"name": {"$regex": "^m7"}},
    "any of": [{"tags": "often"}, {"name": "m7"}],
    "serial": {"serial": {"$gt": 20}},
}
OF_TRAINED = FILTERS | {"datasets": {"datasets": str(ADA)}, "status": {"status": "test"}}


def items(library: Library, kind: Kind, role: Role, filter_: Any, order: Order) -> Listing:
    caller = Caller(library.tenant, ADA, "ada", role)
    query = within(readable_by(caller), filter_of(fields.ITEMS[kind], json.dumps(filter_)))
    return Listing(library.tenant.items(kind).records, query, order, top=MANY, samples=library.tenant.known.samples)


async def test_a_plan_without_an_index_says_so(library: Library) -> None:
    query = {"description": "x"}
    found = {"find": "models", "filter": query}
    counted = {"aggregate": "models", "pipeline": [{"$match": query}], "cursor": {}}

    for question in (found, counted):
        assert "COLLSCAN" in await explained(library.tenant.database, question)


KINDS = [Kind.MODEL, Kind.DATASET]
"""Algorithms have the indexes of models."""


def test_algorithms_have_the_indexes_of_models() -> None:
    models, algorithms = (
        [index.document for index in ITEMS[kind].Settings.indexes] for kind in (Kind.MODEL, Kind.ALGORITHM)
    )

    assert algorithms == models


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind", KINDS)
async def test_the_newest_items_are_walked_by_an_index_whatever_is_asked_of_them(
    library: Library, kind: Kind, role: Role
) -> None:
    for name, filter_ in (FILTERS if kind is Kind.DATASET else OF_TRAINED).items():
        for _, plan in await library.plans(items(library, kind, role, filter_, NEWEST)):
            assert "IXSCAN" in plan, name
            assert "COLLSCAN" not in plan, name


@pytest.mark.parametrize("kind", KINDS)
async def test_items_are_sorted_by_an_index(library: Library, kind: Kind) -> None:
    # `_id` has an index of its own; the embedded engine has none to walk for it, and reads everything.
    for field in sorted(fields.ITEMS[kind].sortable - {"_id"}):
        for direction in ("asc", "desc"):
            order = sort_of(fields.ITEMS[kind], json.dumps({field: direction}))
            for is_whole, plan in await library.plans(items(library, kind, Role.ADMIN, {}, order)):
                assert "COLLSCAN" not in plan, (field, direction)
                # With a filter the embedded engine sorts whatever it has found; MongoDB walks the same index.
                assert not (is_whole and '"SORT"' in plan), (field, direction)


async def test_items_that_have_a_value_to_sort_by_are_found_by_an_index(library: Library) -> None:
    asked = items(library, Kind.MODEL, Role.REGULAR, {}, [("latest.loss", 1)])._replace(top=MANY)
    library.heard.commands.clear()

    found = await value_order.page(asked, skip=0, limit=10)
    docs, cursor = await value_order.after(asked, "", limit=10)
    rest = [await explained(library.tenant.database, each) for each in library.heard.commands]

    assert [doc["serial"] for doc in found.docs] == [doc["serial"] for doc in docs] == list(range(3, 33, 3))
    assert cursor
    assert not any("COLLSCAN" in plan for plan in rest)


async def test_what_was_made_from_a_version_is_found_by_an_index(library: Library) -> None:
    made = [
        {"item": ADA, "number": n, "ordinal_key": str(n), "inputs": [{"item": ObjectId(), "number": 1}]} for n in (1, 2)
    ]
    await library.tenant.versions.records.insert_many(made)
    asked = library.tenant.versions.records.find({"inputs.item": {"$in": [made[0]["inputs"][0]["item"]]}})

    plan = json.dumps(await asked.explain(), default=str)

    assert [found["number"] for found in await asked.clone().to_list(None)] == [1]
    assert "COLLSCAN" not in plan


IN_MEMORY = {
    # The people of one organisation are some thousands at most, and sorted where they are.
    "users": {"_id", "email", "role", "createdPassword", "lastmod"},
    "tenants": {"_id", "organization", "email", "database", "lastmod"},
}


async def test_users_and_tenants_are_walked_by_an_index(library: Library) -> None:
    people = Listing(library.tenant.users.records, {}, LATEST)
    organisations = Listing(library.database.tenants.records, {"state": "ready"}, LATEST)
    lists = [
        people,
        people._replace(order=[("username", 1)]),
        people._replace(query={"username": "u7"}),
        organisations,
    ]
    for asked in lists:
        for is_whole, plan in await library.plans(asked):
            assert "COLLSCAN" not in plan or is_a_total(plan), asked
            assert not (is_whole and '"SORT"' in plan), asked
    assert fields.USERS.sortable - IN_MEMORY["users"] == {"username", "timestamp"}
    assert fields.TENANTS.sortable - IN_MEMORY["tenants"] == {"timestamp"}


async def test_words_are_walked_by_an_index(library: Library) -> None:
    for words in (library.tenant.tags, library.tenant.metadata):
        for query in ({}, {"usage": "default"}):
            for is_whole, plan in await library.plans(Listing(words.records, query, LATEST)):
                assert "COLLSCAN" not in plan or is_a_total(plan), query
                assert not (is_whole and '"SORT"' in plan), query


def is_a_total(plan: str) -> bool:
    """Counting all of a collection, up to a bound, has nothing to look up."""
    return '"$match": {}' in plan


async def test_the_versions_of_an_item_are_walked_by_an_index(library: Library) -> None:
    question = {"find": "versions", "filter": {"item": ADA}, "sort": {"number": -1}, "limit": 10}

    assert "IXSCAN" in await explained(library.tenant.database, question)


async def test_a_list_that_was_asked_for_lately_takes_one_window_and_one_count(library: Library) -> None:
    query = {"tags": "often"}
    asked = Listing(library.tenant.models.records, query, NEWEST, top=100_000)  # all its items are old ones
    statistics = ScanStatistics()

    async def again() -> tuple[ListPage, int]:
        library.heard.commands.clear()
        found = await page(asked._replace(statistics=statistics.of(asked.collection, query)), skip=0, limit=10)
        return found, len(library.heard.commands)

    first, walked = await again()
    second, straight = await again()

    assert second == first
    assert (first.total, first.is_exact) == (MANY, True)
    assert walked > straight == 2


def test_what_is_remembered_of_queries_is_bounded_and_not_believed_for_long() -> None:
    ahead = 0.0
    statistics = ScanStatistics(2, lambda: time.monotonic() + ahead)
    collection = SimpleNamespace(name="models")
    one, two, three = ({"tags": word} for word in "abc")

    first = statistics.of(collection, one)
    assert statistics.of(collection, one) is first
    assert statistics.of(SimpleNamespace(name="datasets"), one) is not first
    statistics.of(collection, two)
    statistics.of(collection, three)
    assert statistics.of(collection, one) is not first

    long = {"tags": "x" * serial_scan.LONGEST}
    assert statistics.of(collection, long) is not statistics.of(collection, long)

    second = statistics.of(collection, one)
    ahead = serial_scan.MAX_AGE
    assert statistics.of(collection, one) is not second

"""Lists are walked by page or by cursor, and neither loses nor repeats anything."""

import asyncio
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.domain.access import Caller, readable_by, readers
from catalog.store.connection import connect
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.query.paging import pages
from catalog.store.query.paging.cursors import Order
from catalog.store.query.paging.pages import LATEST, NEWEST, Listing
from catalog.store.query.paging.serial_scan import COUNTED, QueryStatistics
from catalog.store.tenant import Tenant
from catalog.vocabulary import Role
from tests.support.app import OURS, in_database

ADA, BOB = bson.ObjectId(), bson.ObjectId()
ORDERS = [
    NEWEST,
    [("serial", 1)],
    [("name", 1)],
    [("name", -1)],
    [("visibility", 1)],
    [("status", -1), ("visibility", 1)],
    [("timestamp", -1)],
    [("description", 1)],  # missing here and there, as an email is
    [("description", -1)],
    [("_id", 1), ("name", 1)],
    [("owner", 1), ("_id", -1)],
]
QUERIES: list[dict[str, Any]] = [
    {},
    {"tags": "often"},
    {"tags": "seldom"},
    {"tags": {"$all": ["often", "seldom"]}},
    {"status": "test", "serial": {"$gt": 20}},
    {"$or": [{"tags": "seldom"}, {"visibility": "public"}]},
    {"name": {"$gte": "b"}},
    {"metadata": {"$elemMatch": {"name": "accuracy", "value": {"$gte": 0.5}}}},
    {"owner": BOB},
]


def an_item(serial: int, **fields: Any) -> dict[str, Any]:
    """Like its serial, so that every kind of item is there."""
    owner, visibility = (ADA, BOB)[serial % 2], ("private", "public", "public")[serial % 3]
    users = [ADA] if serial % 7 == 0 else []
    item = {
        "serial": serial,
        "name": "abcd"[serial % 4],
        "owner": owner,
        "visibility": visibility,
        "status": ("test", "training")[serial % 5 > 2],
        "users": users,
        "tags": [*(["often"] if serial % 10 else []), *(["seldom"] if serial % 31 == 0 else [])],
        "metadata": [{"name": "accuracy", "value": serial % 11 / 10}] if serial % 2 else [],
        "timestamp": datetime(2026, 1, 1 + serial % 20, tzinfo=UTC),
        "readers": readers(owner, users, (), visibility),
    }
    return item | ({"description": "xyz"[serial % 3]} if serial % 4 else {}) | fields


def a_strangers(serial: int) -> dict[str, Any]:
    """An owner has one item of a name."""
    return an_item(serial, owner=bson.ObjectId())


@pytest.fixture(scope="session")
async def shelf(mongo: str) -> AsyncIterator[Tenant]:
    """150 items, some serials never used, and more serials than items."""
    database = connect(in_database(mongo, f"{OURS}-pages"))
    await database.open()
    tenant = database.tenant(RegisteredTenant(id="pages", database=f"{OURS}-pages-tenant"))
    await tenant.database["models"].insert_many([an_item(serial * 3 + serial % 2) for serial in range(1, 151)])
    yield tenant
    database.close()


TOP = 460


def callers(tenant: Tenant) -> Iterator[Caller]:
    yield Caller(tenant, ADA, "ada", Role.REGULAR)
    yield Caller(tenant, BOB, "bob", Role.ADMIN)


def asked(caller: Caller, query: dict[str, Any], order: Order, **more: Any) -> Listing:
    access = readable_by(caller)
    return Listing(caller.tenant.models.records, access | query, order, **({"top": TOP} | more))


async def expected(asked: Listing) -> list[Any]:
    ordered = asked.collection.find(asked.query).sort(asked.settled)
    return [document["_id"] async for document in ordered if asked.matches is None or asked.matches(document)]


async def walked(asked: Listing, limit: int) -> list[Any]:
    ids, cursor = [], ""
    while cursor is not None:
        docs, cursor = await pages.after(asked, cursor, limit=limit)
        assert 0 < len(docs) <= limit or not ids
        ids += [document["_id"] for document in docs]
    return ids


async def leafed(asked: Listing, limit: int) -> list[Any]:
    ids, number, more = [], 0, True
    while more:
        found = await pages.page(asked, skip=number * limit, limit=limit)
        assert found.total >= len(ids) + len(found.docs) + found.more
        ids += [document["_id"] for document in found.docs]
        number, more = number + 1, found.more
    assert found.is_exact
    assert found.total == len(ids)
    return ids


@pytest.mark.parametrize("order", ORDERS, ids=str)
async def test_every_walk_meets_everything_once_and_in_order(shelf: Tenant, order: Order) -> None:
    for caller in callers(shelf):
        for query in QUERIES:
            list_ = asked(caller, query, order, statistics=QueryStatistics())
            wanted = await expected(list_)

            assert await walked(list_, 40) == wanted, query
            assert await leafed(list_, 60) == wanted, query


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.sampled_from(ORDERS),
    query=st.sampled_from(QUERIES),
    limit=st.integers(7, 1000),
    of_ours=st.booleans(),
    has_serials=st.booleans(),
    apart=st.none() | st.floats(0, 200),
)
def test_any_limit_will_do(
    mongo: str,
    shelf: Tenant,
    order: Order,
    query: dict[str, Any],
    limit: int,
    of_ours: bool,
    has_serials: bool,
    apart: float | None,
) -> None:
    async def check() -> None:
        database = connect(mongo)
        tenant = database.tenant(RegisteredTenant(id="pages", database=f"{OURS}-pages-tenant"))
        for caller in callers(tenant):
            matches = (lambda document: document["serial"] % 2 == 0) if of_ours else None
            statistics = None if apart is None else QueryStatistics(apart=apart)
            list_ = asked(
                caller, query, order, matches=matches, top=TOP if has_serials else None, statistics=statistics
            )
            wanted = await expected(list_)

            assert await walked(list_, limit) == wanted
            assert await leafed(list_, limit) == wanted
        database.close()

    asyncio.run(check())


@pytest.mark.parametrize("order", [NEWEST, LATEST, [("name", 1)]], ids=str)
async def test_a_walk_keeps_its_place_while_items_come_and_go(tenant: Tenant, order: Order) -> None:
    collection = tenant.models.records
    kept = [a_strangers(serial) for serial in range(1, 60)]
    await collection.insert_many(kept)
    met, cursor, top = [], "", 60

    while cursor is not None:
        docs, cursor = await pages.after(Listing(collection, {}, order, top=top), cursor, limit=7)
        met += [document["serial"] for document in docs]
        top += 2
        await collection.insert_many([a_strangers(top - 1), a_strangers(top)])
        if docs:
            await collection.delete_one({"serial": docs[-1]["serial"]})  # what the cursor speaks of

    assert len(met) == len(set(met))
    assert {item["serial"] for item in kept} <= set(met)


@pytest.mark.parametrize("database", ["wire"], indirect=True)
async def test_a_total_is_exact_as_far_as_counting_is_cheap_and_never_too_high(tenant: Tenant) -> None:
    collection, many = tenant.models.records, COUNTED * 2
    await collection.insert_many([a_strangers(serial) for serial in range(1, many + 1)])
    everything = Listing(collection, {}, NEWEST, top=many)

    first = await pages.page(everything, skip=0, limit=10)
    far = await pages.page(everything, skip=many - 15, limit=10)
    last = await pages.page(everything, skip=many - 5, limit=10)
    beyond = await pages.page(everything, skip=many + 5, limit=10)
    exact = await pages.page(everything, skip=0, limit=10, exactly=True)
    rare = await pages.page(everything._replace(query={"tags": "seldom"}), skip=0, limit=10)

    assert (len(first.docs), first.more, first.total, first.is_exact) == (10, True, COUNTED, False)
    assert (len(far.docs), far.more, far.is_exact) == (10, True, False)
    assert far.total == many - 15 + 11
    assert (len(last.docs), last.more, last.total, last.is_exact) == (5, False, many, True)
    assert (beyond.docs, beyond.more) == ([], False)
    assert (exact.total, exact.is_exact) == (many, True)
    assert (rare.total, rare.is_exact) == (many // 31, True)


def packed(document: dict[str, Any]) -> str:
    return urlsafe_b64encode(bson.encode(document)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ü",
        "AAAA",
        "!" * 20_000,
        packed({}),
        packed({"order": "serial:-1"}),
        packed({"order": "serial:-1", "key": 7}),
        packed({"order": "serial:-1", "key": []}),
        packed({"order": "serial:-1", "key": ["text"]}),
        packed({"order": "serial:-1", "key": [{"$gt": 0}]}),
        packed({"order": "serial:-1", "key": [bson.Regex("a")]}),
        packed({"order": "name:1,serial:1", "key": ["a", 1]}),
    ],
)
async def test_what_is_no_cursor_of_this_list_is_refused(client, org, cursor: str) -> None:
    answer = await client.get("/v1/models", params={"after": cursor}, headers=org.as_("ada"))

    assert (answer.status_code, answer.json()["value"]) == (400, 6)


async def test_a_made_up_cursor_shows_nothing_more(client, org) -> None:
    await client.post("/v1/models", json={"name": "secret"}, headers=org.as_("bob"))
    forged = packed({"order": "serial:-1", "key": [1 << 40]})

    async def met(username: str) -> list[str]:
        answer = await client.get("/v1/models", params={"after": forged}, headers=org.as_(username))
        return [document["name"] for document in answer.json()["docs"]]

    assert await met("ada") == []
    assert await met("bob") == ["secret"]


@pytest.mark.parametrize("sort", [{}, {"name": "asc"}, {"lastmod": "desc"}], ids=str)
async def test_items_are_walked_by_cursor_over_http(client, org, sort: dict[str, str]) -> None:
    for number in range(7):
        body = {"name": f"m{number}", "visibility": "public" if number % 2 else "private"}
        (await client.post("/v1/models", json=body, headers=org.as_("ada"))).raise_for_status()

    for username, readable in (("ada", 7), ("eve", 3)):
        shown, cursor = [], ""
        while cursor is not None:
            params = {"after": cursor, "limit": 2, "select": '["name"]', **({"sort": json.dumps(sort)} if sort else {})}
            body = (await client.get("/v1/models", params=params, headers=org.as_(username))).raise_for_status().json()
            assert body.keys() == {"docs", "limit", "hasNextPage", "nextCursor"}
            assert body["hasNextPage"] == (body["nextCursor"] is not None)
            shown += [document["name"] for document in body["docs"]]
            cursor = body["nextCursor"]
        assert len(shown) == len(set(shown)) == readable


@pytest.mark.parametrize("route", ["users", "tags", "metadata", "models", "datasets", "algorithms", "tenants"])
async def test_every_list_has_cursors(client, org, route: str) -> None:
    for number in range(3):
        body = {"name": f"m{number}", "tags": [f"t{number}"], "metadata": [{"name": f"n{number}", "value": number}]}
        for kind in ("models", "datasets", "algorithms"):
            (await client.post(f"/v1/{kind}", json=body, headers=org.as_("ada"))).raise_for_status()
    headers = {"Authorization": "the-operator-of-the-tests"} if route == "tenants" else org.as_("admin")
    everything = (await client.get(f"/v1/{route}?limit=1000", headers=headers)).raise_for_status().json()["docs"]

    met, cursor = [], ""
    while cursor is not None:
        answer = await client.get(f"/v1/{route}", params={"after": cursor, "limit": 2}, headers=headers)
        met += answer.raise_for_status().json()["docs"]
        cursor = answer.json()["nextCursor"]

    assert [document["_id"] for document in met] == [document["_id"] for document in everything]


async def test_a_walk_wants_a_limit_and_a_total_one_word(client, org) -> None:
    without = await client.get("/v1/models?after=&limit=0", headers=org.as_("ada"))
    wrong = await client.get("/v1/models?total=roughly", headers=org.as_("ada"))
    exact = await client.get("/v1/models?total=exact", headers=org.as_("ada"))

    assert (without.status_code, wrong.status_code, exact.status_code) == (400, 400, 200)
    assert exact.json()["totalDocs"] == 0

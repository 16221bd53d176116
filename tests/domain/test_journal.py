"""The journal: what is kept of each request, what never is, and how it is read."""

import json
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from bson.errors import InvalidDocument

from catalog.app import create_app
from catalog.domain import audit as journals
from catalog.domain.audit import Journal, LoggedRequest, expire
from catalog.store.clock import now
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.tenant import Tenant
from tests.support.app import API_TOKEN, OURS, PASSWORD
from tests.support.serving import SOON, Server

OPERATOR = {"Authorization": API_TOKEN}


@pytest.fixture
def written(app):
    """Wait until the journal has written what it knows."""
    return app.state.journal.flush


async def read(client, headers, url="/v1/log", **query):
    answer = await client.get(url, headers=headers, params={"limit": 50, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["docs"]


def entry(**known):
    usual = {
        "date": now(),
        "user": "ada",
        "method": "GET",
        "route": "/v1/models",
        "path": "/v1/models",
        "item": None,
        "address": "127.0.0.1",
        "result": 200,
        "fault": None,
        "duration": 1.5,
        "request_id": "a-request",
    }
    return LoggedRequest(**(usual | known))


async def test_an_entry_says_who_did_what_when_from_where_and_what_came_of_it(client, org, written):
    body = {"name": "iris", "tags": ["flowers"]}
    made = await client.post("/v1/models", json=body, headers=org.as_("ada") | {"X-Request-ID": "mine.1"})
    await client.get(f"/v1/models/{made.json()['_id']}", headers=org.as_("bob"))
    await written()

    refused, done = (await read(client, org.as_("admin")))[:2]

    assert done.keys() == {
        *("_id", "date", "log", "serial", "user", "method", "route", "path"),
        *("address", "result", "duration", "request_id"),
    }
    assert (done["user"], done["method"], done["route"], done["result"]) == ("ada", "POST", "/v1/models", 200)
    assert (done["address"], done["request_id"]) == ("127.0.0.1", "mine.1")
    assert done["log"] == f"{{tenant: {org.name} - request: POST /v1/models, contents: {{}}, user: ada, result: 200}}"
    assert (refused["route"], refused["item"]) == ("/v1/models/{key}", made.json()["_id"])
    assert (refused["user"], refused["result"], refused["fault"]) == ("bob", 403, 10)


async def test_signing_in_is_kept_also_when_it_fails(client, org, written):
    await client.post("/v1/login", json={"username": "ada", "password": "guessed", "tenant": org.name})
    await written()

    newest = (await read(client, org.as_("admin")))[0]

    assert (newest["route"], newest["user"], newest["result"], newest["fault"]) == ("/v1/login", "ada", 401, 3)


async def test_no_body_no_token_and_no_query_string_is_kept(client, org, app, written):
    secrets = ["a-secret-of-a-body", "a-secret-of-a-query", "a-token-of-a-link", "an-upload-of-ours"]
    await client.post("/v1/models", json={"name": "x", "description": secrets[0]}, headers=org.as_("ada"))
    await client.get("/v1/models", params={"token": secrets[1]}, headers=org.as_("ada"))
    for path in (f"/v1/links/{secrets[2]}", f"/v1/uploads/{secrets[3]}"):
        await client.get(path, headers=org.as_("ada"))
        await client.patch(path)
    await client.post("/v1/login", json={"username": "ada", "password": PASSWORD, "tenant": org.name})
    await written()

    tenant = await tenant_of(app, org)
    kept = [*await tenant.log.records.find().to_list(None), *await tenant_free(app).log.records.find().to_list(None)]

    text = str(kept)
    assert "/v1/links/***" in text
    assert [secret for secret in [*secrets, *org.tokens.values(), API_TOKEN, PASSWORD] if secret in text] == []


async def tenant_of(app, org):
    record = await app.state.database.tenants.find_one({"_id": org.name})
    return app.state.database.tenant(record)


def tenant_free(app) -> Tenant:
    return app.state.database.operator


async def test_only_administrators_read_it_and_only_their_own(client, org, other_org, written):
    await client.get("/v1/models/of-theirs", headers=other_org.as_("ada"))
    await written()

    refused = await client.get("/v1/log", headers=org.as_("ada"))
    ours = await read(client, org.as_("admin"))

    assert (refused.status_code, refused.json()["value"]) == (403, 13)
    assert (await client.get("/v1/log")).status_code == 401
    assert "of-theirs" not in str(ours)
    assert "of-theirs" in str(await read(client, other_org.as_("admin")))


async def test_what_belongs_to_no_tenant_is_the_operators(client, org, written):
    await client.post(
        f"/v1/sweep?dry_run=true&tenant={org.name}", headers=OPERATOR | {"X-Request-ID": f"op-{org.name}"}
    )
    await client.get("/v1/models", headers={"Authorization": "made-up", "X-Request-ID": f"nobody-{org.name}"})
    await written()

    [done] = await read(client, OPERATOR, "/v1/log/operator", filter=f'{{"request_id": "op-{org.name}"}}')
    [refused] = await read(client, OPERATOR, "/v1/log/operator", filter=f'{{"request_id": "nobody-{org.name}"}}')

    assert (done["user"], done["route"], done["result"]) == ("operator", "/v1/sweep", 200)
    assert ("user" in refused, refused["result"], refused["fault"]) == (False, 401, 3)
    assert (await client.get("/v1/log/operator", headers=org.as_("admin"))).status_code == 401


async def test_what_was_only_looked_at_is_told_when_it_is_wanted(app, client, org, written, monkeypatch):
    ada = org.as_("ada")
    await client.post("/v1/models", json={"name": "iris"}, headers=ada)
    await client.post("/v1/models/iris/versions?name=iris.bin", content=b"weights", headers=ada)

    for wanted in (False, True):
        monkeypatch.setattr(app.state.journal, "reads", wanted)
        await client.get("/v1/models/iris", headers=ada | {"X-Request-ID": f"looked-{wanted}"})
    await client.get("/v1/models/iris/versions/1", headers=ada | {"X-Request-ID": "fetched"})
    await written()

    told = {entry["request_id"] for entry in await read(client, org.as_("admin"))}
    assert {"looked-False", "looked-True", "fetched"} & told == {"looked-True", "fetched"}


async def test_probes_leave_no_trace(client, org, written):
    name = {"X-Request-ID": f"probe-{org.name}"}

    for url in ("/health/live", "/health/ready", "/metrics", "/v1/models"):
        await client.get(url, headers=name)
    await written()

    found = await read(client, OPERATOR, "/v1/log/operator", filter=f'{{"request_id": "probe-{org.name}"}}')
    assert [entry["path"] for entry in found] == ["/v1/models"]


async def test_it_is_filtered_sorted_selected_and_walked_like_other_lists(client, org, written):
    for name in ("a", "b", "c"):
        await client.get(f"/v1/models/{name}", headers=org.as_("eve"))
    await client.get("/v1/nope/a", headers=org.as_("eve"))
    await written()
    admin, mine = org.as_("admin"), json.dumps({"user": "eve", "route": "/v1/models/{key}"})

    oldest_first = await read(client, admin, filter=mine, sort='{"date": "asc"}', select='["item"]')
    first = (await client.get("/v1/log", headers=admin, params={"filter": mine, "limit": 2, "after": ""})).json()
    params = {"filter": mine, "limit": 2, "after": first["nextCursor"]}
    second = (await client.get("/v1/log", headers=admin, params=params)).json()
    failed = await read(client, admin, filter='{"result": {"$gte": 400}, "item": "b"}')

    assert [(found["item"], found.keys()) for found in oldest_first] == [(name, {"_id", "item"}) for name in "abc"]
    assert [found["item"] for found in first["docs"] + second["docs"]] == ["c", "b", "a"]
    assert second["nextCursor"] is None
    assert [found["path"] for found in failed] == ["/v1/models/b"]
    assert (await client.get("/v1/log", headers=admin, params={"filter": '{"body": 1}'})).json()["value"] == 6


async def test_entries_older_than_log_days_go_and_the_others_stay(tenant):
    old, young = now() - timedelta(days=3), now() - timedelta(days=1)
    dates = [old] * 1200 + [young]
    await tenant.log.records.insert_many(
        [entry(date=date)._asdict() | {"serial": number} for number, date in enumerate(dates)]
    )

    assert await expire(tenant, timedelta(days=2)) == 1200

    assert [left["date"] for left in await tenant.log.records.find().to_list(None)] == [young]


async def test_a_changed_log_days_counts_for_what_is_there_already(ready_tenant, database):
    aged = entry(date=now() - timedelta(days=3))._asdict()
    for place in (ready_tenant, database.operator):
        await place.log.records.insert_one(aged | {"serial": 1})

    left = []
    for days in (4, 2):
        await Journal(database, days).expire()
        left.append([await place.log.records.count_documents({}) for place in (ready_tenant, database.operator)])

    assert left == [[1, 1], [0, 0]]


@pytest.fixture
async def ready_tenant(database):
    name = f"{OURS}-journal"
    record = RegisteredTenant(id=name, database=f"{database.catalogue}-j", state="ready")
    await database.tenants.insert(record)
    made = database.tenant(record)
    await made.prepare()
    return made


async def test_what_is_too_much_is_dropped_counted_and_said_aloud(ready_tenant, database, monkeypatch, caplog):
    monkeypatch.setattr(journals, "MOST_WAITING", 3)
    journal = Journal(database, 90)

    for _ in range(5):
        journal.add(ready_tenant, entry())
    await journal.flush()
    journal._log_drops()
    journal._log_drops()

    assert (journal.dropped, journal.written, journal.waiting) == (2, 3, 0)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["the journal cannot keep up: 2 entries were dropped"]


async def test_every_field_is_cut(ready_tenant, database):
    journal = Journal(database, 90)
    journal.add(ready_tenant, entry(**dict.fromkeys(journals.LONGEST, "é" * 60_000)))
    await journal.flush()

    [kept] = await ready_tenant.log.records.find().to_list(None)

    assert {name: len(kept[name]) for name in journals.LONGEST} == journals.LONGEST
    assert {
        name for name, kind in LoggedRequest.__annotations__.items() if "str" in str(kind)
    } == journals.LONGEST.keys()


async def test_a_journal_keeps_its_newest_entries_within_its_size(ready_tenant, database, monkeypatch):
    monkeypatch.setattr(journals, "BATCH", 7)
    monkeypatch.setattr(journals, "PAUSE", 0)
    one = journals._size(entry()._asdict() | {"_id": "x" * 24, "serial": 1000})
    journal = Journal(database, 90, size=20 * one)

    for _ in range(3):
        for _ in range(50):
            journal.add(ready_tenant, entry())
        journal.add(None, entry(user="operator"))
        await journal.flush()
        await journal.shrink_grown()

    kept = sorted([found["serial"] async for found in ready_tenant.log.records.find()])
    assert kept == list(range(kept[0], 151))
    assert 15 <= len(kept) <= 21
    assert await database.operator.log.records.count_documents({}) == 3


async def test_a_journal_that_is_small_enough_is_let_be_and_entries_without_a_size_go_first(ready_tenant, monkeypatch):
    monkeypatch.setattr(journals, "PAUSE", 0)
    old = [entry()._asdict() | {"serial": number} for number in range(1, 4)]
    new = [entry()._asdict() | {"serial": number, "end": (number - 3) * 100} for number in range(4, 8)]
    await ready_tenant.log.records.insert_many([*old, *new])
    await ready_tenant.next(journals.COUNTER, 7)
    await ready_tenant.next(journals.WRITTEN, 400)

    assert await journals.shrink(ready_tenant, 400) == 0
    assert await journals.shrink(ready_tenant, 399) == 3
    assert await journals.shrink(ready_tenant, 200) == 2

    assert sorted([found["serial"] async for found in ready_tenant.log.records.find()]) == [6, 7]


async def test_requests_of_nobody_for_what_is_not_there_become_one_entry(client, app, org, written):
    mine = {"X-Request-ID": f"first-{org.name}"}
    journal = app.state.journal
    journal._add_unknown_requests(now())

    for at in range(5):
        await client.get(f"/no/{at}/" + "x" * 60_000, headers=mine if not at else {})
    await client.get(f"/v1/models/{org.name}", headers=org.as_("ada"))
    await written()
    before = await read(client, OPERATOR, "/v1/log/operator", filter=f'{{"request_id": "first-{org.name}"}}')
    journal._add_unknown_requests(now())
    await written()

    [told] = await read(client, OPERATOR, "/v1/log/operator", filter=f'{{"request_id": "first-{org.name}"}}')
    assert before == []
    assert (told["requests"], told["result"], told["path"][:6], len(told["path"])) == (5, 404, "/no/0/", 500)
    assert (await read(client, org.as_("admin")))[0]["path"] == f"/v1/models/{org.name}"


async def test_numbers_go_on_from_write_to_write_and_between_servers(ready_tenant, database):
    mine, theirs = Journal(database, 90), Journal(database, 90)
    for journal in (mine, theirs, mine):
        for _ in range(3):
            journal.add(ready_tenant, entry())
        await journal.flush()

    serials = [found["serial"] for found in await ready_tenant.log.records.find().sort("serial", 1).to_list(None)]

    assert serials == list(range(1, 10))


async def test_entries_of_a_tenant_that_has_gone_do_not_bring_its_database_back(ready_tenant, database):
    journal = Journal(database, 90)
    journal.add(ready_tenant, entry())
    journal.add(None, entry(user="operator"))
    await database.tenants.records.delete_one({"_id": ready_tenant.name})
    await database.drop(ready_tenant.database.name)

    await journal.flush()

    assert not await database.holds(ready_tenant.database.name)
    assert (journal.waiting, await database.operator.log.records.count_documents({})) == (0, 1)


async def test_a_write_whose_answer_was_lost_is_not_written_twice(ready_tenant, database):
    journal = Journal(database, 90)
    journal.add(ready_tenant, entry())
    [(tenant, numbered)] = await journal._next()
    await tenant.log.records.insert_many(numbered)

    await journals._insert(tenant, numbered)

    assert await tenant.log.records.count_documents({}) == 1


async def test_entries_that_cannot_be_written_do_not_stand_in_the_way_of_others(ready_tenant, database):
    journal = Journal(database, 90)
    journal.add(ready_tenant, entry(fault=object()))
    with pytest.raises(InvalidDocument):
        await journal.write()

    journal.add(ready_tenant, entry(user="bob"))
    await journal.close(SOON)

    assert [found["user"] for found in await ready_tenant.log.records.find().to_list(None)] == ["bob"]
    assert journal.dropped == 1


async def test_without_the_setting_nothing_is_kept(settings, mongo):
    app = create_app(settings.model_copy(update={"log": False}), mongo)
    app.state.database.close()

    assert app.state.journal is None


def test_the_command_shows_entries_as_they_come_and_a_stop_writes_what_is_left(tmp_path):
    with Server(tmp_path) as server:
        token = server.login().json()["token"]
        follow(server, token)
        with server.client(token) as admin:
            admin.get("/v1/models/before-the-stop")
        server.stop()
        server.start()

        said = subprocess.run(
            [sys.executable, "-m", "catalog", "log", "--server", server.url],
            env={"CATALOG_TOKEN": token, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
            timeout=SOON,
        )

    assert "GET /v1/models/before-the-stop 404" in said.stdout


def follow(server, token):
    """Entries are shown as they come."""
    following = subprocess.Popen(
        [sys.executable, "-u", "-m", "catalog", "log", "--follow", "--server", server.url],
        env={"CATALOG_TOKEN": token, "PATH": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert following.stdout
    try:
        line = following.stdout.readline()  # of the sign-in
        with server.client(token) as admin:
            admin.get("/v1/models/while-it-follows")
        deadline = time.monotonic() + SOON
        while "while-it-follows" not in line and time.monotonic() < deadline:
            line = following.stdout.readline()
    finally:
        following.terminate()
        following.stdout.close()
        following.wait(SOON)

    assert "admin" in line
    assert "GET /v1/models/while-it-follows 404" in line

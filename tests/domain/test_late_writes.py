"""A user who loses the right to write while writing changes nothing, and work ends when no client waits for it."""

import asyncio
import os
import signal
import threading
from datetime import timedelta

import msgspec
import pytest
from motor.motor_asyncio import AsyncIOMotorCollection

from catalog.blobs.memory import MemoryStorage
from catalog.blobs.protocol import FileHead
from catalog.dialects.http.requests import cancellation
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.v1.items import items as routes_of_items
from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.people.authentication import access_tokens
from catalog.domain.people.authentication.credentials import SessionTokens
from catalog.domain.tenants import removal, tenants
from catalog.domain.tenants.tenants import Administrator
from catalog.domain.versions.drafts import drafts
from catalog.errors import AUTHENTICATION, CANNOT_MODIFY, NOT_FOUND, READ_ONLY_TOKEN, Refused
from catalog.store.clock import now
from catalog.store.concurrency.fence import FRESH, WRITES, Fence
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.documents.terms import TagDocument
from catalog.vocabulary import Kind, Role, Scope
from tests.support.app import API_TOKEN, PASSWORD
from tests.support.inputs import new_item
from tests.support.processes import listens, until
from tests.support.serving import SOON, Server
from tests.support.slow_requests import sent_slowly
from tests.support.tenants import Organisation, somebody

OPERATOR = {"Authorization": API_TOKEN}
TUS = {"Tus-Resumable": "1.0.0"}
ADMIN = Administrator("admin", PASSWORD)
MANY = 1000
"""Elements of a list that takes many seconds."""


async def remove(app, client, org):
    await app.state.journal.flush()  # else it may write at the very moment, for which a tenant is dropped twice
    (await client.delete(f"/v1/tenants/{org.name}", headers=OPERATOR)).raise_for_status()


async def make_again(app, client, org):
    """Remove a tenant, and make another of its name as soon as that may be."""
    await remove(app, client, org)
    long_ago = now() - 2 * removal.LINGERING
    await app.state.database.tenants.records.update_one({"_id": org.name}, {"$set": {"lastmod": long_ago}})
    body = {"_id": org.name, "email": "info@example.org", "admin_username": "admin", "admin_password": PASSWORD}
    (await client.post("/v1/tenants", json=body, headers=OPERATOR)).raise_for_status()


async def kept_of(app, settings, org):
    """What there is of a tenant: its database, and the files in its folder."""
    has_database = await app.state.database.holds(org.database)
    folder = settings.upload_path / org.name
    return has_database, [file for file in folder.rglob("*") if file.is_file()]


def form_of(content: bytes) -> dict:
    return {"files": {"file": ("weights.bin", content)}, "data": {"description": "d" * 50}}


async def a_model(client, org, who="ada") -> str:
    made = await client.post("/v1/models", json={"name": "iris"}, headers=org.as_(who))
    return made.raise_for_status().json()["_id"]


WRITING = {
    "a model": ("POST", "/v1/models", {"json": {"name": "late"}}),
    "a file": ("POST", "/v1/models/{model}/versions?name=weights.bin", {"content": b"weights" * 10}),
    "a form whose head has not come": ("POST", "/v1/models/{model}/versions", form_of(b"weights" * 10)),
    "the mail of a forgotten password": (
        "POST",
        "/v1/self/reset?tenant={tenant}",
        {"json": {"email": "ada@example.org"}},
    ),
}


@pytest.mark.parametrize(("method", "url", "sent"), WRITING.values(), ids=WRITING)
async def test_a_removed_tenant_is_not_brought_back_by_what_comes_late(app, client, org, settings, method, url, sent):
    url = url.format(model=await a_model(client, org), tenant=org.name)

    answer = await sent_slowly(client, method, url, lambda: remove(app, client, org), headers=org.as_("ada"), **sent)
    await app.state.journal.flush()

    assert answer.status_code in {401, 404} or "self" in url  # which answers everybody alike, and works later
    assert await kept_of(app, settings, org) == (False, [])


async def test_who_was_in_a_tenant_makes_nobody_in_the_next_one_of_its_name(app, client, org):
    user = {"username": "eve2", "password": PASSWORD, "email": "eve2@example.org", "role": "admin"}

    answer = await sent_slowly(
        client,
        "POST",
        "/v1/users",
        lambda: make_again(app, client, org),
        headers=org.as_("admin"),
        json=user,
    )

    assert answer.status_code == 401
    after = Organisation(client, org.name)
    listed = (await client.get("/v1/users", headers=await after.sign_in("admin"))).json()["docs"]
    assert [user["username"] for user in listed] == ["admin"]


async def test_a_link_is_worth_nothing_in_the_next_tenant_of_its_name(app, client, org):
    model = await a_model(client, org)
    await client.post(f"/v1/models/{model}/versions?name=a.bin", content=b"abc", headers=org.as_("ada"))
    link = (await client.post(f"/v1/models/{model}/versions/1/link", json={}, headers=org.as_("ada"))).json()
    # As a restore would do it: the records are there again, under another generation.
    await app.state.database.tenants.records.update_one({"_id": org.name}, {"$set": {"generation": "another"}})
    await client.put(f"/v1/tenants/{org.name}", json={"phone": "1"}, headers=OPERATOR)  # forgets what was known

    opened = await client.get(link["url"])
    asked = await client.get("/v1/models", headers=org.as_("ada"))

    assert (opened.status_code, opened.json()["value"]) == (403, 116)
    assert asked.status_code == 401


async def test_a_running_upload_ends_with_its_user(app, client, org):
    await a_model(client, org)
    begun = await client.post(
        "/v1/uploads",
        headers=org.as_("ada") | TUS | {"Upload-Length": "1000", "Upload-Metadata": "item aXJpcw==,filename eC5iaW4="},
    )
    headers = org.as_("ada") | TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}

    async def signed_out() -> None:
        changed = {"password": "Other-Pass-2"}
        (await client.put("/v1/users/ada", json=changed, headers=org.as_("admin"))).raise_for_status()

    ended = await sent_slowly(
        client, "PATCH", begun.headers["location"], signed_out, headers=headers, content=b"x" * 1000, first=500
    )

    assert ended.status_code == 401
    assert (await client.get("/v1/models/iris/versions", headers=org.as_("admin"))).json()["docs"] == []


async def test_whose_item_is_given_to_another_while_a_file_comes_adds_no_version(client, org):
    model = await a_model(client, org)

    async def given_away() -> None:
        body = {"owner": "bob"}
        (await client.put(f"/v1/models/{model}", json=body, headers=org.as_("admin"))).raise_for_status()

    url = f"/v1/models/{model}/versions?name=weights.bin"
    ended = await sent_slowly(client, "POST", url, given_away, headers=org.as_("ada"), content=b"weights" * 10)

    assert (ended.status_code, ended.json()["value"]) == (403, 12)
    assert (await client.get(f"/v1/models/{model}/versions", headers=org.as_("bob"))).json()["docs"] == []


class Upload:
    digest = description = ""
    announced = 0

    async def open(self):
        return FileHead("a.bin", "application/octet-stream", "binary")


async def test_whose_item_is_given_to_another_while_a_file_comes_adds_none_to_its_draft(tenant):
    ada, bob = await somebody(tenant, "ada"), await somebody(tenant, "bob")
    item = await items.create(ada, Kind.MODEL, new_item(name="iris"))
    draft = await drafts.begin(ada, Kind.MODEL, Reference("iris"))

    class GivenAway(Upload):
        async def chunks(self):
            await tenant.models.records.update_one({"_id": item["_id"]}, {"$set": {"owner": bob.user}})
            yield b"weights"

    reference = Reference(str(item["_id"]), draft["ordinal"])
    with pytest.raises(Refused) as refusal:
        await drafts.put(ada, Kind.MODEL, reference, "a.bin", GivenAway(), fresh=0)

    assert refusal.value.fault is CANNOT_MODIFY


@pytest.fixture
async def acme(database):
    name = f"{database.catalogue}-acme"
    await tenants.make(database, MemoryStorage(), RegisteredTenant(id=name, database=name), ADMIN)
    return await tenants.enter(database, name)


@pytest.fixture
def sessions(database):
    return Sessions(
        database, SessionTokens("a secret of the tests, long enough", timedelta(hours=1), timedelta(hours=1))
    )


async def admin_of(acme, sessions):
    admin = await acme.users.find_one({"username": "admin"})
    return await sessions.caller(sessions.issue(admin.id, acme))


async def lose_the_role(acme, caller):
    await acme.users.records.update_one({"_id": caller.user}, {"$set": {"role": "regular"}})


async def be_signed_out(acme, caller):
    await acme.users.records.update_one({"_id": caller.user}, {"$set": {"signed_out": now() + timedelta(seconds=1)}})


async def be_removed(acme, caller):
    await acme.users.records.delete_one({"_id": caller.user})


@pytest.mark.parametrize("lose", [lose_the_role, be_signed_out, be_removed], ids=lambda loss: loss.__name__)
async def test_what_another_server_took_away_is_refused_once_the_memory_is_old(acme, sessions, lose):
    caller = await admin_of(acme, sessions)
    await items.create(caller, Kind.MODEL, new_item(name="early"))
    await lose(acme, caller)
    await caller.tenant.fence.look(age=3600)  # it is remembered still

    with pytest.raises(Refused) as refusal:
        await caller.tenant.fence.look(age=0)

    assert refusal.value.fault is AUTHENTICATION


async def test_a_write_after_the_last_look_does_not_count_any_more_looks_again(acme, database):
    looks = []

    async def look(age):
        looks.append(age)

    tenant = acme.of_caller(Fence(look))
    await tenant.tags.insert(TagDocument(id="one"))
    await tenant.next("serial")
    await tenant.tags.records.delete_one({"_id": "one"})
    await tenant.tags.records.find_one({"_id": "one"})

    assert len(looks) == 1
    assert looks[0] < FRESH


async def test_a_handle_of_a_removed_tenant_writes_nothing(acme, database):
    await removal.remove(database, MemoryStorage(), acme.name, default="")

    for write in (lambda: acme.tags.insert(TagDocument(id="late")), lambda: acme.next("serial"), acme.prepare):
        with pytest.raises(Refused) as refusal:
            await write()
        assert refusal.value.fault is NOT_FOUND
    assert not await database.holds(acme.name)


async def test_a_token_that_may_only_read_writes_nothing_whatever_asks_it_to(acme, sessions):
    admin = await acme.users.find_one({"username": "admin"})
    record, token = await made_token(acme, admin, Scope.READ)
    caller = await sessions.caller(token)

    with pytest.raises(Refused) as refusal:
        await items.create(caller, Kind.MODEL, new_item(name="iris"))

    assert (refusal.value.fault, caller.token) == (READ_ONLY_TOKEN, record.id)


async def made_token(tenant, user, scope):
    owner = Caller(tenant, user.id, user.username, Role.ADMIN)
    return await access_tokens.create(owner, access_tokens.TokenInput("script", [scope]))


async def test_a_tenant_of_an_older_version_gets_one_generation_however_many_ask(database, acme):
    await database.tenants.records.update_one({"_id": acme.name}, {"$unset": {"generation": ""}})

    entered = await asyncio.gather(*(tenants.enter(database, acme.name) for _ in range(3)))

    [generation] = {tenant.generation for tenant in entered}
    assert generation not in {"", acme.generation}


async def asked(app, method, url, headers, body, leaves: asyncio.Event):
    """A request whose client leaves once `leaves` is set. Returns what the server sent."""
    sent = []
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if messages:
            return messages.pop()
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    path, _, query = url.partition("?")
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [*raw, (b"content-length", b"%d" % len(body))],
            "client": ("203.0.113.7", 1),
            "server": ("catalog", 80),
        },
        receive,
        send,
    )
    return sent


async def until_there_is_one(client, org, what="models"):
    async with asyncio.timeout(SOON):
        while not (await client.get(f"/v1/{what}", headers=org.as_("admin"))).json()["docs"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def a_long_list(first: int = 0) -> bytes:
    return msgspec.json.encode([{"name": f"n{number}"} for number in range(first, first + MANY)])


async def count_of(app, org):
    return await app.state.database.client[org.database]["models"].count_documents({})


async def test_a_list_ends_with_its_client(app, client, org, monkeypatch):
    monkeypatch.setattr(cancellation, "WATCHED_AFTER", 0.0)
    leaves = asyncio.Event()

    posting = asyncio.create_task(asked(app, "POST", "/v1/models", org.as_("ada"), a_long_list(), leaves))
    await until_there_is_one(client, org)
    leaves.set()
    async with asyncio.timeout(SOON):
        sent = await posting

    assert [message.get("status") for message in sent[:1]] == [499]
    assert 0 < await count_of(app, org) < MANY


async def test_a_list_ends_when_its_author_is_signed_out(app, client, org):
    posting = asyncio.create_task(asked(app, "POST", "/v1/models", org.as_("ada"), a_long_list(), asyncio.Event()))
    await until_there_is_one(client, org)
    await client.put("/v1/users/ada", json={"password": "Other-Pass-2"}, headers=org.as_("admin"))
    async with asyncio.timeout(SOON):
        sent = await posting

    assert sent[0]["status"] == 401
    assert 0 < await count_of(app, org) < MANY


async def test_what_has_changed_nothing_is_cut_off_when_its_client_goes(app, org, monkeypatch):
    monkeypatch.setattr(cancellation, "WATCHED_AFTER", 0.0)
    leaves, begun, cut_off = asyncio.Event(), asyncio.Event(), []

    async def takes_for_ever(*_given, **_named):
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut_off.append(True)
            raise

    monkeypatch.setattr(routes_of_items, "listed", takes_for_ever)

    asking = asyncio.create_task(asked(app, "GET", "/v1/models", org.as_("ada"), b"", leaves))
    await begun.wait()
    leaves.set()
    async with asyncio.timeout(SOON):
        sent = await asking

    assert (sent, cut_off) == ([], [True])


def begin_a_list(server, client, answers):
    """Post a long list, and stop the database of the server when the first of it is there."""
    before = client.get("/v1/models").json()["totalDocs"]
    posting = threading.Thread(target=lambda: answers.append(client.post("/v1/models", content=a_long_list(before))))
    posting.start()
    with server.client(client.headers["authorization"]) as other:
        until(lambda: other.get("/v1/models").json()["totalDocs"] > before)
    os.kill(server.database_pid, signal.SIGSTOP)
    if not posting.is_alive():
        os.kill(server.database_pid, signal.SIGCONT)
    return posting


def test_a_server_that_is_stopped_ends_a_list_and_says_what_became_of_it(tmp_path):
    answers = []
    with Server(tmp_path, PROTOCOL="http") as server, server.client(server.login().json()["token"]) as client:
        posting = begin_a_list(server, client, answers)
        while not posting.is_alive():  # this process was too slow
            posting = begin_a_list(server, client, answers)
        os.killpg(server.pid, signal.SIGINT)
        until(lambda: not listens(server))
        os.kill(server.database_pid, signal.SIGCONT)
        code = server.wait()
        posting.join(SOON)

    answer = answers[-1]
    made, errors = answer.json()["models"], answer.json()["errors"]
    assert (code, answer.status_code, len(made) + len(errors)) == (0, 202, MANY)
    assert 0 < len(made) < MANY
    assert errors[-1] == f"Index: {MANY - 1} (The server is stopping, please try again)"


def test_each_method_of_the_driver_that_writes_passes_the_fence():
    reads = {"aggregate", "count_documents", "distinct", "estimated_document_count", "options", "watch", "wrap"}
    begins = ("find", "aggregate", "list_", "index_information", "read_", "write_concern", "codec_", "with_", "get_")
    plain = {"name", "full_name"}

    public = {name for name in dir(AsyncIOMotorCollection) if not name.startswith("_")}
    others = {name for name in public - WRITES - reads - plain if not name.startswith(begins)}

    assert others == set()
    assert {name for name in WRITES if name not in public} == set()

"""Keys in paths: whatever a name has in it, its escaped form in a path finds it and nothing else."""

from urllib.parse import quote

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from catalog.dialects.http.requests.paths import Parameters, Segments, segmented, unescaped
from catalog.store.clock import now
from tests.support.app import API_TOKEN
from tests.support.tenants import Organisation, organisation

KEYS = {
    "a slash": "org/iris",
    "slashes": "/a//b/",
    "an escaped slash": "org%2Firis",
    "an escaped slash, twice": "org%252Firis",
    "a percent sign": "100%",
    "a blank": "my iris",
    "a plus sign": "a+b",
    "what ends a path": "a?b=c#d;e",
    "another alphabet": "модель",
    "an emoji": "🌸",
    "a backslash": "a\\b",
    "two dots": "..",
    "spaces around": " iris ",
}
"""Some of them are names that are not given any more, but exist."""

KINDS = ("models", "datasets", "algorithms")


def escaped(key: str) -> str:
    return quote(key, safe="").replace(".", "%2E")


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada")


@pytest.fixture(scope="module")
async def tenant(app, org):
    return app.state.database.tenant(await app.state.database.tenants.find_one({"_id": org.name}))


@pytest.fixture
def written(app):
    return app.state.journal.flush


@pytest.fixture(params=KEYS.values(), ids=KEYS)
def key(request) -> str:
    return request.param


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_segments_of_a_path_are_what_the_client_escaped(segments):
    raw = "/".join(quote(segment, safe="") for segment in segments).encode()

    assert [unescaped(segment) for segment in segmented(raw).split("/")] == segments


@given(st.binary())
def test_no_path_breaks_it(raw):
    assert segmented(raw).count("/") == raw.count(b"/")


@pytest.mark.parametrize("kind", KINDS)
async def test_an_item_is_found_on_every_route_by_its_escaped_name(client, org, tenant, kind, key):
    made = (await client.post(f"/v1/{kind}", json={"name": str(ObjectId())}, headers=org.as_("ada"))).json()
    await getattr(tenant, kind).records.update_one({"_id": ObjectId(made["_id"])}, {"$set": {"name": key}})
    path, ada = f"/v1/{kind}/{escaped(key)}", org.as_("ada")

    answers = [
        await client.get(path, headers=ada),
        await client.put(path, json={"description": "found"}, headers=ada),
        await client.post(f"{path}/versions?name=m.bin", content=b"bytes", headers=ada),
        await client.get(f"{path}/versions", headers=ada),
        await client.get(f"{path}/versions/1", headers=ada),
        await client.get(f"{path}/versions/m.bin/info", headers=ada),
        await client.put(f"{path}/versions/1", json={"description": "found"}, headers=ada),
        await client.post(f"{path}/versions/1/link", headers=ada),
        await client.post(f"{path}/versions", json={"draft": True, "ordinal": "d"}, headers=ada),
        await client.put(f"{path}/versions/d/files/a%2Fb", content=b"bytes", headers=ada),
        await client.get(f"{path}/versions/d/files", headers=ada),
        await client.post(f"{path}/versions/d/close", headers=ada),
        await client.get(f"{path}/versions/d/files/a/b", headers=ada),
        await client.delete(f"{path}/versions/1", headers=ada),
        await client.delete(path, headers=ada),
    ]

    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert (answers[0].json()["_id"], answers[-1].json()["_id"]) == (made["_id"], made["_id"])


@pytest.mark.parametrize("words", ["tags", "metadata"])
async def test_a_word_is_removed_by_its_escaped_form(client, org, tenant, words, key):
    await getattr(tenant, words).records.insert_one({"_id": key, "usage": "folk", "timestamp": now(), "uses": 0})

    removed = await client.delete(f"/v1/{words}/{escaped(key)}", headers=org.as_("admin"))

    assert (removed.status_code, removed.json()["_id"]) == (200, key)


async def test_a_user_is_found_by_the_escaped_username(client, org, tenant, key):
    ada = await tenant.users.records.find_one({"username": "ada"})
    del ada["username_key"]  # as an older version recorded users, whose names may be any
    await tenant.users.records.insert_one(
        {**ada, "_id": ObjectId(), "username": key, "email": f"{ObjectId()}@example.org"}
    )
    path = f"/v1/users/{escaped(key)}"

    shown = await client.get(path, headers=org.as_("admin"))
    changed = await client.put(path, json={"email": f"{ObjectId()}@example.org"}, headers=org.as_("admin"))
    removed = await client.delete(path, headers=org.as_("admin"))

    assert [answer.json().get("username") for answer in (shown, changed, removed)] == [key] * 3


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/tenants/{key}"),
        ("DELETE", "/v1/tokens/{key}"),
        ("POST", "/v1/trash/{key}/restore"),
        ("GET", "/v1/models/{key}/versions/{key}"),
        ("GET", "/v1/links/{key}"),
    ],
)
async def test_a_key_that_is_not_there_is_a_key_and_no_other_route(client, org, method, path):
    headers = {"Authorization": API_TOKEN} if "tenants" in path else org.as_("ada")

    answer = await client.request(method, path.replace("{key}", "a%2Fversions%2f1"), headers=headers)

    assert answer.json()["message"] != "There is no such route"
    assert answer.status_code in {403, 404}


async def test_an_escaped_slash_separates_nothing(client, org):
    answer = await client.get("/v1%2Fmodels", headers=org.as_("ada"))

    assert (answer.status_code, answer.json()["details"]) == (404, "GET /v1%2Fmodels")


async def test_the_journal_tells_the_item_as_it_is_called_and_the_path_as_it_was_split(client, org, written):
    await client.put("/v1/models/org%2Firis%25", json={"description": ""}, headers=org.as_("ada"))
    await written()

    asked = {"filter": '{"item": "org/iris%"}'}
    [entry] = (await client.get("/v1/log", params=asked, headers=org.as_("admin"))).json()["docs"]

    assert (entry["route"], entry["path"]) == ("/v1/models/{key}", "/v1/models/org%2Firis%25")


async def test_what_opens_a_door_is_hidden_whatever_is_escaped_in_it(client, org, written):
    await client.get("/v1/links/secret%2Fsecret")
    await client.request("PATCH", "/v1/uploads/secret%2Fsecret", headers=org.as_("ada"))
    await written()

    entries = (await client.get("/v1/log", headers=org.as_("admin"), params={"limit": 5})).text

    assert "secret" not in entries


async def test_paths_without_an_escape_pass_untouched():
    scope = {"type": "http", "path": "/v1/models", "raw_path": b"/v1/models", "path_params": (params := {"key": "a"})}

    async def app(*_):
        assert scope["path"] == "/v1/models"

    await Segments(app)(scope, None, None)
    await Parameters(app)(scope, None, None)

    assert scope["path_params"] is params

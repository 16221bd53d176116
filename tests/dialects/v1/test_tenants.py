"""Tenants over HTTP, by the operator; and every route, tried by another tenant."""

import uuid
from datetime import timedelta

import pytest

from catalog.domain.tenants import removal
from tests.support.app import API_TOKEN, OURS, PASSWORD, client_of_app, in_database

OPERATOR = {"Authorization": API_TOKEN}


@pytest.fixture
def name():
    return f"{OURS}-{uuid.uuid4().hex[:8]}"


async def create(client, name, **fields):
    body = {"_id": name, "email": "info@example.org", "admin_username": "boss", "admin_password": "pippo"} | fields
    return await client.post("/v1/tenants/", json=body, headers=OPERATOR)


async def sign_in(client, tenant, username="boss", password="pippo"):
    return await client.post("/v1/login", json={"username": username, "password": password, "tenant": tenant})


async def test_a_tenant_is_made_with_its_administrator(client, name):
    made = await create(client, name, organization="Org", address="Street 1", phone="+39 000", passwordhash="true")

    assert made.status_code == 200
    assert made.json().keys() == {
        "passwordhash",
        "_id",
        "organization",
        "address",
        "email",
        "phone",
        "database",
        "timestamp",
        "lastmod",
    }
    assert (made.json()["_id"], made.json()["database"], made.json()["passwordhash"]) == (name, name, True)
    assert (await sign_in(client, name)).json()["user"]["role"] == "admin"


async def test_tenants_are_shown_and_listed_without_their_moments(client, name):
    made = (await create(client, name)).json()
    shown = {field: value for field, value in made.items() if field not in {"timestamp", "lastmod"}}

    one = await client.get(f"/v1/tenants/{name}", headers=OPERATOR)
    page = await client.get("/v1/tenants?limit=1", headers=OPERATOR)

    assert one.json() == shown
    assert page.json()["docs"] == [shown]


async def test_a_tenant_is_changed(client, name):
    await create(client, name)

    changed = await client.put(f"/v1/tenants/{name}", json={"organization": "Org 2"}, headers=OPERATOR)

    assert (changed.status_code, changed.json()["organization"]) == (200, "Org 2")


WRONG = {
    "no name": ({"_id": None}, "_id: this field is required"),
    "no email": ({"email": None}, "email: this field is required"),
    "a dot": ({"_id": "a.b"}, "at most 63 letters, digits"),
    "a path": ({"_id": "../other"}, "at most 63 letters, digits"),
    "a slash": ({"_id": "a/b"}, "at most 63 letters, digits"),
    "a dollar": ({"_id": "$where"}, "at most 63 letters, digits"),
    "too long": ({"_id": "x" * 64}, "at most 63 letters, digits"),
    "MongoDB's own": ({"_id": "admin"}, "admin is a reserved name"),
    "MongoDB's own, shouted": ({"_id": "LOCAL"}, "LOCAL is a reserved name"),
    "ours": ({"_id": "catalog"}, "catalog is a reserved name"),
    "MongoDB's own as a database": ({"database": "config"}, "config is a reserved name"),
    "the catalogue as a database": ({"database": f"{OURS}-catalogue"}, "is a reserved name"),
    "another tenant's database": ({"database": f"{OURS}-default"}, "exists already"),
    "the same in capitals": ({"database": f"{OURS}-default".upper()}, "exists already"),
    "an existing tenant": ({"_id": f"{OURS}-default"}, "exists already"),
    "an object for an email": ({"email": {"$ne": 1}}, "email: a text is needed"),
    "an unknown field": ({"admin": "x"}, "Unknown field (admin)"),
}


@pytest.mark.parametrize(("fields", "sentence"), WRONG.values(), ids=WRONG)
async def test_a_wrong_tenant_is_refused(client, name, fields, sentence):
    fields = {"_id": name, "email": "x@example.org", "admin_password": "pippo"} | fields
    body = {field: value for field, value in fields.items() if value is not None}

    answer = await client.post("/v1/tenants", json=body, headers=OPERATOR)

    assert (answer.status_code, answer.json()["value"]) == (400, 5)
    assert sentence in answer.json()["details"]
    assert (await client.get(f"/v1/tenants/{name}", headers=OPERATOR)).status_code == 404


async def test_a_database_with_something_in_it_is_not_taken_over(client, name, app):
    await app.state.database.client[name]["things"].insert_one({"old": True})

    answer = await create(client, name)

    assert answer.status_code == 400
    assert "exists already and is not empty" in answer.json()["details"]
    assert await app.state.database.client[name]["things"].count_documents({}) == 1


async def test_tenants_made_in_bulk_keep_the_credentials_they_were_given(client, name):
    body = [
        {"_id": name, "email": "x@y.z", "admin_username": "one", "admin_password": "first"},
        {"_id": name, "email": "x@y.z"},
        {"_id": f"{name}-b", "email": "x@y.z", "admin_username": "two", "admin_password": "second"},
    ]

    answer = await client.post("/v1/tenants", json=body, headers=OPERATOR)

    assert answer.status_code == 202
    assert [tenant["_id"] for tenant in answer.json()["tenants"]] == [name, f"{name}-b"]
    assert len(answer.json()["errors"]) == 1
    assert (await sign_in(client, name, "one", "first")).status_code == 200
    assert (await sign_in(client, f"{name}-b", "two", "second")).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "value"),
    [({}, 401, 16), ({"fake": 1}, 401, 14), ({"organization": "x", "fake": 1}, 400, 8), ({"database": "x"}, 401, 14)],
)
async def test_a_wrong_change_is_refused(client, name, body, status, value):
    await create(client, name)

    answer = await client.put(f"/v1/tenants/{name}", json=body, headers=OPERATOR)

    assert (answer.status_code, answer.json()["value"]) == (status, value)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_tenant_is_not_found(client, method):
    answer = await client.request(method, "/v1/tenants/nope", json={"organization": "x"}, headers=OPERATOR)

    assert (answer.status_code, answer.json()["value"]) == (404, 9)


async def test_a_removed_tenant_is_gone_with_everything_in_it(client, name, app, settings):
    await create(client, name)
    token = (await sign_in(client, name)).json()["token"]
    await client.post("/v1/models", json={"name": "m"}, headers={"Authorization": token})
    await client.post("/v1/models/m/versions?name=m.bin", content=b"bytes", headers={"Authorization": token})
    assert (settings.upload_path / name).exists()
    await app.state.journal.flush()  # what comes late is cleared away after some seconds

    removed = await client.delete(f"/v1/tenants/{name}", headers=OPERATOR)

    assert (removed.status_code, removed.json()["_id"]) == (200, name)
    assert (await client.get("/v1/models", headers={"Authorization": token})).status_code == 401
    assert name not in await app.state.database.client.list_database_names()
    assert not (settings.upload_path / name).exists()


async def test_the_tokens_of_a_removed_tenant_do_not_open_one_of_the_same_name(client, name, monkeypatch):
    monkeypatch.setitem(removal.STALE, "removed", timedelta())  # as if the seconds had gone by
    await create(client, name)
    token = (await sign_in(client, name)).json()["token"]
    await client.delete(f"/v1/tenants/{name}", headers=OPERATOR)

    assert (await create(client, name)).status_code == 200

    assert (await client.get("/v1/models", headers={"Authorization": token})).status_code == 401
    assert (await sign_in(client, name)).status_code == 200


async def test_a_removal_that_names_another_tenant_is_not_confirmed(client, name):
    await create(client, name)

    wrong = await client.delete(f"/v1/tenants/{name}?confirm=another", headers=OPERATOR)
    right = await client.delete(f"/v1/tenants/{name}?confirm={name}", headers=OPERATOR)

    assert (wrong.status_code, wrong.json()["value"]) == (409, 126)
    assert (right.status_code, right.json()["_id"]) == (200, name)


async def administrator(client, name, headers=OPERATOR, **body):
    return await client.put(f"/v1/tenants/{name}/administrator", json=body, headers=headers)


async def test_the_operator_gives_an_administrator_who_lost_it_another_password(client, name):
    await create(client, name)
    token = (await sign_in(client, name)).json()["token"]

    changed = await administrator(client, name, password="x")

    assert (changed.status_code, changed.json()["username"]) == (200, "boss")
    assert "argon2" not in changed.text
    assert (await client.get("/v1/models", headers={"Authorization": token})).status_code == 401
    assert (await sign_in(client, name, password="pippo")).status_code == 401
    assert (await sign_in(client, name, password="x")).status_code == 200


async def test_of_several_administrators_the_operator_says_which(client, org):
    await client.put("/v1/users/ada", json={"role": "admin"}, headers=org.as_("admin"))

    unsaid = await administrator(client, org.name, password="Other-Pass-2")
    said = await administrator(client, org.name, username="ada", password="Other-Pass-2")

    assert (unsaid.status_code, unsaid.json()["details"]) == (400, "username: which of ada, admin?")
    assert (await sign_in(client, org.name, "ada", "Other-Pass-2")).status_code == said.status_code == 200


@pytest.mark.parametrize(
    ("tenant", "body", "status"),
    [
        (None, {}, 401),
        (None, {"role": "admin"}, 401),
        (None, {"username": "admin"}, 400),
        (None, {"username": "ada", "password": "x"}, 404),
        (None, {"username": {"$ne": 1}, "password": "x"}, 400),
        ("nope", {"password": "x"}, 404),
    ],
)
async def test_a_wrong_word_about_an_administrator_is_refused(client, org, tenant, body, status):
    assert (await administrator(client, tenant or org.name, **body)).status_code == status


async def test_an_administrator_is_no_operator(client, org):
    assert (await administrator(client, org.name, org.as_("admin"), password="x")).status_code == 401


async def test_the_names_of_tenants_are_the_operators_to_know(client, name, org, settings):
    await create(client, name)

    named = await client.get("/v1/types/tenants", headers=OPERATOR)

    assert {"_id": name} in named.json()["docs"]
    assert (named.json()["limit"], named.json()["page"]) == (1000, 1)
    for headers in ({}, org.as_("admin")):
        others = (await client.get("/v1/types/tenants", headers=headers)).json()["docs"]
        assert others == [{"_id": settings.default_tenant}]


async def test_who_is_not_the_operator_asks_only_for_names(client):
    hidden = {"filter": '{"email": "info@example.org"}'}

    refused = await client.get("/v1/types/tenants", params=hidden)

    assert (refused.status_code, refused.json()["value"]) == (400, 6)
    assert (await client.get("/v1/types/tenants", params=hidden, headers=OPERATOR)).status_code == 200


async def test_where_tenants_are_public_anybody_is_shown_their_names_and_nothing_else(client, name, settings, mongo):
    await create(client, name)
    public = settings.model_copy(update={"public_tenants": True})

    async with client_of_app(public, in_database(mongo, f"{OURS}-catalogue")) as anybody:
        docs = (await anybody.get("/v1/types/tenants")).json()["docs"]

    assert {"_id": name} in docs
    assert {frozenset(each) for each in docs} == {frozenset({"_id"})}


async def test_the_policy_of_passwords_is_known_to_anybody(client):
    answer = await client.get("/v1/types/passwordStrength")

    assert answer.json() == {"passwordStrength": "1", "ValidityPasswordDays": "1092"}


async def test_the_default_tenant_is_not_removed(client, settings):
    answer = await client.delete(f"/v1/tenants/{settings.default_tenant}", headers=OPERATOR)

    assert (answer.status_code, answer.json()["value"]) == (400, 7)


@pytest.mark.parametrize("authorization", [None, "wrong", "Bearer wrong", "é"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_only_the_operator_comes_near_tenants(client, org, method, authorization):
    for given in (authorization, org.tokens["admin"]):
        headers = {} if given is None else {"Authorization": given.encode()}
        answer = await client.request(method, "/v1/tenants", json={}, headers=headers)
        assert (answer.status_code, answer.json()["value"]) == (401, 3)


@pytest.mark.parametrize("scheme", ["", "Bearer ", "JWT "])
async def test_the_api_token_is_taken_with_and_without_a_scheme(client, scheme):
    answer = await client.get("/v1/tenants", headers={"Authorization": f"{scheme}{API_TOKEN}"})

    assert answer.status_code == 200


async def test_the_api_token_is_no_users_token(client):
    assert (await client.get("/v1/models", headers=OPERATOR)).status_code == 401


async def test_another_tenant_sees_nothing_and_changes_nothing(client, org, other_org):
    everything = {
        "name": "iris",
        "visibility": "public",
        "tags": ["secret-tag"],
        "metadata": [{"name": "k", "value": 1}],
    }
    for kind in ("datasets", "models", "algorithms"):
        await client.post(f"/v1/{kind}", json=everything, headers=org.as_("ada"))
        await client.post(f"/v1/{kind}/iris/versions?name=f.bin", content=b"x", headers=org.as_("ada"))
    strangers = [other_org.as_("ada"), other_org.as_("admin")]

    for headers in strangers:
        for kind in ("datasets", "models", "algorithms"):
            made = (await client.get(f"/v1/{kind}/iris", headers=org.as_("ada"))).json()
            for key in ("iris", made["_id"]):
                for method, url in (
                    ("GET", f"/v1/{kind}/{key}"),
                    ("PUT", f"/v1/{kind}/{key}"),
                    ("DELETE", f"/v1/{kind}/{key}"),
                    ("POST", f"/v1/{kind}/{key}/versions?name=g.bin"),
                    ("GET", f"/v1/{kind}/{key}/versions/1"),
                    ("HEAD", f"/v1/{kind}/{key}/versions/1"),
                    ("DELETE", f"/v1/{kind}/{key}/versions/1"),
                ):
                    answer = await client.request(method, url, json={"visibility": "private"}, headers=headers)
                    assert answer.status_code == 404, (method, url)
        for url in ("models", "datasets", "algorithms", "tags", "metadata"):
            assert (await client.get(f"/v1/{url}", headers=headers)).json()["totalDocs"] == 0
        assert (await client.get("/v1/users/eve", headers=headers)).status_code == 404
        assert (await client.get(f"/v1/users/{org.ids['ada']}", headers=headers)).status_code == 404
    for method, url in (("DELETE", "/v1/tags/secret-tag"), ("PUT", "/v1/users/eve"), ("DELETE", "/v1/users/eve")):
        answer = await client.request(method, url, json={"password": PASSWORD}, headers=other_org.as_("admin"))
        assert answer.status_code == 404
    shared = await client.post(
        "/v1/models", json={"name": "m", "users": [org.ids["ada"]]}, headers=other_org.as_("ada")
    )
    assert shared.json()["details"] == f"users: User not existent ({org.ids['ada']})"

    for kind in ("datasets", "models", "algorithms"):
        assert (await client.get(f"/v1/{kind}/iris/versions/1", headers=org.as_("bob"))).content == b"x"

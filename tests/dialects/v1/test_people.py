"""Signing in, tokens and users over HTTP."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from catalog.dialects.http import sessions
from tests.support.app import PASSWORD
from tests.support.tenants import organisation


async def sign_in(client, org, username="ada", password=PASSWORD, **more):
    body = {"username": username, "password": password, "tenant": org.name} | more
    return await client.post("/v1/login", json=body)


async def status_with(client, authorization):
    return (await client.get("/v1/models", headers={"Authorization": authorization})).status_code


@pytest.mark.parametrize("path", ["/v1/login", "/login", "/v1/login/"])
async def test_signing_in_answers_the_user_and_a_token(client, org, path):
    body = {"username": "ada", "password": PASSWORD, "tenant": org.name}

    answer = (await client.post(path, json=body)).json()

    assert answer["token"].startswith("JWT ")
    assert answer["token_expiration_time"] == "30m"
    assert answer["user"].keys() == {
        "_id",
        "username",
        "email",
        "role",
        "createdPassword",
        "validityPasswordDays",
    }


async def test_a_token_is_taken_as_bearer_as_jwt_or_bare(client, org):
    token = org.tokens["ada"].removeprefix("JWT ")

    for authorization in (f"Bearer {token}", f"bearer {token}", f"JWT {token}", token):
        assert await status_with(client, authorization) == 200


async def test_without_a_tenant_one_signs_in_to_the_default_one(client, settings):
    body = {"username": "admin", "password": PASSWORD}

    assert (await client.post("/login", json=body)).json()["user"]["role"] == "admin"


async def test_an_unknown_user_is_answered_as_a_wrong_password(client, org):
    unknown, wrong = await sign_in(client, org, "nobody"), await sign_in(client, org, password="wrong")

    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()
    assert unknown.json()["details"] == "Incorrect username or password"


WRONG_LOGINS = {
    "no password": {"username": "ada"},
    "an operator for a username": {"username": {"$ne": None}, "password": {"$ne": None}},
    "an operator for a password": {"username": "ada", "password": {"$gt": ""}},
    "a list for a password": {"username": "ada", "password": ["x"]},
    "an unknown tenant": {"username": "ada", "password": PASSWORD, "tenant": "nope"},
    "an operator for a tenant": {"username": "ada", "password": PASSWORD, "tenant": {"$ne": None}},
    "a NUL": {"username": "ada\0", "password": PASSWORD},
    "a password of a megabyte": {"username": "ada", "password": "x" * 2**20},
}


@pytest.mark.parametrize("body", WRONG_LOGINS.values(), ids=WRONG_LOGINS)
async def test_a_wrong_login_is_refused(client, org, body):
    answer = await client.post("/v1/login", json={"tenant": org.name} | body)

    assert (answer.status_code, answer.json()["value"]) == (401, 3)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def forged(settings, org, *, secret=None, algorithm="HS256", leave_out=(), **claims):
    now = datetime.now(UTC)
    whole = {
        "sub": org.ids["ada"],
        "tenant": org.name,
        "iat": now,
        "exp": now + timedelta(minutes=5),
        "jti": "1",
    } | claims
    for claim in leave_out:
        del whole[claim]
    key = settings.jwt_secret.get_secret_value() if secret is None else secret
    return jwt.encode(whole, None if algorithm == "none" else key, algorithm=algorithm)


def generation_of(org):
    """Of the tenant, as its tokens say."""
    return jwt.decode(org.tokens["admin"].removeprefix("JWT "), options={"verify_signature": False})["generation"]


FORGERIES = {
    "of another secret": {"secret": "another secret, but as long as the real one is"},
    "of no algorithm": {"algorithm": "none"},
    "of another algorithm": {"algorithm": "HS512"},
    "that has expired": {"exp": datetime(2020, 1, 1, tzinfo=UTC), "iat": datetime(2020, 1, 1, tzinfo=UTC)},
    "without an expiry": {"leave_out": ["exp"]},
    "of a user who never was": {"sub": "5f" * 12},
    "of a user that is no id": {"sub": "ada"},
    "of a tenant that never was": {"tenant": "nope"},
    "of the operator's own making": {"tenant": "registry-catalog"},
    "of another generation of the tenant": {"generation": "5f" * 12},
    "from before the tenant was made, by a version that did not say of which": {
        "iat": datetime.now(UTC) - timedelta(days=1)
    },
    "from the future": {"iat": datetime(2090, 1, 1, tzinfo=UTC)},
}


@pytest.mark.filterwarnings("ignore:The HMAC key")  # HS512 would like a longer one
@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_token_is_refused(client, org, settings, forgery):
    answer = await client.get("/v1/models", headers={"Authorization": forged(settings, org, **forgery)})

    assert (answer.status_code, answer.json()["value"]) == (401, 3)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_an_honest_token_of_the_same_making_is_taken(client, org, settings):
    assert await status_with(client, forged(settings, org)) == 200


@pytest.mark.parametrize("authorization", ["", "JWT", "Bearer ", "JWT bad", "Basic YTpi", "é", "a.b.c"])
async def test_what_is_no_token_is_refused(client, authorization):
    answer = await client.get("/v1/models", headers={"Authorization": authorization.encode()})

    assert (answer.status_code, answer.json()["value"]) == (401, 3)


async def test_a_token_in_the_query_or_the_body_is_not_looked_at(client, org):
    url = f"/v1/models?Authorization={org.tokens['ada']}"

    answer = await client.post(url, json={"name": "m", "Authorization": org.tokens["ada"]})

    assert answer.status_code == 401


async def test_a_token_says_no_more_than_who_and_where(org, settings):
    token = org.tokens["ada"].removeprefix("JWT ")

    claims = jwt.decode(token, settings.jwt_secret.get_secret_value(), algorithms=["HS256"])

    assert claims.keys() == {"sub", "tenant", "generation", "iat", "exp", "jti"}
    assert (claims["sub"], claims["tenant"]) == (org.ids["ada"], org.name)


async def test_a_token_is_renewed_even_when_it_has_just_expired(client, org, settings):
    ago = datetime.now(UTC) - timedelta(hours=1)
    expired = forged(settings, org, iat=ago, exp=ago + timedelta(minutes=30), generation=generation_of(org))

    answer = await client.put("/v1/login", headers={"Authorization": expired})

    assert answer.status_code == 200
    assert await status_with(client, answer.json()["token"]) == 200


async def test_a_token_of_yesterday_is_not_renewed(client, org, settings):
    ago = datetime.now(UTC) - timedelta(hours=25)
    old = forged(settings, org, iat=ago, exp=ago + timedelta(minutes=30))

    for headers in ({"Authorization": old}, {"Authorization": "fake-token"}, {}):
        answer = await client.put("/v1/login", headers=headers)
        assert (answer.status_code, answer.json()["value"]) == (401, 3)


async def test_a_removed_user_is_out_at_once(client, org):
    assert await status_with(client, org.tokens["eve"]) == 200

    await client.delete("/v1/users/eve", headers=org.as_("admin"))

    assert await status_with(client, org.tokens["eve"]) == 401


@pytest.mark.parametrize("change", [{"password": "Other-Pass-2"}, {"role": "admin"}])
async def test_a_new_password_or_role_signs_out_everywhere(client, org, change):
    assert await status_with(client, org.tokens["ada"]) == 200

    answer = await client.put("/v1/users/ada", json=change, headers=org.as_("admin"))

    assert answer.status_code == 200
    assert await status_with(client, org.tokens["ada"]) == 401
    again = await sign_in(client, org, password=change.get("password", PASSWORD))
    assert await status_with(client, again.json()["token"]) == 200


async def test_signing_out_everywhere_ends_all_credentials_and_keeps_the_password(client, org):
    token = await client.post("/v1/tokens", json={"name": "nightly"}, headers=org.as_("ada"))

    by_another = await client.post("/v1/users/ada/signout", headers=org.as_("bob"))
    answer = await client.post("/v1/users/ada/signout", headers=org.as_("ada"))

    assert (by_another.status_code, answer.status_code) == (400, 200)
    assert await status_with(client, org.tokens["ada"]) == 401
    assert await status_with(client, f"Bearer {token.json()['token']}") == 401
    again = await sign_in(client, org)
    assert await status_with(client, again.json()["token"]) == 200


async def test_what_another_server_did_is_believed_for_seconds_only(client, org, monkeypatch, app):
    assert await status_with(client, org.tokens["ada"]) == 200
    monkeypatch.setattr(sessions, "FRESH", 0.0)  # as if the seconds had gone by

    database = app.state.database
    await database.client[org.database]["users"].delete_one({"username": "ada"})

    assert await status_with(client, org.tokens["ada"]) == 401


USER = {"username": "zoe", "password": PASSWORD, "email": "zoe@example.org", "role": "regular"}


@pytest.mark.sample
async def test_an_administrator_makes_users(client, org):
    made = await client.post("/v1/users", json=USER, headers=org.as_("admin"))

    assert made.status_code == 200
    assert {field: made.json()[field] for field in ("username", "email", "role")} == {
        field: USER[field] for field in ("username", "email", "role")
    }
    assert made.json()["validityPasswordDays"] == 1092
    assert "password" not in made.json()
    assert (await sign_in(client, org, "zoe")).status_code == 200


WRONG_USERS = {
    "no username": {"username": None},
    "no password": {"password": None},
    "no email": {"email": None},
    "no role": {"role": None},
    "an unknown role": {"role": "king"},
    "a weak password": {"password": "weak"},
    "a username that is taken": {"username": "ada"},
    "an email that is taken": {"email": "ada@example.org"},
    "a username that is an id": {"username": "5f" * 12},
    "a moment of signing out": {"signed_out": "2020-01-01"},
}


@pytest.mark.parametrize("wrong", WRONG_USERS.values(), ids=WRONG_USERS)
async def test_a_wrong_user_is_refused(client, org, wrong):
    body = {field: value for field, value in (USER | wrong).items() if value is not None}

    answer = await client.post("/v1/users", json=body, headers=org.as_("admin"))

    assert (answer.status_code, answer.json()["value"]) == (400, 5)
    assert PASSWORD not in answer.text


async def test_users_are_made_in_bulk(client, org):
    answer = await client.post("/v1/users", json=[USER, USER], headers=org.as_("admin"))

    assert answer.status_code == 202
    assert [user["username"] for user in answer.json()["users"]] == ["zoe"]
    assert answer.json()["errors"] == [
        "Index: 1 (User validation failed: a user with the same username already exists (zoe))"
    ]


async def test_administrators_see_users_whole_and_others_see_names(client, org):
    whole = (await client.get("/v1/users/ada", headers=org.as_("admin"))).json()
    by_id = (await client.get(f"/v1/users/{org.ids['ada']}", headers=org.as_("bob"))).json()
    listed = (await client.get('/v1/users?sort={"username":1}', headers=org.as_("bob"))).json()

    assert whole["email"] == "ada@example.org"
    assert by_id == {"_id": org.ids["ada"], "username": "ada"}
    others = [user for user in listed["docs"] if user["username"] != "bob"]
    assert [user.keys() for user in others] == [{"_id", "username"}] * 3


async def test_no_answer_has_a_password_in_it(client, org):
    for url in ("/v1/users", "/v1/users/ada", "/v1/users?limit=1000"):
        answer = await client.get(url, headers=org.as_("admin"))
        assert "password" not in answer.text
        assert "argon2" not in answer.text


async def test_a_user_changes_email_and_password(client, org):
    email = await client.put("/v1/users/ada", json={"email": "new@example.org"}, headers=org.as_("ada"))
    await org.sign_in("ada")  # another address ends all sessions
    password = await client.put("/v1/users/ada", json={"password": "Other-Pass-2"}, headers=org.as_("ada"))

    assert (email.status_code, email.json()["email"]) == (200, "new@example.org")
    assert password.status_code == 200
    assert (await sign_in(client, org, password="Other-Pass-2")).status_code == 200
    assert (await sign_in(client, org)).status_code == 401


WRONG_CHANGES = {
    "of somebody else": ("bob", "ada", {"email": "x@example.org"}, 400, 8),
    "of one's own role": ("ada", "ada", {"role": "admin"}, 403, 12),
    "of a username": ("admin", "ada", {"username": "new", "password": PASSWORD}, 400, 8),
    "to a weak password": ("ada", "ada", {"password": "weak"}, 400, 8),
    "to an email that is taken": ("ada", "ada", {"email": "bob@example.org"}, 400, 8),
    "of nothing": ("ada", "ada", {}, 401, 16),
    "of an unknown field": ("ada", "ada", {"fake": 1}, 401, 14),
    "of an unknown user": ("admin", "fake", {"password": PASSWORD}, 404, 9),
    "of the last administrator's role": ("admin", "admin", {"role": "regular"}, 400, 8),
}


@pytest.mark.parametrize(("who", "whom", "body", "status", "value"), WRONG_CHANGES.values(), ids=WRONG_CHANGES)
async def test_a_wrong_change_is_refused(client, org, who, whom, body, status, value):
    answer = await client.put(f"/v1/users/{whom}", json=body, headers=org.as_(who))

    assert (answer.status_code, answer.json()["value"]) == (status, value), answer.text


async def test_a_user_who_owns_things_is_not_removed(client, org):
    model = (await client.post("/v1/models", json={"name": "m"}, headers=org.as_("ada"))).json()

    answer = await client.delete("/v1/users/ada", headers=org.as_("admin"))

    assert (answer.status_code, answer.json()["value"]) == (400, 7)
    assert answer.json()["details"] == f"Used in {model['_id']} Model"


async def test_the_last_administrator_stays(client, org):
    answer = await client.delete("/v1/users/admin", headers=org.as_("admin"))

    assert (answer.status_code, answer.json()["value"]) == (400, 7)


async def test_what_was_shared_with_a_removed_user_is_shared_no_more(client, org):
    body = {"name": "m", "users": ["bob", "eve"]}
    model = (await client.post("/v1/models", json=body, headers=org.as_("ada"))).json()

    await client.delete("/v1/users/bob", headers=org.as_("admin"))

    left = (await client.get(f"/v1/models/{model['_id']}", headers=org.as_("ada"))).json()
    assert [user["username"] for user in left["users"]] == ["eve"]


async def test_regular_users_neither_make_nor_remove_users(client, org):
    made = await client.post("/v1/users", json=USER, headers=org.as_("ada"))
    removed = await client.delete("/v1/users/bob", headers=org.as_("ada"))

    assert [(a.status_code, a.json()["value"]) for a in (made, removed)] == [(403, 13)] * 2


async def test_a_user_of_one_tenant_cannot_sign_in_to_another(client, org):
    other = await organisation(client)

    assert (await sign_in(client, other, "ada")).status_code == 401


async def test_an_expired_password_is_told_to_a_user_who_knows_it_and_renews_nothing(client, org, app):
    long_ago = datetime.now(UTC) - timedelta(days=2000)
    people = app.state.database.client[org.database]["users"]
    await people.update_one({"username": "ada"}, {"$set": {"createdPassword": long_ago}})

    right, wrong = await sign_in(client, org), await sign_in(client, org, password="wrong")
    renewed = await client.put("/v1/login", headers=org.as_("ada"))

    assert "expired" in right.json()["details"]
    assert wrong.json()["details"] == "Incorrect username or password"
    assert (right.status_code, renewed.status_code) == (401, 401)
    await client.put("/v1/users/ada", json={"password": "Other-Pass-2"}, headers=org.as_("admin"))
    assert (await sign_in(client, org, password="Other-Pass-2")).status_code == 200


async def test_an_administrator_says_how_long_a_password_lasts(client, org):
    body = {"username": "zoe", "password": PASSWORD, "email": "zoe@example.org", "role": "regular"}
    zoe = org.client.post("/v1/users", json=body | {"validityPasswordDays": 0}, headers=org.as_("admin"))

    made = (await zoe).json()
    changed = await client.put("/v1/users/zoe", json={"validityPasswordDays": 30}, headers=org.as_("admin"))
    by_herself = await client.put("/v1/users/ada", json={"validityPasswordDays": 0}, headers=org.as_("ada"))
    wrong = [
        await client.put("/v1/users/zoe", json={"validityPasswordDays": days}, headers=org.as_("admin"))
        for days in (-1, 36501, "30", 1.5, True)
    ]

    assert (made["validityPasswordDays"], changed.json()["validityPasswordDays"]) == (0, 30)
    assert (by_herself.status_code, by_herself.json()["value"]) == (403, 12)
    assert {(answer.status_code, answer.json()["value"]) for answer in wrong} == {(400, 8)}


LOOKS = (
    "/v1/users",
    "/v1/users/ada",
    "/v1/models",
    "/v1/models?select=[%22users%22]",
    "/v1/models/m",
    "/v1/models/m/versions",
    "/v1/models/m/versions/1/info",
    "/v1/datasets",
    "/v1/algorithms",
    "/v1/search?q=m",
    "/v1/tags",
    "/v1/metadata",
    "/v1/tags/suggest?q=t",
    "/v1/trash",
)


@pytest.mark.parametrize("look", LOOKS)
async def test_other_people_are_shown_to_users_by_name_only(client, org, look):
    shared = {"visibility": "public", "users": ["bob", "eve"], "tags": ["t"], "metadata": [{"name": "n", "value": 1}]}
    for kind in ("datasets", "models", "algorithms"):
        body = {"name": "m", **shared} | ({} if kind == "datasets" else {"datasets": ["m"]})
        (await client.post(f"/v1/{kind}", json=body, headers=org.as_("ada"))).raise_for_status()
    await client.post("/v1/models/m/versions?name=a.bin", content=b"x", headers=org.as_("ada"))

    seen = await client.get(look, headers=org.as_("bob"))

    assert seen.status_code == 200
    others = seen.text.replace("bob@example.org", "").replace('"role":"regular"', "", 1)
    assert "@example.org" not in others
    assert others.count("validityPasswordDays") <= seen.text.count("bob@example.org")


async def test_oneself_is_shown_whole_and_to_administrators_everybody(client, org):
    made = await client.post("/v1/models", json={"name": "m", "users": ["bob", "eve"]}, headers=org.as_("ada"))
    url = f"/v1/models/{made.json()['_id']}"

    for_bob, for_admin = [(await client.get(url, headers=org.as_(who))).json()["users"] for who in ("bob", "admin")]
    self = (await client.get("/v1/users/bob", headers=org.as_("bob"))).json()

    assert [user.get("email") for user in for_bob] == ["bob@example.org", None]
    assert [user.get("email") for user in for_admin] == ["bob@example.org", "eve@example.org"]
    assert [user["username"] for user in for_bob] == ["bob", "eve"]
    assert self["email"] == "bob@example.org"

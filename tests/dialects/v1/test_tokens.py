"""Personal access tokens over HTTP."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from catalog.dialects.http import sessions
from catalog.domain.people.authentication.access_tokens import digest
from catalog.domain.people.authentication.credentials import SessionTokens
from catalog.errors import AUTHENTICATION, Refused
from catalog.store.clock import now
from tests.support.app import PASSWORD

READER = {"name": "nightly", "scopes": ["read"]}
AN_HOUR = timedelta(hours=1)
WRITER = {"name": "training", "scopes": ["write"]}


async def create(client, org, who="ada", **body):
    return await client.post("/v1/tokens", json=WRITER | body, headers=org.as_(who))


async def token_of(client, org, who="ada", **body):
    made = (await create(client, org, who, **body)).raise_for_status().json()
    return made["_id"], {"Authorization": f"Bearer {made['token']}"}


async def status_with(client, headers, url="/v1/models"):
    return (await client.get(url, headers=headers)).status_code


async def test_a_token_is_shown_once_and_kept_as_a_hash(client, org, app):
    made = (await create(client, org, name="ci", scopes=["read", "write"], expires_in="30d")).json()

    listed = (await client.get("/v1/tokens", headers=org.as_("ada"))).json()
    kept = await app.state.database.client[org.database]["access_tokens"].find_one({"name": "ci"})

    assert re.fullmatch(rf"cat_{org.name}_[A-Za-z0-9]{{43}}", made["token"])
    assert made.keys() == {"_id", "name", "user", "scopes", "timestamp", "expires", "used", "token"}
    assert listed["docs"] == [{field: value for field, value in made.items() if field != "token"}]
    assert kept["digest"] == digest(made["token"])
    assert made["token"] not in str(kept)
    lasts = datetime.fromisoformat(made["expires"]) - datetime.fromisoformat(made["timestamp"])
    assert abs(lasts - timedelta(days=30)) < timedelta(hours=1)


@pytest.mark.parametrize("scheme", ["", "Bearer ", "JWT ", "bearer "])
async def test_a_token_is_taken_wherever_a_session_is(client, org, scheme):
    token = (await create(client, org)).json()["token"]

    made = await client.post("/v1/models", json={"name": "iris"}, headers={"Authorization": f"{scheme}{token}"})

    assert made.status_code == 200
    assert made.json()["owner"] == org.ids["ada"]


async def test_a_token_that_reads_writes_nothing(client, org):
    await client.post("/v1/models", json={"name": "iris"}, headers=org.as_("ada"))
    _, reads = await token_of(client, org, **READER)

    assert await status_with(client, reads, "/v1/models/iris") == 200
    for method, url in (
        ("POST", "/v1/models"),
        ("PUT", "/v1/models/iris"),
        ("DELETE", "/v1/models/iris"),
        ("POST", "/v1/models/iris/versions?name=f.bin"),
        ("POST", "/v1/tokens"),
        ("PUT", "/v1/users/ada"),
    ):
        answer = await client.request(method, url, json={"name": "m"}, headers=reads)
        assert (answer.status_code, answer.json()["value"]) == (403, 125), (method, url)


async def test_a_token_reads_unless_it_says_more(client, org):
    made = (await client.post("/v1/tokens", json={"name": "x"}, headers=org.as_("ada"))).json()

    assert made["scopes"] == ["read"]


async def test_a_token_does_not_make_itself_more_than_it_is(client, org):
    _, writes = await token_of(client, org, "admin")
    other, _ = await token_of(client, org, "ada")
    admin = {"username": "zoe", "password": PASSWORD, "email": "zoe@example.org", "role": "admin"}

    refused = [
        await client.post("/v1/tokens", json=WRITER, headers=writes),
        await client.put("/v1/users/admin", json={"password": "Other-Pass-2"}, headers=writes),
        await client.put("/v1/users/ada", json={"role": "admin"}, headers=writes),
        await client.post("/v1/users", json=admin, headers=writes),
        await client.post("/v1/users", json=admin | {"role": "regular"}, headers=writes),
        await client.delete("/v1/users/eve?transfer=ada", headers=writes),
        await client.delete(f"/v1/tokens/{other}", headers=writes),
    ]
    renewed = await client.put("/v1/login", headers=writes)

    assert [(answer.status_code, answer.json()["value"]) for answer in refused] == [
        (403, 11),
        (403, 12),
        (403, 12),
        (403, 11),
        (403, 11),
        (403, 13),
        (403, 13),
    ]
    assert renewed.status_code == 401


async def test_a_token_ends_itself(client, org):
    made, writes = await token_of(client, org, "ada")

    ended = await client.delete(f"/v1/tokens/{made}", headers=writes)

    assert ended.status_code == 200
    assert (await client.get("/v1/models", headers=writes)).status_code == 401


WRONG = {
    "no name": {"name": None},
    "an unknown scope": {"scopes": ["admin"]},
    "a scope that is no list": {"scopes": "read"},
    "an unknown field": {"digest": "0" * 64},
    "no life at all": {"expires_in": 0},
    "a life of a thousand years": {"expires_in": "365000d"},
    "a life in words": {"expires_in": "soon"},
    "a date that is past": {"expires": "2020-01-01T00:00:00Z"},
    "a date in words": {"expires": "tomorrow"},
    "two ends": {"expires_in": "1d", "expires": "2090-01-01"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_wrong_token_is_refused(client, org, wrong):
    answer = await create(client, org, **wrong)

    assert (answer.status_code, answer.json()["value"]) == (400, 5)


async def test_a_name_is_given_once(client, org):
    await create(client, org)

    again, another = await create(client, org), await create(client, org, "bob")

    assert (again.status_code, another.status_code) == (400, 200)
    assert "exists already (training)" in again.json()["details"]


async def test_a_date_without_a_zone_is_universal_time(client, org):
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None, microsecond=0)

    made = (await create(client, org, expires=tomorrow.isoformat())).json()

    assert made["expires"] == f"{tomorrow.isoformat()}.000Z"


async def test_a_revoked_token_is_out_at_once(client, org):
    key, writes = await token_of(client, org)
    assert await status_with(client, writes) == 200

    revoked = await client.delete(f"/v1/tokens/{key}", headers=org.as_("ada"))

    assert (revoked.status_code, revoked.json()["_id"]) == (200, key)
    assert "digest" not in revoked.text
    assert await status_with(client, writes) == 401


async def test_what_another_server_revoked_is_believed_for_seconds_only(client, org, app, monkeypatch):
    _, writes = await token_of(client, org)
    assert await status_with(client, writes) == 200

    await app.state.database.client[org.database]["access_tokens"].delete_many({})
    assert await status_with(client, writes) == 200
    monkeypatch.setattr(sessions, "FRESH", 0.0)  # as if the seconds had gone by

    assert await status_with(client, writes) == 401


async def test_an_expired_token_is_out_even_while_it_is_remembered(app, client, org):
    _, writes = await token_of(client, org)
    moment = now()
    remembering = sessions.Sessions(app.state.database, SessionTokens("s" * 32, AN_HOUR, AN_HOUR), lambda: moment)
    assert (await remembering.caller(writes["Authorization"])).username == "ada"

    moment += timedelta(days=91)
    with pytest.raises(Refused, match="expired") as refusal:
        await remembering.caller(writes["Authorization"])

    assert refusal.value.fault is AUTHENTICATION


async def test_tokens_of_others_are_an_administrators_to_see_and_to_revoke(client, org, other_org):
    key, writes = await token_of(client, org)

    seen = {who: (await client.get("/v1/tokens", headers=org.as_(who))).json()["totalDocs"] for who in ("bob", "admin")}
    by_bob = await client.delete(f"/v1/tokens/{key}", headers=org.as_("bob"))
    by_a_stranger = await client.delete(f"/v1/tokens/{key}", headers=other_org.as_("admin"))
    by_admin = await client.delete(f"/v1/tokens/{key}", headers=org.as_("admin"))

    assert seen == {"bob": 0, "admin": 1}
    assert (by_bob.status_code, by_a_stranger.status_code, by_admin.status_code) == (404, 404, 200)
    assert await status_with(client, writes) == 401


@pytest.mark.parametrize("change", [{"password": "Other-Pass-2"}, {"role": "admin"}])
async def test_a_new_password_or_role_ends_all_tokens(client, org, change):
    _, writes = await token_of(client, org)
    assert await status_with(client, writes) == 200

    await client.put("/v1/users/ada", json=change, headers=org.as_("admin"))

    assert await status_with(client, writes) == 401
    assert (await client.get("/v1/tokens", headers=org.as_("admin"))).json()["docs"] == []


async def test_a_removed_users_tokens_are_out(client, org):
    _, writes = await token_of(client, org, "eve")
    assert await status_with(client, writes) == 200

    await client.delete("/v1/users/eve", headers=org.as_("admin"))

    assert await status_with(client, writes) == 401


async def test_the_last_use_is_written_now_and_then(client, org, app):
    _, writes = await token_of(client, org)

    await status_with(client, writes)
    first = (await client.get("/v1/tokens", headers=org.as_("ada"))).json()["docs"][0]["used"]
    await status_with(client, writes)
    second = (await client.get("/v1/tokens", headers=org.as_("ada"))).json()["docs"][0]["used"]

    assert first is not None
    assert second == first


async def test_a_token_opens_its_own_tenant_only(client, org, other_org):
    token = (await create(client, org)).json()["token"]
    elsewhere = token.replace(org.name, other_org.name)

    assert elsewhere != token
    assert await status_with(client, {"Authorization": elsewhere}) == 401
    assert await status_with(client, {"Authorization": token.replace(org.name, "nope")}) == 401
    assert await status_with(client, {"Authorization": token[:-1]}) == 401


async def test_a_user_has_a_bounded_number_of_tokens(client, org, monkeypatch):
    monkeypatch.setattr("catalog.domain.people.authentication.access_tokens.MOST", 2)

    statuses = [(await create(client, org, name=f"{number}")).status_code for number in range(3)]

    assert statuses == [200, 200, 400]

"""Groups, and editors: whom an item is shared with, and what those people may do."""

import asyncio

import pytest
from litestar.middleware import DefineMiddleware

from catalog.dialects.http.sessions import Sessions
from catalog.domain.people.groups import MOST_GROUPS
from catalog.errors import AUTHENTICATION, Refused
from catalog.store.ids import object_id
from tests.permissions.world import access_token
from tests.support.slow_requests import sent_slowly
from tests.support.tenants import organisation


@pytest.fixture(scope="module")
async def org(client):
    """Ada owns, Bob and Flo are in the group `vision` in most tests, and Eve is not."""
    return await organisation(client, "ada", "bob", "eve", "flo")


@pytest.fixture
async def vision(client, org):
    body = {"name": "vision", "description": "Images", "members": ["bob"]}
    made = (await client.post("/v1/groups", json=body, headers=org.as_("admin"))).raise_for_status().json()
    yield made
    await client.delete(f"/v1/groups/{made['_id']}", headers=org.as_("admin"))


@pytest.fixture
async def iris(client, org, vision):
    """Ada's model, shared with the group."""
    body = {"name": "iris", "users": ["vision"], "tags": ["petals-of-ada"], "metadata": [{"name": "k", "value": 1}]}
    made = (await client.post("/v1/models", json=body, headers=org.as_("ada"))).raise_for_status().json()
    yield made
    await client.delete(f"/v1/models/{made['_id']}", headers=org.as_("ada"))


async def ask(client, org, who, method, url, **sent):
    return await client.request(method, f"/v1{url}", headers=org.as_(who), **sent)


async def status(client, org, who, method, url, **sent):
    return (await ask(client, org, who, method, url, **sent)).status_code


async def regroup(client, org, **delta):
    (await ask(client, org, "admin", "PUT", "/groups/vision", json={"members": delta})).raise_for_status()


async def make_editors(client, org, iris, *names):
    body = {"editors": {"add": names}}
    return (await ask(client, org, "ada", "PUT", f"/models/{iris['_id']}", json=body)).raise_for_status().json()


async def test_a_group_is_shown_whole_to_members_and_administrators_and_by_name_to_others(client, org, vision):
    shown = {who: (await ask(client, org, who, "GET", "/groups/vision")).json() for who in ("admin", "bob", "eve")}

    assert [[user["username"] for user in shown[who]["members"]] for who in ("admin", "bob")] == [["bob"], ["bob"]]
    assert shown["eve"].keys() == {"_id", "name", "description", "timestamp", "lastmod"}
    [listed] = (await ask(client, org, "eve", "GET", "/groups", params={"filter": '{"name": "vision"}'})).json()["docs"]
    assert listed == shown["eve"]
    assert (await ask(client, org, "eve", "GET", f"/groups/{vision['_id']}")).json() == listed


async def test_members_read_what_is_shared_with_their_group_and_find_it_everywhere(client, org, iris, vision):
    at = f"/models/{iris['_id']}"
    queries = ("/models", "/search?q=iris", "/tags/suggest?q=petals-of")

    assert [await status(client, org, who, "GET", at) for who in ("bob", "eve")] == [200, 403]
    found = {who: [len((await ask(client, org, who, "GET", q)).json()["docs"]) for q in queries] for who in org.ids}
    assert (found["bob"], found["eve"]) == ([1, 1, 1], [0, 0, 0])
    assert (await ask(client, org, "bob", "GET", at)).json()["groups"] == [
        {"_id": vision["_id"], "name": "vision", "kind": "group"}
    ]


async def test_who_leaves_a_group_loses_what_it_gave(client, org, iris):
    before = await status(client, org, "bob", "GET", f"/models/{iris['_id']}")

    await regroup(client, org, remove=["bob"], add=["eve"])

    assert before == 200
    assert [await status(client, org, who, "GET", f"/models/{iris['_id']}") for who in ("bob", "eve")] == [403, 200]
    assert (await ask(client, org, "bob", "GET", "/tags/suggest?q=petals-of")).json()["docs"] == []


async def test_a_change_on_another_server_ends_what_was_remembered(client, org, app, iris, vision):
    bob = await Sessions(app.state.database, sessions_of(app)).caller(org.tokens["bob"])
    await regroup(client, org, remove=["bob"])

    with pytest.raises(Refused) as refusal:
        await bob.tenant.fence.look(0.0)

    assert bob.groups == {object_id(vision["_id"])}
    assert refusal.value.fault is AUTHENTICATION


async def test_who_leaves_a_group_while_sending_adds_nothing(client, org, iris):
    await make_editors(client, org, iris, "vision")
    versions = f"/v1/models/{iris['_id']}/versions"

    async def leaves():
        await regroup(client, org, remove=["bob"])

    sent = await sent_slowly(
        client, "POST", f"{versions}?name=w.bin", leaves, headers=org.as_("bob"), content=b"w" * 40
    )

    assert sent.status_code == 401
    assert (await client.get(versions, headers=org.as_("ada"))).json()["totalDocs"] == 0


async def test_links_and_tokens_of_members_end_with_their_membership(client, org, iris):
    at = f"/v1/models/{iris['_id']}"
    (await client.post(f"{at}/versions?name=w.bin", headers=org.as_("ada"), content=b"w")).raise_for_status()
    token = await access_token(client, org.as_("bob"), "read", "of a member")
    link = (await client.post(f"{at}/versions/1/link", headers=org.as_("bob"), json={})).raise_for_status().json()
    before = [(await client.get(at, headers=token)).status_code, (await client.get(link["url"])).status_code]

    await regroup(client, org, remove=["bob"])

    after = [(await client.get(at, headers=token)).status_code, (await client.get(link["url"])).status_code]
    assert (before, after) == ([200, 200], [403, 403])


async def test_an_editor_changes_the_content_and_does_not_manage(client, org, iris):
    at = f"/models/{iris['_id']}"
    await make_editors(client, org, iris, "flo", "vision")

    for who in ("flo", "bob"):
        content = {"tags": {"add": [f"by-{who}"]}, "description": who, "metadata": {"add": [{"name": who, "value": 1}]}}
        assert await status(client, org, who, "PUT", at, json=content) == 200
        assert await status(client, org, who, "POST", f"{at}/versions?name=w.bin", content=b"w") == 200
        assert await status(client, org, who, "PUT", f"{at}/versions/1", json={"description": who}) == 200
        for managed in ({"visibility": "public"}, {"users": {"add": ["eve"]}}, {"editors": {"remove": ["flo"]}}):
            assert await status(client, org, who, "PUT", at, json=managed | {"description": "no"}) == 403
        assert await status(client, org, who, "PUT", at, json={"archived": True}) == 403
        assert await status(client, org, who, "DELETE", at) == 403
    after = (await ask(client, org, "ada", "GET", at)).json()
    assert (after["description"], after["visibility"], after["versionsTotal"]) == ("bob", "private", 2)


async def test_an_editor_removes_only_the_versions_that_it_has_added(client, org, iris):
    at = f"/models/{iris['_id']}/versions"
    await make_editors(client, org, iris, "flo")
    for who in ("ada", "flo"):
        (await ask(client, org, who, "POST", f"{at}?name={who}.bin", content=b"w")).raise_for_status()

    removed = [await status(client, org, "flo", "DELETE", f"{at}/{ordinal}") for ordinal in (1, 2)]

    assert removed == [403, 200]


async def test_access_says_who_may_do_what(client, org, iris, vision):
    editors = {"editors": {"add": ["flo"]}}
    (await ask(client, org, "admin", "PUT", f"/models/{iris['_id']}", json=editors)).raise_for_status()

    shown = (await ask(client, org, "bob", "GET", f"/models/{iris['_id']}/access")).json()

    assert shown["visibility"] == "private"
    assert [
        (grant["name"], grant["kind"], grant["may"], grant.get("shared_by"), "shared" in grant)
        for grant in shown["grants"]
    ] == [
        ("ada", "user", "manage", None, False),
        ("flo", "user", "edit", "admin", True),
        ("vision", "group", "read", "ada", True),
    ]


async def test_a_removed_group_leaves_items_also_in_the_trash(client, org, iris, vision, app):
    other = (await ask(client, org, "ada", "POST", "/models", json={"name": "x", "editors": ["vision"]})).json()
    await ask(client, org, "ada", "DELETE", f"/models/{other['_id']}")

    assert await status(client, org, "admin", "DELETE", "/groups/vision") == 200

    assert await status(client, org, "bob", "GET", f"/models/{iris['_id']}") == 403
    restored = (await ask(client, org, "ada", "POST", f"/trash/{other['_id']}/restore")).json()
    assert "editors" not in restored
    database = app.state.database.client[org.database]
    gone = object_id(vision["_id"])
    assert [await database[name].count_documents({field: gone}) for name, field in LEFT] == [0] * len(LEFT)
    await ask(client, org, "ada", "DELETE", f"/models/{other['_id']}")


OF_MODELS = ("readers", "users", "editors", "shares.party")
LEFT = [("users", "groups"), *(("models", field) for field in OF_MODELS)]


async def test_a_removed_user_leaves_groups_and_editors(client, org, iris):
    await org.hire("gus")
    await regroup(client, org, add=["gus"])
    await make_editors(client, org, iris, "gus")

    assert await status(client, org, "admin", "DELETE", "/users/gus") == 200

    members = (await ask(client, org, "admin", "GET", "/groups/vision")).json()["members"]
    assert [user["username"] for user in members] == ["bob"]
    assert "editors" not in (await ask(client, org, "ada", "GET", f"/models/{iris['_id']}")).json()


async def test_an_editor_who_becomes_the_owner_is_an_editor_no_more(client, org):
    await org.hire("hal", "ian")
    made = (await ask(client, org, "hal", "POST", "/models", json={"name": "h", "editors": ["ian", "flo"]})).json()

    assert await status(client, org, "admin", "DELETE", "/users/hal?transfer=ian") == 200

    after = (await ask(client, org, "ian", "GET", f"/models/{made['_id']}")).json()
    assert (after["owner"], [party["name"] for party in after["editors"]]) == (org.ids["ian"], ["flo"])
    grants = (await ask(client, org, "ian", "GET", f"/models/{made['_id']}/access")).json()["grants"]
    assert [(grant["name"], "shared" in grant, "shared_by" in grant) for grant in grants] == [
        ("ian", False, False),
        ("flo", True, False),  # by a user who is gone
    ]


@pytest.mark.parametrize("name", ["Vision", "ADA", "\uff41da", "", " x", "a/b", "0" * 24, "a" * 256])
async def test_a_name_that_is_taken_or_not_allowed_is_refused(client, org, vision, name):
    assert await status(client, org, "admin", "POST", "/groups", json={"name": name}) == 400
    assert await status(client, org, "admin", "PUT", "/groups/vision", json={"name": name or " "}) in (
        {200} if name == "Vision" else {400}
    )


async def test_no_user_gets_the_name_of_a_group(client, org, vision):
    body = {"username": "VISION", "password": "Engine-No-1", "email": "v@example.org", "role": "regular"}

    answer = await ask(client, org, "admin", "POST", "/users", json=body)

    assert (answer.status_code, "a group with the same name" in answer.json()["details"]) == (400, True)


async def test_a_user_and_a_group_of_one_name_at_once_are_never_both_there(client, org):
    for turn in range(4):
        name = f"both{turn}"
        body = {"username": name.upper(), "password": "Engine-No-1", "email": f"{name}@example.org", "role": "regular"}
        made = await asyncio.gather(
            status(client, org, "admin", "POST", "/users", json=body),
            status(client, org, "admin", "POST", "/groups", json={"name": name}),
        )

        there = [await status(client, org, "admin", "GET", at) for at in (f"/users/{name.upper()}", f"/groups/{name}")]
        assert made.count(200) == there.count(200) <= 1


async def test_a_user_is_in_a_limited_number_of_groups(client, org, vision, app):
    users = app.state.database.client[org.database]["users"]
    full = {"$set": {"groups": [object_id(f"{number:024x}") for number in range(MOST_GROUPS)]}}
    before = await users.find_one_and_update({"username": "eve"}, full)

    answer = await ask(client, org, "admin", "PUT", "/groups/vision", json={"members": {"add": ["eve", "flo"]}})

    assert (answer.status_code, "eve is in 100 groups" in answer.json()["details"]) == (400, True)
    assert await users.count_documents({"username": "flo", "groups": object_id(vision["_id"])}) == 0
    await users.update_one({"username": "eve"}, {"$set": {"groups": before.get("groups", [])}})


async def test_a_group_of_an_unknown_member_is_not_created(client, org):
    answer = await ask(client, org, "admin", "POST", "/groups", json={"name": "empty", "members": ["nobody"]})

    assert (answer.status_code, answer.json()["details"]) == (400, "members: User not existent (nobody)")
    assert await status(client, org, "admin", "GET", "/groups/empty") == 404


def sessions_of(app):
    """The tokens of the server, for a second one."""
    return next(each.kwargs["sessions"] for each in app.middleware if isinstance(each, DefineMiddleware))._tokens

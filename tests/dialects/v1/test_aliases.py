"""Aliases over HTTP. What they do is in tests/domain/versions/test_aliases.py."""

import pytest

from catalog.domain.versions.aliases import aliases

IRIS = "/v1/models/iris"
CHAMPION = f"{IRIS}/aliases/champion"


@pytest.fixture
async def ask(client, org):
    """Ada's model with three versions, and a way to ask for things as somebody."""

    async def asking(method, path, who="ada", headers=None, **sent):
        return await client.request(method, path, headers={**org.as_(who), **(headers or {})}, **sent)

    await asking("POST", "/v1/models", json={"name": "iris", "users": ["bob"]})
    for number in range(1, 4):
        await asking("POST", f"{IRIS}/versions?name=v{number}.bin", content=f"bytes {number}".encode())
    return asking


async def test_an_alias_stands_wherever_a_version_is_named(ask):
    pointed = await ask("PUT", CHAMPION, json={"version": "2"})
    link = (await ask("POST", f"{IRIS}/versions/champion/link", json={})).json()

    assert (pointed.status_code, pointed.json()["version"], pointed.json()["user"]["username"]) == (200, "2", "ada")
    assert (await ask("GET", f"{IRIS}/versions/champion", "bob")).content == b"bytes 2"
    assert (await ask("GET", link["url"])).content == b"bytes 2"
    assert (await ask("GET", f"{IRIS}/versions/champion/files/v2.bin", "bob")).content == b"bytes 2"
    assert (await ask("GET", f"{IRIS}/versions/champion/verify", "bob")).json()["intact"]
    assert (await ask("PUT", f"{IRIS}/versions/champion", json={"description": "the best"})).json()["ordinal"] == "2"
    assert (await ask("GET", f"{IRIS}/versions/latest", "bob")).content == b"bytes 3"


async def test_items_and_versions_show_their_aliases(ask):
    await ask("PUT", CHAMPION, json={"version": "2"})
    await ask("PUT", f"{IRIS}/aliases/canary", json={"version": "2"})

    item = (await ask("GET", IRIS, "bob")).json()
    listed = (await ask("GET", f"{IRIS}/versions", "bob")).json()["docs"]
    selected = (await ask("GET", '/v1/models?select=["aliases"]', "bob")).json()["docs"][0]

    assert item["aliases"] == [{"name": "canary", "version": "2"}, {"name": "champion", "version": "2"}]
    assert [version["aliases"] for version in item["versions"]] == [[], ["canary", "champion"], []]
    assert [version["aliases"] for version in listed] == [[], ["canary", "champion"], []]
    assert (await ask("GET", f"{IRIS}/versions/2/info", "bob")).json()["aliases"] == ["canary", "champion"]
    assert selected["aliases"] == item["aliases"]


async def test_a_version_has_another_tag_when_an_alias_is_pointed_to_it(ask):
    before = (await ask("GET", f"{IRIS}/versions/2/info")).headers["etag"]
    await ask("PUT", CHAMPION, json={"version": "2"})

    after = await ask("GET", f"{IRIS}/versions/2/info", headers={"If-None-Match": before})
    changed = await ask(
        "PUT", f"{IRIS}/versions/2", headers={"If-Match": after.headers["etag"]}, json={"description": "x"}
    )

    assert (after.status_code, changed.status_code) == (200, 200)


async def test_an_alias_moves_only_from_where_it_is_expected(ask):
    await ask("PUT", CHAMPION, json={"version": "1", "expected": ""})

    refused = [
        await ask("PUT", CHAMPION, json={"version": "3", "expected": "2"}),
        await ask("PUT", CHAMPION, json={"version": "3", "expected": ""}),
    ]
    moved = await ask("PUT", CHAMPION, json={"version": "3", "expected": "1"})

    assert [(each.status_code, each.json()["value"]) for each in refused] == [(409, 171), (409, 171)]
    assert "points to 1" in refused[0].json()["details"]
    assert moved.json()["version"] == "3"


async def test_an_alias_moves_only_from_the_tag_that_was_seen(ask):
    first = (await ask("PUT", CHAMPION, json={"version": "1"})).headers["etag"]
    await ask("PUT", IRIS, json={"description": "a change of something else"})
    second = await ask("PUT", CHAMPION, headers={"If-Match": first}, json={"version": "2"})

    late = await ask("PUT", CHAMPION, headers={"If-Match": first}, json={"version": "3"})
    seen = await ask("GET", CHAMPION, "bob", headers={"If-None-Match": second.headers["etag"]})

    assert (second.status_code, late.status_code, late.json()["value"]) == (200, 412, 109)
    assert (seen.status_code, seen.headers["etag"]) == (200, (await ask("GET", CHAMPION, "bob")).headers["etag"])
    assert (await ask("GET", CHAMPION, headers={"If-None-Match": second.headers["etag"]})).status_code == 304


async def test_the_history_says_who_moved_an_alias_from_where_to_where(ask):
    await ask("PUT", CHAMPION, json={"version": "1"})
    await ask("PUT", CHAMPION, "admin", json={"version": "3"})
    await ask("POST", f"{CHAMPION}/rollback")
    await ask("PUT", f"{IRIS}/aliases/canary", json={"version": "3"})
    await ask("DELETE", CHAMPION)

    moves = (await ask("GET", f"{CHAMPION}?history=true", "bob")).json()
    walked = (await ask("GET", f"{CHAMPION}?history=true&after=&limit=3", "bob")).json()
    rest = (await ask("GET", f"{CHAMPION}?history=true&limit=3&after={walked['nextCursor']}", "bob")).json()
    everything = (await ask("GET", f"{IRIS}/aliases?history=true", "bob")).json()

    shown = [
        (move["previous"], move["version"], move["user"]["username"], move["is_rollback"]) for move in moves["docs"]
    ]
    assert shown == [
        ("1", None, "ada", False),
        ("3", "1", "ada", True),
        ("1", "3", "admin", False),
        (None, "1", "ada", False),
    ]
    assert walked["docs"] + rest["docs"] == moves["docs"]
    assert [move["alias"] for move in everything["docs"]] == ["champion", "canary", "champion", "champion", "champion"]
    assert (await ask("GET", f"{IRIS}/aliases", "bob")).json()["docs"][0]["name"] == "canary"


async def test_an_alias_is_shown_as_it_was_at_a_moment(ask):
    first = (await ask("PUT", CHAMPION, json={"version": "1"})).json()
    while (second := (await ask("PUT", CHAMPION, json={"version": "2"})).json())["moved"] == first["moved"]:
        await ask("PUT", CHAMPION, json={"version": "1"})
        first = (await ask("GET", CHAMPION)).json()

    then = await ask("GET", f"{CHAMPION}?at={first['moved']}", "bob")
    early = await ask("GET", f"{CHAMPION}?at=2020-01-01T00:00:00Z", "bob")
    wrong = await ask("GET", f"{CHAMPION}?at=yesterday", "bob")

    assert (then.json()["version"], then.json()["moved"]) == ("1", first["moved"])
    assert (await ask("GET", f"{CHAMPION}?at={second['moved']}")).json()["version"] == "2"
    assert (early.status_code, early.json()["value"]) == (404, 170)
    assert (wrong.status_code, wrong.json()["details"]) == (400, 'at: "yesterday" is not a date')


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", f"{IRIS}/aliases/other", None, (404, 170)),
        ("GET", f"{IRIS}/aliases/other?history=true", None, (404, 170)),
        ("GET", f"{IRIS}/aliases?history=perhaps", None, (400, 6)),
        ("DELETE", f"{IRIS}/aliases/other", None, (404, 170)),
        ("POST", f"{IRIS}/aliases/other/rollback", None, (404, 170)),
        ("PUT", CHAMPION, {"version": "9"}, (404, 9)),
        ("PUT", CHAMPION, {}, (400, 8)),
        ("PUT", CHAMPION, {"version": "1", "user": "bob"}, (400, 8)),
        ("PUT", f"{IRIS}/aliases/latest", {"version": "1"}, (400, 8)),
        ("PUT", f"{IRIS}/aliases/v12", {"version": "1"}, (400, 8)),
        ("PUT", f"{IRIS}/aliases/a%2Fb", {"version": "1"}, (400, 8)),
        ("PUT", "/v1/models/other/aliases/champion", {"version": "1"}, (404, 9)),
    ],
)
async def test_what_cannot_be_is_refused(ask, method, path, body, expected):
    refused = await ask(method, path, **({"json": body} if body is not None else {}))

    assert (refused.status_code, refused.json()["value"]) == expected


async def test_a_version_with_aliases_is_removed_only_by_force(ask):
    await ask("PUT", CHAMPION, json={"version": "2"})

    refused = await ask("DELETE", f"{IRIS}/versions/2")
    forced = await ask("DELETE", f"{IRIS}/versions/2?force=true")

    assert (refused.status_code, refused.json()["value"], refused.json()["details"]) == (409, 172, "2: champion")
    assert (forced.status_code, forced.json()["aliases"]) == (200, [])
    assert (await ask("DELETE", f"{IRIS}/versions/1?force=maybe")).status_code == 400


async def test_an_ordinal_that_is_an_alias_is_refused_before_the_file_is_read(ask):
    await ask("PUT", CHAMPION, json={"version": "2"})

    refused = await ask("POST", f"{IRIS}/versions?name=a.bin&ordinal=CHAMPION", content=b"bytes")

    assert (refused.status_code, refused.json()["details"]) == (
        400,
        "ordinal: CHAMPION is an alias, choose another one",
    )


async def test_one_alias_too_many_is_refused(ask, monkeypatch):
    monkeypatch.setattr(aliases, "MOST", 1)
    await ask("PUT", CHAMPION, json={"version": "2"})

    refused = await ask("PUT", f"{IRIS}/aliases/canary", json={"version": "2"})

    assert (refused.status_code, refused.json()["details"]) == (400, "at most 1 aliases are allowed")


@pytest.mark.parametrize("kind", ["datasets", "algorithms"])
async def test_datasets_and_algorithms_have_aliases_too(ask, kind):
    await ask("POST", f"/v1/{kind}", json={"name": "other"})
    await ask("POST", f"/v1/{kind}/other/versions?name=a.bin", content=b"bytes")

    await ask("PUT", f"/v1/{kind}/other/aliases/best", json={"version": "latest"})

    assert (await ask("GET", f"/v1/{kind}/other/versions/best")).content == b"bytes"


async def test_the_journal_says_who_moved_an_alias(ask, app):
    await ask("PUT", CHAMPION, json={"version": "2"})

    await app.state.journal.flush()
    [entry] = (await ask("GET", '/v1/log?filter={"method": "PUT", "item": "iris"}', "admin")).json()["docs"]

    assert (entry["user"], entry["path"], entry["result"]) == ("ada", CHAMPION, 200)

"""Answers are bounded in bytes: a page ends early and says so, and an item shows its newest versions."""

import json

import pytest

from catalog.dialects.v1.models.items.terms import DatedTerm
from catalog.dialects.v1.requests import http
from catalog.domain.items.reading import newest_versions
from tests.support.tenants import Organisation, organisation

LARGE = "\U0001f40d" * 65_000  # 260 KB
FEW = 36
FEWER = 6  # versions shown of an item, instead of a hundred
MOST = 9 * 2**20  # bytes of an answer: the bound, and what stands around


@pytest.fixture(scope="module")
async def large(client) -> Organisation:
    """A tenant of large models, which tests only read."""
    return await organisation(client, "ada")


@pytest.fixture(scope="module")
async def names(client, large):
    made = [f"model-{number}" for number in range(FEW)]
    body = json.dumps([{"name": name, "description": LARGE} for name in made], ensure_ascii=False).encode()
    answer = await client.post("/v1/models?verbose=false", content=body, headers=large.as_("ada"))
    assert answer.json()["saved"] == FEW
    return made[::-1]


async def test_a_page_ends_early_and_its_cursor_goes_on(client, large, names):
    page = await client.get("/v1/models", params={"limit": 100}, headers=large.as_("ada"))
    first = page.json()
    rest = await client.get("/v1/models", params={"after": first["nextCursor"], "limit": 100}, headers=large.as_("ada"))

    assert len(page.content) < MOST
    assert [first[name] for name in ("truncated", "hasNextPage", "nextPage", "totalDocs")] == [True, True, None, FEW]
    assert [item["name"] for item in first["docs"] + rest.json()["docs"]] == names
    assert rest.json()["nextCursor"] is None


@pytest.mark.parametrize("path", ["/v1/models?limit=100&after=", "/v1/search?q=model&limit=100&after="])
async def test_a_walk_takes_smaller_steps_and_leaves_nothing_out(client, large, names, path):
    found, cursor, steps = [], "", 0
    while cursor is not None:
        answer = await client.get(path + cursor, headers=large.as_("ada"))
        assert len(answer.content) < MOST
        found += [item["name"] for item in answer.json()["docs"]]
        cursor, steps = answer.json()["nextCursor"], steps + 1

    assert sorted(found) == sorted(names)
    assert steps > 1


async def test_a_page_that_fits_says_nothing_of_it(client, large, names):
    page = await client.get("/v1/models", params={"limit": 2}, headers=large.as_("ada"))

    assert len(page.json()["docs"]) == 2
    assert page.json()["nextPage"] == 2
    assert "truncated" not in page.json()


async def test_an_item_shows_its_newest_versions_and_how_many_there_are(client, org, monkeypatch):
    monkeypatch.setattr(newest_versions, "NEWEST", FEWER)
    path = "/v1/models/model/versions"
    model = (await client.post("/v1/models", json={"name": "model"}, headers=org.as_("ada"))).json()
    for number in range(FEWER + 2):
        form = {"description": "d" * 2000 if number % 2 else "short"}
        files = {"file": (f"{number}.bin", b"weights")}
        answer = await client.post(path, data=form, files=files, headers=org.as_("ada"))
    by_id = await client.get(f"/v1/models/{model['_id']}", headers=org.as_("ada"))
    by_name = await client.get("/v1/models/model", headers=org.as_("ada"))
    listed = await client.get("/v1/models", headers=org.as_("ada"))
    whole = await client.get(f"{path}/{FEWER + 2}/info", headers=org.as_("ada"))

    for shown in (answer.json(), by_id.json(), by_name.json(), listed.json()["docs"][0]):
        assert [version["ordinal"] for version in shown["versions"]] == [str(n) for n in range(3, FEWER + 3)]
        assert shown["versionsTotal"] == FEWER + 2
        assert (len(shown["versions"][-1]["description"]), len(shown["versions"][-2]["description"])) == (1000, 5)
        assert [version.get("description_truncated", False) for version in shown["versions"][-2:]] == [False, True]
    assert len(whole.json()["description"]) == 2000


def test_a_created_term_that_has_no_room_in_the_answer_is_named_by_its_id(monkeypatch):
    monkeypatch.setattr(http, "LARGEST_PAGE", 10)
    bulk = http.Bulk()

    bulk.add(DatedTerm(name="flowers", usage="folk", uses=0, owner=None, timestamp="2026-11-28T09:00:00.000Z"))

    assert json.loads(bulk.answer("tags", verbose=True).content)["tags"] == [{"_id": "flowers", "truncated": True}]

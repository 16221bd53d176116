"""Filters over what only some items have: their index leaves the others out, and no filter may miss them for it."""

import json

import pytest

from tests.support.tenants import organisation


@pytest.fixture(scope="module")
async def org(client):
    """Ada's models: `both` has a license, a library and an alias, `one` a license, `none` nothing of it."""
    org = await organisation(client, "ada", "bob")
    ada = {"headers": org.as_("ada")}
    described = {"license": "MIT", "library": "keras", "languages": ["en"], "tasks": ["tagging"]}
    for name, fields in (("both", described), ("one", {"license": "Apache-2.0"}), ("none", {})):
        body = {"name": name, "visibility": "public", **fields}
        (await client.post("/v1/models", json=body, **ada)).raise_for_status()
    for key, stage, accuracy in (("both", "staging", 0.5), ("both", "none", 0.75), ("one", "production", 0.25)):
        metadata = [{"name": "accuracy", "value": accuracy}]
        body = {"uri": "s3://bucket/x", "stage": stage, "metadata": metadata}
        (await client.post(f"/v1/models/{key}/versions", json=body, **ada)).raise_for_status()
    (await client.put("/v1/models/both/aliases/champion", json={"version": "1"}, **ada)).raise_for_status()
    return org


FILTERS = [
    ({"license": "MIT"}, {"both"}),
    ({"license": ""}, {"none"}),
    ({"license": {"$in": ["", "MIT"]}}, {"both", "none"}),
    ({"license": {"$ne": "MIT"}}, {"one", "none"}),
    ({"license": {"$gte": ""}}, {"both", "one", "none"}),
    ({"library": "keras"}, {"both"}),
    ({"library": ""}, {"one", "none"}),
    ({"$or": [{"library": "keras"}, {"license": "Apache-2.0"}]}, {"both", "one"}),
    ({"aliases.name": "champion"}, {"both"}),
    ({"aliases.name": {"$ne": "champion"}}, {"one", "none"}),
    ({"aliases.name": {"$exists": False}}, {"one", "none"}),
    ({"aliases": {"name": "champion", "number": 1}}, {"both"}),
    ({"aliases": {"name": "champion", "number": 2}}, set()),
    ({"languages": "en"}, {"both"}),
    ({"tasks": {"$nin": ["tagging"]}}, {"one", "none"}),
    ({"tasks": "tagging"}, {"both"}),
    ({"stages": "staging"}, {"both"}),
    ({"stages": {"$ne": "staging"}}, {"one", "none"}),
    ({"latest.number": 2}, {"both"}),
    ({"latest.metadata": {"name": "accuracy", "value": {"$gt": 0.5}}}, {"both"}),
    ({"latest.metadata.name": {"$ne": "accuracy"}}, {"none"}),
    ({"archived": False}, {"both", "one", "none"}),
]

SHORT = [
    ({"alias": "champion"}, {"both"}),
    ({"stage": "in:staging,production"}, {"both", "one"}),
    ({"license": "ne:MIT"}, {"one", "none"}),
    ({"license": "prefix:Apache"}, {"one"}),
    ({"library": "eq:keras", "license": "MIT"}, {"both"}),
    ({"latest.accuracy": "gte:0.5"}, {"both"}),
    ({"latest.accuracy": "lt:0.5"}, {"one"}),
    ({"latest.accuracy": "exists:false"}, {"none"}),
]

SORTED = [
    ({"latest.accuracy": "desc"}, ["both", "one", "older", "oldest", "none"]),
    ({"latest.accuracy": 1}, ["one", "both", "none", "oldest", "older"]),
    ({"license": 1, "name": 1}, ["none", "older", "oldest", "one", "both"]),
    ({"library": -1}, ["both", "older", "oldest", "none", "one"]),
]


@pytest.mark.parametrize(("condition", "names"), FILTERS, ids=[json.dumps(condition) for condition, _ in FILTERS])
@pytest.mark.parametrize("who", ["ada", "admin"])
async def test_a_filter_finds_also_what_its_index_leaves_out(client, org, who, condition, names):
    for walk in ({}, {"after": ""}):
        query = {"filter": json.dumps(condition), **walk}
        answer = await client.get("/v1/models", params=query, headers=org.as_(who))

        assert {item["name"] for item in answer.raise_for_status().json()["docs"]} == names, walk


@pytest.mark.parametrize(("asked", "names"), SHORT, ids=[json.dumps(asked) for asked, _ in SHORT])
async def test_a_field_of_its_own_stands_for_a_filter(client, org, asked, names):
    listed = await client.get("/v1/models", params=asked, headers=org.as_("bob"))
    found = await client.get("/v1/search", params={"q": "o", **asked}, headers=org.as_("bob"))

    assert {item["name"] for item in listed.raise_for_status().json()["docs"]} == names
    assert {item["name"] for item in found.raise_for_status().json()["docs"]} == {name for name in names if "o" in name}


async def test_items_are_archived_for_the_filter_that_asks_for_it(client, org):
    ada = org.as_("ada")
    (await client.post("/v1/models", json={"name": "left", "archived": True}, headers=ada)).raise_for_status()

    answer = await client.get("/v1/models", params={"filter": '{"archived":true}'}, headers=ada)
    (await client.delete("/v1/models/left", headers=ada)).raise_for_status()

    assert [item["name"] for item in answer.raise_for_status().json()["docs"]] == ["left"]


async def test_a_search_counts_stages_languages_and_tasks(client, org):
    answer = await client.get("/v1/search", params={"q": "o"}, headers=org.as_("bob"))

    facets = answer.raise_for_status().json()["facets"]
    assert facets["stage"] == {"staging": 1, "production": 1}
    assert (facets["language"], facets["task"]) == ({"en": 1}, {"tagging": 1})
    assert facets["archived"] == {"false": 3}


@pytest.mark.parametrize(("sort", "names"), SORTED, ids=[json.dumps(sort) for sort, _ in SORTED])
async def test_items_are_sorted_by_what_only_some_of_them_have(client, org, sort, names):
    ada = {"headers": org.as_("ada")}
    for name in ("oldest", "older"):
        (await client.post("/v1/models", json={"name": name}, **ada)).raise_for_status()
    query = {"sort": json.dumps(sort), "limit": 2}

    pages = [await client.get("/v1/models", params={**query, "page": page}, **ada) for page in (1, 2, 3)]
    walk, cursor = [], ""
    while cursor is not None:
        step = (await client.get("/v1/models", params={**query, "after": cursor}, **ada)).raise_for_status().json()
        walk, cursor = walk + step["docs"], step["nextCursor"]
    for name in ("oldest", "older"):
        (await client.delete(f"/v1/models/{name}", **ada)).raise_for_status()

    listed = [item["name"] for page in pages for item in page.raise_for_status().json()["docs"]]
    assert (listed, [item["name"] for item in walk]) == (names, names)
    assert [page.json()["totalDocs"] for page in pages] == [5, 5, 5]

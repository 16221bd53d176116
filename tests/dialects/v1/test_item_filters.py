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
    (await client.post("/v1/models/both/versions", json={"uri": "s3://bucket/x"}, **ada)).raise_for_status()
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
]


@pytest.mark.parametrize(("condition", "names"), FILTERS, ids=[json.dumps(condition) for condition, _ in FILTERS])
@pytest.mark.parametrize("who", ["ada", "admin"])
async def test_a_filter_finds_also_what_its_index_leaves_out(client, org, who, condition, names):
    for walk in ({}, {"after": ""}):
        query = {"filter": json.dumps(condition), **walk}
        answer = await client.get("/v1/models", params=query, headers=org.as_(who))

        assert {item["name"] for item in answer.raise_for_status().json()["docs"]} == names, walk

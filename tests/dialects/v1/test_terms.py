"""Tags and metadata names over HTTP: the folksonomy grows with what items use."""

import pytest

from catalog.domain.terms import merging

PLURALS = {"tags": "tags", "metadata": "metadatas"}


def item_with(resource, word):
    return {"tags": [word]} if resource == "tags" else {"metadata": [{"name": word, "value": 1}]}


async def words(client, org, resource, **query):
    answer = await client.get(f"/v1/{resource}", params=query, headers=org.as_("admin"))
    assert answer.status_code == 200, answer.text
    return {word["_id"]: (word["usage"], word["uses"]) for word in answer.json()["docs"]}


@pytest.fixture(params=PLURALS)
def resource(request):
    return request.param


async def test_a_word_is_coined_by_use_and_counted(client, org, resource):
    await client.post("/v1/models", json={"name": "m", **item_with(resource, "iron")}, headers=org.as_("ada"))
    await client.post("/v1/datasets", json={"name": "d", **item_with(resource, "iron")}, headers=org.as_("bob"))

    assert await words(client, org, resource) == {"iron": ("folk", 2)}

    removed = {name: {"remove": value} for name, value in item_with(resource, "iron").items()}
    await client.put("/v1/models/m", json=removed, headers=org.as_("ada"))
    assert await words(client, org, resource) == {"iron": ("folk", 1)}

    await client.delete("/v1/datasets/d", headers=org.as_("bob"))
    assert await words(client, org, resource) == {"iron": ("folk", 0)}


async def test_a_folk_word_tells_who_coined_it(client, org, resource):
    body = {"name": "m", "visibility": "public", **item_with(resource, "iron")}
    await client.post("/v1/models", json=body, headers=org.as_("ada"))

    [word] = (await client.get(f"/v1/{resource}", headers=org.as_("bob"))).json()["docs"]

    assert word["owner"]["username"] == "ada"


async def test_an_administrator_makes_default_words(client, org, resource):
    made = await client.post(f"/v1/{resource}", json={"_id": "steel"}, headers=org.as_("admin"))

    assert made.status_code == 200
    assert made.json().keys() == {"usage", "_id", "owner", "timestamp", "uses"}
    assert (made.json()["_id"], made.json()["usage"]) == ("steel", "default")
    assert await words(client, org, resource, filter='{"usage":"default"}') == {"steel": ("default", 0)}
    assert await words(client, org, resource, filter='{"usage":"folk"}') == {}


async def test_a_folk_word_becomes_a_default_one_and_keeps_its_count(client, org, resource):
    await client.post("/v1/models", json={"name": "m", **item_with(resource, "iron")}, headers=org.as_("ada"))

    made = await client.post(f"/v1/{resource}", json={"_id": "iron"}, headers=org.as_("admin"))

    assert made.status_code == 200
    assert await words(client, org, resource) == {"iron": ("default", 1)}


async def test_words_are_found_by_a_pattern(client, org, resource):
    for word in ("Folk_one", "Folk_two", "other"):
        await client.post(f"/v1/{resource}", json={"_id": word}, headers=org.as_("admin"))

    assert (await words(client, org, resource, filter='{"_id":{"$regex":"Fol"}}')).keys() == {"Folk_one", "Folk_two"}


async def test_words_are_made_in_bulk(client, org, resource):
    body = [{"_id": "one"}, {"_id": "one"}, {}, {"_id": "two"}]

    answer = await client.post(f"/v1/{resource}", json=body, headers=org.as_("admin"))

    assert answer.status_code == 202
    assert [word["_id"] for word in answer.json()[PLURALS[resource]]] == ["one", "two"]
    assert [error.split(" (")[0] for error in answer.json()["errors"]] == ["Index: 1", "Index: 2"]


@pytest.mark.parametrize("body", [{}, {"_id": ""}, {"_id": {"$ne": 1}}, {"_id": "x" * 129}, {"_id": "a", "colour": 9}])
async def test_a_wrong_word_is_refused(client, org, resource, body):
    answer = await client.post(f"/v1/{resource}", json=body, headers=org.as_("admin"))

    assert (answer.status_code, answer.json()["value"]) == (400, 5)
    assert await words(client, org, resource) == {}


async def test_a_word_is_removed_when_nothing_uses_it(client, org, resource):
    model = await client.post("/v1/models", json={"name": "m", **item_with(resource, "iron")}, headers=org.as_("ada"))

    in_use = await client.delete(f"/v1/{resource}/iron", headers=org.as_("admin"))
    await client.delete("/v1/models/m", headers=org.as_("ada"))
    removed = await client.delete(f"/v1/{resource}/iron", headers=org.as_("admin"))
    again = await client.delete(f"/v1/{resource}/iron", headers=org.as_("admin"))

    assert (in_use.status_code, in_use.json()["value"]) == (400, 7)
    assert in_use.json()["details"] == f"Used in {model.json()['_id']} Model"
    assert (removed.status_code, removed.json()["owner"]) == (200, org.ids["ada"])
    assert (again.status_code, again.json()["value"]) == (404, 9)


async def test_only_administrators_make_and_remove_words(client, org, resource):
    made = await client.post(f"/v1/{resource}", json={"_id": "x"}, headers=org.as_("ada"))
    removed = await client.delete(f"/v1/{resource}/x", headers=org.as_("ada"))

    assert [(answer.status_code, answer.json()["value"]) for answer in (made, removed)] == [(403, 13)] * 2


async def test_a_term_is_merged_into_another_also_where_both_are_used(client, org, resource):
    both = [*item_with(resource, "iron").values(), *item_with(resource, "steel").values()]
    field = "tags" if resource == "tags" else "metadata"
    for kind, name, values in (
        ("models", "one", both[0]),
        ("datasets", "two", both[0] + both[1]),
        ("models", "three", both[1]),
    ):
        await client.post(f"/v1/{kind}", json={"name": name, field: values}, headers=org.as_("ada"))

    merged = await client.post(f"/v1/{resource}/iron/merge", json={"into": "steel"}, headers=org.as_("admin"))

    assert (merged.status_code, merged.json()) == (200, {"changed": 2, "complete": True})
    assert await words(client, org, resource) == {"steel": ("folk", 3)}
    shown = (await client.get("/v1/datasets/two", headers=org.as_("ada"))).json()
    assert len(shown[field]) == 1
    again = await client.post(f"/v1/{resource}/iron/merge", json={"into": "steel"}, headers=org.as_("admin"))
    itself = await client.post(f"/v1/{resource}/steel/merge", json={"into": "steel"}, headers=org.as_("admin"))
    assert (again.status_code, itself.status_code) == (404, 400)


async def test_a_word_that_is_called_suggest_is_merged_like_any_other(client, org, resource):
    for word in ("suggest", "other"):
        await client.post(f"/v1/{resource}", json={"_id": word}, headers=org.as_("admin"))

    merged = await client.post(f"/v1/{resource}/suggest/merge", json={"into": "other"}, headers=org.as_("admin"))

    assert (merged.status_code, await words(client, org, resource)) == (200, {"other": ("default", 0)})


async def test_merging_a_common_term_takes_several_requests_and_a_robot_follows_the_tag(client, org, monkeypatch):
    monkeypatch.setattr(merging, "AT_ONCE", 2)
    body = [{"name": f"m{number}", "tags": ["iron"]} for number in range(3)]
    await client.post("/v1/models", json=body, headers=org.as_("ada"))
    await client.post("/v1/tags", json={"_id": "steel"}, headers=org.as_("admin"))

    async def merge():
        return (await client.post("/v1/tags/iron/merge", json={"into": "steel"}, headers=org.as_("admin"))).json()

    async def tags_of_robot():
        return (await client.get("/v1/robots/ci", headers=org.as_("admin"))).json()["tags"]

    robot = {"username": "ci", "scopes": ["write"], "tags": ["iron"]}
    (await client.post("/v1/robots", json=robot, headers=org.as_("admin"))).raise_for_status()
    assert await merge() == {"changed": 2, "complete": False}
    assert await tags_of_robot() == ["iron", "steel"]
    assert await merge() == {"changed": 1, "complete": True}
    assert await tags_of_robot() == ["steel"]

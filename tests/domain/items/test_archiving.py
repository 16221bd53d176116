"""Archived items, and items with an id of another system."""

import uuid

import pytest

from tests.dialects.v1.test_versions import KINDS, refusal
from tests.support.tenants import Organisation, organisation


@pytest.fixture(scope="module")
async def org(client) -> Organisation:
    return await organisation(client, "ada", "bob")


async def created(client, org, kind="models", **fields):
    body = {"name": f"i{uuid.uuid4().hex[:8]}", "visibility": "public", **fields}
    answer = await client.post(f"/v1/{kind}", json=body, headers=org.as_("ada"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def names(client, org, path, who="bob", **query):
    answer = await client.get(path, params={"limit": 100, **query}, headers=org.as_(who))
    assert answer.status_code == 200, answer.text
    return [doc.get("name") or doc["_id"] for doc in answer.json()["docs"]]


async def change(client, org, item, kind="models", **body):
    return await client.put(f"/v1/{kind}/{item['_id']}", json=body, headers=org.as_("ada"))


@pytest.mark.parametrize("kind", KINDS)
async def test_archived_items_leave_lists_and_stay_readable(client, org, kind):
    here, gone = await created(client, org, kind), await created(client, org, kind)

    changed = await change(client, org, gone, kind, archived=True)

    path = f"/v1/{kind}"
    assert changed.json()["archived"] is True
    for who in ("admin", "bob"):
        shown = await names(client, org, path, who)
        assert (here["name"] in shown, gone["name"] in shown) == (True, False)
        assert await names(client, org, path, who, archived="true") == [gone["name"]]
        assert {here["name"], gone["name"]} <= set(await names(client, org, path, who, archived="all", after=""))
    assert (await client.get(f"{path}/{gone['name']}", headers=org.as_("bob"))).json()["_id"] == gone["_id"]


async def test_archived_items_leave_the_search(client, org):
    here = await created(client, org, name="findme-here", tags=["findme"])
    gone = await created(client, org, name="findme-gone", tags=["findme"], archived=True)

    found = [await names(client, org, "/v1/search", q="findme", archived=each) for each in ("false", "true", "all")]

    assert [sorted(each) for each in found] == [[here["name"]], [gone["name"]], [gone["name"], here["name"]]]


async def test_terms_of_archived_items_alone_are_not_suggested(client, org):
    item = await created(client, org, tags=["archivable"], metadata=[{"name": "archivable_score", "value": 1}])

    async def suggested():
        paths = ("/v1/tags/suggest", "/v1/metadata/suggest")
        return [await names(client, org, path, q="archivable") for path in paths]

    before = await suggested()
    await change(client, org, item, archived=True)
    archived = await suggested()
    await change(client, org, item, archived=False)

    assert (before, archived) == ([["archivable"], ["archivable_score"]], [[], []])
    assert await suggested() == before


@pytest.mark.parametrize("kind", KINDS)
async def test_an_external_id_is_unique_among_the_items_of_a_kind(client, org, kind):
    path, external_id = f"/v1/{kind}", f"system-{uuid.uuid4().hex}"
    first, second = await created(client, org, kind, external_id=external_id), await created(client, org, kind)
    body = {"name": "another", "external_id": external_id}

    created_again = await client.post(path, json=body, headers=org.as_("bob"))
    changed = await change(client, org, second, kind, external_id=external_id)

    assert refusal(created_again) == refusal(changed) == (409, 175, external_id)
    assert (await change(client, org, first, kind, external_id="")).json()["external_id"] is None
    assert (await change(client, org, second, kind, external_id=external_id)).status_code == 200


async def test_an_item_of_the_trash_does_not_come_back_with_an_external_id_that_is_taken(client, org):
    external_id = f"system-{uuid.uuid4().hex}"
    item = await created(client, org, external_id=external_id)
    await client.delete(f"/v1/models/{item['_id']}", headers=org.as_("ada"))
    await created(client, org, external_id=external_id)

    restored = await client.post(f"/v1/trash/{item['_id']}/restore", headers=org.as_("ada"))

    assert refusal(restored) == (409, 175, external_id)


@pytest.mark.parametrize("wrong", [{"external_id": "x" * 256}, {"external_id": "a\nb"}, {"archived": "yes"}])
async def test_the_fields_are_checked(client, org, wrong):
    item = await created(client, org)

    created_wrong = await client.post("/v1/models", json={"name": "wrong", **wrong}, headers=org.as_("ada"))

    assert refusal(created_wrong)[:2] == (400, 5)
    assert refusal(await change(client, org, item, **wrong))[:2] == (400, 8)

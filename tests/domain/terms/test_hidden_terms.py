"""A word that is only on items which a user cannot read does not show to that user, nor does its count."""

import pytest
from bson import ObjectId

from catalog.domain.items import items
from catalog.domain.terms import item_terms
from catalog.store.derived import term_counts, term_usage
from catalog.vocabulary import Kind
from tests.dialects.v1.test_terms import item_with
from tests.support.inputs import new_item
from tests.support.tenants import somebody

SECRET = "secret-plan"


@pytest.fixture(params=["tags", "metadata"])
def resource(request):
    return request.param


async def make(client, org, resource, word=SECRET, name="m", **more):
    body = {"name": name, **item_with(resource, word), **more}
    return (await client.post("/v1/models", json=body, headers=org.as_("ada"))).raise_for_status().json()


async def counts(client, org, resource, who, word=SECRET):
    """How often the word is used, as the list and each suggestion say; None where it does not show."""
    listed = await client.get(f"/v1/{resource}", params={"limit": 100}, headers=org.as_(who))
    said = [{each["_id"]: each["uses"] for each in listed.json()["docs"]}.get(word)]
    for typed in ("", word[0], word[:3], word, word[1:4], word[3:]):
        found = await client.get(f"/v1/{resource}/suggest", params={"q": typed}, headers=org.as_(who))
        said.append({each["_id"]: each["uses"] for each in found.json()["docs"]}.get(word))
    assert len(set(said)) == 1, said
    return said[0]


async def test_a_word_of_a_private_item_shows_to_its_readers_and_administrators_alone(client, org, resource):
    await make(client, org, resource, users=["bob"])

    seen = {who: await counts(client, org, resource, who) for who in ("ada", "bob", "eve", "admin")}

    assert seen == {"ada": 1, "bob": 1, "eve": None, "admin": 1}


async def test_a_hidden_word_is_in_no_total_filter_or_search(client, org, resource):
    await make(client, org, resource)
    eve = org.as_("eve")

    asked = [
        await client.get(f"/v1/{resource}", headers=eve),
        await client.get(f"/v1/{resource}?total=exact", headers=eve),
        await client.get(f"/v1/{resource}", params={"filter": f'{{"_id": "{SECRET}"}}'}, headers=eve),
        await client.get(f"/v1/{resource}", params={"filter": '{"_id": {"$regex": "plan"}}'}, headers=eve),
        await client.get(f"/v1/{resource}", params={"after": "", "sort": '{"_id": -1}'}, headers=eve),
        await client.get("/v1/search", params={"q": SECRET}, headers=eve),
        await client.get("/v1/search", params={"q": "m"}, headers=eve),
    ]

    assert [answer.status_code for answer in asked] == [200] * len(asked)
    assert [answer.json()["docs"] for answer in asked] == [[]] * len(asked)
    assert [answer.json().get("totalDocs", 0) for answer in asked] == [0] * len(asked)
    assert SECRET not in "".join(answer.text for answer in asked)


async def test_a_user_counts_what_a_user_can_read(client, org, resource):
    await make(client, org, resource, name="private")
    await make(client, org, resource, name="shared", users=["bob"])
    await make(client, org, resource, name="public", visibility="public", users=["bob"])

    seen = {who: await counts(client, org, resource, who) for who in ("ada", "bob", "eve", "admin")}

    assert seen == {"ada": 3, "bob": 2, "eve": 1, "admin": 3}


@pytest.mark.parametrize("asked", [{"filter": '{"uses": {"$gt": 0}}'}, {"sort": '{"uses": -1}', "after": ""}])
async def test_how_often_a_word_is_used_elsewhere_is_not_asked_out_of_a_list(client, org, resource, asked):
    await make(client, org, resource, visibility="public")

    answer = await client.get(f"/v1/{resource}", params=asked, headers=org.as_("eve"))

    assert (answer.status_code, answer.json()["value"]) == (400, 6)


async def put(client, org, who="ada", **change):
    (await client.put("/v1/models/m", json=change, headers=org.as_(who))).raise_for_status()


async def test_a_word_appears_and_goes_with_what_can_be_read(client, org, resource):
    item = await make(client, org, resource)
    seen = []

    async def look():
        seen.append([await counts(client, org, resource, who) for who in ("eve", "bob")])

    await put(client, org, users={"add": ["eve"]})
    await look()
    await put(client, org, users={"remove": ["eve"]})
    await look()
    await put(client, org, visibility="public")
    await look()
    await put(client, org, visibility="private")
    await look()
    await client.put(f"/v1/models/{item['_id']}", json={"owner": "eve"}, headers=org.as_("admin"))
    await look()
    await client.delete(f"/v1/models/{item['_id']}", headers=org.as_("eve"))
    await look()
    await client.post(f"/v1/trash/{item['_id']}/restore", headers=org.as_("eve"))
    await look()
    (await client.delete("/v1/users/eve?transfer=bob", headers=org.as_("admin"))).raise_for_status()
    seen.append([None, await counts(client, org, resource, "bob")])
    await client.put(f"/v1/models/{item['_id']}", json={resource: {"remove": item[resource]}}, headers=org.as_("bob"))
    seen.append([None, await counts(client, org, resource, "bob")])

    # the list of eve and bob after each step, the last two after eve has gone
    assert seen == [
        [1, None],
        [None, None],
        [1, 1],
        [None, None],
        [1, None],
        [None, None],
        [1, None],
        [None, 1],
        [None, None],
    ]
    assert await counts(client, org, resource, "admin") == 0


async def test_default_words_always_show(client, org, resource):
    await client.post(f"/v1/{resource}", json={"_id": SECRET}, headers=org.as_("admin"))
    await make(client, org, resource)

    assert await counts(client, org, resource, "eve") == 0
    assert await counts(client, org, resource, "ada") == 1


async def test_nobody_learns_of_a_hidden_word_by_using_or_removing_it(client, org):
    await make(client, org, "tags")
    mine = await client.post("/v1/models", json={"name": "mine"}, headers=org.as_("eve"))
    url = f"/v1/models/{mine.json()['_id']}"

    hidden = await client.put(url, json={"tags": {"remove": [SECRET]}}, headers=org.as_("eve"))
    unknown = await client.put(url, json={"tags": {"remove": ["never-used"]}}, headers=org.as_("eve"))
    coined = await client.put(url, json={"tags": {"add": [SECRET]}}, headers=org.as_("eve"))

    assert hidden.text.replace(SECRET, "") == unknown.text.replace("never-used", "")
    assert (hidden.status_code, unknown.status_code, coined.status_code) == (400, 400, 200)
    assert await counts(client, org, "tags", "eve") == 1
    assert await counts(client, org, "tags", "ada") == 1


async def test_who_sees_words_is_counted_anew_as_their_uses_are(tenant, monkeypatch):
    monkeypatch.setattr(term_counts, "SETTLED", 0)
    ada, bob = await somebody(tenant), await somebody(tenant, "bob")
    for name, visibility, users in (("a", "private", ["bob"]), ("b", "public", ["bob"]), ("c", "private", [])):
        body = {"name": name, "visibility": visibility, "users": users, "tags": ["t"], "metadata": []}
        await items.create(ada, Kind.MODEL, new_item(**body))
    right = (await tenant.tags.records.find_one({"_id": "t"}))["seen"]
    await tenant.tags.records.update_one({"_id": "t"}, {"$set": {"seen": {"public": 7}}})

    mended = await term_counts.repair(tenant)

    assert right == {"public": 1, str(ada.user): 2, str(bob.user): 1}
    assert mended == 1
    assert (await tenant.tags.records.find_one({"_id": "t"}))["seen"] == right
    assert await term_counts.repair(tenant) == 0


def test_many_readers_and_many_words_do_not_multiply():
    words = item_terms.terms_of({"tags": ["t"], "metadata": [], "readers": [ObjectId() for _ in range(1000)]})

    assert len(words.viewers) == term_usage.MOST_VIEWERS

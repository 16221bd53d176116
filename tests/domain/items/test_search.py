"""Search: the best matches first, each once, and no more than the caller may read."""

import random
import sys
from string import ascii_lowercase

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.domain.access import Caller, may_read
from catalog.domain.items import items
from catalog.domain.items.search import candidates, entries, facets, names, search
from catalog.domain.items.search.ranking import MatchRank, rank
from catalog.domain.items.search.search import SearchQuery
from catalog.errors import Refused
from catalog.folding import search_key
from catalog.store.derived import search_entries
from catalog.store.query.fields import MODELS
from catalog.store.query.filters.filter import Filter, filter_of
from catalog.store.query.paging import timed_scan
from catalog.store.query.text_grams import TextPlace
from catalog.vocabulary import Archived, Kind, Role
from tests.support.inputs import new_item
from tests.support.tenants import somebody

EVERYTHING = list(Kind)


async def found(client, org, who, **query):
    answer = await client.get("/v1/search", params=query, headers=org.as_(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def create(client, org, who, kind="models", **fields):
    body = {"visibility": "public", **fields}
    return (await client.post(f"/v1/{kind}", json=body, headers=org.as_(who))).raise_for_status().json()["_id"]


async def test_the_best_matches_come_first(client, org):
    await create(client, org, "ada", name="described", description="about the Iris flower")
    await create(client, org, "ada", name="annotated", metadata=[{"name": "trained on", "value": "iris"}])
    await create(client, org, "ada", "datasets", name="tagged", tags=["irises"])
    await create(client, org, "ada", name="my iris")
    await create(client, org, "ada", "algorithms", name="IRIS-net")
    await create(client, org, "ada", "datasets", name="Iris")
    await create(client, org, "ada", name="something else")

    answer = await found(client, org, "bob", q="iris")

    assert [doc["name"] for doc in answer["docs"]] == [
        "Iris",
        "IRIS-net",
        "my iris",
        "tagged",
        "annotated",
        "described",
    ]
    assert [doc["kind"] for doc in answer["docs"][:2]] == ["datasets", "algorithms"]
    assert (answer["hasNextPage"], answer["nextCursor"]) == (False, None)


async def test_a_search_finds_only_what_the_caller_may_read(client, org, other_org):
    await create(client, org, "ada", name="iris", visibility="private", users=["bob"])

    for who, expected in (("ada", ["iris"]), ("bob", ["iris"]), ("eve", []), ("admin", ["iris"])):
        answer = await found(client, org, who, q="iris")
        assert [doc["name"] for doc in answer["docs"]] == expected
        assert answer["facetsOf"] == len(expected)
    assert (await found(client, other_org, "admin", q="iris"))["docs"] == []


async def test_a_search_is_narrowed_by_kind_status_visibility_and_owner(client, org):
    await create(client, org, "ada", name="iris one", status="test")
    await create(client, org, "bob", name="iris two", visibility="private")
    await create(client, org, "bob", "datasets", name="iris three")

    async def names(**query):
        return {doc["name"] for doc in (await found(client, org, "admin", q="iris", **query))["docs"]}

    assert await names(kind="datasets") == {"iris three"}
    assert await names(kind=["datasets", "models"]) == {"iris one", "iris two", "iris three"}
    assert await names(status="test") == {"iris one"}
    assert await names(visibility="private") == {"iris two"}
    assert await names(owner="bob") == {"iris two", "iris three"}


async def test_a_search_takes_the_filters_of_a_list(client, org):
    good, poor = [{"name": "accuracy", "value": 0.97}], [{"name": "accuracy", "value": 0.6}]
    await create(client, org, "ada", name="iris one", status="test", metadata=good, description="petals")
    await create(client, org, "bob", name="iris two", metadata=poor, tags=["iris", "small"])
    await create(client, org, "bob", "datasets", name="iris three", description="iris, and petals")

    async def names(**query):
        return {doc["name"] for doc in (await found(client, org, "eve", q="iris", **query))["docs"]}

    assert await names(filter='{"tags": "small"}') == {"iris two"}
    assert await names(filter='{"tags": "small"}', owner="ada") == set()
    assert await names(filter='[{"status": "test"}, {"tags": "small"}]') == {"iris one", "iris two"}
    assert await names(filter='{"description": {"$regex": "petals$"}}') == {"iris one", "iris three"}
    assert await names(filter='{"description": {"$regex": "^(iris|pet)"}}', kind="datasets") == {"iris three"}
    assert await names(**{"metadata.accuracy": "gte:0.9"}) == {"iris one"}


async def test_facets_count_what_was_found(client, org):
    await create(client, org, "ada", name="iris one", tags=["flowers"], license="MIT", library="keras")
    await create(client, org, "bob", "datasets", name="iris two", tags=["flowers", "small"], license="MIT")
    at = "/v1/models/iris%20one"
    await client.post(f"{at}/versions", json={"uri": "s3://bucket/x"}, headers=org.as_("ada"))
    await client.put(f"{at}/aliases/champion", json={"version": "1"}, headers=org.as_("ada"))

    answer = await found(client, org, "eve", q="iris", limit=1)

    assert answer["facets"] == {
        "kind": {"models": 1, "datasets": 1},
        "status": {"training": 1},
        "tag": {"flowers": 2, "small": 1},
        "owner": {org.ids["ada"]: 1, org.ids["bob"]: 1},
        "visibility": {"public": 2},
        "license": {"MIT": 2},
        "library": {"keras": 1},
        "alias": {"champion": 1},
        "stage": {},
        "language": {},
        "task": {},
        "archived": {"false": 2},
    }
    assert answer["facetsOf"] == 2
    further = await found(client, org, "eve", q="iris", limit=1, after=answer["nextCursor"])
    assert "facets" not in further
    assert answer["docs"][0]["name"] != further["docs"][0]["name"]


async def counted(client, org, who, **query):
    answer = await client.get("/v1/search/facets", params=query, headers=org.as_(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_facets_without_a_text_count_what_the_lists_show_to_each_caller(client, org):
    await create(client, org, "ada", name="one", tags=["small"], license="MIT", status="test")
    await create(client, org, "ada", name="two", tags=["small", "red"], visibility="private", users=["bob"])
    await create(client, org, "bob", "datasets", name="three", tags=["small"], license="MIT")

    async def tags(who, **query):
        return (await counted(client, org, who, **query))["facets"]["tag"]

    assert await tags("ada") == await tags("bob") == {"small": 3, "red": 1}
    assert await tags("eve") == {"small": 2}
    assert await tags("ada", kind="models", filter='{"tags": "red"}') == {"small": 1, "red": 1}
    assert await tags("ada", license="MIT", archived="true") == {}
    assert await tags("ada", filter='{"name": {"$regex": "o$"}}') == {"small": 1, "red": 1}
    of_models = await counted(client, org, "eve", kind="models")
    assert of_models["facets"]["kind"] == {"models": 1, "datasets": 1}
    assert (of_models["facets"]["status"], of_models["facets"]["license"]) == ({"test": 1}, {"MIT": 1})
    assert (of_models["facetsOf"], of_models["facetsAreExact"]) == (1, True)


async def test_facets_of_a_large_catalog_are_the_least_that_there_may_be(tenant, monkeypatch):
    monkeypatch.setattr(timed_scan, "COUNTED", 2)
    monkeypatch.setattr(timed_scan, "NARROWEST", 1)
    ada = await somebody(tenant, "ada")
    for number in range(5):
        await items.create(ada, Kind.MODEL, new_item(name=f"iris{number}", tags=["red"]))

    async def count(seconds):
        return await facets.count_listed(ada, [Kind.MODEL], Filter({}), Archived.EXCLUDED, seconds)

    soon, late = await count(0), await count(60)

    assert (soon.counts["tag"], soon.counted, soon.is_exact) == ({"red": 2}, 2, False)
    assert (late.counts["tag"], late.counted, late.is_exact) == ({"red": 5}, 5, True)


async def test_names_are_completed_from_their_beginning_with_what_the_caller_may_read(client, org):
    for name in ("Élan", "elan-2", "my elan"):
        await create(client, org, "ada", name=name)
    await create(client, org, "ada", "datasets", name="elan-secret", visibility="private")

    async def completed(who, **query):
        answer = await client.get("/v1/search/names", params=query, headers=org.as_(who))
        assert answer.status_code == 200, answer.text
        return [(doc["kind"], doc["reference"]) for doc in answer.json()["docs"]]

    assert await completed("eve", q="ELAN") == [("models", "ada/Élan"), ("models", "ada/elan-2")]
    assert await completed("ada", q="elan", kind="datasets") == [("datasets", "ada/elan-secret")]
    assert await completed("eve", q="elan", limit=1) == [("models", "ada/Élan")]


WRONG = {
    "nothing to look for": {},
    "blanks": {"q": "  "},
    "too much": {"q": "x" * 129},
    "a NUL": {"q": "a\0"},
    "an unknown kind": {"q": "a", "kind": "users"},
    "an unknown status": {"q": "a", "status": "ready"},
    "an unknown owner": {"q": "a", "owner": "nobody"},
    "an operator that is not allowed": {"q": "a", "filter": '{"$where": "1"}'},
    "a field that is not shown": {"q": "a", "filter": '{"readers": "public"}'},
    "a page of nothing": {"q": "a", "limit": "0"},
    "no cursor": {"q": "a", "after": "zzz"},
    "a cursor of something else": {"q": "a", "after": "WzBd"},
    "a cursor beyond the kinds": {"q": "a", "after": "WzAsIDksIG51bGwsIG51bGxd"},
    "a cursor with an operator": {"q": "a", "after": "WzEsIDAsIDEsIHsiJGd0IjogIiJ9XQ"},
}


@pytest.mark.parametrize("query", WRONG.values(), ids=WRONG)
async def test_a_wrong_search_is_refused(client, org, query):
    answer = await client.get("/v1/search", params=query, headers=org.as_("ada"))

    assert (answer.status_code, answer.json()["value"]) == (400, 6)


async def test_a_pattern_is_only_text(client, org):
    await create(client, org, "ada", name="(a+)+$ and more", description="x.y")

    assert len((await found(client, org, "bob", q="(a+)+$"))["docs"]) == 1
    assert len((await found(client, org, "bob", q=".*"))["docs"]) == 0
    assert len((await found(client, org, "bob", q="X.Y"))["docs"]) == 1


SPELLINGS = {"modele": "modèle", "STRASSE": "straße", "istanbul": "İstanbul", "gpu": "ＧＰＵ", "モデル": "モデル"}  # noqa: RUF001


@pytest.mark.parametrize(("typed", "written"), SPELLINGS.items(), ids=SPELLINGS)
@pytest.mark.parametrize("place", ["name", "inside", "tag", "metadata", "value", "description"])
async def test_case_accents_and_width_do_not_matter_in_any_place(client, org, typed, written, place):
    inside = f"a {written}-1"
    fields = {
        "name": {"name": written},
        "inside": {"name": inside},
        "tag": {"name": "x", "tags": [inside]},
        "metadata": {"name": "x", "metadata": [{"name": inside, "value": 1}]},
        "value": {"name": "x", "metadata": [{"name": "y", "value": inside}]},
        "description": {"name": "x", "description": inside},
    }
    await create(client, org, "ada", **fields[place])

    answer = await found(client, org, "bob", q=typed)

    assert [hit["name"] for hit in answer["docs"]] == [fields[place]["name"]]
    assert (await found(client, org, "bob", q=f"{typed}-2"))["docs"] == []


async def test_a_search_follows_changes_of_an_item(client, org):
    identity = await create(client, org, "ada", name="first", description="before")
    path = f"/v1/models/{identity}"

    (await client.put(path, json={"description": "afterwards"}, headers=org.as_("ada"))).raise_for_status()
    changed = [(await found(client, org, "bob", q=word))["docs"] for word in ("before", "afterwards", "first")]
    (await client.delete(path, headers=org.as_("ada"))).raise_for_status()
    removed = (await found(client, org, "bob", q="irs"))["docs"]
    (await client.post(f"/v1/trash/{identity}/restore", headers=org.as_("ada"))).raise_for_status()
    restored = (await found(client, org, "bob", q="irs"))["docs"]

    assert [len(docs) for docs in changed] == [0, 1, 1]
    assert (len(removed), len(restored)) == (0, 1)


async def test_long_texts_are_searched_to_their_end(client, org):
    dice = random.Random(7)
    long = " ".join("".join(dice.choices(ascii_lowercase, k=8)) for _ in range(1000))
    await create(client, org, "ada", name="long", description=f"{long} the-very-end")

    assert len((await found(client, org, "bob", q="the-very-end"))["docs"]) == 1
    assert (await found(client, org, "bob", q="the-very-start"))["docs"] == []


async def test_what_a_crash_left_of_the_entries_is_repaired(tenant):
    ada = await somebody(tenant)
    first = await items.create(ada, Kind.MODEL, new_item(name="first"))
    second = await items.create(ada, Kind.MODEL, new_item(name="second"))
    await items.create(ada, Kind.DATASET, new_item(name="third"))
    before = {entry["_id"]: entry async for entry in tenant.search_entries.records.find({})}
    await tenant.search_entries.records.delete_one({"_id": first["_id"]})
    await tenant.search_entries.records.update_one({"_id": second["_id"]}, {"$set": {"names": []}})
    await tenant.search_entries.records.insert_one({**before[first["_id"]], "_id": ObjectId()})

    repaired = [await search_entries.repair(tenant), await search_entries.repair(tenant)]

    assert repaired == [3, 0]
    assert {entry["_id"]: entry async for entry in tenant.search_entries.records.find({})} == before


LETTERS = st.text("abß.", max_size=3)
WORDS = LETTERS.filter(lambda word: word not in {"", ".", ".."})
THINGS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(EVERYTHING),
        "visibility": st.sampled_from(["public", "private"]),
        "owner": st.sampled_from(["ada", "bob"]),
        "name": LETTERS,
        "tags": st.lists(WORDS, max_size=2),
        "metadata": st.lists(st.tuples(WORDS, LETTERS | st.integers(0, 9)), max_size=2),
        "description": LETTERS,
    }
)
NARROWINGS = {
    "": lambda item: True,
    '{"tags": "a"}': lambda item: "a" in item["tags"],
    '{"serial": {"$lt": 5}}': lambda item: item["serial"] < 5,
    '{"description": {"$regex": "a"}}': lambda item: "a" in item["description"],
    '{"name": {"$regex": "^(a|b)"}}': lambda item: item["name"].startswith(("a", "b")),
    '{"metadata": {"$elemMatch": {"name": "a"}}}': lambda item: any(pair["name"] == "a" for pair in item["metadata"]),
}
"""Each of which asks of what a stage of a search asks, too."""


@settings(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(THINGS, max_size=8),
    st.text("abß.", min_size=1, max_size=4),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from(sorted(NARROWINGS)),
)
async def test_walking_a_search_gives_exactly_the_matches_each_once_and_in_order(
    tenant, monkeypatch, things, words, limit, is_admin, narrowing
):
    monkeypatch.setattr(search, "STEP", 2)
    monkeypatch.setattr(candidates, "WINDOW", 3)
    monkeypatch.setattr(candidates, "FULL", 2)
    monkeypatch.setattr(candidates, "SPARE", 0)
    monkeypatch.setattr(candidates, "AT_ONCE", 1)
    monkeypatch.setattr(candidates, "FEW_TERMS", 1)
    monkeypatch.setattr(candidates, "FEW_USES", 2)
    monkeypatch.setattr(entries, "FULL", 2)
    monkeypatch.setattr(entries, "FIRST_WINDOW", 3)
    monkeypatch.setattr(entries, "NARROWEST", 1)
    monkeypatch.setattr(entries, "MOST_NAMED", 2)
    monkeypatch.setattr(search, "MOST_READ", 10)
    await clear(tenant)
    people = {name: Caller(tenant, ObjectId(), name, Role.REGULAR) for name in ("ada", "bob")}
    for number, thing in enumerate(things):
        await keep(tenant, people[thing["owner"]], number, **thing)
    reader = Caller(tenant, people["ada"].user, "ada", Role.ADMIN if is_admin else Role.REGULAR)
    wanted = SearchQuery(search_key(words), EVERYTHING, filter_of(MODELS, narrowing))

    walked, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        answer = await search.search(reader, wanted, limit, cursor)
        assert len(answer.hits) <= limit
        walked += [(rank(hit.item, wanted.text), hit.item["_id"]) for hit in answer.hits]
        cursor, pages = answer.next, pages + 1
        assert pages < 500

    everything = [item for kind in EVERYTHING async for item in tenant.items(kind).records.find()]
    readable = [item for item in everything if may_read(reader, item) and NARROWINGS[narrowing](item)]
    expected = {item["_id"] for item in readable if rank(item, wanted.text) is not None}
    assert {identity for _, identity in walked} == expected
    assert len(walked) == len(expected)
    assert [stage for stage, _ in walked] == sorted(stage for stage, _ in walked)


async def clear(tenant):
    for collection in (*Kind, "counters", "search", "tags", "metadata"):
        await tenant.database[collection].delete_many({})


async def keep(tenant, person, number, *, kind, owner, **fields):
    fields["name"] = f"{fields['name']}-{number}"
    fields["metadata"] = [{"name": name, "value": value} for name, value in dict(fields["metadata"]).items()]
    await items.create(person, kind, new_item(**{name: value for name, value in fields.items() if value != ""}))


def test_an_item_is_ranked_by_its_best_place():
    item = {"name_key": "iris", "tags": ["Iris"], "metadata": [{"name": "a", "value": 1}], "description": "IRIS"}

    assert [rank(item | {"name_key": name}, "iris") for name in ("iris", "iris2", "my iris", "other")] == [
        MatchRank.EXACT,
        MatchRank.PREFIX,
        MatchRank.INSIDE,
        MatchRank.TAGGED,
    ]
    assert rank(item | {"name_key": "other", "tags": []}, "iris") is MatchRank.DESCRIBED
    assert rank(item, "rose") is None


async def test_without_facets_the_first_hits_do_not_wait_for_the_others(tenant, monkeypatch):
    monkeypatch.setattr(search, "SOON", 0)
    ada = await somebody(tenant, "ada")
    for name in ("iris", "my-iris"):
        await items.create(ada, Kind.MODEL, new_item(name=name))
    wanted = SearchQuery("iris", EVERYTHING, Filter({}))

    soon = await search.search(ada, wanted, 10, None, faceted=False)
    rest, cursor = [], soon.next
    while cursor:
        page = await search.search(ada, wanted, 10, cursor, faceted=False)
        rest, cursor = rest + [hit.item["name"] for hit in page.hits], page.next

    assert ([hit.item["name"] for hit in soon.hits], soon.facets, rest) == (["iris"], None, ["my-iris"])


async def test_entries_that_stand_together_are_found_with_few_queries(tenant, monkeypatch):
    lows, read = [], entries.EntryWalk._read
    monkeypatch.setattr(entries.EntryWalk, "_read", lambda walk, low: lows.append(low) or read(walk, low))
    together = [{"_id": ObjectId(), "serial": 9_000 + at, "names": ["m*s-9"], "texts": []} for at in range(200)]
    await tenant.search_entries.records.insert_many(together)

    chunk = await entries.EntryWalk(tenant, Kind.MODEL, TextPlace.NAME, "s-9", 9_199, 9_199).next(250, 250)

    assert (len(chunk.entries), chunk.low) == (200, 0)
    assert len(lows) <= 6


async def test_a_long_beginning_that_few_names_have_is_found_by_the_index_of_names(tenant, monkeypatch):
    read = entries.EntryWalk._read
    walked = []
    monkeypatch.setattr(entries.EntryWalk, "_read", lambda walk, low: walked.append(low) or read(walk, low))
    ada = await somebody(tenant, "ada")
    for name in ("resnet-iris-9", "resnet-iris-91", "resnet-iris-8", "ResNet-Iris-92", "my-resnet-iris-9"):
        await items.create(ada, Kind.MODEL, new_item(name=name))

    async def completed(limit):
        found = await names.complete(ada, search_key("resnet-iris-9"), EVERYTHING, limit)
        return [hit.item["name"] for hit in found]

    assert await completed(10) == ["resnet-iris-9", "ResNet-Iris-92", "resnet-iris-91"]
    assert await completed(2) == ["resnet-iris-9", "ResNet-Iris-92"]
    assert walked == []
    monkeypatch.setattr(entries, "MOST_NAMED", 2)
    assert await completed(10) == ["resnet-iris-9", "ResNet-Iris-92", "resnet-iris-91"]
    assert walked


@pytest.mark.parametrize(
    ("beginning", "after"),
    [("iris", "irit"), ("\ud7ff", "\ue000"), (f"a{chr(sys.maxunicode)}", "b")],
    ids=["letters", "surrogates", "the last letter"],
)
def test_a_text_follows_all_with_a_beginning_and_stands_before_all_others(beginning, after):
    assert entries.after_all_with(beginning) == after


def test_the_rarest_part_of_a_text_is_where_its_words_meet_or_a_letter_is_rare():
    assert entries.rare_grams(Kind.MODEL, TextPlace.NAME, "bert-iris")[0] == "m*t-i"
    assert entries.rare_grams(Kind.MODEL, TextPlace.NAME, "zebra-iris-9")[0] == "m*zeb"


def test_a_long_beginning_is_looked_up_by_what_is_rare_inside_it_too():
    assert entries.rare_grams(Kind.MODEL, TextPlace.BEGINNING, "bert") == ["m^ber"]

    [rarest, *others] = entries.rare_grams(Kind.MODEL, TextPlace.BEGINNING, "resnet-iris-9")

    assert rarest == "m*s-9"
    assert "m^res" in others


async def test_facets_are_counted_over_fewer_hits_when_time_is_short(tenant, monkeypatch):
    monkeypatch.setattr(search, "FACET_SECONDS", 0)
    monkeypatch.setattr(search, "BATCH", 2)
    ada = await somebody(tenant, "ada")
    for name in ("iris", "iris-2", "my-iris", "our-iris"):
        await items.create(ada, Kind.MODEL, new_item(name=name))

    page = await search.search(ada, SearchQuery("iris", EVERYTHING, Filter({})), 1, None)

    assert ([hit.item["name"] for hit in page.hits], page.facets.counted, page.facets.is_exact) == (["iris"], 2, False)


async def test_a_filter_by_the_serial_holds_in_every_stage(tenant):
    ada = await somebody(tenant, "ada")
    texts = {"tags": ["iris"]}, {"metadata": [{"name": "iris", "value": 1}]}, {"description": "iris"}
    for number, text in enumerate(texts):
        await items.create(ada, Kind.MODEL, new_item(name=f"in-{number}", **text))

    wanted = SearchQuery("iris", EVERYTHING, filter_of(MODELS, '{"serial": {"$lt": 1}}'))

    assert (await search.search(ada, wanted, 10, None)).hits == []


async def test_a_cursor_widens_nothing(tenant):
    ada, eve = await somebody(tenant, "ada"), await somebody(tenant, "eve")
    for number in range(3):
        await items.create(ada, Kind.MODEL, new_item(name=f"iris{number}"))

    seen = await search.search(ada, SearchQuery("iris", EVERYTHING, Filter({})), 1, None)
    stolen = await search.search(eve, SearchQuery("iris", EVERYTHING, Filter({})), 10, seen.next)

    assert (len(seen.hits), stolen.hits) == (1, [])


async def test_kinds_bound_what_a_cursor_may_name(tenant):
    ada = Caller(tenant, ObjectId(), "ada", Role.REGULAR)

    with pytest.raises(Refused):
        await search.search(ada, SearchQuery("iris", [Kind.MODEL], Filter({})), 1, "WzAsIDEsIG51bGwsIG51bGxd")

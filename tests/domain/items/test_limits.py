"""What an item may hold is set by the operator."""

import pytest

from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.domain.limits import LIMITS, Limits
from catalog.domain.terms import item_terms, terms
from catalog.errors import NOT_CHANGED, NOT_CREATED, QUOTA_EXCEEDED, Refused
from catalog.store import tenant as tenant_module
from catalog.vocabulary import Kind
from tests.support.app import OURS, client_of_app, in_database
from tests.support.inputs import item_change, new_item
from tests.support.tenants import somebody

SMALL = Limits(name=5, tag=4, metadata_name=3, metadata_value=2, tags=2, metadata=2, users=1, elements=2)

PAIRS = [{"name": name, "value": 1} for name in "abc"]

TOO_MUCH = {
    "name": ({"name": "x" * 6}, "name: at most 5 characters are allowed, not 6"),
    "tag": ({"name": "m", "tags": ["x" * 5]}, "tags.0: at most 4 characters are allowed, not 5"),
    "metadata_name": (
        {"name": "m", "metadata": [{"name": "x" * 4, "value": 1}]},
        "metadata.0.name: at most 3 characters are allowed, not 4",
    ),
    "metadata_value": (
        {"name": "m", "metadata": [{"name": "x", "value": "x" * 3}]},
        "metadata.0.value: at most 2 characters are allowed, not 3",
    ),
    "tags": ({"name": "m", "tags": ["a", "b", "c"]}, "tags: at most 2 are allowed, not 3"),
    "metadata": ({"name": "m", "metadata": PAIRS}, "metadata: at most 2 are allowed, not 3"),
    "users": ({"name": "m", "users": ["ada", "bob"]}, "users: at most 1 are allowed, not 2"),
}


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


ELSEWHERE = {"new_terms", "terms", "uploads", "elements"}  # below, and uploads in test_resumable


def test_each_limit_is_tried():
    assert TOO_MUCH.keys() | ELSEWHERE == LIMITS._asdict().keys()


@pytest.mark.parametrize(("body", "sentence"), TOO_MUCH.values(), ids=TOO_MUCH)
async def test_more_than_the_limit_is_refused_and_a_higher_limit_allows_it(tenant, ada, body, sentence):
    await somebody(tenant, "bob")

    with pytest.raises(Refused) as refusal:
        await items.create(ada, Kind.MODEL, new_item(**body), SMALL)
    allowed = await items.create(ada, Kind.MODEL, new_item(**body))

    assert (refusal.value.fault, refusal.value.details) == (NOT_CREATED, sentence)
    assert allowed["name"] == body["name"]


async def test_changes_are_held_to_the_limits(tenant, ada):
    await items.create(ada, Kind.MODEL, new_item(name="m", tags=["a", "b"]), SMALL)

    for body in ({"tags": {"add": ["c"]}}, {"tags": {"add": ["x" * 5]}}, {"metadata": {"add": PAIRS}}):
        with pytest.raises(Refused) as refusal:
            await changes.change(ada, Kind.MODEL, Reference("m"), item_change(**body), SMALL)
        assert refusal.value.fault is NOT_CHANGED


async def test_a_list_that_is_too_long_since_a_limit_was_lowered_may_lose_elements(tenant, ada):
    await items.create(ada, Kind.MODEL, new_item(name="m", tags=list("abcd")))

    changed = await changes.change(ada, Kind.MODEL, Reference("m"), item_change(tags={"remove": ["a"]}), SMALL)

    assert changed["tags"] == list("bcd")


async def test_a_request_adds_so_many_new_words_and_not_one_more(tenant, ada):
    limits = Limits(new_terms=3)
    await items.create(ada, Kind.MODEL, new_item(name="old", tags=["a"], metadata=PAIRS[:1]), limits)
    most = {"tags": ["a", "b", "c"], "metadata": PAIRS[:2]}

    made = await items.create(ada, Kind.MODEL, new_item(**{"name": "m", **most}), limits)
    with pytest.raises(Refused) as at_creation:
        await items.create(ada, Kind.MODEL, new_item(name="n", tags=["d", "e", "f", "g"]), limits)
    with pytest.raises(Refused) as at_change:
        await changes.change(ada, Kind.MODEL, Reference("m"), item_change(tags={"add": ["d", "e", "f", "g"]}), limits)

    assert made["tags"] == ["a", "b", "c"]
    assert (at_creation.value.fault, at_change.value.fault) == (NOT_CREATED, NOT_CHANGED)
    assert "a request may add 3 new tags and metadata names" in at_creation.value.details
    assert await tenant.tags.records.count_documents({"_id": {"$in": ["d", "e", "f", "g"]}}) == 0


async def test_the_items_of_one_request_share_its_new_words(tenant, ada):
    limits = Limits(new_terms=3)
    allowance = item_terms.TermAllowance(limits)

    await items.create(ada, Kind.MODEL, new_item(name="m", tags=["a", "b"]), limits, allowance)
    await items.create(ada, Kind.DATASET, new_item(name="d", tags=["a", "c"]), limits, allowance)
    await items.create(ada, Kind.MODEL, new_item(name="n", tags=["b", "c"]), limits, allowance)

    with pytest.raises(Refused):
        await items.create(ada, Kind.MODEL, new_item(name="o", tags=["d"]), limits, allowance)


async def test_a_tenant_has_so_many_words_and_goes_on_using_them(tenant, ada, monkeypatch):
    monkeypatch.setattr(tenant_module, "RECENT", -1)
    limits = Limits(terms=2)
    await items.create(ada, Kind.MODEL, new_item(name="m", tags=["a", "b"]), limits)

    for body in ({"name": "n", "tags": ["c"]}, {"name": "n", "tags": ["a", "c"]}):
        with pytest.raises(Refused) as refusal:
            await items.create(ada, Kind.MODEL, new_item(**body), limits)
        assert refusal.value.fault is QUOTA_EXCEEDED
    with pytest.raises(Refused) as curated:
        await terms.create(ada, terms.Vocabulary.TAGS, terms.NewTerm("c"), limits)
    again = await items.create(ada, Kind.MODEL, new_item(name="n", tags=["b"], metadata=PAIRS[:2]), limits)
    promoted = await terms.create(ada, terms.Vocabulary.TAGS, terms.NewTerm("a"), limits)

    assert curated.value.fault is QUOTA_EXCEEDED
    assert (again["tags"], promoted["usage"]) == (["b"], "default")


async def test_a_list_of_items_is_held_to_the_new_words_of_one_request(client, org):
    body = [{"name": f"m{index}", "tags": [f"{index}-{each}" for each in range(120)]} for index in range(2)]

    made = await client.post("/v1/models", json=body, headers=org.as_("ada"))

    assert (made.status_code, len(made.json()["models"])) == (202, 1)
    assert "new tags and metadata names" in made.json()["errors"][0]


async def test_the_settings_are_in_force_and_told(org, settings, mongo):
    fields = {f"limit_{name}": value for name, value in SMALL._asdict().items()}
    limited = settings.model_copy(update=fields)
    async with client_of_app(limited, in_database(mongo, f"{OURS}-catalogue")) as client:
        told = await client.get("/v1/info", headers=org.as_("ada"))
        made = await client.post("/v1/models", json={"name": "x" * 6}, headers=org.as_("ada"))
        await client.post("/v1/models", json={"name": "m"}, headers=org.as_("ada"))
        changed = await client.put("/v1/models/m", json={"tags": {"add": ["x" * 5]}}, headers=org.as_("ada"))
        several = await client.post("/v1/models", json=[{"name": "a"}] * 3, headers=org.as_("ada"))

    assert told.json()["limits"] == SMALL._asdict()
    assert [answer.json()["details"] for answer in (made, changed, several)] == [
        "name: at most 5 characters are allowed, not 6",
        "tags.add.0: at most 4 characters are allowed, not 5",
        "a list of at most 2 elements: send the rest in further requests",
    ]

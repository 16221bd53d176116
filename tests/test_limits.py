"""What an item may hold is set by the operator."""

import httpx
import pytest

from catalog.app import create_app
from catalog.domain import changes, items
from catalog.domain.forms import LIMITS, Limits
from catalog.errors import NOT_CHANGED, NOT_CREATED, Refused
from catalog.vocabulary import Kind
from tests.conftest import OURS, in_database, somebody

SMALL = Limits(name=5, tag=4, metadata_name=3, metadata_value=2, tags=2, metadata=2, users=1)

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


def test_each_limit_is_tried():
    assert TOO_MUCH.keys() == LIMITS._asdict().keys()


@pytest.mark.parametrize(("body", "sentence"), TOO_MUCH.values(), ids=TOO_MUCH)
async def test_more_than_the_limit_is_refused_and_a_higher_limit_allows_it(tenant, ada, body, sentence):
    await somebody(tenant, "bob")

    with pytest.raises(Refused) as refusal:
        await items.create(tenant, Kind.MODEL, body, ada, SMALL)
    allowed = await items.create(tenant, Kind.MODEL, body, ada)

    assert (refusal.value.fault, refusal.value.details) == (NOT_CREATED, sentence)
    assert allowed["name"] == body["name"]


async def test_changes_are_held_to_the_limits(tenant, ada):
    await items.create(tenant, Kind.MODEL, {"name": "m", "tags": ["a", "b"]}, ada, SMALL)

    for body in ({"tags": {"add": ["c"]}}, {"tags": {"add": ["x" * 5]}}, {"metadata": {"add": PAIRS}}):
        with pytest.raises(Refused) as refusal:
            await changes.change(tenant, Kind.MODEL, "m", body, ada, SMALL)
        assert refusal.value.fault is NOT_CHANGED


async def test_a_list_that_is_too_long_since_a_limit_was_lowered_may_lose_elements(tenant, ada):
    await items.create(tenant, Kind.MODEL, {"name": "m", "tags": list("abcd")}, ada)

    changed = await changes.change(tenant, Kind.MODEL, "m", {"tags": {"remove": ["a"]}}, ada, SMALL)

    assert changed["tags"] == list("bcd")


async def test_the_settings_are_in_force_and_told(org, settings, mongo):
    fields = {f"limit_{name}": value for name, value in SMALL._asdict().items()}
    app = create_app(settings.model_copy(update=fields), in_database(mongo, f"{OURS}-catalogue"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://catalog") as client:
        told = await client.get("/v1/info", headers=org.as_("ada"))
        made = await client.post("/v1/models", json={"name": "x" * 6}, headers=org.as_("ada"))
        await client.post("/v1/models", json={"name": "m"}, headers=org.as_("ada"))
        changed = await client.put("/v1/models/m", json={"tags": {"add": ["x" * 5]}}, headers=org.as_("ada"))
    app.state.database.close()

    assert told.json()["limits"] == SMALL._asdict()
    assert [answer.json()["details"] for answer in (made, changed)] == [
        "name: at most 5 characters are allowed, not 6",
        "tags.add.0: at most 4 characters are allowed, not 5",
    ]

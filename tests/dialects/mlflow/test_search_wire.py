"""Searches over models and over versions, with filters, orders and page tokens, as different users."""

import pytest

from tests.dialects.mlflow.wire import Wire, failure, wire_of
from tests.support.tenants import organisation


async def models(wire, filter_="", **fields):
    answer = await wire.get("registered-models/search", filter=filter_, **fields)
    return [model["name"] for model in answer.raise_for_status().json().get("registered_models", [])]


async def versions(wire, filter_="", **fields):
    answer = await wire.get("model-versions/search", filter=filter_, **fields)
    found = answer.raise_for_status().json().get("model_versions", [])
    return [f"{version['name']}/{version['version']}" for version in found]


@pytest.fixture(scope="module")
async def garden(client):
    """A tenant that tests only read, as its `ada`."""
    return await garden_of(wire_of(await organisation(client, "ada"), "ada"))


async def garden_of(ada: Wire) -> Wire:
    """Models `iris`, `Rose` and `lily`, and a prompt."""
    await ada.model("iris", tags=[{"key": "team", "value": "vision"}, {"key": "a key", "value": "x"}])
    await ada.model("Rose", tags=[{"key": "team", "value": "Vision two"}])
    await ada.model("lily")
    await ada.model("greeting", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    return ada


@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ("", ["Rose", "iris", "lily"]),
        ("name = 'iris'", ["iris"]),
        ("name != 'iris'", ["Rose", "lily"]),
        ("name LIKE 'r%'", []),
        ("name ILIKE 'r%'", ["Rose"]),
        ("name LIKE '%i%'", ["iris", "lily"]),
        ("name LIKE '_ris'", ["iris"]),
        ("name LIKE 'i%s'", ["iris"]),
        ("name IN ('iris', 'Rose', 'none')", ["Rose", "iris"]),
        ("name NOT IN ('iris')", ["Rose", "lily"]),
        ("tags.team = 'vision'", ["iris"]),
        ("tags.team != 'vision'", ["Rose"]),
        ("tags.team ILIKE 'vision%'", ["Rose", "iris"]),
        ("tags.`a key` LIKE 'x'", ["iris"]),
        ("tags.team = 'vision' AND tags.`a key` = 'x' AND name = 'iris'", ["iris"]),
        ("tags.`mlflow.prompt.is_prompt` = 'true'", ["greeting"]),
        ("tags.`mlflow.prompt.is_prompt` != 'true'", ["Rose", "iris", "lily"]),
        ("tags.`mlflow.prompt.is_prompt` = 'false'", ["Rose", "iris", "lily"]),
        ("name LIKE '%i%' AND tags.`mlflow.prompt.is_prompt` != 'true'", ["iris", "lily"]),
        ("creation_timestamp > 0", ["Rose", "iris", "lily"]),
        ("last_updated_timestamp < 1000", []),
    ],
)
async def test_a_filter_finds_models(garden, filter_, found):
    assert await models(garden, filter_) == found


async def test_native_tags_and_numbers_are_found_as_tags(org, ada):
    garden = await garden_of(ada)
    change = {"tags": {"add": ["flowers"]}, "metadata": {"add": [{"name": "accuracy", "value": 0.9}]}}
    await org.client.put("/v1/models/iris", json=change, headers=garden.headers)

    found = [
        await models(garden, filter_)
        for filter_ in ("tags.flowers = ''", "tags.flowers != 'x'", "tags.accuracy = '0.9'", "tags.accuracy != '0.9'")
    ]

    assert found == [["iris"], ["iris"], ["iris"], []]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (["name DESC"], ["lily", "iris", "Rose"]),
        (["creation_timestamp ASC"], ["iris", "Rose", "lily"]),
        (["creation_timestamp DESC"], ["lily", "Rose", "iris"]),
        (["timestamp DESC"], ["lily", "Rose", "iris"]),
        (["last_updated_timestamp ASC", "name ASC"], ["iris", "Rose", "lily"]),
    ],
)
async def test_models_are_ordered_and_paged_to_an_end(garden, order, found):
    assert await models(garden, order_by=order) == found

    token, walked = "", []
    while True:
        answer = await garden.get("registered-models/search", order_by=order, max_results=1, page_token=token)
        walked += [model["name"] for model in answer.json().get("registered_models", [])]
        token = answer.json().get("next_page_token")
        if not token:
            break
    assert walked == found


@pytest.mark.parametrize("call", ["registered-models/search", "model-versions/search"])
@pytest.mark.parametrize(
    "fields",
    [
        {"filter": "name = 'a' OR name = 'b'"},
        {"filter": "tags.k IS NULL"},
        {"filter": "name LIKE '" + "%a" * 300 + "'"},
        {"order_by": ["name", "name DESC"]},
        {"order_by": ["nothing"]},
        {"page_token": "eyJvZmZzZXQiOiAxfQ=="},
        {"page_token": "x"},
        {"max_results": 0},
        {"max_results": -1},
        {"max_results": 200_001},
        {"max_results": "many"},
    ],
)
async def test_a_search_that_cannot_be_is_refused(garden, call, fields):
    status, code, message = failure(await garden.get(call, **fields))

    assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
    assert message


@pytest.fixture(scope="module")
async def fleet_org(client):
    """A tenant that tests only read."""
    made = await organisation(client, "ada")
    await fleet_of(wire_of(made, "ada"))
    return made


@pytest.fixture(scope="module")
async def fleet(fleet_org):
    return wire_of(fleet_org, "ada")


async def fleet_of(ada: Wire) -> Wire:
    """`iris` with three versions and `rose` with one."""
    await ada.model("iris")
    await ada.model("rose")
    await ada.version("iris", "s3://bucket/a", run_id="r1", tags=[{"key": "k", "value": "v"}])
    await ada.version("rose", "s3://bucket/b", run_id="r2")
    await ada.version("iris", "runs:/r2/model", run_id="r2")
    await ada.version("iris", "s3://other/c", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    await ada.post("registered-models/alias", name="iris", alias="champion", version="1")
    await ada.post("registered-models/alias", name="rose", alias="champion", version="1")
    await ada.post("registered-models/alias", name="iris", alias="old", version="2")
    await ada.post("model-versions/transition-stage", name="iris", version="1", stage="Production")
    return ada


@pytest.mark.parametrize("user", ["ada", "admin"])
@pytest.mark.parametrize(
    ("filter_", "found"),
    [
        ("", ["iris/1", "iris/2", "rose/1"]),
        ("name = 'iris'", ["iris/1", "iris/2"]),
        ("name = 'nothing'", []),
        ("name IN ('iris', 'rose') AND version_number = 1", ["iris/1", "rose/1"]),
        ("name LIKE 'ro%'", ["rose/1"]),
        ("name ILIKE 'IR_S'", ["iris/1", "iris/2"]),
        ("name != 'iris'", ["rose/1"]),
        ("run_id = 'r2'", ["iris/2", "rose/1"]),
        ("run_id IN ('r1', 'r2') AND name = 'iris'", ["iris/1", "iris/2"]),
        ("run_id != 'r2'", ["iris/1"]),
        ("source_path = 's3://bucket/a'", ["iris/1"]),
        ("source_path LIKE 's3://bucket/%'", ["iris/1", "rose/1"]),
        ("source_path != 's3://bucket/a'", ["iris/2", "rose/1"]),
        ("version_number > 1", ["iris/2"]),
        ("version_number <= 1", ["iris/1", "rose/1"]),
        ("tags.k = 'v'", ["iris/1"]),
        ("tags.k != 'w'", ["iris/1"]),
        ("stage = 'production'", ["iris/1"]),
        ("stage IN ('None')", ["iris/2", "rose/1"]),
        ("alias = 'champion'", ["iris/1", "rose/1"]),
        ("alias IN ('champion', 'old') AND name = 'iris'", ["iris/1", "iris/2"]),
        ("tags.`mlflow.prompt.is_prompt` = 'true'", ["iris/3"]),
        ("creation_timestamp >= 1000 AND last_updated_timestamp > 1000", ["iris/1", "iris/2", "rose/1"]),
    ],
)
async def test_a_filter_finds_versions(fleet_org, user, filter_, found):
    assert sorted(await versions(wire_of(fleet_org, user), filter_)) == found


@pytest.mark.parametrize("filter_", ["", "name = 'iris'"])
@pytest.mark.parametrize(
    "order",
    [
        [],
        ["version_number ASC"],
        ["version_number DESC", "name ASC"],
        ["name ASC"],
        ["name DESC", "version_number ASC"],
        ["creation_timestamp DESC"],
        ["last_updated_timestamp ASC", "version_number DESC"],
    ],
)
async def test_versions_are_ordered_and_paged_to_an_end(fleet, filter_, order):
    answer = await fleet.get("model-versions/search", filter=filter_, order_by=order)
    whole = answer.json()["model_versions"]
    key = {"version_number": lambda each: int(each["version"])}
    for clause in reversed(order):
        field, way = clause.split()
        whole.sort(key=key.get(field, lambda each, field=field: each[field]), reverse=way == "DESC")

    token, walked = "", []
    while True:
        page = await fleet.get("model-versions/search", filter=filter_, order_by=order, max_results=1, page_token=token)
        walked += page.json().get("model_versions", [])
        token = page.json().get("next_page_token")
        if not token:
            break
    assert [version["version"] for version in answer.json()["model_versions"]] == [each["version"] for each in whole]
    assert walked == answer.json()["model_versions"]


async def test_the_default_order_is_the_last_change_first(fleet):
    assert await versions(fleet) == ["iris/1", "iris/2", "rose/1"]


async def test_searches_show_only_what_the_caller_may_read(org, ada, bob):
    fleet = await fleet_of(ada)
    await bob.model("bobs")
    await bob.version("bobs", "s3://bucket/b", run_id="r2")
    await fleet.post("registered-models/set-tag", name="rose", key="catalog.visibility", value="public")

    assert await models(bob) == ["bobs", "rose"]
    assert await versions(bob) == ["bobs/1", "rose/1"]
    assert await versions(bob, "run_id = 'r2'") == ["bobs/1", "rose/1"]
    assert await versions(bob, "name = 'iris'") == []
    assert await models(wire_of(org, "admin")) == ["bobs", "iris", "rose"]


async def test_versions_of_a_model_in_the_trash_are_not_found(ada, admin):
    fleet = await fleet_of(ada)
    await fleet.send("DELETE", "registered-models/delete", name="iris")

    assert await versions(fleet) == await versions(admin) == ["rose/1"]


async def test_a_name_that_two_models_have_is_shown_with_its_owner(org, ada, bob, admin):
    for user in (ada, bob):
        await user.model("iris")
        await user.version("iris")
    await ada.post("registered-models/set-tag", name="iris", key="catalog.visibility", value="public")

    assert await models(admin) == ["ada/iris", "bob/iris"]
    assert await models(ada) == ["iris"]
    assert sorted(await models(bob)) == ["ada/iris", "iris"]
    assert await versions(bob, "name = 'ada/iris'") == ["ada/iris/1"]
    read = await admin.get("model-versions/get", name="bob/iris", version="1")
    assert read.json()["model_version"]["name"] == "bob/iris"
    unclear = failure(await admin.get("registered-models/get", name="iris"))
    assert unclear[:2] == (400, "INVALID_PARAMETER_VALUE")


async def test_several_names_in_a_search_mean_what_each_means_alone(org, ada, bob):
    for wire, names in ((ada, ("own", "both", "gone")), (bob, ("both", "shared", "private"))):
        for name in names:
            await wire.model(name)
            await wire.version(name)
    for name in ("both", "shared"):
        await bob.post("registered-models/set-tag", name=name, key="catalog.visibility", value="public")
    await org.client.put("/v1/models/gone", json={"archived": True}, headers=ada.headers)
    identity = (await org.client.get("/v1/models/own", headers=ada.headers)).json()["_id"]

    async def found(*names):
        quoted = ", ".join(f"'{name}'" for name in names)
        answer = await ada.get("model-versions/search", filter=f"name IN ({quoted})", order_by="name")
        return [(each["name"], each["user_id"]) for each in answer.raise_for_status().json().get("model_versions", [])]

    assert await found("own", "both", "shared", "private", "gone", "nothing") == [
        ("both", "ada"),
        ("own", "ada"),
        ("shared", "bob"),
    ]
    assert await found(identity, "bob/both", "nothing/x") == [("bob/both", "bob"), ("own", "ada")]

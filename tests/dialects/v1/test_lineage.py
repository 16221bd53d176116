"""Lineage: what a version was made from, and what was made from it."""

import pytest

from catalog.domain.lineage import graph
from tests.support.tenants import organisation


@pytest.fixture
async def org(client):
    return await organisation(client, "ada", "bob")


@pytest.fixture
async def add(client, org):
    """Adds a version to an item, which is created if it is not there."""

    async def add(kind, name, *inputs, who="ada", **item):
        await client.post(f"/v1/{kind}", json={"name": name, **item}, headers=org.as_(who))
        body = {"uri": f"s3://bucket/{name}", "inputs": [*inputs]}
        answer = await client.post(f"/v1/{kind}/{name}/versions", json=body, headers=org.as_(who))
        return answer.raise_for_status().json()

    return add


@pytest.fixture
async def chain(add):
    """raw -> petals -> iris <- trainer, iris -> small and large."""
    await add("datasets", "raw")
    await add("datasets", "petals", "raw")
    await add("algorithms", "trainer")
    await add("models", "iris", "datasets/petals@1", "trainer@latest")
    await add("models", "small", "iris")
    await add("models", "large", "models/iris", "petals")


async def shown(client, org, kind, name, who="ada", **query):
    answer = await client.get(f"/v1/{kind}/{name}/lineage", params=query, headers=org.as_(who))
    return answer.raise_for_status().json()


def named(lineage):
    return {node["id"]: node.get("name", "?") for node in lineage["nodes"]}


def edges_of(lineage):
    names = named(lineage)
    return {(names[edge["source"]], names[edge["target"]]) for edge in lineage["edges"]}


def distances(lineage):
    return {node.get("name", "?"): node["distance"] for node in lineage["nodes"]}


@pytest.mark.usefixtures("chain")
async def test_lineage_goes_both_ways(client, org):
    of_iris, of_raw = [await shown(client, org, *item) for item in (("models", "iris"), ("datasets", "raw"))]

    assert distances(of_iris) == {"iris": 0, "petals": -1, "trainer": -1, "raw": -2, "small": 1, "large": 1}
    assert edges_of(of_iris) == {
        *(("raw", "petals"), ("petals", "iris"), ("trainer", "iris")),
        *(("iris", "small"), ("iris", "large"), ("petals", "large")),
    }
    assert distances(of_raw) == {"raw": 0, "petals": 1, "iris": 2, "large": 2, "small": 3}
    assert of_iris["truncated"] is False


@pytest.mark.usefixtures("chain")
async def test_depth_ends_the_walk_in_both_directions(client, org):
    assert distances(await shown(client, org, "models", "iris", depth=1)).keys() == {
        *("iris", "petals", "trainer", "small", "large")
    }
    for wrong in ("0", "11", "x", "-1", "1.5", "100"):
        answer = await client.get("/v1/models/iris/lineage", params={"depth": wrong}, headers=org.as_("ada"))
        assert answer.status_code == 400, wrong


@pytest.mark.usefixtures("chain")
async def test_what_a_caller_may_not_read_is_an_id_and_the_end_of_the_walk(client, org):
    await client.put("/v1/models/iris", json={"users": {"add": ["bob"]}}, headers=org.as_("ada"))
    await client.put("/v1/datasets/raw", json={"users": {"add": ["bob"]}}, headers=org.as_("ada"))

    iris = (await client.get("/v1/models", headers=org.as_("bob"))).json()["docs"][0]["_id"]
    to_bob = await shown(client, org, "models", iris, who="bob")

    hidden = [node for node in to_bob["nodes"] if node["id"] != to_bob["root"]]
    assert [node["distance"] for node in hidden] == [-1, -1, 1, 1]
    assert all(node.keys() == {"id", "distance"} for node in hidden)


async def test_an_input_is_checked_when_it_is_named(client, org, add):
    await add("datasets", "hidden")
    await client.post("/v1/models", json={"name": "theirs"}, headers=org.as_("bob"))
    at = "/v1/models/theirs/versions"

    for inputs in (["hidden"], ["datasets/nothing"], ["theirs@7"], ["x"] * 101, [""], ["a\0b"], [{"kind": "models"}]):
        body = {"uri": "s3://bucket/x", "inputs": inputs}
        answer = await client.post(at, json=body, headers=org.as_("bob"))
        assert answer.status_code == 400, inputs
    assert (await client.get(at, headers=org.as_("bob"))).json()["docs"] == []


async def test_inputs_are_changed_as_a_whole_and_are_sent_back_as_they_were_shown(client, org, add):
    first = await add("datasets", "petals")
    await add("datasets", "petals")
    made = await add("models", "iris", "petals@1", "petals", "petals@2")
    at = "/v1/models/iris/versions/1"

    same = await client.put(at, json={"inputs": made["inputs"]}, headers=org.as_("ada"))
    less = await client.put(at, json={"inputs": ["petals@1"]}, headers=org.as_("ada"))
    none = await client.put(at, json={"inputs": []}, headers=org.as_("ada"))

    assert [each["number"] for each in made["inputs"]] == [1, 2]
    assert same.json()["inputs"] == made["inputs"]
    assert less.json()["inputs"] == [{"kind": "datasets", "item": made["inputs"][0]["item"], "number": 1}]
    assert none.json()["inputs"] == []
    assert first["inputs"] == []


async def test_a_dataset_comes_before_a_model_of_the_same_name(client, org, add):
    for kind in ("models", "datasets"):
        await add(kind, "twin")

    bare, with_kind = await add("models", "a", "twin"), await add("models", "b", "models/twin")

    assert [made["inputs"][0]["kind"] for made in (bare, with_kind)] == ["datasets", "models"]


@pytest.mark.usefixtures("chain")
async def test_a_removed_input_stays_as_an_id(client, org):
    await client.delete("/v1/algorithms/trainer", headers=org.as_("ada"))

    lineage = await shown(client, org, "models", "iris")

    assert "?" in distances(lineage)
    assert "trainer" not in distances(lineage)


async def test_a_version_that_is_made_from_itself_is_shown_once(client, org, add):
    await add("models", "loop")
    await client.put("/v1/models/loop/versions/1", json={"inputs": ["models/loop@1"]}, headers=org.as_("ada"))

    lineage = await shown(client, org, "models", "loop", depth=10)

    assert (len(lineage["nodes"]), edges_of(lineage)) == (1, {("loop", "loop")})


async def test_a_lineage_of_many_versions_is_cut(client, org, add, monkeypatch):
    monkeypatch.setattr(graph, "MOST_NODES", 4)
    await add("datasets", "petals")
    for number in range(5):
        await add("models", f"m{number}", "petals")

    lineage = await shown(client, org, "datasets", "petals")

    assert (len(lineage["nodes"]), lineage["truncated"]) == (4, True)


async def test_what_was_made_from_other_versions_costs_a_lineage_little(client, org, add, monkeypatch):
    monkeypatch.setattr(graph, "MOST_LOOKED_AT", 3)
    for _ in range(3):
        await add("datasets", "petals")
    for number in range(3):
        await add("models", f"m{number}", "petals@1")
    await add("models", "last", "petals@2")

    first, second = [await shown(client, org, "datasets", "petals", which=which) for which in ("1", "2")]

    assert (first["truncated"], second["truncated"]) == (True, False)
    assert distances(second) == {"petals": 0, "last": 1}

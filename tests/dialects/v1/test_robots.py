"""Robots: accounts for pipelines that belong to no person."""

from base64 import b64encode
from datetime import timedelta

import pytest

from catalog.store.clock import now
from tests.dialects.mlflow.wire import ARTIFACTS, REGISTRY


async def create(org, **body):
    answer = await org.client.post(
        "/v1/robots", json={"username": "ci", "scopes": ["write"]} | body, headers=org.as_("admin")
    )
    return answer.raise_for_status().json()


async def robot_of(org, **body):
    """The headers of a robot."""
    return {"Authorization": f"Bearer {(await create(org, **body))['token']}"}


async def ask(org, method, url, headers, **sent):
    return await org.client.request(method, url, headers=headers, **sent)


async def models(org, headers):
    listed = (await ask(org, "GET", "/v1/models", headers)).raise_for_status().json()
    return sorted(model["name"] for model in listed["docs"])


@pytest.fixture
async def shelf(org):
    """Models of Ada: a private one, one with the tag `nightly`, and a public one."""
    for body in ({"name": "iris"}, {"name": "petals", "tags": ["nightly"]}, {"name": "roses", "visibility": "public"}):
        (await ask(org, "POST", "/v1/models", org.as_("ada"), json=body)).raise_for_status()
    return org


async def test_a_robot_owns_what_it_creates_and_stands_in_the_journal_by_its_name(org, app):
    made = await create(org)
    robot = {"Authorization": f"Bearer {made['token']}"}

    model = (await ask(org, "POST", "/v1/models", robot, json={"name": "iris"})).json()
    await app.state.journal.flush()

    assert model["owner"] == made["_id"]
    entries = (await ask(org, "GET", '/v1/log?filter={"user":"ci"}', org.as_("admin"))).json()["docs"]
    assert [(entry["method"], entry["path"]) for entry in entries] == [("POST", "/v1/models")]
    assert "ci" not in {
        user["username"] for user in (await ask(org, "GET", "/v1/users", org.as_("ada"))).json()["docs"]
    }


async def test_without_limits_it_reads_what_is_public_or_shared(shelf):
    robot = await robot_of(shelf)
    before = await models(shelf, robot)

    await ask(shelf, "PUT", "/v1/models/iris", shelf.as_("ada"), json={"users": {"add": ["ci"]}})

    assert (before, await models(shelf, robot)) == (["roses"], ["iris", "roses"])


async def test_limits_are_all_that_it_reads_and_changes(shelf):
    robot = await robot_of(shelf, items=["ada/iris"], tags=["nightly"])
    description = {"json": {"description": "new"}}

    changed = [
        (await ask(shelf, "PUT", f"/v1/models/{name}", robot, **description)).status_code
        for name in ("ada/iris".replace("/", "%2F"), "petals", "roses")
    ]
    shared = await ask(shelf, "PUT", "/v1/models/iris", robot, json={"visibility": "public"})
    pushed = await ask(shelf, "POST", "/v1/models/iris/versions?name=w.bin", robot, content=b"weights")
    removed = await ask(shelf, "DELETE", "/v1/models/iris", robot)

    assert await models(shelf, robot) == ["iris", "petals"]
    assert changed == [200, 200, 404]
    assert (shared.status_code, pushed.status_code, removed.status_code) == (403, 200, 403)
    terms = (await ask(shelf, "GET", "/v1/tags/suggest?q=n", robot)).json()["docs"]
    assert terms == []  # a limited robot does not learn what others have


async def test_limited_to_tags_it_creates_only_with_one_and_limited_to_items_nothing(shelf):
    by_tag = await robot_of(shelf, tags=["nightly"])
    by_item = await robot_of(shelf, username="other", items=["ada/iris"])
    plain, tagged = {"json": {"name": "a"}}, {"json": {"name": "b", "tags": ["nightly"]}}

    made = [
        (await ask(shelf, "POST", "/v1/models", robot, **body)).status_code
        for robot in (by_tag, by_item)
        for body in (plain, tagged)
    ]

    assert made == [403, 200, 403, 403]


async def test_an_item_that_loses_the_tag_while_a_version_is_sent_gets_no_version(shelf):
    robot = await robot_of(shelf, tags=["nightly"])

    async def weights():
        yield b"some"
        untagged = {"json": {"tags": {"remove": ["nightly"]}}}
        (await ask(shelf, "PUT", "/v1/models/petals", shelf.as_("ada"), **untagged)).raise_for_status()
        yield b"more"

    pushed = await ask(shelf, "POST", "/v1/models/petals/versions?name=w.bin", robot, content=weights())

    assert pushed.status_code == 403
    assert (await ask(shelf, "GET", "/v1/models/petals", shelf.as_("ada"))).json()["versions"] == []


async def test_narrower_limits_end_what_is_under_way(shelf):
    robot = await robot_of(shelf, items=["ada/iris"])

    async def weights():
        yield b"some"
        narrowed = {"json": {"items": [], "tags": ["none"]}}
        (await ask(shelf, "PUT", "/v1/robots/ci", shelf.as_("admin"), **narrowed)).raise_for_status()
        yield b"more"

    pushed = await ask(shelf, "POST", "/v1/models/iris/versions?name=w.bin", robot, content=weights())

    assert pushed.status_code == 401
    assert await models(shelf, robot) == []


async def test_rotating_ends_the_old_token_at_once_or_after_the_overlap(org):
    first = await robot_of(org)
    admin = org.as_("admin")

    async def rotated(**body):
        made = (await ask(org, "POST", "/v1/robots/ci/token", admin, json=body)).raise_for_status().json()
        return {"Authorization": f"Bearer {made['token']}"}

    second = await rotated()
    third = await rotated(overlap="1h")
    statuses = [(await ask(org, "GET", "/v1/models", robot)).status_code for robot in (first, second, third)]
    tokens = (await ask(org, "GET", "/v1/tokens", admin)).json()["docs"]
    revoked = await ask(org, "DELETE", "/v1/robots/ci/token", admin)
    after = [(await ask(org, "GET", "/v1/models", robot)).status_code for robot in (second, third)]

    assert (statuses, after) == ([401, 200, 200], [401, 401])
    soon = (now() + timedelta(hours=2)).isoformat()
    assert sorted(token["expires"] < soon for token in tokens) == [False, True]
    assert revoked.json()["expires"] is None
    assert revoked.json()["used"] is not None


async def test_it_works_through_the_other_dialects(shelf):
    token = (await create(shelf, items=["ada/iris"]))["token"]
    basic = {"Authorization": f"Basic {b64encode(f'ci:{token}'.encode()).decode()}"}
    version = {"name": "iris", "source": "s3://bucket/model"}

    by_mlflow = await ask(shelf, "POST", f"{REGISTRY}/model-versions/create", basic, json=version)
    unseen = await ask(shelf, "GET", f"{REGISTRY}/registered-models/get?name=roses", basic)
    by_kubeflow = await ask(
        shelf, "GET", "/api/model_registry/v1alpha3/registered_models", {"Authorization": f"Bearer {token}"}
    )

    assert (by_mlflow.status_code, unseen.status_code) == (200, 404)
    assert [model["name"] for model in by_kubeflow.json()["items"]] == ["iris"]


async def test_a_robot_is_no_person(org):
    await create(org)
    admin = org.as_("admin")

    signed_in = await org.client.post("/v1/login", json={"username": "ci", "password": "x", "tenant": org.name})
    promoted = await ask(org, "PUT", "/v1/users/ci", admin, json={"role": "admin"})
    removed = await ask(org, "DELETE", "/v1/users/ci", admin)
    taken = await ask(org, "POST", "/v1/robots", admin, json={"username": "ADA"})

    assert [each.status_code for each in (signed_in, promoted, removed, taken)] == [401, 403, 403, 400]


async def test_a_robot_that_owns_something_is_removed_with_a_transfer(org):
    robot = await robot_of(org)
    await ask(org, "POST", "/v1/models", robot, json={"name": "iris"})
    admin = org.as_("admin")

    refused = await ask(org, "DELETE", "/v1/robots/ci", admin)
    removed = await ask(org, "DELETE", "/v1/robots/ci?transfer=bob", admin)

    assert (refused.status_code, removed.status_code) == (400, 200)
    assert (await ask(org, "GET", "/v1/models/iris", org.as_("bob"))).json()["owner"] == org.ids["bob"]
    assert (await ask(org, "GET", "/v1/models", robot)).status_code == 401


async def test_what_it_added_to_a_model_goes_with_the_model(shelf):
    robot, path = await robot_of(shelf, items=["ada/iris"]), "/api/model_registry/v1alpha3"
    [model] = (await ask(shelf, "GET", f"{path}/registered_models", robot)).json()["items"]
    version = {"name": "1", "registeredModelId": model["id"]}
    made = (await ask(shelf, "POST", f"{path}/model_versions", robot, json=version)).json()
    card = {"artifactType": "doc-artifact", "name": "card", "uri": "s3://bucket/card"}
    of_version = f"{path}/model_versions/{made['id']}/artifacts"
    added = (await ask(shelf, "POST", of_version, robot, json=card)).json()

    narrowed = {"json": {"items": ["ada/petals"]}}
    (await ask(shelf, "PUT", "/v1/robots/ci", shelf.as_("admin"), **narrowed)).raise_for_status()
    one = await ask(shelf, "GET", f"{path}/artifacts/{added['id']}", robot)
    listed = await ask(shelf, "GET", f"{path}/artifacts", robot)

    assert (one.status_code, listed.json()["items"]) == (404, [])


async def test_an_address_that_it_got_writes_no_more_when_its_scope_is_narrowed(org):
    robot = await robot_of(org)
    begin = {"json": {"path": "weights.bin", "num_parts": 1}}
    begun = (await ask(org, "POST", f"{ARTIFACTS}/mpu/create/runs", robot, **begin)).raise_for_status().json()
    url = begun["credentials"][0]["url"]

    before = await org.client.put(url, content=b"some")
    (await ask(org, "PUT", "/v1/robots/ci", org.as_("admin"), json={"scopes": ["read"]})).raise_for_status()
    after = await org.client.put(url, content=b"more")

    assert (before.status_code, after.status_code) == (200, 403)

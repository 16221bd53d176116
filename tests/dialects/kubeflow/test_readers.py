"""Lists ask an index for copies of the readers. Whatever happens to a model, they find what the caller may read."""

import random
from contextlib import suppress
from datetime import timedelta

import httpx
import pytest
from bson import ObjectId

from catalog.domain.access import Caller, Reach
from catalog.domain.cleanup.sweep import sweep
from catalog.domain.tenants import tenants
from catalog.domain.tracking import models
from catalog.domain.tracking.access import listed_to, readable
from catalog.store.derived import reader_copies
from catalog.store.migrations.progress import Progress
from catalog.store.migrations.steps import tracked_readers
from tests.dialects.kubeflow.conftest import registry

STEPS = 25


@pytest.fixture
async def tenant(app, org):
    return await tenants.enter(app.state.database, org.name)


@pytest.fixture
async def callers(tenant):
    async def found():
        people = [Caller.of(tenant, user) async for user in tenant.users.records.find({})]
        first = await tenant.models.records.find_one({}, sort=[("serial", 1)])
        limited = people[-1]._replace(reach=Reach(frozenset({first["_id"]} if first else ()), frozenset()))
        return [*people, limited]

    return found


async def disagreements(tenant, callers):
    """What a filter finds and the question denies, or the reverse."""
    wrong = []
    for bound in (
        tenant.experiments,
        tenant.runs,
        tenant.artifacts,
        tenant.metric_points,
        tenant.environments,
        tenant.services,
        tenant.served_models,
        tenant.versions,
    ):
        records = await bound.records.find({}).to_list(None)
        for caller in callers if records else ():
            if bound is tenant.versions:
                open_ = await models.readable(caller, {version["item"] for version in records})
                allowed = {version["_id"] for version in records if version["item"] in open_}
            else:
                allowed = {record["_id"] for record in await readable(caller, records)}
            access = await listed_to(caller, "item" if bound is tenant.versions else "items")
            listed = {record["_id"] for record in await bound.records.find(access, {"_id": 1}).to_list(None)}
            if listed != allowed:
                wrong.append((caller.username, bound.name, len(listed), len(allowed)))
    return wrong


async def shelf(org, ada):
    """Two models of Ada's with all that may belong to them. One artifact belongs to both, and to a run."""
    environment, run = await ada.new("/serving_environments", name="prod"), await ada.run()
    await ada.post(f"/experiment_runs/{run['id']}/artifacts", artifactType="metric", name="loss", value=1)
    both = await ada.new("/artifacts", artifactType="doc-artifact", name="both")
    for name in ("one", "two"):
        model = await ada.model(name)
        version = await ada.version(model)
        path = f"/model_versions/{version['id']}/artifacts"
        await ada.new(path, artifactType="model-artifact", name=name, uri="s3://x")
        await ada.new(path, artifactType="doc-artifact", id=both["id"])
        service = await ada.new(
            "/inference_services", registeredModelId=model["id"], servingEnvironmentId=environment["id"], name=name
        )
        await ada.new(f"/inference_services/{service['id']}/serves", modelVersionId=version["id"])
    await ada.post(f"/experiment_runs/{run['id']}/artifacts", artifactType="doc-artifact", id=both["id"])


async def test_the_rule_as_a_question_and_as_a_filter_agree_after_each_change(org, ada, tenant, callers):
    await shelf(org, ada)
    body = {"name": "team", "members": ["eve"]}
    team = (await org.client.post("/v1/groups", json=body, headers=org.as_("admin"))).raise_for_status().json()
    chance = random.Random(7)

    async def asked(method, path, **more):
        return (await org.client.request(method, path, headers=org.as_("admin"), **more)).raise_for_status()

    async def share():
        who, way = chance.choice(("bob", "eve", "team")), chance.choice(("add", "remove"))
        change = {chance.choice(("users", "editors")): {way: [who]}}
        await asked("PUT", f"/v1/models/{chance.choice(names)}", json=change)

    async def publish():
        change = {"visibility": chance.choice(("public", "private"))}
        await asked("PUT", f"/v1/models/{chance.choice(names)}", json=change)

    async def bin_and_restore():
        removed = (await asked("DELETE", f"/v1/models/{chance.choice(names)}?force=true")).json()["_id"]
        await asked("POST", f"/v1/trash/{removed}/restore")

    async def join():
        await asked("PUT", "/v1/groups/team", json={"members": {chance.choice(("add", "remove")): ["bob"]}})

    async def give():
        await asked("PUT", f"/v1/models/{chance.choice(names)}", json={"owner": chance.choice(("ada", "bob"))})

    names = [item["_id"] for item in (await asked("GET", "/v1/models")).json()["docs"]]
    for step in (chance.choice((share, share, publish, bin_and_restore, join, give)) for _ in range(STEPS)):
        with suppress(httpx.HTTPStatusError):  # such as removing a user whom the model is not shared with
            await step()
        assert not await disagreements(tenant, await callers()), step.__name__

    await asked("PUT", f"/v1/models/{names[0]}", json={"visibility": "private"})
    await asked("PUT", f"/v1/models/{names[0]}", json={"users": {"add": ["team"]}})
    of_team = {"readers": ObjectId(team["_id"])}
    before = (
        await tenant.versions.records.count_documents(of_team),
        await tenant.artifacts.records.count_documents(of_team),
    )
    await asked("DELETE", "/v1/groups/team")
    after = (
        await tenant.versions.records.count_documents(of_team),
        await tenant.artifacts.records.count_documents(of_team),
    )
    assert min(before) > 0 == max(after)
    assert not await disagreements(tenant, await callers())
    await asked("DELETE", f"/v1/models/{names[0]}/versions/v1?force=true")
    assert not await disagreements(tenant, await callers())
    await asked("DELETE", "/v1/users/ada?transfer=bob")
    assert not await disagreements(tenant, await callers())
    removed = (await asked("DELETE", f"/v1/models/{names[1]}?force=true")).json()["_id"]
    await asked("DELETE", f"/v1/trash/{removed}")
    assert not await disagreements(tenant, await callers())


async def test_a_copy_that_is_out_of_date_shows_nothing_and_is_repaired(org, ada, bob, tenant, callers):
    await shelf(org, ada)
    lists = ("/model_versions", "/artifacts", "/model_artifacts", "/inference_services")
    shared = {"users": {"add": ["bob"]}}
    (await org.client.put("/v1/models/one", json=shared, headers=org.as_("ada"))).raise_for_status()
    seen = [(await bob.get(path)).json()["size"] for path in lists]

    # As after a crash between the change of the model and that of the copies.
    change = {"$pull": {"users": ObjectId(org.ids["bob"]), "readers": ObjectId(org.ids["bob"])}}
    await tenant.models.records.update_one({"name": "one"}, change)
    services = (await org.client.get("/v1/services", headers=org.as_("bob"))).json()["docs"]
    hidden = [(await bob.get(path)).json()["size"] for path in lists]
    stale = await disagreements(tenant, await callers())
    await tenant.models.records.update_one(
        {"name": "one"}, {"$set": {"readers_changed": reader_copies.now() - timedelta(hours=1)}}
    )
    await sweep(tenant, grace=timedelta(hours=1))

    assert (seen, services, hidden) == ([1, 2, 1, 1], [], [0, 0, 0, 0])
    assert stale
    assert not await disagreements(tenant, await callers())
    assert not (await tenant.models.records.find_one({"name": "one"})).get("readers_changed")


async def test_copies_are_bounded_and_the_migration_writes_them(org, ada, tenant, callers, monkeypatch):
    monkeypatch.setattr(reader_copies, "MOST", 1)
    await shelf(org, ada)
    shared = {"users": {"add": ["bob"]}}
    (await org.client.put("/v1/models/one", json=shared, headers=org.as_("ada"))).raise_for_status()
    many = await tenant.versions.records.find_one({"ordinal": "v1", "readers": reader_copies.MANY})
    sizes = [(await registry(org, who).get("/model_versions")).json()["size"] for who in ("ada", "bob", "eve")]

    monkeypatch.setattr(reader_copies, "MOST", 32)
    older = (tenant.artifacts, tenant.runs, tenant.services, tenant.served_models, tenant.metric_points)
    for bound in older:  # as before there were copies
        await bound.records.update_many({}, [{"$set": {"readers": "$own_readers"}}])
        await bound.records.update_many({}, {"$unset": {"own_readers": ""}})
    await tenant.versions.records.update_many({}, {"$unset": {"readers": ""}})
    await tracked_readers.run(tenant, Progress("", print))

    assert many["readers"] == [reader_copies.MANY]
    assert sizes == [2, 1, 0]
    assert not await disagreements(tenant, await callers())

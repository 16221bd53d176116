"""What becomes of artifacts and services when models, versions and users are removed; and the native lists of them."""

import pytest

from tests.dialects.kubeflow.conftest import registry


@pytest.fixture
async def deployed(org, ada):
    """A model of Ada's with a version, an artifact, and a service that serves it."""
    model, environment = await ada.model(), await ada.new("/serving_environments", name="prod")
    version = await ada.version(model)
    artifact = await ada.new(f"/model_versions/{version['id']}/artifacts", artifactType="doc-artifact", name="card")
    service = await ada.new(
        "/inference_services", registeredModelId=model["id"], servingEnvironmentId=environment["id"], name="svc"
    )
    return {"model": model, "version": version, "artifact": artifact, "service": service}


async def test_a_deployed_model_is_removed_only_by_force_whatever_the_door(org, ada, deployed):
    mlflow = "/api/2.0/mlflow/registered-models/delete"
    of_mlflow = await org.client.request("DELETE", mlflow, json={"name": "iris"}, headers=ada.headers)
    refused = await org.client.delete("/v1/models/iris", headers=org.as_("ada"))
    forced = await org.client.delete("/v1/models/iris?force=true", headers=org.as_("ada"))

    assert (of_mlflow.status_code, of_mlflow.json()["error_code"]) == (409, "RESOURCE_CONFLICT")
    assert (refused.status_code, refused.json()["value"]) == (409, 196)
    assert "svc" in of_mlflow.json()["message"]
    assert "svc" in refused.json()["details"]
    assert forced.status_code == 200


async def test_a_deployed_version_is_removed_only_by_force_whatever_the_door(org, ada, deployed):
    native, mlflow = "/v1/models/iris/versions", "/api/2.0/mlflow/model-versions/delete"
    await ada.version(deployed["model"], "v2")
    path = f"/inference_services/{deployed['service']['id']}"
    await ada.new(f"{path}/serves", name="now", modelVersionId=deployed["version"]["id"])

    async def remove(version):
        return await org.client.delete(f"{native}/{version}", headers=org.as_("ada"))

    newest, served = await remove("v2"), await remove("v1")
    of_mlflow = await org.client.request("DELETE", mlflow, json={"name": "iris", "version": "2"}, headers=ada.headers)
    pruned = await org.client.post("/v1/models/iris/prune", json={"keep": 1}, headers=org.as_("ada"))
    forced = await remove("v1?force=true")
    serves = await ada.get(f"{path}/serves")
    await ada.patch(path, desiredState="UNDEPLOYED")

    assert [(each.status_code, each.json()["value"]) for each in (newest, served)] == [(409, 196), (409, 196)]
    assert "svc" in newest.json()["details"]
    assert (of_mlflow.status_code, of_mlflow.json()["error_code"]) == (409, "RESOURCE_CONFLICT")
    assert pruned.json()["versions"] == []
    assert forced.status_code == 200
    assert serves.json()["items"] == []
    assert (await remove("v2")).status_code == 200


async def test_a_model_that_is_not_deployed_any_more_is_removed(org, ada, deployed):
    await ada.patch(f"/inference_services/{deployed['service']['id']}", desiredState="UNDEPLOYED")

    assert (await org.client.delete("/v1/models/iris", headers=org.as_("ada"))).status_code == 200


async def test_what_belongs_to_a_model_returns_with_it_and_goes_with_it_for_good(org, ada, deployed):
    artifact, service = f"/artifacts/{deployed['artifact']['id']}", f"/inference_services/{deployed['service']['id']}"
    removed = (await org.client.delete("/v1/models/iris?force=true", headers=org.as_("ada"))).json()["_id"]

    in_trash = (await ada.get(artifact)).status_code
    await org.client.post(f"/v1/trash/{removed}/restore", headers=org.as_("ada"))
    restored = (await ada.get(artifact)).status_code, (await ada.get(service)).status_code
    await org.client.delete("/v1/models/iris?force=true", headers=org.as_("ada"))
    await org.client.delete(f"/v1/trash/{removed}", headers=org.as_("ada"))
    purged = registry(org, "admin")

    assert (in_trash, restored) == (404, (200, 200))
    assert [(await purged.get(path)).status_code for path in (artifact, service)] == [404, 404]


async def test_the_artifacts_of_a_version_go_with_it(org, ada, deployed):
    (await org.client.delete("/v1/models/iris/versions/v1?force=true", headers=org.as_("ada"))).raise_for_status()

    assert (await registry(org, "admin").get(f"/artifacts/{deployed['artifact']['id']}")).status_code == 404


async def test_a_user_who_leaves_hands_over_experiments_and_services(org, ada, deployed):
    run = await ada.run()
    bob = registry(org, "bob")

    (await org.client.delete("/v1/users/ada?transfer=bob", headers=org.as_("admin"))).raise_for_status()

    assert (await bob.get("/experiment", name="trials")).json()["id"] == run["experimentId"]
    assert (await bob.patch(f"/experiment_runs/{run['id']}", status="FINISHED")).status_code == 200
    assert (await bob.patch(f"/inference_services/{deployed['service']['id']}", runtime="r")).status_code == 200


@pytest.mark.sample
async def test_native_lists_show_and_filter_what_clients_tracked(org, ada, deployed):
    run = await ada.run()
    await ada.patch(f"/experiment_runs/{run['id']}", status="FINISHED")

    async def listed(path):
        answer = await org.client.get(f"/v1/{path}", headers=org.as_("ada"))
        return [each["name"] for each in answer.raise_for_status().json()["docs"]]

    assert await listed("experiments") == ["trials"]
    assert await listed('runs?filter={"status": "FINISHED"}') == ["first"]
    assert await listed('runs?filter={"status": "FAILED"}') == []
    assert await listed("environments") == ["prod"]
    assert await listed('services?filter={"desired_state": "DEPLOYED"}') == ["svc"]


async def test_the_lineage_of_a_version_shows_what_was_tracked_of_it_and_where_it_is_deployed(org, ada, deployed):
    shown = (await org.client.get("/v1/models/iris/lineage", headers=org.as_("ada"))).raise_for_status().json()
    await ada.version(deployed["model"], "v2")
    older = (await org.client.get("/v1/models/iris/lineage?which=v1", headers=org.as_("ada"))).json()

    assert [each["name"] for each in shown["artifacts"]] == ["card"]
    assert [(each["name"], each["desired_state"]) for each in shown["services"]] == [("svc", "DEPLOYED")]
    assert older["services"] == []  # the service serves the newest version


async def test_names_that_two_users_have_are_refused_before_anything_moves(org, ada, bob):
    await ada.run("Default")
    await bob.new("/experiments", name="Default")
    await ada.model()

    refused = await org.client.delete("/v1/users/ada?transfer=bob", headers=org.as_("admin"))

    assert (refused.status_code, "Default" in refused.text) == (400, True)
    assert (await bob.get("/registered_model", name="iris")).status_code == 404


async def test_a_user_who_has_experiments_is_removed_only_with_somebody_who_gets_them(org, ada, bob):
    run = await ada.run()

    refused = await org.client.delete("/v1/users/ada", headers=org.as_("admin"))
    removed = await org.client.delete("/v1/users/ada?transfer=bob", headers=org.as_("admin"))

    assert (refused.status_code, removed.status_code) == (400, 200)
    assert (await bob.get(f"/experiment_runs/{run['id']}")).status_code == 200


@pytest.mark.parametrize("uri", ["s3", "s3://" + "x" * 5000])
async def test_an_artifact_may_say_what_is_no_address(org, ada, uri):
    version = await ada.version(await ada.model())
    path = f"/model_versions/{version['id']}/artifacts"

    artifact = await ada.new(path, artifactType="model-artifact", name="weights", uri="s3://bucket")
    changed = await ada.patch(f"/artifacts/{artifact['id']}", artifactType="model-artifact", uri=uri)

    assert (changed.status_code, changed.json()["uri"]) == (200, uri)
    native = (await org.client.get("/v1/models/iris/versions", headers=org.as_("ada"))).json()
    assert [each.get("uri") for each in native["docs"]] == [""]


async def test_a_refused_address_leaves_no_artifact(ada):
    version = await ada.version(await ada.model())
    path = f"/model_versions/{version['id']}/artifacts"

    refused = await ada.post(path, artifactType="model-artifact", name="weights", uri="s3://x\r\nLocation: y")

    assert (refused.status_code, (await ada.get(path)).json()["size"]) == (400, 0)


async def test_an_address_that_only_looks_like_a_link_of_ours_is_kept(ada):
    artifact = await ada.new("/artifacts", artifactType="doc-artifact", name="card")

    changed = await ada.patch(
        f"/artifacts/{artifact['id']}", artifactType="doc-artifact", uri="https://example.org/links/card"
    )

    assert changed.json()["uri"] == "https://example.org/links/card"


async def test_a_service_is_undeployed_after_its_version_was_removed_by_force(org, ada, deployed):
    path = f"/inference_services/{deployed['service']['id']}"
    await ada.patch(path, modelVersionId=deployed["version"]["id"])
    await org.client.delete("/v1/models/iris/versions/v1?force=true", headers=org.as_("ada"))

    undeployed = await ada.patch(path, desiredState="UNDEPLOYED")
    deployed_again = await ada.patch(path, desiredState="DEPLOYED")

    assert (undeployed.status_code, deployed_again.status_code) == (200, 404)
    assert (await ada.get(path)).json()["desiredState"] == "UNDEPLOYED"


async def test_a_service_of_a_model_in_the_trash_is_not_shown_and_returns_with_it(org, ada, deployed):
    path = f"/inference_services/{deployed['service']['id']}"
    removed = (await org.client.delete("/v1/models/iris?force=true", headers=org.as_("ada"))).json()["_id"]

    gone = await ada.get(path), await ada.patch(path, description="x")
    listed = (await ada.get("/inference_services")).json()
    await org.client.post(f"/v1/trash/{removed}/restore", headers=org.as_("ada"))

    assert [answer.status_code for answer in gone] == [404, 404]
    assert (listed["items"], listed["nextPageToken"]) == ([], "")
    assert (await ada.get(path)).json()["registeredModelId"] == deployed["model"]["id"]


async def test_the_content_of_a_version_is_found_by_the_name_that_its_model_has_now(org, ada):
    model = await ada.model()
    version = await ada.version(model)
    parent = {"parentResourceId": version["id"]}
    made = await ada.new(f"/model_versions/{version['id']}/artifacts", artifactType="model-artifact", name="iris")

    (await org.client.post("/v1/models/iris/rename", json={"name": "rose"}, headers=org.as_("ada"))).raise_for_status()

    for name in ("rose", "iris"):
        assert (await ada.get("/model_artifact", name=name, **parent)).json()["id"] == made["id"]

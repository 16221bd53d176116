"""Who sees and changes what: every operation, asked by the callers of a tenant and by those outside of it."""

import pytest

from catalog.dialects.kubeflow.api import BOTH, V1ALPHA3
from catalog.dialects.kubeflow.operations.table import OPERATIONS, operations_of
from catalog.domain.tracking import records
from tests.dialects.kubeflow.conftest import ALPHA, Registry, registry

GETS = [each for each in OPERATIONS if each.method == "GET"]
WRITES = [each for each in OPERATIONS if each.method != "GET"]


@pytest.fixture
async def shelf(org):
    """Things of Ada's, by the collection in a path; the model is shared with Bob."""
    ada = registry(org)
    shared = {"name": "private", "users": ["bob"]}
    (await org.client.post("/v1/models", json=shared, headers=org.as_("ada"))).raise_for_status()
    model = (await ada.get("/registered_model", name="private")).json()
    version, run = await ada.version(model), await ada.run()
    environment = await ada.new("/serving_environments", name="prod")
    service = await ada.new(
        "/inference_services", registeredModelId=model["id"], servingEnvironmentId=environment["id"], name="svc"
    )
    body = {"artifactType": "model-artifact", "name": "weights", "uri": "s3://x"}
    artifact = await ada.new(f"/model_versions/{version['id']}/artifacts", **body)
    await ada.new(f"/inference_services/{service['id']}/serves", modelVersionId=version["id"])
    await ada.post(f"/experiment_runs/{run['id']}/artifacts", artifactType="metric", name="loss", value=1)
    return {
        "registered_models": model["id"],
        "model_versions": version["id"],
        "artifacts": artifact["id"],
        "model_artifacts": artifact["id"],
        "experiments": run["experimentId"],
        "experiment_runs": run["id"],
        "serving_environments": environment["id"],
        "inference_services": service["id"],
    }


OF_MODELS = {"registered_models", "model_versions", "artifacts", "model_artifacts", "inference_services"}


def collection(path):
    return path.split("/")[1]


def single(operation):
    return operation.path.endswith("{id:str}") or operation.path.endswith(("/model", "/version"))


@pytest.mark.parametrize("api", BOTH, ids=lambda api: api.name)
async def test_every_operation_needs_a_token(client, api):
    for operation in operations_of(api):
        path = api.prefix + operation.path.replace("{id:str}", "1")

        answer = await client.request(operation.method, path, json={})

        assert (answer.status_code, answer.json()["code"]) == (401, "Unauthorized"), path


async def test_what_is_not_shared_is_not_there(org, other_org, shelf):
    callers = {"bob": registry(org, "bob"), "eve": registry(org, "eve"), "outsider": registry(other_org)}
    seen: dict[str, set[str]] = {who: set() for who in callers}
    for operation in GETS:
        if "{id" not in operation.path:
            continue
        path = operation.path.replace("{id:str}", shelf[collection(operation.path)])
        for who, caller in callers.items():
            answer = await caller.get(path)
            is_shown = answer.status_code == 200 and (single(operation) or answer.json()["size"] > 0)
            seen[who] |= {operation.path} if is_shown else set()
            assert answer.status_code in {200, 404}, (who, path, answer.text)

    assert seen["eve"] == seen["outsider"] == set()
    # The services of an environment are shown by their models, wherever they are listed.
    assert {collection(path) for path in seen["bob"]} == OF_MODELS | {"serving_environments"}
    assert all(
        operation.path in seen["bob"]
        for operation in GETS
        if collection(operation.path) in OF_MODELS and "{id" in operation.path
    )


async def test_lists_and_searches_show_only_what_the_caller_may_read(org, other_org, shelf):
    ada, outsiders = registry(org), [registry(org, "eve"), registry(other_org)]
    for operation in GETS:
        if "{id" in operation.path or not operation.query or "pageSize" not in operation.query:
            continue
        assert (await ada.get(operation.path)).json()["size"] > 0, operation.path
        for caller in outsiders:
            assert (await caller.get(operation.path)).json()["items"] == [], operation.path
    for caller in outsiders:
        assert (await caller.get("/registered_model", name="private")).status_code == 404
        assert (await caller.get("/experiment", name="trials")).status_code == 404
        query = {"name": "svc", "parentResourceId": shelf["serving_environments"]}
        assert (await caller.get("/inference_service", **query)).status_code == 404


async def test_a_reader_changes_nothing(org, shelf):
    bob = registry(org, "bob")
    for operation in WRITES:
        if operation.method == "PATCH":
            path = operation.path.replace("{id:str}", shelf[collection(operation.path)])
            body = {"artifactType": "model-artifact"} if "artifacts" in path else {}
            assert (await bob.patch(path, description="mine", **body)).status_code in {403, 404}, path
    added = [
        await bob.post("/model_versions", name="v9", registeredModelId=shelf["registered_models"]),
        await bob.post(f"/model_versions/{shelf['model_versions']}/artifacts", artifactType="metric", value=1),
        await bob.post("/experiment_runs", experimentId=shelf["experiments"]),
        await bob.post(
            f"/inference_services/{shelf['inference_services']}/serves", modelVersionId=shelf["model_versions"]
        ),
    ]

    assert {each.status_code for each in added} <= {403, 404}


async def test_a_link_to_an_artifact_of_another_user_is_refused(org, shelf):
    bob = registry(org, "bob")
    own = await bob.version(await bob.model("of-bob"))

    taken = await bob.post(
        f"/model_versions/{own['id']}/artifacts", artifactType="model-artifact", id=shelf["artifacts"], uri="s3://bob"
    )

    assert taken.status_code == 403


async def test_a_token_that_reads_does_not_write(org, shelf):
    made = await org.client.post("/v1/tokens", json={"name": "r", "scopes": ["read"]}, headers=org.as_("ada"))
    reader = Registry(org.client, {"Authorization": f"Bearer {made.json()['token']}"})

    assert (await reader.get("/registered_models")).json()["size"] == 1
    assert (await reader.post("/registered_models", name="x")).status_code == 403
    assert (await reader.patch(f"/registered_models/{shelf['registered_models']}", description="x")).status_code == 403


async def test_an_editor_changes_versions_but_does_not_archive_the_model(org):
    shared = {"name": "edited", "editors": ["bob"]}
    await org.client.post("/v1/models", json=shared, headers=org.as_("ada"))
    bob = registry(org, "bob")
    model = (await bob.get("/registered_model", name="edited")).json()

    assert (await bob.post("/model_versions", name="v1", registeredModelId=model["id"])).status_code == 201
    assert (await bob.patch(f"/registered_models/{model['id']}", state="LIVE", description="x")).status_code == 200
    assert (await bob.patch(f"/registered_models/{model['id']}", state="ARCHIVED", readme="# x")).status_code == 403
    assert "readme" not in (await bob.get(f"/registered_models/{model['id']}")).json()


async def test_the_documents_of_both_versions_are_public_and_have_each_operation(client):
    for api in BOTH:
        document = (await client.get(f"{api.prefix}/openapi.json")).json()
        described = {
            name for path in document["paths"].values() for name in (each["operationId"] for each in path.values())
        }

        assert described == {operation.name for operation in operations_of(api)}
    assert len(operations_of(V1ALPHA3)) == 56
    assert V1ALPHA3.prefix == ALPHA


async def test_what_a_version_leaves_to_another_has_the_access_of_that(org):
    ada, eve = registry(org), registry(org, "eve")
    shared, private = await ada.model("shared"), await ada.model("private")
    await org.client.put("/v1/models/shared", json={"editors": {"add": ["eve"]}}, headers=org.as_("ada"))
    versions = [await ada.version(shared), await ada.version(shared, "v2"), await ada.version(private)]
    body = {"artifactType": "doc-artifact", "name": "card", "uri": "s3://x"}
    artifact = await ada.new(f"/model_versions/{versions[0]['id']}/artifacts", **body)
    for version in versions[1:]:
        await ada.new(f"/model_versions/{version['id']}/artifacts", artifactType="doc-artifact", id=artifact["id"])
    path, seen = f"/artifacts/{artifact['id']}", []

    for ordinal in ("v1", "v2"):
        url = f"/v1/models/shared/versions/{ordinal}"
        (await org.client.delete(url, headers=org.as_("ada"))).raise_for_status()
        seen.append((await eve.get(path)).status_code)
    changed = await eve.patch(path, artifactType="doc-artifact", description="mine")

    assert (seen, changed.status_code) == ([200, 404], 404)
    assert (await ada.get(path)).status_code == 200


async def test_a_run_of_another_experiment_than_the_one_in_the_path_is_not_changed(ada):
    run, other = await ada.run(), await ada.new("/experiments", name="other")

    refused = await ada.post(f"/experiments/{other['id']}/experiment_runs", id=run["id"], description="changed")

    assert refused.status_code == 404
    assert "description" not in (await ada.get(f"/experiment_runs/{run['id']}")).json()


async def test_ones_own_experiment_is_found_among_many_of_its_name(ada, bob, monkeypatch):
    monkeypatch.setattr(records, "MOST_OF_A_NAME", 1)
    await bob.new("/experiments", name="Default")
    own = await ada.new("/experiments", name="Default")

    again = await ada.post("/experiments", name="Default")

    assert (await ada.get("/experiment", name="Default")).json()["id"] == own["id"]
    assert again.status_code == 409


async def test_an_editor_who_is_removed_while_the_body_arrives_adds_no_artifact(org):
    bob = registry(org, "bob")
    await org.client.post("/v1/models", json={"name": "edited", "editors": ["bob"]}, headers=org.as_("ada"))
    version = await bob.version((await bob.get("/registered_model", name="edited")).json())
    path = f"/model_versions/{version['id']}/artifacts"

    async def body():
        yield b'{"artifactType": "doc-artifact", '
        change = {"editors": {"remove": ["bob"]}}
        (await org.client.put("/v1/models/edited", json=change, headers=org.as_("ada"))).raise_for_status()
        yield b'"name": "late"}'

    headers = bob.headers | {"Content-Type": "application/json"}
    refused = await org.client.post(ALPHA + path, content=body(), headers=headers)

    assert refused.status_code == 404
    assert (await registry(org).get(path)).json()["size"] == 0


async def test_lists_of_what_the_caller_may_not_read_are_empty_at_once(org):
    ada, eve, admin = [registry(org, who) for who in ("ada", "eve", "admin")]
    version = await ada.version(await ada.model())
    run = await ada.run()
    body = {"artifactType": "doc-artifact", "name": "card", "uri": "s3://x"}
    artifact = await ada.new(f"/model_versions/{version['id']}/artifacts", **body)
    own = await eve.run("hers")
    await admin.new(f"/experiment_runs/{own['id']}/artifacts", artifactType="doc-artifact", id=artifact["id"])

    of_version = await eve.get(f"/model_versions/{version['id']}/artifacts")
    of_model = await eve.get(f"/registered_models/{version['registeredModelId']}/versions")
    of_run = await eve.get(f"/experiment_runs/{own['id']}/artifacts")

    assert [answer.json()["size"] for answer in (of_version, of_model, of_run)] == [0, 0, 1]
    assert (await eve.get(f"/experiment_runs/{run['id']}/artifacts")).status_code == 404

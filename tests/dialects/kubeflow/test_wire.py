"""The wire of the Kubeflow Model Registry: statuses, shapes, changes, and what is unique."""

import asyncio
import base64
from io import BytesIO
from zipfile import ZipFile

import pytest

from tests.dialects.kubeflow.conftest import ALPHA, V1, Registry, registry

STRUCT = base64.b64encode(b'{ "a" : [1, 2.0] }').decode()
OF_ALL_KINDS = {
    "text": {"metadataType": "MetadataStringValue", "string_value": "onnx"},
    "label": {"metadataType": "MetadataStringValue", "string_value": ""},
    "whole": {"metadataType": "MetadataIntValue", "int_value": "3"},
    "number": {"metadataType": "MetadataDoubleValue", "double_value": 3.0},
    "flag": {"metadataType": "MetadataBoolValue", "bool_value": True},
    "object": {"metadataType": "MetadataStructValue", "struct_value": STRUCT},
}


def error(answer):
    return answer.status_code, answer.json()["code"]


async def test_refusals_have_the_shape_of_this_api(client, ada):
    unknown_field = await ada.post("/registered_models", name="x", ext_id="1")
    missing = await ada.post("/registered_models", description="no name")
    taken = [await ada.post("/registered_models", name="iris") for _ in range(2)][1]
    absent = await ada.get("/registered_models/987")
    no_route = await ada.get("/nothing")
    wrong_method = await client.delete(f"{ALPHA}/registered_models", headers=ada.headers)
    no_token = await client.get(f"{ALPHA}/registered_models")

    assert unknown_field.json() == {"code": "Bad Request", "message": 'json: unknown field "ext_id": bad request'}
    assert missing.json() == {"code": "Bad Request", "message": "required field 'name' is zero value."}
    assert missing.status_code == 422
    assert error(taken) == (409, "Conflict")
    assert error(absent) == (404, "Not Found")
    assert "not found" in absent.json()["message"]
    assert [error(each) for each in (no_route, wrong_method, no_token)] == [
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (401, "Unauthorized"),
    ]
    assert no_token.headers["Content-Type"].lower() == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "path", ["/registered_model", "/model_version", "/model_artifact", "/experiment", "/inference_service"]
)
async def test_a_search_that_names_nothing_is_refused(ada, path):
    assert (await ada.get(path)).json()["message"].startswith("invalid parameters call, supply either")


async def test_only_the_older_api_says_that_it_is_deprecated(ada, org):
    older, newer = await ada.get("/registered_models"), await registry(org, prefix=V1).get("/registered_models")

    assert older.headers["Deprecation"] == "true"
    assert older.headers["Link"] == '</api/model_registry/v1/>; rel="successor-version"'
    assert "Deprecation" not in newer.headers


async def test_an_unknown_order_is_refused_by_the_newer_api_alone(ada, org):
    asked = {"orderBy": "NAME"}

    assert (await ada.get("/registered_models", **asked)).status_code == 200
    assert (await registry(org, prefix=V1).get("/registered_models", **asked)).status_code == 400


@pytest.mark.parametrize(
    "query", [{"pageSize": "x"}, {"pageSize": "2147483648"}, {"nextPageToken": "x"}, {"filterQuery": "a = \0"}]
)
async def test_malformed_parameters_of_lists_are_refused(ada, query):
    assert error(await ada.get("/registered_models", **query)) == (400, "Bad Request")


@pytest.mark.parametrize("path", ["registered_models", "experiments", "serving_environments", "model_versions"])
async def test_properties_of_every_kind_come_back_as_they_were(ada, path):
    more = {"registeredModelId": (await ada.model("of-it"))["id"]} if path == "model_versions" else {}

    made = await ada.new(f"/{path}", name="typed", customProperties=OF_ALL_KINDS, **more)
    read = (await ada.get(f"/{path}/{made['id']}")).json()

    assert made["customProperties"] == read["customProperties"] == OF_ALL_KINDS


@pytest.mark.parametrize(
    "value",
    [
        {"metadataType": "MetadataIntValue", "int_value": 3},
        {"metadataType": "MetadataIntValue", "int_value": "03"},
        {"metadataType": "MetadataStructValue", "struct_value": "[not base64]"},
        {"metadataType": "MetadataStructValue", "struct_value": base64.b64encode(b"[1]").decode()},
        {"metadataType": "MetadataProtoValue", "type": "x", "proto_value": "eA=="},
        {"string_value": "x"},
    ],
)
async def test_malformed_properties_are_refused(ada, value):
    answer = await ada.post("/experiments", name="x", customProperties={"a": value})

    assert error(answer) == (400, "Bad Request")


async def test_a_long_whole_number_survives_a_client_that_sees_a_double(org, ada):
    long = {"metadata": [{"name": "rows", "value": 12345678901234567}], "name": "counted"}
    await org.client.post("/v1/models", json=long, headers=org.as_("ada"))
    seen = (await ada.get("/registered_model", name="counted")).json()

    await ada.patch(f"/registered_models/{seen['id']}", customProperties=seen["customProperties"])

    native = (await org.client.get("/v1/models/counted", headers=org.as_("ada"))).json()
    assert seen["customProperties"]["rows"]["metadataType"] == "MetadataDoubleValue"
    assert native["metadata"] == [{"name": "rows", "value": 12345678901234567}]


async def test_a_change_merges_and_resets_nothing(ada):
    model = await ada.model(state="ARCHIVED", owner="team", customProperties=OF_ALL_KINDS)
    version = await ada.version(model, state="ARCHIVED", author="ada")
    service = await ada.new(
        "/inference_services",
        registeredModelId=model["id"],
        servingEnvironmentId=(await ada.new("/serving_environments", name="prod"))["id"],
        desiredState="UNDEPLOYED",
    )
    run = await ada.run()
    await ada.patch(f"/experiment_runs/{run['id']}", status="FINISHED", state="ARCHIVED")

    changed = {
        path: (await ada.patch(f"/{path}/{each['id']}", description="x", externalId=None)).raise_for_status().json()
        for path, each in {
            "registered_models": model,
            "model_versions": version,
            "inference_services": service,
            "experiment_runs": run,
        }.items()
    }

    assert {each["description"] for each in changed.values()} == {"x"}
    assert (changed["registered_models"]["state"], changed["registered_models"]["owner"]) == ("ARCHIVED", "team")
    assert changed["registered_models"]["customProperties"] == OF_ALL_KINDS
    assert (changed["model_versions"]["state"], changed["model_versions"]["author"]) == ("ARCHIVED", "ada")
    assert changed["inference_services"]["desiredState"] == "UNDEPLOYED"
    assert (changed["experiment_runs"]["state"], changed["experiment_runs"]["status"]) == ("ARCHIVED", "FINISHED")


CARD = {
    "readme": "# Iris",
    "maturity": "stable",
    "language": ["en"],
    "tasks": ["classification"],
    "provider": "us",
    "logo": "https://example.org/logo.png",
    "license": "mit",
    "licenseLink": "https://example.org/mit",
    "libraryName": "onnx",
}


async def test_the_fields_of_a_card_are_the_card_of_the_model(org, ada):
    model = await ada.model(**CARD)
    changed = (await ada.patch(f"/registered_models/{model['id']}", readme="# Changed", license="apache-2.0")).json()

    listed = (await ada.get("/registered_models")).json()["items"]
    card = await org.client.get("/v1/models/iris/card", headers=org.as_("ada"))
    native = (await org.client.get("/v1/models/iris", headers=org.as_("ada"))).json()

    assert CARD.items() <= model.items()
    assert listed == [changed]
    assert (changed["readme"], changed["libraryName"], changed["license"]) == ("# Changed", "onnx", "apache-2.0")
    assert "# Changed" in card.text
    assert (native["languages"], native["library"], native["license"]) == (["en"], "onnx", "apache-2.0")


async def test_properties_of_a_change_replace_all_of_them(ada):
    model = await ada.model(customProperties=OF_ALL_KINDS, owner="team")

    replaced = await ada.patch(f"/registered_models/{model['id']}", customProperties={"new": OF_ALL_KINDS["label"]})
    cleared = await ada.patch(f"/registered_models/{model['id']}", customProperties={})

    assert replaced.json()["customProperties"] == {"new": OF_ALL_KINDS["label"]}
    assert cleared.json()["customProperties"] == {}
    assert cleared.json()["owner"] == "team"


async def test_two_changes_in_a_row_have_different_times(ada):
    model = await ada.model()
    version = await ada.version(model)

    for path, each in (("registered_models", model), ("model_versions", version)):
        times = [(await ada.patch(f"/{path}/{each['id']}")).json()["lastUpdateTimeSinceEpoch"] for _ in range(5)]
        assert len({each["lastUpdateTimeSinceEpoch"], *times}) == 6


async def test_a_version_has_a_name_of_250_characters_at_most(ada):
    model = await ada.model()

    longest = await ada.version(model, "v" * 250)
    too_long = await ada.post("/model_versions", name="v" * 255, registeredModelId=model["id"])

    found = await ada.get("/model_version", name=longest["name"], parentResourceId=model["id"])
    assert found.json()["id"] == longest["id"]
    assert error(too_long) == (400, "Bad Request")


async def test_names_are_found_exactly(ada):
    for name in ("a_b", "axb", "a%"):
        await ada.model(name)

    assert (await ada.get("/registered_model", name="a_b")).json()["name"] == "a_b"
    assert (await ada.get("/registered_model", name="a%")).json()["name"] == "a%"
    assert (await ada.get("/registered_model", name="A_B")).status_code == 404


async def test_external_ids_are_unique_among_all_but_artifacts(ada):
    model = await ada.model(externalId="one")
    await ada.new("/artifacts", artifactType="doc-artifact", externalId="one")

    refused = [
        await ada.post("/registered_models", name="other", externalId="one"),
        await ada.post("/model_versions", name="v", registeredModelId=model["id"], externalId="one"),
        await ada.post("/experiments", name="e", externalId="one"),
        await ada.post("/serving_environments", name="s", externalId="one"),
        await ada.post("/artifacts", artifactType="metric", value=1, externalId="one"),
    ]

    assert [each.status_code for each in refused] == [409] * 5
    assert {each.json()["message"] for each in refused} == {"Another resource has this external id (one): conflict"}
    assert (await ada.get("/registered_model", externalId="one")).json()["id"] == model["id"]


async def test_a_version_is_created_and_changed_below_its_model(ada):
    model = await ada.model()
    path = f"/registered_models/{model['id']}/versions"

    made = await ada.post(path, name="v1", registeredModelId=model["id"])
    changed = await ada.post(path, id=made.json()["id"], name="v1", registeredModelId=model["id"], author="bob")

    assert (made.status_code, changed.status_code) == (201, 201)
    assert (changed.json()["id"], changed.json()["author"]) == (made.json()["id"], "bob")
    assert (await ada.get(path)).json()["size"] == 1


async def test_artifacts_of_a_version_are_added_replaced_linked_or_refused(ada):
    model = await ada.model()
    versions = [await ada.version(model, name) for name in ("v1", "v2")]
    first, second = (f"/model_versions/{each['id']}/artifacts" for each in versions)

    document = await ada.post(first, artifactType="doc-artifact", name="card", uri="s3://card")
    again = await ada.post(first, artifactType="doc-artifact", name="card", uri="s3://card")
    metric = await ada.post(first, artifactType="metric", name="loss", value=1)
    replaced = await ada.post(first, artifactType="metric", name="loss", value=2)
    linked = await ada.post(second, artifactType="doc-artifact", id=document.json()["id"], description="both")
    other_type = await ada.post(second, artifactType="metric", id=document.json()["id"], value=1)
    unknown = await ada.post(second, artifactType="metric", id="98765", value=1)
    no_type = await ada.post(first, name="x")

    assert [document.status_code, again.status_code, metric.status_code, replaced.status_code] == [201, 409, 200, 200]
    assert (replaced.json()["id"], replaced.json()["value"]) == (metric.json()["id"], 2)
    assert (linked.status_code, linked.json()["uri"]) == (200, "s3://card")
    assert [each["name"] for each in (await ada.get(second)).json()["items"]] == ["card"]
    assert "artifact type is immutable" in other_type.json()["message"]
    assert [other_type.status_code, unknown.status_code, no_type.status_code] == [400, 400, 400]
    assert "must be either" in no_type.json()["message"]


async def test_the_artifact_of_a_version_is_its_address_natively(org, ada):
    model = await ada.model()
    version = await ada.version(model)
    path = f"/model_versions/{version['id']}/artifacts"
    artifact = await ada.new(path, artifactType="model-artifact", name="iris", uri="s3://a")

    before = (await org.client.get("/v1/models/iris/versions/v1/info", headers=org.as_("ada"))).json()
    await ada.patch(f"/model_artifacts/{artifact['id']}", uri="s3://b")
    after = (await org.client.get("/v1/models/iris/versions/v1/info", headers=org.as_("ada"))).json()

    assert (before["uri"], after["uri"]) == ("s3://a", "s3://b")


async def test_steps_are_numbers_in_the_older_api_and_texts_in_the_newer(org, ada):
    newer = registry(org, prefix=V1)
    version = await ada.version(await ada.model())
    path = f"/model_versions/{version['id']}/artifacts"

    old = await ada.post(path, artifactType="metric", name="a", value=1, step=3)
    new = await newer.post(path, artifactType="metric", name="b", value=1, step="4")

    assert (old.json()["step"], new.json()["step"]) == (3, "4")
    assert [each["step"] for each in (await newer.get(path)).json()["items"]] == ["3", "4"]
    assert (await newer.post(path, artifactType="metric", name="c", value=1, step=4)).status_code == 400
    assert (await ada.post(path, artifactType="metric", name="c", value=1, step="4")).status_code == 400
    assert (await ada.post(path, artifactType="metric", name="c")).status_code == 400


async def test_the_newer_api_has_no_experiments(org, ada):
    newer, run = registry(org, prefix=V1), await ada.run()
    artifact = await ada.new(f"/experiment_runs/{run['id']}/artifacts", artifactType="doc-artifact", name="log")

    assert artifact["experimentRunId"] == run["id"]
    assert "experimentRunId" not in (await newer.get(f"/artifacts/{artifact['id']}")).json()
    assert (await newer.get("/experiments")).status_code == 404


async def test_the_history_of_a_metric_has_every_value(ada):
    run = await ada.run()
    for step in range(3):
        await ada.post(
            f"/experiment_runs/{run['id']}/artifacts", artifactType="metric", name="val/loss", value=step, step=step
        )

    whole = (await ada.get(f"/experiment_runs/{run['id']}/metric_history")).json()
    of_steps = (await ada.get("/experiment_runs/metric_history", name="loss", stepIds="0,2")).json()

    assert [each["value"] for each in whole["items"]] == [0, 1, 2]
    assert [each["value"] for each in of_steps["items"]] == [0, 2]
    assert (await ada.get("/artifacts", artifactType="metric")).json()["size"] == 1
    assert (await ada.get(f"/experiment_runs/{run['id']}/metric_history", stepIds="x")).status_code == 400


async def test_a_run_ends_after_it_starts(ada):
    group = await ada.new("/experiments", name="timed")
    times = {"experimentId": group["id"], "startTimeSinceEpoch": "10", "endTimeSinceEpoch": "9"}

    assert (await ada.post("/experiment_runs", **times)).status_code == 400
    run = await ada.new("/experiment_runs", experimentId=group["id"], startTimeSinceEpoch="10")
    assert (await ada.patch(f"/experiment_runs/{run['id']}", endTimeSinceEpoch="9")).status_code == 400


async def test_a_service_serves_its_version_or_the_newest(ada):
    model, environment = await ada.model(), await ada.new("/serving_environments", name="prod")
    first, second = await ada.version(model, "v1"), await ada.version(model, "v2")
    service = await ada.new(
        "/inference_services", registeredModelId=model["id"], servingEnvironmentId=environment["id"]
    )
    path = f"/inference_services/{service['id']}"

    newest = (await ada.get(f"{path}/version")).json()
    await ada.patch(path, modelVersionId=first["id"])
    chosen = (await ada.get(f"{path}/version")).json()
    served = await ada.new(f"{path}/serves", modelVersionId=first["id"])

    assert (service["desiredState"], newest["id"], chosen["id"]) == ("DEPLOYED", second["id"], first["id"])
    assert (await ada.get(f"{path}/model")).json()["id"] == model["id"]
    assert (served["lastKnownState"], (await ada.get(f"{path}/serves")).json()["size"]) == ("UNKNOWN", 1)


async def test_a_version_of_a_gated_repository_is_not_served(ada):
    gated = {"hf_gated": {"metadataType": "MetadataStringValue", "string_value": "auto"}}
    model, environment = await ada.model(), await ada.new("/serving_environments", name="prod")
    version = await ada.version(model, customProperties=gated)
    service = await ada.new(
        "/inference_services", registeredModelId=model["id"], servingEnvironmentId=environment["id"]
    )

    assert (
        await ada.post(f"/inference_services/{service['id']}/serves", modelVersionId=version["id"])
    ).status_code == 400


async def test_children_of_what_is_not_there_are_an_empty_list(ada):
    paths = ("/registered_models/{}/versions", "/model_versions/{}/artifacts", "/inference_services/{}/serves")

    assert [(await ada.get(path.format(98765))).json()["size"] for path in paths] == [0, 0, 0]
    assert (await ada.get("/experiments/98765/experiment_runs")).status_code == 404


async def test_pages_have_tokens_that_repeat_and_end_empty(ada):
    for number in range(5):
        await ada.model(f"m{number}")

    pages, token = [], ""
    while not pages or token:
        page = (await ada.get("/registered_models", pageSize=2, nextPageToken=token, sortOrder="DESC")).json()
        token = page["nextPageToken"]
        pages.append([each["name"] for each in page["items"]])
    again = [(await ada.get("/registered_models", pageSize=2)).json()["nextPageToken"] for _ in range(2)]

    assert pages == [["m4", "m3"], ["m2", "m1"], ["m0"]]
    assert again[0] == again[1] != ""


async def test_concurrent_upserts_of_a_metric_are_one_artifact(ada):
    run = await ada.run()
    path = f"/experiment_runs/{run['id']}/artifacts"

    answers = await asyncio.gather(
        *(
            ada.post(path, artifactType="metric", name="loss", externalId="loss", value=step, step=step)
            for step in range(200)
        )
    )

    assert {each.status_code for each in answers} == {200}
    assert len({each.json()["id"] for each in answers}) == 1
    history = (await ada.get(f"/experiment_runs/{run['id']}/metric_history")).json()["items"]
    assert sorted(each["step"] for each in history) == list(range(200))


async def test_concurrent_registrations_of_a_name_make_one_model(ada):
    answers = await asyncio.gather(*(ada.post("/registered_models", name="wanted") for _ in range(10)))

    assert sorted(each.status_code for each in answers) == [201] + [409] * 9


async def test_a_path_names_the_tenant_of_the_token(client, org, other_org):
    ada = registry(org)
    mine = await client.get(f"/t/{org.name}{ALPHA}/registered_models", headers=ada.headers)
    theirs = await client.get(f"/t/{other_org.name}{ALPHA}/registered_models", headers=ada.headers)

    assert (mine.status_code, theirs.status_code) == (200, 401)


async def test_a_token_may_end_with_a_newline(client, ada: Registry):
    headers = {"Authorization": f"{ada.headers['Authorization']}\n"}

    assert (await client.get(f"{ALPHA}/registered_models", headers=headers)).status_code == 200


@pytest.mark.parametrize("path", ["/readyz/health", "/readyz/isDirty", f"{ALPHA}/readyz/health", "/any/readyz/health"])
async def test_readiness_is_answered_below_any_prefix(client, path):
    answer = await client.get(path)

    assert (answer.status_code, answer.text) == (200, "OK")


async def test_a_step_that_is_written_as_a_fraction_is_a_whole_number(ada):
    run = await ada.run()
    body = b'{"artifactType": "metric", "name": "loss", "value": 1, "step": 3.0}'
    headers = ada.headers | {"Content-Type": "application/json"}

    answer = await ada.client.post(f"{ALPHA}/experiment_runs/{run['id']}/artifacts", content=body, headers=headers)

    assert (answer.json()["step"], type(answer.json()["value"])) == (3, float)


async def test_a_signed_address_opens_without_a_token_and_the_plain_one_does_not(org, ada, client):
    await org.client.post("/v1/models", json={"name": "pushed"}, headers=org.as_("ada"))
    sent = {"content": b"weights", "headers": org.as_("ada") | {"Content-Type": "application/octet-stream"}}
    (await org.client.post("/v1/models/pushed/versions?name=m.bin", **sent)).raise_for_status()
    artifact = (await ada.get("/model_artifacts")).json()["items"][0]

    paths = "/model_artifacts", f"/artifacts/{artifact['id']}"
    shown = [(await ada.get(path, link="true")).json() for path in paths]
    signed = [each.get("uri") or each["items"][0]["uri"] for each in shown]

    sent_back = [
        await ada.post(f"/model_versions/{artifact['id']}/artifacts", **artifact | {"uri": uri})
        for uri in (artifact["uri"], *signed)
    ]

    assert {uri.rpartition("/")[2] for uri in (artifact["uri"], *signed)} == {"m.bin"}  # KServe stores it so
    assert [(await client.get(uri)).content for uri in signed] == [b"weights", b"weights"]
    assert [(each.status_code, each.json()["uri"]) for each in sent_back] == [(200, artifact["uri"])] * 3
    assert (await client.get(artifact["uri"])).status_code == 401
    assert (await client.get(artifact["uri"], headers=ada.headers)).content == b"weights"
    assert (await ada.get("/model_artifacts", link="maybe")).status_code == 400


async def test_the_address_of_a_folder_ends_like_the_archive_that_it_opens(org, ada, client):
    versions = "/v1/models/folder/versions"
    await org.client.post("/v1/models", json={"name": "folder"}, headers=org.as_("ada"))
    await org.client.post(versions, json={"draft": True}, headers=org.as_("ada"))
    await org.client.put(f"{versions}/1/files/a/m.bin", content=b"weights", headers=org.as_("ada"))
    (await org.client.post(f"{versions}/1/close", headers=org.as_("ada"))).raise_for_status()

    plain, signed = [
        (await ada.get("/model_artifacts", **query)).json()["items"][0]["uri"] for query in ({}, {"link": "true"})
    ]
    opened = [await client.get(plain, headers=ada.headers), await client.get(signed)]

    assert plain.endswith("/versions/1?archive=model.zip")
    assert signed.endswith("/model.zip")
    assert {answer.headers["content-type"] for answer in opened} == {"application/zip"}
    assert [ZipFile(BytesIO(answer.content)).namelist() for answer in opened] == [["a/m.bin"]] * 2


async def test_a_refusal_names_the_field_of_the_client(ada):
    def text(value):
        return {"metadataType": "MetadataStringValue", "string_value": value}

    model = await ada.model("iris")
    other = await ada.version(await ada.model("other"))
    environment = await ada.new("/serving_environments", name="prod")
    service = {"registeredModelId": model["id"], "servingEnvironmentId": environment["id"]}
    of_version = {"name": "v1", "registeredModelId": model["id"]}
    long, of_path = text("x" * 9999), f"/registered_models/{model['id']}"
    refusals = {
        "customProperties.colour": await ada.post("/experiments", name="x", customProperties={"colour": long}),
        "customProperties. a": await ada.post("/registered_models", name="x", customProperties={" a": text("")}),
        "customProperties.b ": await ada.patch(of_path, customProperties={"b ": text("x")}),
        "owner": await ada.post("/registered_models", name="x", owner="x" * 9999),
        "externalId": await ada.post("/model_versions", **of_version, externalId="x" * 256),
        "name": await ada.post("/model_versions", **of_version | {"name": "latest"}),
        "language": await ada.post("/registered_models", name="x", language=["x\ny"]),
        "libraryName": await ada.post("/registered_models", name="x", libraryName="x" * 300),
        "modelVersionId": await ada.post("/inference_services", **service, modelVersionId=other["id"]),
        "modelFormatName": await ada.post(
            f"/model_versions/{other['id']}/artifacts", artifactType="model-artifact", modelFormatName="x" * 99999
        ),
    }

    assert {answer.status_code for answer in refusals.values()} == {400}
    assert {answer.json()["message"].partition(": ")[0] for answer in refusals.values()} == set(refusals)


async def test_texts_have_the_bounds_of_the_native_api(ada):
    """A card of one MiB, and one line where one line is meant."""
    model = await ada.model()
    environment, run = await ada.new("/serving_environments", name="prod"), await ada.run()
    service = {"registeredModelId": model["id"], "servingEnvironmentId": environment["id"]}
    long = "x" * (2**20 + 1)

    refused = [
        await ada.post("/registered_models", name="long", readme=long),
        await ada.patch(f"/registered_models/{model['id']}", readme=long),
        await ada.patch(f"/registered_models/{model['id']}", readme="new", description="x" * 70_000),
        await ada.patch(f"/registered_models/{model['id']}", owner="a\nb"),
        await ada.post("/experiments", name="x", owner="a\nb"),
        await ada.post("/experiments", name="x", externalId="a\u2028b"),
        await ada.patch(f"/experiment_runs/{run['id']}", owner="a\x1b[2J"),
        await ada.post("/inference_services", runtime="a\nb", **service),
        await ada.post("/artifacts", artifactType="model-artifact", storageKey="a\nb"),
        await ada.post("/artifacts", artifactType="dataset-artifact", digest="a" * 5000),
        await ada.get("/experiment_runs/metric_history", name="x" * 30_000),
    ]
    several_lines = await ada.post("/artifacts", artifactType="dataset-artifact", schema="a\nb")

    assert [error(each) for each in refused] == [(400, "Bad Request")] * len(refused)
    assert refused[0].json()["message"] == "readme: at most 1048576 bytes are allowed: bad request"
    assert (await ada.get("/registered_model", name="long")).status_code == 404
    assert "readme" not in (await ada.get(f"/registered_models/{model['id']}")).json()
    assert several_lines.status_code == 201


async def test_a_page_token_goes_on_in_its_own_order_only(ada):
    for name in ("a", "b"):
        await ada.model(name)
    asked = {"pageSize": 1, "orderBy": "CREATE_TIME", "sortOrder": "DESC"}
    token = (await ada.get("/registered_models", **asked)).json()["nextPageToken"]

    same = await ada.get("/registered_models", **asked, nextPageToken=token)
    others = [
        await ada.get("/registered_models", **asked | other, nextPageToken=token)
        for other in ({"orderBy": "ID"}, {"orderBy": "LAST_UPDATE_TIME"}, {"sortOrder": "ASC"})
    ]

    assert [each["name"] for each in same.json()["items"]] == ["a"]
    assert [error(each) for each in others] == [(400, "Bad Request")] * 3

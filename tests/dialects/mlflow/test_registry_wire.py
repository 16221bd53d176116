"""The registry calls on the wire: shapes, texts and codes that MLflow's clients rely on."""

import asyncio
import json

import pytest

from tests.dialects.mlflow.wire import REGISTRY, failure

INVALID = (400, "INVALID_PARAMETER_VALUE")
GONE = (404, "RESOURCE_DOES_NOT_EXIST")


async def test_a_new_model_has_what_its_client_said_and_no_empty_fields(ada):
    tags = [{"key": "team", "value": "old"}, {"key": "team", "value": "vision"}, {"key": "empty"}]

    created = await ada.model("iris", description="flowers", tags=tags)

    shown = (await ada.get("registered-models/get", name="iris")).json()["registered_model"]
    assert created == shown
    assert shown.pop("creation_timestamp") == shown.pop("last_updated_timestamp")
    assert shown == {
        "name": "iris",
        "user_id": "ada",
        "description": "flowers",
        "tags": [{"key": "team", "value": "vision"}, {"key": "empty", "value": ""}],
    }


@pytest.mark.sample
async def test_a_new_version_has_the_fields_that_are_always_sent(ada):
    await ada.model("iris")

    version = await ada.version("iris", "s3://bucket/model")

    del version["creation_timestamp"], version["last_updated_timestamp"]
    assert version == {
        "name": "iris",
        "version": "1",
        "current_stage": "None",
        "description": "",
        "source": "s3://bucket/model",
        "run_id": "",
        "run_link": "",
        "status": "READY",
        "user_id": "ada",
    }


async def test_a_body_may_be_encoded_twice_and_in_camel_case(org, ada):
    await ada.model("iris")
    twice = json.dumps(json.dumps({"name": "iris", "newName": "lilies", "unknown": [1]}))

    answer = await org.client.post(
        f"{REGISTRY}/registered-models/rename",
        content=twice,
        headers=ada.headers | {"Content-Type": "application/json"},
    )

    assert answer.json()["registered_model"]["name"] == "lilies"


async def test_one_field_in_both_spellings_is_refused(ada):
    answer = await ada.post("registered-models/rename", name="iris", newName="a", new_name="b")

    assert failure(answer)[:2] == INVALID


async def test_a_body_of_another_type_is_refused(org, ada):
    answers = [
        await org.client.post(
            f"{REGISTRY}/registered-models/create", content=content, headers=ada.headers | {"Content-Type": media_type}
        )
        for content, media_type in (
            (b'{"name": "iris"}', "text/plain"),
            (b'{"name": ', "application/json"),
            (b"[1]", "application/json"),
        )
    ]

    assert [failure(answer)[:2] for answer in answers] == [(400, "BAD_REQUEST")] * 3


@pytest.mark.parametrize(
    ("method", "call", "fields", "sentence"),
    [
        ("POST", "registered-models/create", {}, "Missing value for required parameter 'name'."),
        ("POST", "registered-models/create", {"name": ""}, "Missing value for required parameter 'name'."),
        ("POST", "registered-models/create", {"name": 5}, "Invalid value for parameter 'name'"),
        ("POST", "registered-models/create", {"name": "a/b"}, "Invalid name: 'a/b'."),
        ("POST", "registered-models/create", {"name": "a:b"}, "Invalid name: 'a:b'."),
        ("POST", "registered-models/create", {"name": ".."}, "Invalid name: '..'."),
        ("POST", "registered-models/create", {"name": "iris", "tags": "x"}, "Invalid value for parameter 'tags'"),
        ("POST", "registered-models/create", {"name": "n", "tags": [{"key": "a*b"}]}, "Invalid tag name: 'a*b'."),
        ("POST", "registered-models/create", {"name": "n", "tags": [{"key": ".."}]}, "Invalid tag name: '..'."),
        ("POST", "registered-models/create", {"name": "n", "tags": [{"key": "k" * 251}]}, "Invalid tag name"),
        ("POST", "registered-models/set-tag", {"name": "iris", "key": "k", "value": "v" * 100_001}, "Invalid value"),
        ("POST", "registered-models/alias", {"name": "iris", "alias": "a b", "version": "1"}, "Invalid alias name"),
        (
            "POST",
            "registered-models/alias",
            {"name": "iris", "alias": "Latest", "version": "1"},
            "'latest' alias name (case insensitive) is reserved.",
        ),
        (
            "POST",
            "registered-models/alias",
            {"name": "iris", "alias": "v1", "version": "1"},
            "Version alias name 'v1' is reserved.",
        ),
        ("POST", "model-versions/create", {"name": "iris"}, "Missing value for required parameter 'source'."),
        (
            "PATCH",
            "model-versions/update",
            {"name": "iris", "version": "x"},
            "Parameter 'version' must be an integer, got 'x'.",
        ),
        (
            "DELETE",
            "model-versions/delete",
            {"name": "iris", "version": "1_0"},
            "Parameter 'version' must be an integer, got '1_0'.",
        ),
        (
            "POST",
            "model-versions/create",
            {"name": "iris", "source": "s3://b/x", "version": 2**31},
            "Parameter 'version' must be from 1 to 999999999, got '2147483648'.",
        ),
        (
            "POST",
            "model-versions/transition-stage",
            {"name": "iris", "version": "1", "stage": "x"},
            "Invalid Model Version stage: x. Value must be one of None, Staging, Production, Archived.",
        ),
        (
            "POST",
            "model-versions/transition-stage",
            {"name": "iris", "version": "1", "stage": "None", "archive_existing_versions": True},
            "archive_existing_versions is for",
        ),
        ("POST", "registered-models/get-latest-versions", {"name": "iris", "stages": ["x"]}, "Invalid Model Version"),
        ("POST", "registered-models/create", {"name": "n", "tags": [{"key": " k"}]}, "tag ' k': it must not begin"),
        ("POST", "model-versions/create", {"name": "iris", "source": "s3://b", "run_id": "a\nb"}, "run_id: control"),
        ("DELETE", "registered-models/delete", {}, "Missing value for required parameter 'name'."),
    ],
)
async def test_what_is_wrong_with_a_request_is_said_in_a_sentence(ada, method, call, fields, sentence):
    await ada.model("iris")
    await ada.version("iris")

    status, code, message = failure(await ada.send(method, call, **fields))

    assert (status, code) == INVALID
    assert message.startswith(sentence)


@pytest.mark.parametrize(
    ("method", "call", "fields", "sentence"),
    [
        ("GET", "registered-models/get", {"name": "x"}, "Registered Model with name=x not found"),
        ("DELETE", "registered-models/delete", {"name": "x"}, "Registered Model with name=x not found"),
        ("POST", "registered-models/rename", {"name": "x", "new_name": "y"}, "Registered Model with name=x not found"),
        ("POST", "model-versions/create", {"name": "x", "source": "s3://b"}, "Registered Model with name=x not found"),
        (
            "GET",
            "model-versions/get",
            {"name": "iris", "version": "7"},
            "Model Version (name=iris, version=7) not found",
        ),
        (
            "DELETE",
            "model-versions/delete",
            {"name": "iris", "version": "7"},
            "Model Version (name=iris, version=7) not found",
        ),
        (
            "POST",
            "registered-models/alias",
            {"name": "iris", "alias": "a", "version": 7},
            "Model Version (name=iris, version=7) not found",
        ),
    ],
)
async def test_what_is_not_there_is_said_in_the_known_words(ada, method, call, fields, sentence):
    await ada.model("iris")

    answer = await (ada.get(call, **fields) if method == "GET" else ada.send(method, call, **fields))

    assert failure(answer) == (*GONE, sentence)


async def test_a_taken_name_is_said_in_the_known_words(ada):
    prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    await ada.model("iris")
    await ada.model("greeting", tags=prompt)

    answers = [
        await ada.post("registered-models/create", name="iris"),
        await ada.post("registered-models/create", name="greeting", tags=prompt),
        await ada.post("registered-models/create", name="iris", tags=prompt),
        await ada.post("registered-models/create", name="greeting"),
    ]

    assert {failure(answer)[:2] for answer in answers} == {(400, "RESOURCE_ALREADY_EXISTS")}
    assert [failure(answer)[2].partition(". MLflow")[0] for answer in answers] == [
        "Registered Model (name=iris) already exists",
        "Prompt (name=greeting) already exists",
        "Tried to create a prompt with name 'iris', but the name is already taken by a registered model",
        "Tried to create a registered model with name 'greeting', but the name is already taken by a prompt",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/mlflow/experiments/search",
        "/api/2.0/mlflow/runs/create",
        "/ajax-api/2.0/mlflow/nothing",
        "/api/3.0/mlflow/logged-models",
        "/api/2.0/mlflow-artifacts/nothing",
    ],
)
async def test_what_is_not_here_says_what_to_set(org, ada, path):
    status, code, message = failure(await org.client.post(path, json={}, headers=ada.headers))

    assert (status, code) == (404, "ENDPOINT_NOT_FOUND")
    assert "MLFLOW_TRACKING_URI" in message


async def test_a_wrong_method_and_missing_credentials_have_the_shape_of_mlflow(org):
    wrong = await org.client.put(f"{REGISTRY}/registered-models/get")
    missing = await org.client.get(f"{REGISTRY}/registered-models/get", params={"name": "iris"})
    forged = await org.client.get(f"{REGISTRY}/registered-models/get", headers={"Authorization": "Bearer x"})

    assert failure(wrong)[:2] == (405, "ENDPOINT_NOT_FOUND")
    assert failure(missing)[:2] == (401, "UNAUTHENTICATED")
    assert failure(forged)[:2] == (401, "UNAUTHENTICATED")
    assert "Basic" in missing.headers["WWW-Authenticate"]


async def test_versions_created_at_once_have_distinct_numbers(ada):
    await ada.model("iris")

    versions = await asyncio.gather(*(ada.version("iris", f"s3://bucket/{at}") for at in range(16)))

    assert sorted(int(version["version"]) for version in versions) == list(range(1, 17))


async def test_the_number_of_a_deleted_version_is_not_used_again(ada):
    await ada.model("iris")
    await ada.version("iris")
    await ada.version("iris")
    await ada.post("registered-models/alias", name="iris", alias="champion", version="2")

    await ada.send("DELETE", "model-versions/delete", name="iris", version="2")

    assert (await ada.version("iris"))["version"] == "3"
    assert failure(await ada.get("model-versions/get", name="iris", version="2"))[:2] == GONE
    model = (await ada.get("registered-models/get", name="iris")).json()["registered_model"]
    assert "aliases" not in model


@pytest.mark.sample
async def test_a_deleted_model_is_in_the_trash_and_its_name_is_free(org, ada):
    await ada.model("iris")
    await ada.version("iris")

    answer = await ada.send("DELETE", "registered-models/delete", name="iris")

    assert answer.json() == {}
    assert failure(await ada.get("registered-models/get", name="iris"))[:2] == GONE
    trash = (await org.client.get("/v1/trash", headers=ada.headers)).json()["docs"]
    assert [entry["name"] for entry in trash] == ["iris"]
    await ada.model("iris")
    assert (await ada.version("iris"))["version"] == "1"


async def test_the_latest_versions_are_the_newest_of_each_stage(ada):
    await ada.model("iris")
    for _ in range(4):
        await ada.version("iris")
    for number, stage in ((1, "production"), (2, "STAGING"), (3, "Staging")):
        await ada.post("model-versions/transition-stage", name="iris", version=str(number), stage=stage)

    model = (await ada.get("registered-models/get", name="iris")).json()["registered_model"]
    staged = await ada.post("registered-models/get-latest-versions", name="iris", stages=["staging", "Archived"])
    all_stages = await ada.get("registered-models/get-latest-versions", name="iris")

    latest = {version["current_stage"]: version["version"] for version in model["latest_versions"]}
    assert latest == {"None": "4", "Staging": "3", "Production": "1"}
    assert [version["version"] for version in staged.json()["model_versions"]] == ["3"]
    assert len(all_stages.json()["model_versions"]) == 3


async def test_the_latest_versions_of_a_model_with_many_are_found_far_back(ada):
    await ada.model("iris")
    for at in range(20):
        await ada.version("iris")
        if at in {0, 1}:
            stage = ("Production", "Archived")[at]
            await ada.post("model-versions/transition-stage", name="iris", version=str(at + 1), stage=stage)

    model = (await ada.get("registered-models/get", name="iris")).json()["registered_model"]

    latest = {version["current_stage"]: version["version"] for version in model["latest_versions"]}
    assert latest == {"None": "20", "Production": "1", "Archived": "2"}


async def test_a_transition_may_archive_the_versions_that_were_there(ada):
    await ada.model("iris")
    for _ in range(3):
        await ada.version("iris")
    await ada.post("model-versions/transition-stage", name="iris", version="1", stage="Production")
    await ada.post("model-versions/transition-stage", name="iris", version="2", stage="Production")

    await ada.post(
        "model-versions/transition-stage",
        name="iris",
        version="3",
        stage="Production",
        archive_existing_versions=True,
    )

    stages = [
        (await ada.get("model-versions/get", name="iris", version=str(at))).json()["model_version"]["current_stage"]
        for at in (1, 2, 3)
    ]
    assert stages == ["Archived", "Archived", "Production"]


async def test_an_alias_moves_and_latest_is_always_there(ada):
    await ada.model("iris")
    await ada.version("iris")
    await ada.version("iris")

    await ada.post("registered-models/alias", name="iris", alias="champion", version="1")
    await ada.post("registered-models/alias", name="iris", alias="champion", version="2")
    found = await ada.get("registered-models/alias", name="iris", alias="champion")
    latest = await ada.get("registered-models/alias", name="iris", alias="LATEST")
    removed = [await ada.send("DELETE", "registered-models/alias", name="iris", alias="champion") for _ in range(2)]
    missing = await ada.get("registered-models/alias", name="iris", alias="champion")

    assert found.json()["model_version"]["version"] == latest.json()["model_version"]["version"] == "2"
    assert found.json()["model_version"]["aliases"] == ["champion"]
    assert [answer.json() for answer in removed] == [{}, {}]
    assert failure(missing) == (*INVALID, "Registered model alias champion not found.")


async def test_tags_are_metadata_and_native_tags_are_empty_tags(org, ada):
    await ada.model("iris")
    change = {"tags": {"add": ["flowers"]}, "metadata": {"add": [{"name": "accuracy", "value": 0.9}]}}
    await org.client.put("/v1/models/iris", json=change, headers=ada.headers)

    await ada.post("registered-models/set-tag", name="iris", key="team", value="vision")
    model = (await ada.get("registered-models/get", name="iris")).json()["registered_model"]
    for key in ("flowers", "accuracy", "missing"):
        assert (await ada.send("DELETE", "registered-models/delete-tag", name="iris", key=key)).json() == {}

    tags = {tag["key"]: tag["value"] for tag in model["tags"]}
    assert tags == {"accuracy": "0.9", "team": "vision", "flowers": ""}
    native = (await org.client.get("/v1/models/iris", headers=ada.headers)).json()
    assert native["tags"] == []
    assert [pair["name"] for pair in native["metadata"]] == ["team"]


async def test_a_tag_may_be_longer_than_native_metadata(ada):
    await ada.model("iris")
    await ada.version("iris")
    text = "x" * 100_000

    await ada.post("model-versions/set-tag", name="iris", version="1", key="mlflow.prompt.text", value=text)

    version = (await ada.get("model-versions/get", name="iris", version="1")).json()["model_version"]
    assert version["tags"] == [{"key": "mlflow.prompt.text", "value": text}]


async def test_tags_that_are_too_large_together_are_refused(ada):
    await ada.model("iris")
    tags = [{"key": f"k{at}", "value": "x" * 100_000} for at in range(90)]

    answer = await ada.post("model-versions/create", name="iris", source="s3://bucket/model", tags=tags)

    assert failure(answer)[:2] == INVALID


async def test_reserved_tags_set_and_show_what_mlflow_has_no_field_for(org, ada, bob):
    await ada.model("iris", tags=[{"key": "catalog.users", "value": "bob"}])

    shared = await bob.get("registered-models/get", name="iris")
    await ada.post("registered-models/set-tag", name="iris", key="catalog.visibility", value="public")
    await ada.post("registered-models/set-tag", name="iris", key="catalog.status", value="production")
    wrong = await ada.post("registered-models/set-tag", name="iris", key="catalog.visibility", value="everyone")
    await ada.send("DELETE", "registered-models/delete-tag", name="iris", key="catalog.users")

    native = (await org.client.get("/v1/models/iris", headers=ada.headers)).json()
    assert shared.json()["registered_model"]["tags"] == [{"key": "catalog.users", "value": "bob"}]
    assert (native["visibility"], native["status"], native["users"]) == ("public", "production", [])
    assert native["metadata"] == []
    assert failure(wrong)[:2] == INVALID


async def test_a_description_is_cleared_by_an_update_without_one(ada):
    await ada.model("iris", description="flowers")
    await ada.version("iris", description="the first")

    await ada.send("PATCH", "registered-models/update", name="iris")
    version = await ada.send("PATCH", "model-versions/update", name="iris", version="1")

    model = (await ada.get("registered-models/get", name="iris")).json()["registered_model"]
    assert "description" not in model
    assert version.json()["model_version"]["description"] == ""


async def test_a_model_pushed_natively_with_a_slash_in_its_name_is_read(org, ada):
    await org.client.post("/v1/models", json={"name": "facebook/opt-125m"}, headers=ada.headers)

    model = await ada.get("registered-models/get", name="facebook/opt-125m")

    assert model.json()["registered_model"]["name"] == "facebook/opt-125m"


async def test_archived_models_and_versions_are_not_shown(org, ada):
    await ada.model("iris")
    await ada.version("iris")
    await ada.version("iris")
    await ada.model("rose")
    await org.client.put("/v1/models/iris/versions/2", json={"state": "ARCHIVED"}, headers=ada.headers)
    await org.client.put("/v1/models/rose", json={"archived": True}, headers=ada.headers)

    found = await ada.get("registered-models/search")
    versions = await ada.get("model-versions/search")
    hidden = await ada.get("model-versions/get", name="iris", version="2")

    assert [model["name"] for model in found.json()["registered_models"]] == ["iris"]
    assert [version["version"] for version in found.json()["registered_models"][0]["latest_versions"]] == ["1"]
    assert [version["version"] for version in versions.json()["model_versions"]] == ["1"]
    assert failure(hidden)[:2] == GONE


async def test_of_many_versions_that_take_a_stage_over_at_once_one_keeps_it(ada):
    await ada.model("iris")
    for _ in range(6):
        await ada.version("iris")

    moves = [
        ada.post(
            "model-versions/transition-stage",
            name="iris",
            version=str(number),
            stage="Production",
            archive_existing_versions=True,
        )
        for number in range(1, 7)
    ]
    answers = await asyncio.gather(*moves)

    found = (await ada.get("model-versions/search", filter="name = 'iris'")).json()["model_versions"]
    stages = sorted(version["current_stage"] for version in found)
    assert {answer.status_code for answer in answers} == {200}
    assert stages == ["Archived"] * 5 + ["Production"]


async def test_a_model_that_others_remove_at_once_is_named_in_the_refusals(ada):
    await ada.model("iris")

    answers = await asyncio.gather(*(ada.send("DELETE", "registered-models/delete", name="iris") for _ in range(6)))

    refused = {failure(answer) for answer in answers if answer.status_code != 200}
    assert len(answers) - len([each for each in answers if each.status_code != 200]) == 1
    assert refused == {(*GONE, "Registered Model with name=iris not found")}

"""`filterQuery`: what each query finds, and which are refused."""

import httpx
import pytest

from catalog.dialects.kubeflow.filters.compiler import compiled
from catalog.dialects.kubeflow.filters.properties import REGISTERED_MODELS
from catalog.errors import Refused
from tests.dialects.kubeflow.conftest import Registry, registry
from tests.support.tenants import organisation


def text(value):
    return {"metadataType": "MetadataStringValue", "string_value": value}


def double(value):
    return {"metadataType": "MetadataDoubleValue", "double_value": value}


def whole(value):
    return {"metadataType": "MetadataIntValue", "int_value": str(value)}


def flag(value):
    return {"metadataType": "MetadataBoolValue", "bool_value": value}


MODELS = {
    "nlp-bert": {
        "owner": "alice",
        "description": "with bug fixes",
        "readme": "# BERT\nfor news",
        "customProperties": {"project": text("nlp"), "accuracy": double(0.95), "priority": whole(1), "hot": text("")},
    },
    "nlp-gpt": {
        "owner": "charlie",
        "state": "ARCHIVED",
        "externalId": "ext-cv-002",
        "customProperties": {"project": text("nlp"), "accuracy": double(0.5), "active": flag(True), "o'b": text("x")},
    },
    "vision": {
        "owner": "bob",
        "customProperties": {
            "project": text("vision"),
            "budget": double(12500.5),
            "priority": double(2.0),
            "mlflow.source.type": text("notebook"),
            "active": flag(False),
        },
    },
}


@pytest.fixture(scope="module")
async def shelf(client: httpx.AsyncClient) -> Registry:
    org = await organisation(client, "ada")
    ada = registry(org)
    for name, more in MODELS.items():
        await ada.model(name, **more)
    return ada


NLP, ALL = ["nlp-bert", "nlp-gpt"], list(MODELS)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('name = "vision"', ["vision"]),
        ("name LIKE 'nlp-%'", NLP),
        ("name LIKE 'nlp-_pt'", ["nlp-gpt"]),
        ("name ILIKE '%GP%'", ["nlp-gpt"]),
        ("name LIKE '%GP%'", []),
        ("name != 'vision'", NLP),
        ("name <> 'vision'", NLP),
        ("name IN ('vision', \"nlp-gpt\")", ["nlp-gpt", "vision"]),
        ("project IN ()", []),
        ("state = 'ARCHIVED'", ["nlp-gpt"]),
        ("state != 'ARCHIVED'", ["nlp-bert", "vision"]),
        ("state IN ('LIVE', 'ARCHIVED')", ALL),
        ("state = 'GONE'", []),
        ("owner = 'alice' OR owner = 'charlie'", NLP),
        ("externalId = 'ext-cv-002'", ["nlp-gpt"]),
        ("externalId != 'x'", ["nlp-gpt"]),
        ("description LIKE '%bug fixes%'", ["nlp-bert"]),
        ("description.string_value = 'with bug fixes'", ["nlp-bert"]),
        ("readme LIKE '%news%'", ["nlp-bert"]),
        ("readme ILIKE '# bert_for%' AND project = 'nlp'", ["nlp-bert"]),
        ("readme != 'x'", ["nlp-bert"]),
        ("readme.string_value LIKE '%news' OR name = 'vision'", ["nlp-bert", "vision"]),
        ("readme = 'x'", []),
        ("accuracy > 0.94", ["nlp-bert"]),
        ("accuracy != 0.5", ["nlp-bert"]),
        ("priority <= 2", ["nlp-bert", "vision"]),
        ("priority = 2", ["vision"]),
        ("budget.double_value > 12000", ["vision"]),
        ("active = true", ["nlp-gpt"]),
        ("active != TRUE", ["vision"]),
        ("(project = 'nlp' OR project = 'vision') AND budget.double_value < 20000", ["vision"]),
        ("project = 'nlp' AND owner = 'alice' OR name = 'vision'", ["nlp-bert", "vision"]),
        ("project = 'nlp' AND (owner = 'alice' OR name = 'vision')", ["nlp-bert"]),
        ('`mlflow.source.type` = "notebook"', ["vision"]),
        ("`mlflow.source.type.string_value` = 'notebook'", ["vision"]),
        ("`o'b` = 'x'", ["nlp-gpt"]),
        ("project != 'nlp'", ["vision"]),
        ("project > 'o'", ["vision"]),
        ("hot = ''", ["nlp-bert"]),
        ("hot != 'x'", ["nlp-bert"]),
        ("nowhere != 'x'", []),
        ("project = 3", []),
        ("project = 'nlp' -- said so\n and accuracy > 0.9", ["nlp-bert"]),
        ("createTimeSinceEpoch > 0", ALL),
        ("accuracy > -9223372036854775808", NLP),
        ("lastUpdateTimeSinceEpoch < '1000'", []),
        ("", ALL),
    ],
)
async def test_what_a_query_finds(shelf, query, names):
    assert await shelf.found("/registered_models", query) == names


@pytest.mark.parametrize(
    "query",
    [
        "name",
        "name =",
        "name = vision",
        "= 'x'",
        "name = 'x' AND",
        "(name = 'x'",
        "name = 'x')",
        "name LIKE 3",
        "id = 'x'",
        "active > true",
        "name = 'o''brien'",
        "name IN ('x', 3)",
        "name ~ 'x'",
        "NOT name = 'x'",
        "name BETWEEN 1 AND 2",
        "(" * 50 + "name = 'x'" + ")" * 50,
        " OR ".join(f"a{number} = 1" for number in range(100)),
        "x" * 9000,
        "id = 9223372036854775808",
        "accuracy > 1e999",
        "accuracy.double_value = '1_0'",
        "accuracy = ١٢",
        "registeredModelId = 9999999999999999999",
        "registeredModelId = 1e300",
    ],
)
async def test_what_is_no_query_is_refused_with_a_hint(shelf, query):
    path = "/model_versions" if query.startswith("registeredModelId") else "/registered_models"

    answer = await shelf.get(path, filterQuery=query)

    assert (answer.status_code, answer.json()["code"]) == (400, "Bad Request")


async def test_children_are_found_by_the_ids_of_their_parents(shelf):
    model = (await shelf.get("/registered_model", name="vision")).json()
    version = await shelf.version(model, "v1", customProperties={"accuracy": double(0.7)}, author="ann")
    await shelf.version(model, "v2", customProperties={"accuracy": double(0.9)})
    path = f"/registered_models/{model['id']}/versions"

    assert await shelf.found(path, "accuracy > 0.8") == ["v2"]
    assert await shelf.found("/model_versions", f"registeredModelId = '{model['id']}' AND author = 'ann'") == ["v1"]
    assert await shelf.found("/model_versions", f"registeredModelId IN (98765, {model['id']}.5)") == []
    assert await shelf.found("/model_versions", f"id = {version['id']}") == ["v1"]


async def test_metrics_of_several_runs_are_found_in_one_list(shelf):
    run = await shelf.run()
    other = await shelf.new("/experiment_runs", experimentId=run["experimentId"], name="second")
    for each, value in ((run, 0.1), (other, 0.2)):
        path = f"/experiment_runs/{each['id']}/artifacts"
        for name in ("accuracy", "loss"):
            await shelf.post(path, artifactType="metric", name=name, value=value)

    query = f"experimentRunId IN ('{run['id']}','{other['id']}') AND name LIKE \"%accuracy%\""
    found = (await shelf.get("/artifacts", filterQuery=query, artifactType="metric")).json()["items"]

    assert [each["value"] for each in found] == [0.1, 0.2]
    assert await shelf.found("/artifacts", "value > 0.15", artifactType="metric") == ["accuracy", "loss"]
    assert await shelf.found("/experiment_runs", f"experimentId = {run['experimentId']} AND name != 'first'") == [
        "second"
    ]


async def test_lists_that_ignore_filters_elsewhere_obey_them_here(shelf):
    for name in ("prod", "test"):
        await shelf.new("/serving_environments", name=name)

    assert await shelf.found("/serving_environments", "name = 'prod'") == ["prod"]


async def no_ids(collection, serials):
    return {}


async def test_no_text_of_a_client_becomes_an_operator_of_the_database():
    asked = await compiled("`$where` = '$gt' AND a IN ('$ne')", REGISTERED_MODELS, no_ids)

    assert asked.of_document.query == {
        "metadata": {
            "$all": [
                {"$elemMatch": {"name": "$where", "value": "$gt"}},
                {"$elemMatch": {"name": "a", "value": {"$in": ["$ne"]}}},
            ]
        }
    }
    with pytest.raises(Refused):
        await compiled("name LIKE '" + "_%" * 200 + "'", REGISTERED_MODELS, no_ids)

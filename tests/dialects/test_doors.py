"""The same model through every door: what one dialect registers, the others show."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dialects.kubeflow.conftest import Registry, registry
from tests.dialects.mlflow.wire import Wire, wire_of
from tests.support.tenants import Organisation, organisation

WORDS = st.text("abcdefghijklmnopqrstuvwxyz_é", min_size=1, max_size=8)
TEXTS = st.text("abc XYZ123%_'é", min_size=1, max_size=12).map(lambda text: f"<{text}>")
NUMBERS = st.integers(-999_999_999, 999_999_999) | st.floats(-1e6, 1e6, allow_nan=False).map(float)
VALUES = TEXTS | NUMBERS | st.booleans()


@dataclass(frozen=True)
class Known:
    """What is said of a model and its version."""

    description: str
    properties: dict[str, Any]  # a property with an empty text is a tag
    uri: str


KNOWN = st.builds(
    Known,
    description=TEXTS,
    properties=st.dictionaries(WORDS, VALUES | st.just(""), max_size=4),
    uri=WORDS.map(lambda word: f"s3://bucket/{word}"),
)


@dataclass
class Doors:
    org: Organisation
    kubeflow: Registry
    mlflow: Wire

    @property
    def headers(self) -> dict[str, str]:
        return self.org.as_("ada")

    async def into_native(self, name: str, known: Known) -> None:
        tags = [key for key, value in known.properties.items() if value == ""]
        pairs = [{"name": key, "value": value} for key, value in known.properties.items() if value != ""]
        body = {"name": name, "description": known.description, "tags": tags, "metadata": pairs}
        client = self.org.client
        (await client.post("/v1/models", json=body, headers=self.headers)).raise_for_status()
        version = {"uri": known.uri}
        (await client.post(f"/v1/models/{name}/versions", json=version, headers=self.headers)).raise_for_status()

    async def into_kubeflow(self, name: str, known: Known) -> None:
        properties = {key: as_property(value) for key, value in known.properties.items()}
        model = await self.kubeflow.model(name, description=known.description, customProperties=properties)
        version = await self.kubeflow.version(model, "1")
        artifact = {"artifactType": "model-artifact", "name": name, "uri": known.uri}
        await self.kubeflow.new(f"/model_versions/{version['id']}/artifacts", **artifact)

    async def into_mlflow(self, name: str, known: Known) -> None:
        tags = [{"key": key, "value": value} for key, value in known.properties.items()]
        await self.mlflow.model(name, description=known.description, tags=tags)
        await self.mlflow.version(name, known.uri)

    async def of_native(self, name: str) -> Known:
        model = (await self.org.client.get(f"/v1/models/{name}", headers=self.headers)).raise_for_status().json()
        info = await self.org.client.get(f"/v1/models/{name}/versions/1/info", headers=self.headers)
        pairs = {pair["name"]: pair["value"] for pair in model["metadata"]}
        return Known(model["description"], dict.fromkeys(model["tags"], "") | pairs, info.json()["uri"])

    async def of_kubeflow(self, name: str) -> Known:
        model = (await self.kubeflow.get("/registered_model", name=name)).raise_for_status().json()
        versions = (await self.kubeflow.get(f"/registered_models/{model['id']}/versions")).json()["items"]
        artifacts = (await self.kubeflow.get(f"/model_versions/{versions[0]['id']}/artifacts")).json()["items"]
        properties = {key: of_property(value) for key, value in model["customProperties"].items()}
        return Known(model["description"], properties, artifacts[0]["uri"])

    async def of_mlflow(self, name: str) -> Known:
        model = (await self.mlflow.get("registered-models/get", name=name)).raise_for_status().json()
        version = (await self.mlflow.get("model-versions/get", name=name, version="1")).raise_for_status().json()
        shown = model["registered_model"]
        tags = {tag["key"]: tag["value"] for tag in shown.get("tags", [])}
        return Known(shown["description"], tags, version["model_version"]["source"])


def as_property(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"metadataType": "MetadataBoolValue", "bool_value": value}
        case int():
            return {"metadataType": "MetadataIntValue", "int_value": str(value)}
        case float():
            return {"metadataType": "MetadataDoubleValue", "double_value": value}
    return {"metadataType": "MetadataStringValue", "string_value": value}


def of_property(value: dict[str, Any]) -> Any:
    [of] = [each for name, each in value.items() if name != "metadataType"]
    return int(of) if value["metadataType"] == "MetadataIntValue" else of


def typed(known: Known) -> tuple[str, list[tuple[str, type, Any]], str]:
    """With the types of the values, of which 1, 1.0 and true are equal otherwise."""
    return known.description, sorted((key, type(value), value) for key, value in known.properties.items()), known.uri


@pytest.fixture(scope="module")
async def doors(client) -> Doors:
    org = await organisation(client, "ada")
    return Doors(org, registry(org), wire_of(org, "ada"))


FEW = settings(max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("door", ["native", "kubeflow"])
@FEW
@given(known=KNOWN)
async def test_what_one_door_registers_the_others_show(doors, door, known):
    name = f"m{uuid4().hex}"

    await getattr(doors, f"into_{door}")(name, known)

    assert typed(await doors.of_native(name)) == typed(known)
    assert typed(await doors.of_kubeflow(name)) == typed(known)
    of_mlflow = await doors.of_mlflow(name)  # where every value is text
    assert (of_mlflow.description, of_mlflow.uri) == (known.description, known.uri)
    assert of_mlflow.properties.keys() == known.properties.keys()
    assert {key: of_mlflow.properties[key] for key, value in known.properties.items() if isinstance(value, str)} == {
        key: value for key, value in known.properties.items() if isinstance(value, str)
    }


@FEW
@given(known=KNOWN)
async def test_what_mlflow_registers_the_others_show(doors, known):
    name = f"m{uuid4().hex}"
    texts = Known(known.description, {key: str(value) for key, value in known.properties.items()}, known.uri)

    await doors.into_mlflow(name, texts)

    shown = [await read(name) for read in (doors.of_native, doors.of_kubeflow, doors.of_mlflow)]
    assert [typed(each) for each in shown] == [typed(texts)] * 3


async def test_archived_here_is_archived_there(doors):
    await doors.into_native("old", Known("x", {}, "s3://x"))
    model = (await doors.kubeflow.get("/registered_model", name="old")).json()

    await doors.kubeflow.patch(f"/registered_models/{model['id']}", state="ARCHIVED")

    native = (await doors.org.client.get("/v1/models/old", headers=doors.headers)).json()
    listed = (await doors.mlflow.get("registered-models/search", filter="name = 'old'")).json()
    assert native["archived"] is True
    assert listed.get("registered_models", []) == []
    body = {"archived": False}
    await doors.org.client.put("/v1/models/old", json=body, headers=doors.headers)
    assert (await doors.kubeflow.get("/registered_model", name="old")).json()["state"] == "LIVE"

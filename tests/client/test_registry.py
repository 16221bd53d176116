"""A notebook that was written for another registry, against ours."""

import io

import pytest

from catalog.client import ModelMetadata, ModelRegistryClient, NotFound
from tests.support.people import hired

# As the other registry's README has it, but for the imports, the data and the address.
UPLOAD = """
from catalog.client import ModelRegistryClient
from catalog.client import ModelMetadata
import io
import pickle
from sklearn.linear_model import LogisticRegression

# Train a simple model
model = LogisticRegression()
model.fit(X_train, y_train)

# Serialize the model
model_buffer = io.BytesIO()
pickle.dump(model, model_buffer)
model_buffer.seek(0)

# Create client and upload
client = ModelRegistryClient(ADDRESS)
metadata = ModelMetadata(
    id="model123",
    name="example_model",
    version="1.0.0",
    file_extension="pkl",
    storage_group="ml-models",
    description="Example model",
    framework="scikit-learn",
    metrics={"accuracy": 0.95},
    parameters={"n_estimators": 100},
    tags={"type": "classification"}
)

response = client.upload_model(model_buffer, metadata)
print(f"Model uploaded with ID: {response.metadata_id}")
"""

RETRIEVE = """
# Get model metadata
metadata = client.get_metadata(response.metadata_id)

# Download model file
model_buffer, metadata = client.get_model(
    file_path=metadata["storage_path"],
    metadata_id=metadata["_id"],
    bucket_name=metadata["storage_group"]
)

# Load the model
model = pickle.load(model_buffer)
"""


@pytest.fixture
def ada(server, tmp_path, monkeypatch):
    ada = hired(server, tmp_path)
    for name, value in ada.environment.items():
        if name != "CATALOG_URL":
            monkeypatch.setenv(name, value)
    return ada


@pytest.fixture
def client(ada, server):
    client = ModelRegistryClient(server.url)
    yield client
    client.close()


def said(name="iris", version="1.0.0", **more):
    return ModelMetadata(id="model123", name=name, version=version, **more)


def test_the_code_of_its_readme_works(server, ada, capsys):
    points = [[0.0], [1.0], [2.0], [3.0]]
    names = {"ADDRESS": server.url, "X_train": points, "y_train": [0, 0, 1, 1]}

    exec(UPLOAD, names)
    trained = names.pop("model")
    exec(RETRIEVE, names)

    assert list(names["model"].predict(points)) == list(trained.predict(points))
    assert names["metadata"]["metrics"] == {"accuracy": 0.95}
    assert capsys.readouterr().out == f"Model uploaded with ID: {names['response'].metadata_id}\n"
    names["client"].close()


def test_its_models_are_versions_that_everybody_can_find(client, ada):
    client.upload_model(io.BytesIO(b"one"), said(framework="torch", metrics={"loss": 0.1}, tags={"type": "classifier"}))
    client.upload_model(io.BytesIO(b"two"), said(version="1.1.0", tags={"team": "vision"}))

    [item] = client.catalog.models.list(filter={"name": "iris"})

    assert set(item.tags) == {"type:classifier", "team:vision"}
    assert [version.ordinal for version in item.versions] == ["1.0.0", "1.1.0"]
    assert client.catalog.models.versions("iris").get("1.0.0").metadata["loss"] == 0.1
    assert client.catalog.pull("iris@1.1.0").read_bytes() == b"two"


def test_everything_that_was_said_is_answered(client):
    given = said("penguins", storage_group="ml-models", description="d", parameters={"depth": [1, 2]}, framework="xgb")
    answer = client.upload_model(io.BytesIO(b"bytes"), given)

    metadata = client.get_metadata(answer.metadata_id)

    known = ("id", "name", "version", "file_extension", "storage_group", "description", "framework", "parameters")
    assert {name: metadata[name] for name in known} == {name: getattr(given, name) for name in known}
    assert (metadata["_id"], metadata["storage_path"]) == (answer.metadata_id, "penguins/1.0.0/penguins.pkl")


def test_a_model_that_is_not_there_is_told_so(client):
    with pytest.raises(NotFound):
        client.get_metadata("6b00f643f8f204200d33bb73@1.0.0")

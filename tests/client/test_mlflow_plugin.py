"""The MLflow plugin: its URI, and MLflow's client with it against a real server."""

import mlflow
import mlflow.sklearn
import pytest
from sklearn.linear_model import LogisticRegression

from catalog.client.mlflow.address import AddressError, RegistryAddress, parse
from tests.support.people import Somebody, hired

AS_PICKLE = {"serialization_format": "cloudpickle", "pip_requirements": []}


@pytest.mark.parametrize(
    ("uri", "environment", "address"),
    [
        ("modelregistry://host:8443?author=ada", {}, RegistryAddress("https://host:8443", "ada")),
        ("modelregistry://host", {}, RegistryAddress("https://host:443")),
        ("modelregistry+http://host:8080", {}, RegistryAddress("http://host:8080")),
        ("modelregistry+https://host/t/acme/", {}, RegistryAddress("https://host:443/t/acme")),
        ("modelregistry://host:8080?is-secure=false", {}, RegistryAddress("http://host:8080")),
        ("modelregistry+http://host:80?is-secure=false", {}, RegistryAddress("http://host:80")),
        ("modelregistry+http://host:80", {"MODEL_REGISTRY_SECURE": "true"}, RegistryAddress("http://host:80")),
        (
            "modelregistry:///",
            {
                "MODEL_REGISTRY_HOST": "host",
                "MODEL_REGISTRY_PORT": "8080",
                "MODEL_REGISTRY_AUTHOR": "ada",
                "MODEL_REGISTRY_SECURE": "false",
                "MODEL_REGISTRY_TOKEN": "t",
                "MODEL_REGISTRY_CA": "/ca.pem",
            },
            RegistryAddress("http://host:8080", "ada", "t", "/ca.pem"),
        ),
        (
            "modelregistry://other:1?author=bob&user-token=u&custom-ca=/b.pem",
            {"MODEL_REGISTRY_HOST": "host", "MODEL_REGISTRY_AUTHOR": "ada", "MODEL_REGISTRY_TOKEN": "t"},
            RegistryAddress("https://other:1", "bob", "u", "/b.pem"),
        ),
    ],
)
def test_the_uri_goes_before_the_environment_and_that_before_the_defaults(uri, environment, address):
    assert parse(uri, environment) == address


@pytest.mark.parametrize(
    "uri",
    [
        "modelregistry+https://host?is-secure=false",
        "modelregistry+http://host?is-secure=true",
        "modelregistry://host?is-secure=maybe",
        "modelregistry://host?token=x",
        "modelregistry:///",
        "modelregistry://host:port",
        "http://host",
    ],
)
def test_a_uri_that_contradicts_itself_is_refused_in_a_sentence(uri):
    with pytest.raises(AddressError):
        parse(uri, {})


def test_a_token_in_a_file_is_read_again_each_time(tmp_path):
    file = tmp_path / "token"
    address = RegistryAddress("https://host", user_token=str(file))

    tokens = [file.write_text(text) and address.token for text in ("one\n", "two")]

    assert tokens == ["one", "two"]


@pytest.fixture(scope="module")
def ada(server, tmp_path_factory) -> Somebody:
    return hired(server, tmp_path_factory.mktemp("people"))


@pytest.fixture
def registry(server, ada, tmp_path, monkeypatch) -> str:
    """The URI of the registry, with a token in a file and nothing in the environment of MLflow."""
    with ada.catalog() as catalog:
        (tmp_path / "token").write_text(catalog.tokens.create(tmp_path.name, scope="write").token)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path / "tracking"))
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    uri = f"modelregistry+{server.url}?author=Ada%20L%C3%B6w&user-token={tmp_path / 'token'}"
    mlflow.set_registry_uri(uri)
    yield uri
    mlflow.set_registry_uri(None)


@pytest.mark.filterwarnings("ignore")
def test_the_client_registers_with_the_credentials_and_the_author_of_the_uri(registry, ada):
    client = mlflow.MlflowClient(registry_uri=registry)

    client.create_registered_model("iris")
    client.create_model_version("iris", "s3://bucket/iris")

    assert client.get_registered_model("iris").name == "iris"
    assert client.get_model_version("iris", "1").user_id == "Ada Löw"
    with ada.catalog() as catalog:
        assert catalog.models.get("iris").name == "iris"


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_is_logged_locally_is_uploaded_and_loaded(registry, ada, tmp_path):
    forest = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with mlflow.start_run():
        mlflow.sklearn.log_model(forest, name="model", registered_model_name="logged", **AS_PICKLE)

    client = mlflow.MlflowClient(registry_uri=registry)
    loaded = mlflow.sklearn.load_model("models:/logged/1")

    version = client.get_model_version("logged", "1")
    assert list(loaded.predict([[0.0], [1.0]])) == [0, 1]
    assert not version.source.startswith("http")
    with ada.catalog() as catalog:
        pulled = catalog.pull("logged@1", to=tmp_path / "pulled")
    assert (pulled / "MLmodel").is_file()

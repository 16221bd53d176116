"""MLflow's own client against a real server: what users do, with nothing but its variables set."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import pytest
from mlflow import genai
from mlflow.exceptions import MlflowException, RestException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from tests.support.app import PASSWORD
from tests.support.people import hired
from tests.support.serving import TENANT

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # MLflow warns of stages
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def environment(server, user):
    """MLflow with an address, and the name and the password of a user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_USERNAME", f"{TENANT}/{user.username}")
        patch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        patch.setenv("MLFLOW_TRACKING_URI", server.url)
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        mlflow.set_registry_uri(server.url)
        yield patch
        mlflow.set_registry_uri(None)


@pytest.fixture(scope="module")
def client(server, environment) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(server.url, server.url)


@pytest.fixture
def name(request) -> str:
    """A model of this test alone."""
    return request.node.name.removeprefix("test_")[:60]


@pytest.fixture
def model(client, name) -> str:
    client.create_registered_model(name, tags={"team": "vision"}, description="flowers")
    return name


def folder_of(tmp_path: Path) -> Path:
    (tmp_path / "model" / "data").mkdir(parents=True)
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    (tmp_path / "model" / "data" / "weights.bin").write_bytes(random.randbytes(3000))
    return tmp_path / "model"


def contents(folder: str | Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


def test_a_model_is_created_described_tagged_renamed_and_deleted(client, model):
    client.set_registered_model_tag(model, "owner", "ada")
    client.delete_registered_model_tag(model, "team")
    client.update_registered_model(model, "roses")
    client.rename_registered_model(model, f"{model}-2")

    found = client.get_registered_model(f"{model}-2")
    assert (found.description, found.tags) == ("roses", {"owner": "ada"})
    client.delete_registered_model(f"{model}-2")
    with pytest.raises(RestException, match="RESOURCE_DOES_NOT_EXIST: Registered Model with name"):
        client.get_registered_model(f"{model}-2")


def test_creating_a_model_twice_fails_as_the_client_expects(client, model):
    with pytest.raises(MlflowException) as failure:
        client.create_registered_model(model)

    assert failure.value.error_code == "RESOURCE_ALREADY_EXISTS"
    assert mlflow.register_model("s3://bucket/again", model).version == "1"


def test_versions_have_aliases_stages_and_tags(client, model, user):
    version = client.create_model_version(model, "s3://bucket/one", tags={"k": "v"}, run_id="r1", description="first")
    client.create_model_version(model, "s3://bucket/two")
    client.set_registered_model_alias(model, "champion", "1")
    client.set_model_version_tag(model, "1", "accuracy", "0.9")
    client.transition_model_version_stage(model, "1", "Production")
    client.update_model_version(model, "2", "second")

    found = client.get_model_version_by_alias(model, "champion")
    assert (found.version, found.run_id, found.current_stage, found.status) == (
        version.version,
        "r1",
        "Production",
        "READY",
    )
    assert (found.tags, found.aliases, found.user_id) == ({"k": "v", "accuracy": "0.9"}, ["champion"], user.username)
    assert client.get_model_version(model, "2").description == "second"
    assert client.get_registered_model(model).aliases == {"champion": "1"}
    assert [each.version for each in client.get_latest_versions(model, ["Production"])] == ["1"]
    assert client.get_model_version_download_uri(model, "1") == "s3://bucket/one"
    client.delete_registered_model_alias(model, "champion")
    client.delete_model_version(model, "2")
    with pytest.raises(RestException, match="alias champion not found"):
        client.get_model_version_by_alias(model, "champion")


def test_searches_page_to_their_end(client, model):
    for at in range(5):
        client.create_model_version(model, f"s3://bucket/{at}")

    walked, token = [], None
    while True:
        page = client.search_model_versions(f"name = '{model}'", 2, ["version_number ASC"], token)
        walked += [version.version for version in page]
        token = page.token
        if not token:
            break

    assert walked == ["1", "2", "3", "4", "5"]
    assert model in {found.name for found in mlflow.search_registered_models()}
    assert len(mlflow.search_model_versions(filter_string=f"name = '{model}' AND version_number > 3")) == 2


def test_a_copy_of_a_version_is_one_of_another_model(client, model):
    client.create_model_version(model, "s3://bucket/one")

    copy = client.copy_model_version(f"models:/{model}/1", f"{model}-copy")

    assert (copy.name, copy.version, copy.source) == (f"{model}-copy", "1", f"models:/{model}/1")
    assert client.get_model_version_download_uri(copy.name, "1") == "s3://bucket/one"


def test_prompts_are_registered_loaded_and_hidden(client, environment):
    for template in ("Hello {{name}}", "Good morning {{name}}" + "!" * 50_000):
        genai.register_prompt("greeting", template, tags={"lang": "en"})
    genai.set_prompt_alias("greeting", "live", 1)

    assert genai.load_prompt("prompts:/greeting@live").format(name="Ada") == "Hello Ada"
    assert genai.load_prompt("prompts:/greeting/2").version == 2
    assert "greeting" in {prompt.name for prompt in genai.search_prompts()}
    assert "greeting" not in {model.name for model in client.search_registered_models()}
    with pytest.raises(MlflowException, match="greeting"):
        client.create_registered_model("greeting")


def test_artifacts_of_a_path_become_a_version_that_is_downloaded(client, model, server, user, tmp_path):
    folder = folder_of(tmp_path)
    uri = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/runs/{model}"
    repository = get_artifact_repository(uri)
    repository.log_artifacts(str(folder))
    assert [(each.path, each.is_dir) for each in repository.list_artifacts()] == [("MLmodel", False), ("data", True)]

    client.create_model_version(model, f"mlflow-artifacts:/runs/{model}")
    repository.delete_artifacts()

    client.set_registered_model_alias(model, "champion", "1")
    (tmp_path / "down").mkdir()
    downloaded = mlflow.artifacts.download_artifacts(f"models:/{model}@champion", dst_path=str(tmp_path / "down"))
    expected = contents(folder)
    assert {path: found for path, found in contents(downloaded).items() if path in expected} == expected
    with user.catalog() as catalog:
        pulled = catalog.pull(f"{model}@1", to=tmp_path / "pulled")
    assert contents(pulled) == expected


def test_what_the_command_line_pushed_is_downloaded(client, model, user, tmp_path):
    weights = user.file("weights.bin", random.randbytes(5000))
    with user.catalog() as catalog:
        catalog.push(model, weights)

    downloaded = mlflow.artifacts.download_artifacts(f"models:/{model}/1", dst_path=str(tmp_path))

    assert contents(downloaded)["weights.bin"] == weights.read_bytes()


def test_a_large_file_arrives_in_parts_and_is_read_in_ranges(environment, server, tmp_path):
    environment.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    environment.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "1000")
    environment.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 * 2**20))
    environment.setenv("MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE", str(4 * 2**20))
    large = tmp_path / "large.bin"
    large.write_bytes(random.randbytes(12 * 2**20))
    repository = get_artifact_repository("mlflow-artifacts:/large/files")

    (tmp_path / "down").mkdir()

    repository.log_artifact(str(large), "sub")
    repository.download_artifacts("sub/large.bin", str(tmp_path / "down"))

    assert (tmp_path / "down" / "sub" / "large.bin").read_bytes() == large.read_bytes()
    environment.delenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD")


def test_sixteen_threads_make_versions_of_one_model(client, model):
    together = threading.Barrier(16)

    def create(at: int) -> int:
        together.wait()
        return int(client.create_model_version(model, f"s3://bucket/{at}").version)

    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(create, range(16)))

    assert sorted(numbers) == list(range(1, 17))


def test_the_workspace_is_the_tenant(client, environment, server):
    assert [workspace.name for workspace in mlflow.MlflowClient(server.url).list_workspaces()] == [TENANT]


def test_tracking_is_refused_with_what_to_set(client):
    with pytest.raises(MlflowException, match="MLFLOW_TRACKING_URI"):
        client.search_experiments()


def test_a_token_takes_the_place_of_a_password(environment, server, user, model):
    with user.catalog() as catalog:
        token = catalog.tokens.create("mlflow", scope="read").token
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_USERNAME")
        patch.delenv("MLFLOW_TRACKING_PASSWORD")
        patch.setenv("MLFLOW_TRACKING_TOKEN", token)
        reader = mlflow.MlflowClient(server.url, server.url)

        assert reader.get_registered_model(model).name == model
        assert reader.get_latest_versions(model) == []
        with pytest.raises(RestException, match="PERMISSION_DENIED"):
            reader.create_registered_model("another")


def test_another_user_sees_nothing_of_it(server, model, tmp_path):
    bob = hired(server, tmp_path, "bob")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_USERNAME", bob.username)
        patch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
        stranger = mlflow.MlflowClient(server.url, server.url)

        assert stranger.search_registered_models() == []
        with pytest.raises(RestException, match="RESOURCE_DOES_NOT_EXIST"):
            stranger.get_registered_model(model)

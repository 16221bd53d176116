"""`catalog import mlflow`: the registry of a real `mlflow server` is copied, by the command and request by request."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from mlflow import genai
from mlflow.entities import LoggedModelStatus

from catalog.client.compat.copying import pages
from catalog.client.compat.mlflow import MlflowCopy
from catalog.client.compat.mlflow_files import Files
from catalog.client.errors import CatalogError, Unavailable
from catalog.client.resources.registry_api import OtherRegistry
from tests.support.mlflow_server import mlflow_server
from tests.support.people import Somebody, hired
from tests.support.serving import SOON, environment

pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

FILES = {"MLmodel": b"flavors: {}\n", "data/it's 100%.bin": b"weights" * 1000}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> str:
    """The address of a server with models, prompts and files, which MLflow's own client has put there."""
    folder = tmp_path_factory.mktemp("mlflow")
    for path, content in FILES.items():
        file = folder / "model" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    with mlflow_server(folder) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_TRACKING_URI", url)
        mlflow.set_registry_uri(url)
        fill(mlflow.MlflowClient(url, url), folder / "model")
        mlflow.set_registry_uri(None)
        yield url


def fill(client: mlflow.MlflowClient, files: Path) -> None:
    client.create_registered_model(
        "it's", tags={"team": "vision", "catalog.visibility": "public"}, description="a rose"
    )
    for at in range(4):
        client.create_model_version(
            "it's", f"s3://bucket/{at}", tags={"n": str(at)}, run_link="http://x", description="d"
        )
    client.delete_model_version("it's", "2")
    client.set_registered_model_alias("it's", "champion", "3")
    client.transition_model_version_stage("it's", "4", "Production")
    run = client.create_run("0")
    client.log_artifacts(run.info.run_id, str(files), "model")
    client.create_registered_model("of-a-run")
    client.create_model_version("of-a-run", f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
    logged = client.create_logged_model("0", name="logged")
    client.log_model_artifacts(logged.model_id, str(files))
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    client.create_registered_model("logged")
    client.create_model_version("logged", f"models:/{logged.model_id}", model_id=logged.model_id)
    for template in ("Hello {{name}}", "Bye {{name}}"):
        genai.register_prompt("greeting", template)
    genai.set_prompt_alias("greeting", "live", 1)


@pytest.fixture
def other(source) -> Iterator[OtherRegistry]:
    with closing(OtherRegistry(source)) as other:
        yield other


def copied(somebody: Somebody, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "catalog", "import", "mlflow", source, "--quiet", "--json", *options],
        env=environment(**somebody.environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=4 * SOON,
    )


def test_a_registry_is_copied_once_with_numbers_stages_aliases_tags_and_prompts(server, source, other, tmp_path):
    ada = hired(server, tmp_path)

    first = copied(ada, source)

    things = {"model": 3, "prompt": 1, "version": 7, "alias": 2}
    assert (first.returncode, json.loads(first.stdout)) == (0, {"new": things, "there": {}, "problems": []}), (
        first.stderr
    )
    with ada.catalog() as catalog:
        again = MlflowCopy(other, catalog.registry.request, lambda _: None, with_files=False).run()
        model = catalog.models.get("it's")
        versions = {ordinal: catalog.models.versions("it's").get(ordinal) for ordinal in "134"}
        prompt = catalog.resolve("greeting", "live")
        run = catalog.resolve("of-a-run", "1")
    assert (again.new, again.there, again.problems) == ({}, things, [])
    assert (model.description, model.visibility, model.metadata) == ("a rose", "private", {"team": "vision"})
    assert model.aliases == {"champion": "3"}
    assert [version.uri for version in versions.values()] == ["s3://bucket/0", "s3://bucket/2", "s3://bucket/3"]
    assert (versions["4"].stage, versions["4"].metadata, versions["4"].description) == ("production", {"n": "3"}, "d")
    assert prompt.metadata["mlflow.prompt.text"] == "Hello {{name}}"
    assert run.uri.startswith(f"{source}/api/2.0/mlflow-artifacts/artifacts/0/")


def test_an_interrupted_copy_goes_on_and_files_come_along(server, other, tmp_path):
    bob = hired(server, tmp_path, "bob")
    runs = 0

    with bob.catalog() as catalog:
        while True:
            runs += 1
            copy = MlflowCopy(other, Interrupted(catalog, 5), lambda _: None, with_files=True)
            try:
                result = copy.run()
            except Unavailable:
                continue
            break
        pulled = {name: catalog.pull(name, to=tmp_path / name) for name in ("of-a-run", "logged")}
        left = catalog.registry.request("GET", "/api/2.0/mlflow-artifacts/artifacts")

    assert runs > 2
    assert (result.problems, result.there["version"] + result.new.get("version", 0)) == ([], 7)
    for folder in pulled.values():
        assert {path: (folder / path).read_bytes() for path in FILES} == FILES
    assert left == {}


class Interrupted:
    """Requests to the catalog that change something, until there were so many: then it is gone."""

    def __init__(self, catalog, changes: int) -> None:
        self._catalog = catalog
        self._left = changes

    def __call__(self, method, path, **parts):
        self._left -= method != "GET"
        if self._left < 0:
            raise Unavailable("gone", status=503)
        return self._catalog.registry.request(method, path, **parts)


def test_a_model_of_another_user_and_a_wrong_address_are_reported(server, source, other, tmp_path):
    carol, dave = hired(server, tmp_path, "carol"), hired(server, tmp_path, "dave")
    with carol.catalog() as catalog:
        catalog.models.create("of-a-run", visibility="public")

    with dave.catalog() as catalog:
        found = MlflowCopy(other, catalog.registry.request, lambda _: None, with_files=False).run()
    nothing = copied(dave, f"{source}/nothing")

    assert [problem.partition(":")[0] for problem in found.problems] == ["model of-a-run"]
    assert nothing.returncode != 0
    assert "Check the address of the registry" in nothing.stderr
    assert "Traceback" not in nothing.stderr
    with carol.catalog() as catalog:
        catalog.models.delete("of-a-run")


@pytest.mark.parametrize("following", [{"": "a", "a": "a"}, {"": "a", "a": "b", "b": "a"}])
def test_a_list_that_does_not_end_is_given_up(following):
    with pytest.raises(CatalogError, match="does not end"):
        list(pages(lambda token: {"models": [{"name": "iris"}], "token": following[token]}, "models", "token"))


def test_a_list_of_empty_pages_is_given_up():
    with pytest.raises(CatalogError, match="does not end"):
        list(pages(lambda token: {"token": f"{token}x"}, "models", "token"))


@pytest.mark.parametrize(
    "page",
    [
        {"registered_models": "abc"},
        {"registered_models": ["abc"]},
        {"registered_models": [{"name": "iris", "tags": "abc"}]},
        {"registered_models": [], "next_page_token": 5},
    ],
)
def test_an_answer_of_another_shape_ends_a_copy_in_a_sentence(page):
    class Strange:
        url = "http://other"

        def get(self, path, query):
            return page

    with pytest.raises(CatalogError, match="another shape"):
        MlflowCopy(Strange(), None, lambda _: None, with_files=False).run()


@pytest.mark.parametrize("name", [None, 5, "", "x" * 100_000])
def test_a_model_without_a_usable_name_is_left_out(name):
    class Strange:
        url = "http://other"

        def get(self, path, query):
            return {"registered_models": [{"name": name}]}

    found = MlflowCopy(Strange(), None, lambda _: None, with_files=False).run()

    assert found.new == {}
    assert "is not the name of anything" in found.problems[0]


@pytest.mark.parametrize(
    "path", ["../../../../v1/models/iris", "/etc/passwd", "a/../b", "a\\..\\b", "%252e%252e/x", ""]
)
def test_a_file_that_leads_out_of_its_folder_is_not_copied(path):
    """A path of dots would be resolved on the way, and the file be sent to another route of the catalog."""

    class Hostile:
        url = "http://other"

        def get(self, where, query):
            return {"files": [{"path": path, "file_size": 1}]}

    def refuse(*args, **more):
        raise AssertionError

    with pytest.raises(CatalogError, match="leads elsewhere"):
        Files(Hostile(), refuse).upload({"name": "iris", "version": "1"}, "mlflow-artifacts:/run")


@pytest.mark.parametrize("entry", [{"path": "x", "is_dir": True}, {"path": "y" * 2000, "file_size": 1}])
def test_files_without_end_are_given_up(entry):
    class Endless:
        url = "http://other"

        def get(self, path, query):
            return {"files": [entry]}

    with pytest.raises(CatalogError, match="more than"):
        Files(Endless(), None).upload({"name": "iris", "version": "1"}, "mlflow-artifacts:/run")

"""`catalog.load`, and `catalog://` addresses in the libraries that read through fsspec."""

import io
import pickle
import sys

import fsspec
import joblib
import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper
from safetensors.numpy import save_file

import catalog as package
from catalog.client import profile
from catalog.client.errors import Invalid, NotFound, Unsafe, UnsafeFileWarning
from tests.support.app import PASSWORD
from tests.support.people import hired
from tests.support.serving import TENANT

WEIGHTS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3)}


class Threat:
    def __reduce__(self):
        return exec, ("raise AssertionError",)


@pytest.fixture(scope="module")
def ada(server, tmp_path_factory):
    return hired(server, tmp_path_factory.mktemp("ada"))


@pytest.fixture(scope="module")
def hers(ada):
    with ada.catalog() as catalog:
        yield catalog


@pytest.fixture(scope="module")
def pushed(ada, hers):
    """A model of many files, one of a pickle and one of a threat, and a table."""
    folder = ada.folder / "exported"
    (folder / "parts").mkdir(parents=True)
    (folder / "config.json").write_text('{"depth": 3}')
    for number, name in enumerate("ab", 1):
        save_file({name: WEIGHTS["a"] * number}, folder / "parts" / f"model-0000{number}-of-00002.safetensors")
    hers.push("iris", folder, alias="champion")
    hers.push("wine", ada.file("wine.joblib", _joblib({"depth": 3})))
    with pytest.warns(UnsafeFileWarning):
        hers.push("evil", ada.file("evil.pkl", pickle.dumps(Threat())))
    graph = helper.make_graph([], "g", [], [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])])
    hers.push("net", ada.file("net.onnx", helper.make_model(graph).SerializeToString()))
    hers.push("petals", ada.file("petals.csv", b"length,width\n1,2\n3,4\n"), kind="datasets")
    hers.push("bad", ada.file("bad.safetensors", b"damaged"))
    return hers


def _joblib(value):
    file = io.BytesIO()
    joblib.dump(value, file)
    return file.getvalue()


@pytest.fixture
def filesystem(ada, pushed):
    return fsspec.filesystem("catalog", **ada.who)


def test_the_shards_of_a_model_are_loaded_together(pushed):
    loaded = pushed.load("iris@champion")

    assert loaded.keys() == {"a", "b"}
    assert np.array_equal(loaded["b"], WEIGHTS["a"] * 2)
    assert pushed.load("iris", path="parts/model-00001-of-00002.safetensors").keys() == {"a"}


def test_the_tensors_of_a_file_are_listed_without_a_download(pushed):
    versions = pushed.models.versions("iris")

    found = versions.tensors("champion", "parts/model-00002-of-00002.safetensors")

    assert found["tensors"] == [{"name": "b", "dtype": "F32", "shape": [*WEIGHTS["a"].shape]}]
    assert (found["format"], found["isWhole"]) == ("safetensors", True)
    assert pushed.models.versions("bad").tensors(1)["tensors"] == []
    with pytest.raises(NotFound, match="path="):
        versions.tensors("champion")


def test_an_onnx_model_is_loaded_by_the_library_that_is_there(pushed, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    assert isinstance(pushed.load("net"), onnx.ModelProto)

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(Invalid, match=r"needs the package onnx\. pip install onnx$"):
        pushed.load("net")


def test_code_of_an_author_runs_only_with_trust_and_without_a_threat(pushed):
    assert pushed.load("wine", trust=True) == {"depth": 3}

    with pytest.raises(Invalid, match=r"wine.joblib runs code of its author \(.*no known threat found.*trust=True"):
        pushed.load("wine")
    with pytest.raises(Unsafe, match=r"evil\.pkl is not loaded: threat found: imports builtins\.exec"):
        pushed.load("evil", trust=True)


def test_what_load_does_not_know_is_said_in_a_sentence(pushed):
    with pytest.raises(Invalid, match="of no format that load knows"):
        pushed.load("petals", kind="datasets")
    with pytest.raises(Invalid, match=r"bad\.safetensors cannot be loaded as safetensors \(SafetensorError"):
        pushed.load("bad")


def test_a_login_is_for_later_programs(server, ada, pushed, monkeypatch):
    monkeypatch.setenv("CATALOG_CONFIG", str(ada.folder / "config"))
    monkeypatch.setenv("CATALOG_CACHE", str(ada.folder / "cache"))

    identity = package.login(server.url, username=ada.username, password=PASSWORD, tenant=TENANT)

    assert (identity.user.username, identity.tenant) == (ada.username, TENANT)
    assert profile.find({}).is_stored
    assert package.load("iris@champion").keys() == {"a", "b"}


def test_pandas_and_others_read_a_file_by_its_address(ada, pushed):
    table = pd.read_csv("catalog://datasets/petals@latest", storage_options=ada.who)
    with fsspec.open("catalog://iris@champion/config.json", **ada.who) as file:
        config = file.read()

    assert table.to_dict("list") == {"length": [1, 3], "width": [2, 4]}
    assert config == b'{"depth": 3}'


def test_an_address_is_listed_like_a_folder(ada, filesystem):
    listed = [filesystem.ls(path, detail=False) for path in ("catalog://iris@champion", "iris@1/parts", "models/iris")]

    folder, shards, versions = listed
    assert folder == ["models/iris@champion/parts", "models/iris@champion/config.json"]
    assert [name.rpartition("-of-")[2] for name in shards] == ["00002.safetensors"] * 2
    assert versions == ["models/iris@1"]
    assert filesystem.ls("") == [
        {"name": kind, "size": 0, "type": "directory"} for kind in ("models", "datasets", "algorithms")
    ]
    assert {"models/iris", "models/wine"} <= set(filesystem.ls("models", detail=False))
    assert filesystem.glob("catalog://iris@1/**/*.safetensors") == shards
    assert filesystem.isdir("iris@1/parts")
    assert filesystem.info("datasets/petals@1")["size"] == 21
    assert not filesystem.exists("iris@1/nothing")
    assert not filesystem.exists("no-such-model@1")


def test_only_the_ranges_that_are_read_are_downloaded(ada, hers):
    content = bytes(range(256)) * 2**14  # 4 MiB
    hers.push("large", ada.file("large.bin", content))
    remote = fsspec.filesystem("catalog", **{**ada.who, "cache": str(ada.folder / "empty")})

    assert remote.cat_file("large@1", start=1_000_000, end=1_000_010) == content[1_000_000:1_000_010]
    assert remote.cat_file("large@1", start=-4) == content[-4:]
    assert remote.cat_file("large@1") == content
    assert not (ada.folder / "empty" / "blobs").exists()


def test_nothing_is_written_through_an_address(filesystem):
    with pytest.raises(io.UnsupportedOperation, match=r"read-only: push files with catalog\.push"):
        filesystem.open("catalog://iris@1/new.txt", "wb")
    with pytest.raises(io.UnsupportedOperation):
        filesystem.rm("catalog://iris@1/config.json")
    with pytest.raises(FileNotFoundError, match="iris@1 has no file nothing: it has"):
        filesystem.open("catalog://iris@1/nothing")

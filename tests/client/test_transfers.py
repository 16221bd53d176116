"""Pushes and pulls do all or nothing: what is in the way, what is missing, and what is left when the server refuses."""

import hashlib
import math
import os
import pickle
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from catalog.client import (
    Catalog,
    CatalogWarning,
    Damaged,
    Invalid,
    NotFound,
    Offline,
    OutOfSpace,
    Unavailable,
    Unsafe,
    UnsafeFileWarning,
)
from catalog.client.errors import ProxyTooLarge
from catalog.client.session import Session
from catalog.client.transfer.cache import Cache
from catalog.client.transfer.downloads import fetching
from catalog.client.transfer.downloads.downloads import find_version
from catalog.client.transfer.downloads.partial_downloads import PartialDownload
from catalog.client.transfer.progress import silent
from catalog.client.transfer.sources import Source
from catalog.client.transfer.uploads import uploads
from catalog.client.transfer.uploads.uploads import TargetItem
from catalog.client.transport.effects import InThread, Request
from tests.support.people import hired
from tests.support.proxy import proxy_with_limit


@pytest.fixture(scope="module")
def ada(server, tmp_path_factory):
    return hired(server, tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def hers(ada):
    with ada.catalog() as catalog:
        yield catalog


@pytest.fixture
def iris():
    return f"iris-{uuid.uuid4().hex[:8]}"


class Threat:
    def __reduce__(self):
        return os.system, ("true",)


# Pushes


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": {"loss": math.nan}},
        {"metrics": {"history": [1, 2]}},
        {"metrics": {"loss": None}},
        {"metrics": {"a\tb": 1}},
        {"metrics": {"steps": 2**63}},
        {"tags": ["x" * 129]},
        {"tags": ["line\nbreak"]},
        {"tags": 7},
        {"alias": 7},
        {"alias": "3"},
        {"ordinal": "a/b"},
        {"ordinal": "one", "alias": "ONE"},
        {"inputs": ["datasets/no-such-dataset@1"]},
        {"description": "x" * 70_000},
    ],
    ids=str,
)
def test_a_push_with_a_wrong_value_leaves_nothing(hers, ada, iris, wrong):
    with pytest.raises(Invalid):
        hers.push(iris, ada.file("m.bin", b"x"), **wrong)

    with pytest.raises(NotFound):
        hers.models.get(iris)


def test_a_push_to_an_item_that_exists_is_checked_against_it(hers, ada, iris):
    file = ada.file("m.bin", b"x")
    hers.push(iris, file, ordinal="one", alias="champion")

    for wrong in ({"ordinal": "ONE"}, {"ordinal": "champion"}, {"alias": "one"}, {"metrics": {"\u200b": 1}}):
        with pytest.raises(Invalid):
            hers.push(iris, file, **wrong)
    with pytest.raises(Invalid):
        hers.models.versions(iris).add(file, metadata={"a\tb": 1})

    assert [version.ordinal for version in hers.models.versions(iris).list()] == ["one"]


def test_scalars_and_texts_for_nan_are_pushed(hers, ada, iris):
    metrics = {"loss": np.float32(0.5), "epochs": np.int64(3), "gradient": math.inf}

    pushed = hers.push(iris, ada.file("m.bin", b"x"), metrics=metrics, allow_nan="text", tags="flowers")

    assert pushed.version.metadata == {"loss": 0.5, "epochs": 3, "gradient": "Infinity"}
    assert pushed.item.tags == ("flowers",)
    hers.models.update(iris, add={"tags": iris, "metadata": {"tuned": True}})
    assert [item.name for item in hers.models.list(filter={"tags": iris}, metadata={"tuned": True})] == [iris]


def test_a_plan_says_what_a_push_would_do_and_does_nothing(hers, ada, iris):
    folder = ada.file(f"{iris}/a.txt", b"a").parent
    ada.file(f"{iris}/.git/config", b"")
    ada.file(f"{iris}/notes.tmp", b"")

    plan = hers.plan_push(iris, folder, exclude=["*.tmp"])
    pushed = hers.push(iris, folder, exclude=["*.tmp"])

    assert (plan.is_new, plan.files) == (True, {"a.txt": 1})
    assert sorted(plan.left_out) == sorted(pushed.left_out) == [".git/", "notes.tmp"]
    assert not hers.plan_push(iris, folder).is_new
    assert [version.ordinal for version in hers.models.versions(iris).list()] == ["1"]


def test_a_refused_quota_leaves_no_empty_item(server, tmp_path, iris):
    with Catalog(server.url, token=server.settings["API_TOKEN"]) as operator:
        operator.tenants.create(iris, "admin", "Pippo-Password-1", {"quota_bytes": 10, "email": "a@example.org"})
    file = tmp_path / "m.bin"
    file.write_bytes(b"x" * 100)

    with Catalog(server.url, username="admin", password="Pippo-Password-1", tenant=iris, cache=tmp_path) as client:
        with pytest.raises(OutOfSpace):
            client.push(iris, file)

        assert list(client.models.list()) == []


def test_a_threat_is_told_and_refused_when_asked(hers, ada, iris):
    threat = ada.file("m.pkl", pickle.dumps(Threat()))

    with pytest.warns(UnsafeFileWarning, match="threat found"):
        hers.push(iris, threat)
    with pytest.raises(Unsafe):
        hers.pull(iris, strict=True)
    with pytest.warns(UnsafeFileWarning, match=f"{iris}@1"):
        hers.pull(iris)


@pytest.mark.parametrize("way", ["whole", "in parts", "stored already", "folder"])
def test_of_a_strict_push_with_a_threat_there_is_never_a_version(hers, ada, iris, way, monkeypatch):
    threat = ada.file(f"{iris}/m.pkl", pickle.dumps((Threat(), way, iris)))
    hers.push(iris, ada.file("m.bin", b"x"))
    if way == "in parts":
        monkeypatch.setattr(uploads, "SMALL", 0)
    if way == "stored already":
        monkeypatch.setattr(uploads, "WORTH_ASKING", 0)
        with pytest.warns(UnsafeFileWarning):
            hers.push(f"{iris}-2", threat)

    with pytest.raises(Unsafe, match="threat found: imports"):
        hers.push(iris, threat.parent if way == "folder" else threat, strict=True)
    with pytest.raises(Unsafe):
        hers.push(f"{iris}-3", threat, strict=True)
    with pytest.raises(NotFound):
        hers.models.get(f"{iris}-3")

    assert [version.ordinal for version in hers.models.versions(iris).list()] == ["1"]
    assert hers.push(iris, ada.file("m.bin", b"y"), strict=True).reference == f"{iris}@{3 if way == 'folder' else 2}"


def test_a_cache_that_cannot_be_written_to_costs_a_push_nothing(ada, hers, iris, monkeypatch, tmp_path):
    monkeypatch.setattr(uploads, "SMALL", 0)
    (tmp_path / "file").write_text("no folder")

    with ada.catalog(cache=tmp_path / "file" / "cache") as catalog:
        file = catalog.push(iris, ada.file("m.bin", iris.encode()))
        folder = catalog.push(iris, ada.file(f"{iris}/a.txt", b"a").parent)

    assert (file.reference, folder.reference) == (f"{iris}@1", f"{iris}@2")


def test_a_file_that_goes_away_leaves_no_empty_item(hers, ada, iris, monkeypatch):
    def gone(*_):
        raise FileNotFoundError(2, "No such file or directory", "m.bin")

    monkeypatch.setattr(Source, "digest", gone)

    with pytest.raises(FileNotFoundError):
        hers.push(iris, ada.file("m.bin", b"x"))
    with pytest.raises(NotFound):
        hers.models.get(iris)


def test_two_programs_that_push_one_folder_at_once_make_two_versions(ada, iris):
    folder = ada.file(f"{iris}/a.txt", b"a").parent
    ada.file(f"{iris}/big.bin", bytes(300_000))
    both = threading.Barrier(2)

    def push(_):
        with ada.catalog() as catalog:
            both.wait()
            return catalog.push(iris, folder).version.ordinal

    with ada.catalog() as catalog:
        catalog.models.create(iris)
    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(push, range(2))) == ["1", "2"]


def test_a_full_disk_is_named_with_the_file(tmp_path):
    with Path("/dev/full").open("wb", buffering=0) as full:
        download = PartialDownload(full, tmp_path / "m.bin", 10, silent)

        with pytest.raises(OSError, match=r"No space left on device: .*m\.bin"):
            download.write(b"x")


def test_smaller_parts_go_through_a_proxy_that_takes_no_large_ones(ada, server, hers, iris, tmp_path):
    content = os.urandom(5 * 2**19)
    for number in range(8):
        ada.file(f"{iris}/{number}.bin", content[: number * 20_000])
    with proxy_with_limit(server.url, 2**19) as (url, refused), ada.catalog(url=url) as client:
        client.push(iris, ada.file("m.bin", content))
        client.push(iris, ada.folder / iris)
        sent = [*refused]
        client.push(iris, ada.file("n.bin", content + b"x"))

    assert hers.pull(f"{iris}@1").read_bytes() == content
    assert files_in(hers.pull(f"{iris}@2")) == files_in(ada.folder / iris)
    assert sent
    assert len(refused) == len(sent)  # it is remembered
    assert hers.models.get(iris).versions_total == 3


def test_a_proxy_that_takes_next_to_nothing_is_named(ada, server, iris):
    file = ada.file("m.bin", bytes(100_000))

    with (
        proxy_with_limit(server.url, 2000) as (url, _),
        ada.catalog(url=url) as client,
        pytest.raises(ProxyTooLarge, match="client_max_body_size"),
    ):
        client.push(iris, file)


# Pulls


@pytest.fixture
def folder(hers, ada, iris):
    """Two versions of a folder: the second changes b.txt, and has c.txt in the place of sub/a.txt."""
    first, second = ada.folder / f"{iris}-1", ada.folder / f"{iris}-2"
    for path, content in ((first / "sub/a.txt", b"a"), (first / "b.txt", b"b"), (second / "b.txt", b"other")):
        ada.file(str(path), content)
    ada.file(str(second / "c.txt"), b"c")
    (first / "b.txt").chmod(0o755)
    hers.push(iris, first)
    hers.push(iris, second)
    return iris


def files_in(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_newer_version_replaces_what_an_earlier_pull_wrote(hers, folder, tmp_path):
    hers.pull(f"{folder}@1", to=f"{tmp_path}/there/")
    (tmp_path / "there" / "mine.txt").write_text("mine")

    with pytest.warns(CatalogWarning, match=r"Removed 1 file of an earlier version .*sub/a.txt"):
        hers.pull(f"{folder}@2", to=tmp_path / "there")

    assert files_in(tmp_path / "there") == {"b.txt": b"other", "c.txt": b"c", "mine.txt": b"mine"}
    assert not (tmp_path / "there" / "sub").exists()
    assert (tmp_path / "there" / "b.txt").stat().st_mode & 0o111 == 0


def test_what_the_user_changed_stays_unless_by_force(hers, folder, tmp_path):
    hers.pull(f"{folder}@1", to=tmp_path / "there")
    (tmp_path / "there" / "b.txt").write_text("mine")
    (tmp_path / "there" / "sub" / "a.txt").write_text("mine, too")

    with pytest.raises(Invalid, match=r"b\.txt exists and differs"):
        hers.pull(f"{folder}@2", to=tmp_path / "there")
    assert "c.txt" not in files_in(tmp_path / "there")
    with pytest.warns(CatalogWarning, match="Kept what was changed of an earlier version in .*there: sub/a.txt"):
        hers.pull(f"{folder}@2", to=tmp_path / "there", force=True)

    assert files_in(tmp_path / "there") == {"b.txt": b"other", "c.txt": b"c", "sub/a.txt": b"mine, too"}


def test_some_files_are_pulled(hers, folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))

    single = hers.pull(f"{folder}@1", "sub/a.txt", to="~/one.txt")
    below = hers.pull(f"{folder}@1", "sub", to=f"{tmp_path}/below/")
    cached = hers.pull(f"{folder}@1", "b.txt")
    selected = hers.pull(f"{folder}@2", include=["c*"], to=tmp_path / "selected")
    with pytest.raises(NotFound, match=r"no file z.txt. It has b.txt, sub/a.txt"):
        hers.pull(f"{folder}@1", "z.txt", to=tmp_path / "none")

    assert (single, single.read_bytes()) == (tmp_path / "one.txt", b"a")
    assert files_in(below) == {"sub/a.txt": b"a"}
    assert (cached.name, cached.read_bytes()) == ("b.txt", b"b")
    assert files_in(selected) == {"c.txt": b"c"}


def test_a_link_that_leads_out_of_the_target_is_refused(hers, folder, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "sub").symlink_to(tmp_path / "outside")

    with pytest.raises(Invalid, match="leads out of"):
        hers.pull(f"{folder}@1", to=tmp_path / "there")

    assert files_in(tmp_path / "outside") == {}


def test_names_of_255_bytes_come_down(hers, ada, iris, tmp_path):
    name = "ä" * 125 + ".bin"
    hers.push(iris, ada.file(name, b"x" * 10))

    pulled = hers.pull(iris, to=f"{tmp_path}/there/")

    assert (pulled.name, pulled.read_bytes()) == (name, b"x" * 10)


def test_many_small_files_come_in_few_requests(hers, ada, iris, tmp_path, monkeypatch):
    for number in range(60):
        ada.file(f"{iris}/{number % 7}/{number}.txt", f"{number % 50}".encode())
    ada.file(f"{iris}/large.bin", bytes(fetching.SMALL + 1))
    hers.push(iris, ada.folder / iris)
    alone = []
    fetch = fetching.fetch
    monkeypatch.setattr(fetching, "fetch", lambda *args: alone.append(args[1]) or fetch(*args))

    pulled = hers.pull(iris, to=tmp_path / "there")
    cached = hers.pull(iris)

    assert files_in(pulled) == files_in(cached) == files_in(ada.folder / iris)
    assert [path.rpartition("/")[2] for path in alone] == ["large.bin"] * 2


def run_without_server(operation):
    """Run an operation where no request gets a response, without waiting."""
    result, error = None, None
    while True:
        try:
            effect = operation.throw(error) if error else operation.send(result)
        except StopIteration as end:
            return end.value
        result, error = None, None
        if isinstance(effect, Request):
            error = Unavailable("http://there does not answer")
        elif isinstance(effect, InThread):
            result = effect.function()


def test_files_of_a_cache_that_belong_to_another_user_are_used(tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    cache = Cache(tmp_path)
    file = cache.blob(hashlib.sha256(b"x").hexdigest())
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    monkeypatch.setattr(os, "utime", denied)
    monkeypatch.setattr(Path, "chmod", denied)

    assert cache.find(file.name) == file


def test_when_the_server_is_away_the_cache_says_which_version_it_was(tmp_path):
    item = TargetItem(Session("http://there", token="cat_acme_x"), Cache(tmp_path), "models", "iris")
    item.cache.save_state("refs", ["http://there", "acme", "models", "iris", "champion"], {"_id": "x", "ordinal": "7"})

    with pytest.warns(CatalogWarning, match="does not answer: iris .champion. is version 7"):
        assert run_without_server(find_version(item, "champion")).ordinal == "7"
    with pytest.raises(Unavailable):
        run_without_server(find_version(item, "latest"))


def test_a_variable_makes_a_client_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("CATALOG_OFFLINE", "1")

    with Catalog("http://127.0.0.1:1", cache=tmp_path) as offline, pytest.raises(Offline):
        offline.pull("never-pulled")


@pytest.mark.parametrize("outside", ["{file}", "../../../{name}"], ids=["absolute", "relative"])
def test_what_a_server_calls_a_digest_leads_to_no_file_outside_the_cache(tmp_path, outside):
    cache, file = Cache(tmp_path / "cache"), tmp_path / "thesis.txt"
    file.write_text("the only copy")
    (tmp_path / "cache" / "blobs").mkdir(parents=True)
    digest = outside.format(file=file, name=file.name)

    for use in (
        cache.find,
        cache.drop,
        lambda named: cache.file_view(named, "a"),
        lambda named: cache.folder_view(named, {}),
    ):
        with pytest.raises(Damaged, match="not a SHA-256"):
            use(digest)

    assert file.read_text() == "the only copy"

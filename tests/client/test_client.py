"""The client against a real server."""

import hashlib
import multiprocessing
import os
import pickle
import random
import uuid
from itertools import islice
from pathlib import Path

import pytest

import catalog as package
from catalog.client import (
    Ambiguous,
    AsyncCatalog,
    Catalog,
    CatalogError,
    Conflict,
    Damaged,
    Elsewhere,
    Forbidden,
    Invalid,
    NotFound,
    NotSignedIn,
    Offline,
    Unavailable,
)
from catalog.client.transport import retries
from catalog.commands.catalog.lineage import lines
from tests.client.conftest import DEMONSTRATION
from tests.support.app import PASSWORD
from tests.support.people import hired
from tests.support.ports import reserved_port
from tests.support.serving import TENANT

LARGE = 9 * 2**20  # goes in parts


@pytest.fixture
def ada(server, tmp_path):
    return hired(server, tmp_path, "ada")


@pytest.fixture
def bob(server, tmp_path):
    return hired(server, tmp_path, "bob")


@pytest.fixture
def adas(ada):
    with ada.catalog() as catalog:
        yield catalog


@pytest.fixture
def bobs(bob):
    with bob.catalog() as catalog:
        yield catalog


@pytest.fixture
def admin(server, tmp_path):
    who = {"username": "admin", "password": server.password, "tenant": TENANT}
    with Catalog(server.url, **who, cache=tmp_path / "admin") as catalog:
        yield catalog


@pytest.fixture
def iris():
    """A name that nobody has taken."""
    return f"iris-{uuid.uuid4().hex[:8]}"


# In one line


def test_a_model_is_pushed_by_one_and_pulled_by_another(adas, bobs, ada, bob, iris):
    model = ada.file("model.onnx", b"weights")

    pushed = adas.push(iris, model, tags=["small"], metrics={"accuracy": 0.95}, description="first")
    adas.models.share(iris, bob.username)
    path = bobs.pull(iris)

    assert (path.name, path.read_bytes()) == ("model.onnx", b"weights")
    assert (pushed.reference, pushed.item.tags, pushed.item.metadata) == (f"{iris}@1", ("small",), {"accuracy": 0.95})
    assert (pushed.version.metadata, pushed.version.description) == ({"accuracy": 0.95}, "first")


def test_a_push_to_a_name_that_somebody_else_has_makes_an_item_of_ones_own(adas, bobs, ada, bob, iris):
    adas.push(iris, ada.file("model.onnx", b"adas"))
    adas.models.update(iris, visibility="public")

    pushed = [bobs.push(iris, bob.file("model.onnx", content)) for content in (b"bobs", b"bobs second")]
    pulled = [client.pull(iris).read_bytes() for client in (adas, bobs)]

    assert [each.reference for each in pushed] == [f"{iris}@1", f"{iris}@2"]
    assert pulled == [b"adas", b"bobs second"]
    assert bobs.pull(f"{ada.username}/{iris}@1").read_bytes() == b"adas"


def test_a_script_with_a_token_pushes_to_an_item_of_its_owner(adas, bobs, ada, bob, iris):
    adas.models.create(iris, visibility="public")
    token = bobs.tokens.create(iris, scope="write").token

    with bob.catalog(token=token, username="", password="") as script:
        pushed = [script.push(iris, bob.file("model.onnx", content)) for content in (b"one", b"two")]

    assert [each.reference for each in pushed] == [f"{iris}@1", f"{iris}@2"]
    assert bobs.pull(iris).read_bytes() == b"two"
    assert list(adas.models.versions(f"{ada.username}/{iris}").list()) == []


def test_a_push_to_an_owner_and_name_or_to_an_id_is_for_those_who_may_change_it(adas, bobs, admin, ada, bob, iris):
    made = adas.models.create(iris, visibility="public")
    reference = f"{ada.username}/{iris}"
    model = bob.file("model.onnx", b"weights")

    pushed = [client.push(key, model) for client in (adas, admin) for key in (reference, made.id)]

    assert [each.item.id for each in pushed] == [made.id] * 4
    assert [each.reference for each in pushed] == [
        *(f"{reference}@1", f"{made.id}@2", f"{reference}@3", f"{made.id}@4")
    ]
    for key in (reference, made.id):
        with pytest.raises(Forbidden):
            bobs.push(key, model)
    assert [item.id for item in bobs.models.list(filter={"name": iris})] == [made.id]


def test_a_push_makes_no_item_for_somebody_else_and_ones_own_by_its_name(adas, bobs, ada, bob, iris):
    adas.models.create(iris)  # which bob may not read
    model = bob.file("model.onnx", b"weights")

    with pytest.raises(NotFound, match=f"Push to {iris} alone"):
        bobs.push(f"{ada.username}/{iris}", model)
    own = bobs.push(f"{bob.username}/{iris}", model)
    elsewhere = bobs.push(f"no-such-user/{iris}", model)

    assert (own.item.name, own.reference) == (iris, f"{bob.username}/{iris}@1")
    assert elsewhere.item.name == f"no-such-user/{iris}"


def test_several_readable_items_of_one_name_are_told_with_their_owners(adas, bobs, admin, ada, bob, iris):
    made = [client.models.create(iris, visibility="public") for client in (adas, bobs)]

    with pytest.raises(Ambiguous) as refused:
        admin.models.get(iris)

    for owner, item in ((ada, made[0]), (bob, made[1])):
        assert f"{owner.username}/{iris} ({item.id})" in str(refused.value)
        assert admin.models.get(f"{owner.username}/{iris}").id == item.id
    assert admin.push(iris, ada.file("model.onnx", b"weights")).item.id not in {each.id for each in made}


def test_what_is_in_the_trash_comes_back_by_owner_and_name(adas, bobs, admin, ada, bob, iris):
    made = [client.models.create(iris) for client in (adas, bobs)]
    for client in (adas, bobs):
        client.models.delete(iris)

    restored = admin.models.restore(f"{ada.username}/{iris}")

    assert restored.id == made[0].id
    assert bobs.models.restore(iris).id == made[1].id


def test_the_one_liners_take_who_is_asking_from_the_environment(ada, iris, monkeypatch):
    for name, value in ada.environment.items():
        monkeypatch.setenv(name, value)

    package.push(iris, ada.file("model.onnx", b"weights"))

    assert package.pull(f"{iris}@1").read_bytes() == b"weights"


def test_a_reference_names_a_version_or_an_alias(adas, ada, iris):
    for content, alias in ((b"one", "champion"), (b"two", "")):
        adas.push(iris, ada.file("model.onnx", content), alias=alias)

    pulled = {which: adas.pull(f"{iris}@{which}").read_bytes() for which in ("1", "2", "latest", "champion")}

    assert pulled == {"1": b"one", "2": b"two", "latest": b"two", "champion": b"one"}


def test_a_push_shows_the_alias_that_it_has_set(adas, ada, iris):
    pushed = adas.push(iris, ada.file("model.onnx", b"one"), alias="champion")

    assert dict(pushed.item.aliases) == {"champion": "1"}
    assert adas.models.versions(iris).get("champion").aliases == ("champion",)


@pytest.mark.parametrize(
    ("which", "advice"),
    [("7", ""), ("a.bin", ""), ("production", "catalog alias set {} production VERSION")],
)
def test_a_reference_to_what_is_not_there_says_so(adas, ada, iris, which, advice):
    adas.push(iris, ada.file("model.onnx", b"weights"))
    adas.models.update(iris, status="production")

    with pytest.raises(NotFound, match=f"no version or alias {which}") as refused:
        adas.pull(f"{iris}@{which}")

    assert advice.format(iris) in refused.value.advice


def test_an_item_is_renamed(adas, ada, iris):
    pushed = adas.push(iris, ada.file("model.onnx", b"one"))

    renamed = adas.models.rename(iris, f"{iris}-2")

    assert (renamed.id, renamed.name) == (pushed.item.id, f"{iris}-2")
    assert adas.pull(f"{iris}-2@1").read_bytes() == b"one"


def test_a_push_to_a_version_is_refused(adas, ada, iris):
    adas.push(iris, ada.file("model.onnx", b"one"), alias="champion")

    with pytest.raises(Invalid, match=f"Push to {iris}"):
        adas.push(f"{iris}@champion", ada.file("model.onnx", b"two"))

    with pytest.raises(Invalid, match=f"version 9 of {iris}, and there is none. Push to {iris}"):
        adas.push(f"{iris}@9", ada.file("model.onnx", b"two"))
    with pytest.raises(NotFound, match=f"{iris} has the version 1"):
        adas.models.aliases(iris).set("champion", 9)

    assert adas.models.get(f"{iris}@champion").versions_total == 1
    assert adas.models.versions(iris).get(1).aliases == ("champion",)


def test_aliases_are_set_listed_rolled_back_and_removed(adas, ada, iris):
    for content in (b"one", b"two"):
        adas.push(iris, ada.file("model.onnx", content))
    aliases = adas.models.aliases(iris)

    first = aliases.set("champion", "1", expected="")
    second = aliases.set("champion", "latest", revision=first.revision)
    with pytest.raises(Conflict, match="champion"):
        aliases.set("champion", "1", revision=first.revision)
    with pytest.raises(Conflict, match="points to 2"):
        aliases.set("champion", "1", expected="1")
    with pytest.raises(Conflict, match="champion"):
        adas.models.versions(iris).delete("2")
    back = aliases.rollback("champion")

    assert [second.version, back.version, back.user.username] == ["2", "1", ada.username]
    assert [each.name for each in aliases.list()] == ["champion"]
    assert aliases.get("champion", at=first.moved).version in {"1", "2"}
    adas.models.versions(iris).delete("champion", force=True)
    assert [(move.previous, move.version) for move in aliases.history("champion")] == [
        ("1", None),
        ("2", "1"),
        ("1", "2"),
        (None, "1"),
    ]
    with pytest.raises(NotFound, match="alias ls"):
        aliases.delete("champion")


def test_a_model_without_a_version_says_what_to_do(adas, iris):
    adas.models.create(iris)

    with pytest.raises(NotFound, match="Push"):
        adas.pull(iris)


# Items


def test_items_are_made_found_changed_and_shared(adas, bobs, bob, iris):
    made = adas.datasets.create(iris, tags=["flowers"], metadata={"rows": 150}, description="petals")
    changed = adas.datasets.update(
        made, add={"tags": ["tested"], "metadata": {"columns": 4}}, remove={"tags": ["flowers"]}
    )
    with pytest.raises(Forbidden):
        bobs.datasets.get(made.id)
    adas.datasets.share(iris, bob.username)

    assert (changed.tags, dict(changed.metadata)) == (("tested",), {"rows": 150, "columns": 4})
    assert [user.username for user in bobs.datasets.get(iris).users] == [bob.username]
    adas.datasets.unshare(iris, bob.username)
    with pytest.raises(Forbidden):
        bobs.datasets.get(made.id)


def test_a_misspelt_argument_and_a_closed_client_are_named(adas):
    with pytest.raises(TypeError, match=r"argument 'licence', besides .*, license,"):
        adas.models.update("iris", licence="MIT")
    with pytest.raises(TypeError, match="argument 'tags', besides alias, filter, "):
        list(adas.models.list(tags="small"))

    with Catalog(url=adas.url, token="x") as closed:
        pass
    with pytest.raises(Invalid, match="This client is closed"):
        closed.whoami()


def test_a_change_of_what_somebody_changed_is_a_conflict(adas, iris):
    adas.models.create(iris)
    seen = adas.models.get(iris)
    adas.models.update(iris, description="first")

    with pytest.raises(Conflict):
        adas.models.update(iris, description="second", revision=seen.revision)


def test_lists_are_walked_lazily_and_end(adas):
    tag = f"tag-{uuid.uuid4().hex[:8]}"
    names = [f"{tag}-{number}" for number in range(5)]
    for name in names:
        adas.algorithms.create(name, tags=[tag])

    walked = [each.name for each in adas.algorithms.list(filter={"tags": tag}, sort={"name": "asc"}, batch=2)]

    assert walked == names
    assert len(list(islice(adas.algorithms.list(filter={"tags": tag}, batch=1), 2))) == 2


def test_a_text_is_found_across_all_kinds(adas, iris):
    adas.models.create(iris)
    adas.datasets.create(f"petals-{iris}", tags=[iris], metadata={"rows": 150})

    assert [(found.kind, found.name) for found in adas.search(iris)] == [
        ("models", iris),
        ("datasets", f"petals-{iris}"),
    ]
    assert [found.kind for found in adas.datasets.search(iris)] == ["datasets"]
    assert [found.kind for found in adas.search(iris, filter={"tags": iris}, metadata={"rows": "gte:150"})] == [
        "datasets"
    ]
    assert list(adas.datasets.search(iris, filter={"tags": "other"})) == []
    counted = adas.facets(filter={"tags": iris})
    assert (counted.counts["tag"][iris], counted.counted, counted.is_exact) == (1, 1, True)
    assert [found.name for found in adas.suggest_names(iris[:-1], kind="models")] == [iris]


def test_what_was_removed_comes_back_by_its_name(adas, ada, iris):
    adas.push(iris, ada.file("model.onnx", b"weights"))
    adas.models.delete(iris)

    assert [removed.name for removed in adas.models.trash()] == [iris]
    adas.models.restore(iris)
    assert adas.pull(iris).read_bytes() == b"weights"


# Versions


def test_a_version_is_described_changed_and_removed(adas, ada, iris):
    versions = adas.models.versions(adas.models.create(iris))
    made = versions.add(
        ada.file("model.onnx", b"weights"), description="d" * 3000, metadata={"loss": 0.1}, ordinal="1.0.0"
    )

    changed = versions.update("1.0.0", state="ARCHIVED", add={"seed": 7}, remove=("loss",), revision=made.revision)

    assert (made.ordinal, len(made.description), made.digest) == ("1.0.0", 3000, hashlib.sha256(b"weights").hexdigest())
    assert (changed.state, changed.metadata) == ("ARCHIVED", {"seed": 7})
    versions.delete("1.0.0")
    assert list(versions.list()) == []


def test_a_version_of_bytes_elsewhere_says_where_they_are(adas, iris):
    adas.models.create(iris)
    versions = adas.models.versions(iris)
    made = versions.register("s3://models/iris", author="Ada", stage="staging", run={"id": "7"}, metadata={"a": 1})

    with pytest.raises(Elsewhere, match="Its bytes are at s3://models/iris") as pulled:
        adas.pull(iris)

    assert pulled.value.uri == "s3://models/iris"
    assert (made.author, made.stage, made.run["id"], made.metadata, made.files) == ("Ada", "staging", "7", {"a": 1}, ())


def test_a_card_is_set_read_and_removed(adas, iris):
    item = adas.models.create(iris)

    written = adas.models.set_card(item, "---\nlicense: mit\nlanguage: en\n---\n# Iris", revision=item.revision)
    read = adas.models.card(iris)

    assert (read.text, read.body, read.revision) == (written.text, "# Iris", written.revision)
    assert (read.front_matter, adas.models.get(iris).languages) == ({"license": "mit", "language": "en"}, ("en",))
    with pytest.raises(Conflict):
        adas.models.set_card(iris, "# late", revision=1)
    adas.models.remove_card(iris)
    with pytest.raises(NotFound):
        adas.models.card(iris)


def test_archived_versions_and_items_are_listed_on_request(adas, iris):
    item = adas.models.create(iris, external_id=iris)
    versions = adas.models.versions(iris)
    for _ in range(2):
        versions.register("s3://models/iris")

    archived = versions.update("2", archived=True, author="Ada", stage="archived")
    adas.models.update(item, archived=True)

    assert (archived.archived, archived.state, archived.stage, archived.author) == (True, "ARCHIVED", "archived", "Ada")
    assert [[each.ordinal for each in versions.list(archived=which)] for which in ("", "true", "all")] == [
        ["1"], ["2"], ["2", "1"],
    ]  # fmt: skip
    assert adas.resolve(iris, "latest").ordinal == "1"
    assert iris not in [each.name for each in adas.models.list()]
    assert [each.external_id for each in adas.models.list(archived="true") if each.name == iris] == [iris]


def test_a_folder_goes_up_and_comes_down(adas, ada, iris, tmp_path):
    files = {"config.json": b"{}", "weights/a.bin": b"a" * 1000, "weights/b ü.bin": b""}
    for name, content in files.items():
        ada.file(f"llm/{name}", content)

    pushed = adas.push(iris, ada.folder / "llm")
    there = adas.pull(iris, to=tmp_path / "there")
    cached = adas.pull(iris)

    for folder in (there, cached):
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert found == files
    assert (pushed.version.folder, pushed.version.file_count) == (True, 3)


def test_a_folder_of_many_small_files_goes_up(adas, ada, iris):
    files = {f"part {number % 7}/b ü{number}.txt": f"{number}".encode() for number in range(450)}
    for name, content in {**files, "weights.bin": b"a" * 300_000}.items():
        ada.file(f"llm/{name}", content)

    pushed = adas.push(iris, ada.folder / "llm")

    assert (pushed.version.file_count, len(pushed.version.files)) == (451, 451)
    assert {file.path: file.size for file in pushed.version.files} == {
        path.relative_to(ada.folder / "llm").as_posix(): path.stat().st_size
        for path in (ada.folder / "llm").rglob("*")
        if path.is_file()
    }


def test_a_file_that_is_open_is_a_version_too(adas, ada, iris):
    adas.models.create(iris)
    with ada.file("model.onnx", b"weights").open("rb") as file:
        version = adas.models.versions(iris).add(file)

    assert (version.original, version.size) == ("model.onnx", 7)


def test_what_the_server_has_is_not_sent_again(adas, ada, iris):
    content = random.randbytes(2**20)
    adas.push(iris, ada.file("one.bin", content))
    told = []

    version = adas.push(iris, ada.file("two.bin", content), progress=lambda *step: told.append(step)).version

    assert (version.original, version.ordinal) == ("two.bin", "2")
    assert [step for step in told if step[0] == "uploading"] == [("uploading", 2**20, 2**20)]  # not block by block


def test_a_large_file_goes_in_parts_and_tells_how_far_it_is(adas, ada, iris):
    content = random.randbytes(LARGE)
    told = []

    version = adas.push(iris, ada.file("model.bin", content), progress=lambda *step: told.append(step)).version

    assert version.digest == hashlib.sha256(content).hexdigest()
    assert told[-1] == ("uploading", LARGE, LARGE)
    assert {phase for phase, _, _ in told} == {"hashing", "uploading"}
    assert not list((ada.folder / "cache" / "uploads").iterdir())  # nothing is left to go on with


def test_a_file_is_read_by_pieces(adas, ada, iris):
    content = random.randbytes(3 * 2**20)
    adas.push(iris, ada.file("model.bin", content))

    with adas.models.versions(iris).open("1") as file:
        file.seek(-10, os.SEEK_END)
        end = file.read()
        file.seek(2**20 - 3)
        middle = file.read(6)

    assert (end, middle) == (content[-10:], content[2**20 - 3 : 2**20 + 3])


def test_a_file_of_a_folder_is_read_by_pieces_and_has_to_be_named(adas, ada, iris):
    ada.file("llm/weights.bin", b"0123456789")
    ada.file("llm/config.json", b"{}")
    adas.push(iris, ada.folder / "llm")
    versions = adas.models.versions(iris)

    assert versions.open("1", "weights.bin").read(4) == b"0123"
    with pytest.raises(Invalid, match="path="):
        versions.open("1")
    with pytest.raises(NotFound, match=r"other\.bin"):
        versions.open("1", "other.bin")


# Downloads and the cache


def test_a_download_goes_on_where_it_ended(adas, ada, iris, tmp_path):
    content = random.randbytes(2**20)
    digest = adas.push(iris, ada.file("model.bin", content)).version.digest
    (tmp_path / f".model.bin.{digest[:16]}.partial").write_bytes(content[:700_000])
    told = []

    path = adas.pull(iris, to=tmp_path, progress=lambda *step: told.append(step))

    assert path.read_bytes() == content
    assert min(done for phase, done, _ in told if phase == "downloading") > 700_000
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == ["model.bin"]


def test_what_was_left_of_something_else_does_no_harm(adas, ada, iris, tmp_path):
    content = random.randbytes(2**20)
    digest = adas.push(iris, ada.file("model.bin", content)).version.digest
    (tmp_path / f".model.bin.{digest[:16]}.partial").write_bytes(b"x" * 700_000)

    assert adas.pull(iris, to=tmp_path / "model.bin").read_bytes() == content


@pytest.mark.parametrize("kind", ["pipe", "link", "dangling link", "device"])
def test_a_download_replaces_nothing_but_a_file(adas, ada, iris, tmp_path, kind):
    adas.push(iris, ada.file("model.bin", random.randbytes(1000)))
    target, there = tmp_path / "model.bin", tmp_path / "there"
    there.write_bytes(b"there")
    make = {
        "pipe": lambda: os.mkfifo(target),
        "link": lambda: target.symlink_to(there),
        "dangling link": lambda: target.symlink_to(tmp_path / "nowhere"),
        "device": lambda: target.symlink_to("/dev/null"),
    }
    make[kind]()
    before = (target.lstat().st_ino, target.lstat().st_mode)

    with pytest.raises(Invalid, match=r"is a symbolic link|is not a regular file"):
        adas.pull(iris, to=target)

    assert (target.lstat().st_ino, target.lstat().st_mode) == before
    assert there.read_bytes() == b"there"
    assert {each.name for each in tmp_path.iterdir() if each.is_file()} <= {"model.bin", "there"}


def test_damaged_bytes_are_refused_and_leave_nothing(adas, server, ada, iris, tmp_path):
    digest = adas.push(iris, ada.file("model.bin", b"weights")).version.digest
    [blob] = (server.folder / "uploads").rglob(digest)
    blob.chmod(0o644)
    blob.write_bytes(b"Weights")

    with pytest.raises(Damaged, match="expected sha256"):
        adas.pull(iris, to=tmp_path / "model.bin")

    assert not [each for each in tmp_path.iterdir() if each.is_file()]
    blob.write_bytes(b"weights")


def test_a_file_that_was_found_damaged_is_repaired_by_pushing_it_again(adas, server, ada, iris):
    content = random.randbytes(2**19)  # so large that a client asks first whether it has to be sent
    digest = adas.push(iris, ada.file("model.bin", content)).version.digest
    [blob] = (server.folder / "uploads").rglob(digest)
    blob.write_bytes(b"!" + content[1:])
    versions = adas.models.versions(iris)

    with pytest.raises(Damaged, match=r"damaged on the server.*push it again"):
        versions.verify("1")
    adas.push(iris, ada.file("model.bin", content))

    assert versions.verify("1").digest == digest
    assert blob.read_bytes() == content


def test_a_file_that_lost_bytes_is_damaged_and_is_repaired_without_being_verified(adas, server, ada, iris):
    content = random.randbytes(2**19)
    digest = adas.push(iris, ada.file("model.bin", content)).version.digest
    [blob] = (server.folder / "uploads").rglob(digest)
    os.truncate(blob, 5)

    with pytest.raises(Damaged, match=r"damaged: 5 are left of 524288.*push the file again"):
        adas.pull(iris)
    adas.push(iris, ada.file("model.bin", content))

    assert adas.pull(iris).read_bytes() == content


def test_what_is_in_the_cache_is_not_fetched_again_and_does_not_change(adas, ada, iris):
    adas.push(iris, ada.file("model.bin", b"weights"))
    first = adas.pull(iris)
    told = []

    second = adas.pull(iris, progress=lambda *step: told.append(step))

    assert (first, told) == (second, [("downloading", 7, 7)])
    assert not first.stat().st_mode & 0o222


def test_a_file_of_the_cache_that_was_changed_is_fetched_again(adas, ada, iris):
    adas.push(iris, ada.file("model.bin", b"weights"))
    path = adas.pull(iris)
    path.chmod(0o644)
    path.write_bytes(b"changed")

    assert adas.pull(iris).read_bytes() == b"weights"


def test_the_cache_is_pruned_to_a_size(adas, ada, iris):
    for content in (b"old", b"new"):
        adas.push(iris, ada.file("model.bin", content))
        adas.pull(iris)

    dropped = adas.cache.prune(3)

    assert [entry.digest for entry in dropped] == [hashlib.sha256(b"old").hexdigest()]
    assert [entry.digest for entry in adas.cache.entries()] == [hashlib.sha256(b"new").hexdigest()]


def test_pruning_the_cache_frees_the_bytes_of_folders_too(adas, ada, iris):
    for name in ("old", "new"):
        folder = ada.file(f"{name}/model.bin", name.encode()).parent
        adas.push(iris, folder)
        adas.pull(iris)

    adas.cache.prune(3)

    left = {path.read_bytes() for path in adas.cache.folder.glob("[bv]*/**/*") if path.is_file()}
    assert left - {path.read_bytes() for path in adas.cache.folder.glob("blobs/*/*.json")} == {b"new"}
    assert (adas.pull(f"{iris}@1") / "model.bin").read_bytes() == b"old"


def pulled(who, reference):
    with Catalog(**who) as catalog:
        return str(catalog.pull(reference))


def test_processes_that_pull_at_once_share_one_cache(adas, ada, iris):
    content = random.randbytes(4 * 2**20)
    adas.push(iris, ada.file("model.bin", content))
    who = {name: value for name, value in ada.who.items() if name not in {"username", "password"}}

    forks = multiprocessing.get_context("forkserver")  # which import all of this once
    forks.set_forkserver_preload([__name__])
    with forks.Pool(4) as processes:
        paths = processes.starmap(pulled, [({**who, "token": adas.token}, iris)] * 8)

    [path] = set(paths)
    assert Path(path).read_bytes() == content
    assert len(adas.cache.entries()) == 1


def test_offline_the_cache_answers(adas, ada, iris):
    adas.push(iris, ada.file("model.bin", b"weights"))
    adas.pull(f"{iris}@latest")

    with ada.catalog(offline=True, token=adas.token) as away:
        assert away.pull(f"{iris}@latest").read_bytes() == b"weights"
        with pytest.raises(Offline, match="not downloaded before"):
            away.pull(f"{iris}@7")
        with pytest.raises(Offline):
            away.models.get(iris)


# What goes wrong


def test_a_wrong_password_is_not_signed_in(server):
    with Catalog(server.url, tenant=TENANT, username="admin", password="wrong") as catalog, pytest.raises(NotSignedIn):
        catalog.whoami()


def test_nobody_is_not_signed_in_and_told_what_to_do(server, tmp_path, monkeypatch):
    monkeypatch.setenv("CATALOG_CONFIG", str(tmp_path))
    with Catalog(server.url) as catalog, pytest.raises(NotSignedIn, match="CATALOG_TOKEN"):
        list(catalog.models.list())


@pytest.mark.parametrize("address", ["nonsense", "ftp://127.0.0.1", "http://"])
def test_what_is_no_address_is_refused_at_once(address):
    with pytest.raises(Invalid, match="not the address"):
        Catalog(address)


def test_a_server_that_is_not_there_is_unavailable(monkeypatch):
    monkeypatch.setattr(retries, "FIRST", 0.001)
    with reserved_port() as port:
        url = f"http://127.0.0.1:{port}"
        with Catalog(url, token="cat_x_y") as catalog, pytest.raises(Unavailable, match=url):
            catalog.models.get("iris")


def test_an_exception_tells_what_the_server_said(adas):
    with pytest.raises(CatalogError) as raised:
        adas.models.get("no-such-model")

    error = pickle.loads(pickle.dumps(raised.value))
    assert (error.status, error.value, error.details) == (404, 9, "no-such-model")
    assert error.request_id


@pytest.mark.parametrize("name", ["no-such-file.onnx", "."])
def test_what_cannot_be_pushed_is_refused_before_anything_is_sent(adas, tmp_path, iris, name):
    folder = tmp_path / "empty"
    folder.mkdir()

    with pytest.raises(Invalid):
        adas.push(iris, folder / name)

    with pytest.raises(NotFound):
        adas.models.get(iris)


# People


def test_who_is_asking(adas, ada):
    identity = adas.whoami()

    assert (identity.tenant, identity.user.username) == (TENANT, ada.username)


def test_a_token_of_a_script_may_do_what_it_is_for(adas, ada, server, iris):
    adas.models.create(iris)
    made = adas.tokens.create("ci", scope="read", expires_in="1h")

    with Catalog(server.url, token=made.token) as script:
        assert script.models.get(iris).name == iris
        with pytest.raises(Forbidden):
            script.models.update(iris, description="changed")
    assert made.token not in repr(made)
    assert [token.name for token in adas.tokens.list()] == ["ci"]
    adas.tokens.revoke(made.id)
    assert list(adas.tokens.list()) == []


def test_an_administrator_keeps_people_and_words(server):
    name, word = f"carl-{uuid.uuid4().hex[:8]}", f"word-{uuid.uuid4().hex[:8]}"
    with Catalog(server.url, tenant=TENANT, username="admin", password=server.password) as admin:
        admin.users.create(name, PASSWORD, email=f"{name}@example.org")
        admin.users.update(name, role="admin")
        admin.tags.create(word)

        assert admin.users.get(name).role == "admin"
        assert name in {user.username for user in admin.users.list()}
        assert [found.id for found in admin.tags.suggest(word)] == [word]
        admin.tags.delete(word)
        admin.users.delete(name)
        with pytest.raises(NotFound):
            admin.users.get(name)


def test_lineage_is_pushed_and_shown(adas, ada, iris):
    petals = f"petals-{iris}"
    adas.push(petals, ada.file("petals.csv", b"1,2"), kind="datasets")

    pushed = adas.push(iris, ada.file("model.onnx", b"weights of it"), inputs=[f"datasets/{petals}@1"])
    elsewhere = adas.models.versions(iris).register("s3://bucket/x", inputs=[petals])

    lineage = adas.lineage(iris, "1")
    [source] = lineage.inputs(lineage.root)
    assert (lineage.nodes[source].name, lineage.outputs(lineage.root)) == (petals, [])
    assert adas.lineage(petals, kind="datasets").outputs(source) == [
        f"{pushed.item.id}@{ordinal}" for ordinal in (1, 2)
    ]
    assert elsewhere.inputs == pushed.version.inputs == ({"kind": "datasets", "item": source[:24], "number": 1},)
    tree = list(lines(lineage))
    assert tree == [f"models/{iris}@1", "└─ made from", f"   └─ datasets/{petals}@1"]


def test_an_administrator_keeps_groups_and_an_owner_shares_with_them(server, adas, iris):
    group, name = f"group-{uuid.uuid4().hex[:8]}", f"dora-{uuid.uuid4().hex[:8]}"
    adas.models.create(iris)
    with Catalog(server.url, tenant=TENANT, username="admin", password=server.password) as admin:
        admin.users.create(name, PASSWORD, email=f"{name}@example.org")
        admin.groups.create(group, description="Images")
        admin.groups.add(group, name)

        shared = adas.models.share(iris, group, edit=True)
        adas.models.share(iris, group)

        assert [party.name for party in shared.editors] == [group]
        assert [(each.name, each.may) for each in adas.models.access(iris)][1:] == [(group, "edit")]
        with Catalog(server.url, tenant=TENANT, username=name, password=PASSWORD) as theirs:
            assert theirs.models.update(shared, description="changed").groups[0].name == group
            assert [user.username for user in theirs.groups.get(group).members or ()] == [name]
        assert adas.groups.get(group).members is None
        assert not adas.models.unshare(iris, group).editors
        assert admin.groups.remove(group, name).members == ()
        admin.groups.update(group, description="")
        assert group in {each.name for each in adas.groups.list()}
        admin.groups.delete(group)
        admin.users.delete(name)


def test_the_operator_keeps_tenants(server):
    name = f"acme-{uuid.uuid4().hex[:8]}"
    with Catalog(server.url, token=server.settings["API_TOKEN"]) as operator:
        operator.tenants.create(name, "boss", PASSWORD, {"email": "info@acme.example", "organization": "Acme"})
        operator.tenants.update(name, {"quota_bytes": 2**30})

        assert operator.tenants.get(name).quota_bytes == 2**30
        assert name in {tenant.id for tenant in operator.tenants.list()}
        operator.tenants.delete(name)
        assert name not in {tenant.id for tenant in operator.tenants.list()}


def test_an_administrator_of_the_demo_tenant_makes_and_removes_the_demo(server, adas):
    with Catalog(server.url, token=server.settings["API_TOKEN"]) as operator:
        operator.tenants.create(DEMONSTRATION, "boss", PASSWORD, {"email": "info@example.org"})

    with Catalog(server.url, tenant=DEMONSTRATION, username="boss", password=PASSWORD) as boss:
        made, shown, removed = boss.demo.create(models=1), boss.demo.show(), boss.demo.remove()

    assert (made["items"], len(shown["models"]), removed["items"], removed["kept"]) == (3, 1, 3, [])
    with pytest.raises(Forbidden):
        adas.demo.show()


# The same, awaited


async def test_the_asynchronous_client_does_the_same(ada, iris, tmp_path):
    content = random.randbytes(LARGE)
    async with ada.asynchronous() as adas:
        pushed = await adas.push(iris, ada.file("model.bin", content), tags=["large"])
        path = await adas.pull(f"{iris}@1", to=tmp_path / "copy.bin")
        listed = [model.name async for model in adas.models.list(filter={"tags": "large"}, batch=1)]
        piece = await adas.models.versions(iris).read("1", 5, 9)

        assert (path.read_bytes(), pushed.reference, piece) == (content, f"{iris}@1", content[5:9])
        assert iris in listed
        with pytest.raises(NotFound):
            await adas.models.get("no-such-model")


async def test_folders_go_up_and_down_side_by_side_there_too(ada, iris, tmp_path):
    for number in range(10):
        ada.file(f"llm/{number}.bin", b"x" * number)

    async with AsyncCatalog(**ada.who) as adas:
        await adas.push(iris, ada.folder / "llm")
        there = await adas.pull(iris, to=tmp_path / "there")

    assert sorted(path.stat().st_size for path in there.iterdir()) == list(range(10))

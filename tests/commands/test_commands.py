"""The commands of the client, as people and scripts use them."""

import json
import os
import pty
import random
import signal
import subprocess
import sys
import uuid
from multiprocessing import get_context
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from catalog import __version__
from catalog.client import Catalog
from catalog.client.transfer.progress import INTERVAL, ProgressLines
from catalog.client.transport import retries
from catalog.commands.cli import app
from catalog.commands.terminal import completion
from tests.support.app import PASSWORD
from tests.support.people import hired
from tests.support.serving import CATALOG, SOON, TENANT, Server, interruptible
from tests.support.terminals import Terminal

OPERATOR = "an operator's token of the tests"
KILLS = 12  # four of each kind
PROGRAM = Path(sys.executable).with_name("catalog")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server"), API_TOKEN=OPERATOR) as server:
        yield server


@pytest.fixture
def ada(server, tmp_path):
    return hired(server, tmp_path)


@pytest.fixture
def iris():
    return f"iris-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def run(ada, monkeypatch):
    """Run a command as ada, in her folder."""
    return commands_of(ada, monkeypatch)


def commands_of(somebody, monkeypatch):
    monkeypatch.chdir(somebody.folder)
    for name, value in somebody.environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments, code=0, typed=None):
        result = CliRunner().invoke(app, list(map(str, arguments)), input=typed)
        assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
        return result

    return run


@pytest.fixture
def as_admin(server, tmp_path, monkeypatch):
    """Run a command as an administrator with a password in the environment."""
    for name, value in {"URL": server.url, "USERNAME": "admin", "PASSWORD": server.password, "TENANT": TENANT}.items():
        monkeypatch.setenv(f"CATALOG_{name}", value)
    monkeypatch.setenv("CATALOG_CONFIG", str(tmp_path / "config"))

    def run(*arguments, typed=None, code=0):
        result = CliRunner().invoke(app, list(arguments), input=typed)
        assert result.exit_code == code, (result.stdout, result.stderr)
        return result

    return run


# Files up and down


def test_a_file_is_pushed_and_pulled(run, ada, iris):
    ada.file("model.onnx", b"weights")

    pushed = run("push", iris, "model.onnx", "--tag", "small", "--set", "accuracy=0.95", "-q")
    (ada.folder / "model.onnx").unlink()
    pulled = run("pull", pushed.stdout.strip())

    assert (pushed.stdout, pulled.stdout, pushed.stderr) == (f"{iris}@1\n", "model.onnx\n", "")
    assert (ada.folder / "model.onnx").read_bytes() == b"weights"
    assert json.loads(run("models", "show", iris, "--json").stdout)["metadata"] == {"accuracy": 0.95}


@pytest.mark.parametrize("name", ["org/{}", "a b%2F/{}?#+;", "🌸/{}"])
def test_a_name_with_slashes_and_signs_is_pushed_found_and_pulled(run, ada, iris, name):
    name = name.format(iris)
    ada.file("model.bin", b"weights")

    pushed = run("push", name, "model.bin", "--tag", "a/b", "-q")
    (ada.folder / "model.bin").unlink()
    pulled = [run("pull", what) for what in (name, f"{name}@1", f"{ada.username}/{name}")]
    shown = json.loads(run("models", "show", name, "--json").stdout)
    versions = run("versions", "ls", name, "-q")
    run("models", "rm", name)
    run("models", "restore", name)

    assert (pushed.stdout, versions.stdout) == (f"{name}@1\n", f"{name}@1\n")
    assert [each.stdout for each in pulled] == ["model.bin\n"] * 3
    assert (shown["name"], shown["tags"]) == (name, ["a/b"])
    assert (ada.folder / "model.bin").read_bytes() == b"weights"


def test_a_folder_under_a_name_with_slashes_comes_down_beside_us(run, ada, iris):
    for path in ("config.json", "weights/a.bin"):
        ada.file(path, path.encode())

    run("push", f"org/{iris}", "config.json", "weights")
    pulled = run("pull", f"org/{iris}")

    assert pulled.stdout == f"org_{iris}\n"
    assert (ada.folder / f"org_{iris}" / "weights" / "a.bin").read_bytes() == b"weights/a.bin"


def test_a_name_that_several_have_is_told_with_what_to_write(run, ada, iris, server, tmp_path):
    owners = [hired(server, tmp_path, name) for name in ("bob", "eve")]
    made = []
    for owner in owners:
        with owner.catalog() as catalog:
            made.append(catalog.models.create(iris, visibility="public"))

    refused = run("models", "show", iris, code=5)

    for owner, item in zip(owners, made, strict=True):
        assert f"{owner.username}/{iris} ({item.id})" in refused.stderr
        assert run("models", "show", f"{owner.username}/{iris}", "-q").stdout == f"{item.id}\n"


def test_a_tag_with_a_slash_and_a_blank_is_removed(as_admin, iris):
    as_admin("tags", "add", f"{iris}/a b")

    as_admin("tags", "rm", f"{iris}/a b")

    assert iris not in as_admin("tags", "ls").stdout


def test_several_files_are_one_version_and_come_down_into_a_folder(run, ada, iris):
    for path in ("config.json", "weights/a.bin", "weights/b.bin"):
        ada.file(path, path.encode())

    run("push", iris, "config.json", "weights")
    run("pull", iris)
    elsewhere = run("pull", iris, "--to", "elsewhere", "--json")

    for folder in (ada.folder / iris, ada.folder / "elsewhere"):
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        assert files == ["config.json", "weights/a.bin", "weights/b.bin"]
    assert json.loads(elsewhere.stdout) == {"path": "elsewhere"}


def test_files_of_one_name_are_refused(run, ada, iris):
    ada.file("one/a.bin", b"")
    ada.file("two/a.bin", b"")

    refused = run("push", iris, "one/a.bin", "two/a.bin", code=2)

    assert "Two files are called a.bin" in refused.stderr


def test_a_threat_is_refused_strictly_and_a_changed_file_is_replaced_by_force(run, ada, iris):
    ada.file("m.pkl", b"cos\nsystem\n(S'true'\ntR.")

    refused = run("push", iris, "m.pkl", "--strict", code=1)
    pushed = run("push", iris, "m.pkl", "-q")
    not_pulled = run("pull", iris, "--strict", code=2)
    ada.file("m.pkl", b"changed")
    kept = run("pull", iris, code=2)
    run("pull", iris, "--force")

    assert "threat found: imports os.system" in refused.stderr
    assert (pushed.stdout, "threat found" in pushed.stderr) == (f"{iris}@1\n", True)
    assert "threat found" in not_pulled.stderr
    assert "--force" in kept.stderr
    assert (ada.folder / "m.pkl").read_bytes().startswith(b"cos")


def test_what_is_in_the_cache_is_said_where(run, ada, iris):
    run("push", iris, ada.file("model.onnx", b"weights"))

    path = run("pull", iris, "--cached").stdout.strip()

    assert path.startswith(str(ada.folder / "cache"))
    digest = run("cache", "ls", "-q").stdout.strip()
    assert run("cache", "rm", digest[:8]).stderr == "Removed 1 file, 7 B\n"
    assert run("cache", "ls", "-q").stdout == ""


def test_versions_are_listed_shown_verified_and_removed(run, ada, iris):
    for content in (b"one", b"two"):
        run("push", iris, ada.file("model.onnx", content), "-d", content.decode())

    assert run("versions", "ls", iris, "-q").stdout == f"{iris}@2\n{iris}@1\n"
    assert json.loads(run("versions", "show", f"{iris}@1", "--json").stdout)["description"] == "one"
    assert "is intact" in run("versions", "verify", f"{iris}@2").stderr
    assert "use --yes" in run("versions", "rm", f"{iris}@1", code=2).stderr
    run("versions", "rm", f"{iris}@1", "--yes")
    assert run("versions", "ls", iris, "-q").stdout == f"{iris}@2\n"


def test_a_version_of_bytes_elsewhere_is_added_changed_and_archived(run, iris):
    run("models", "create", iris)

    run("versions", "register", iris, "s3://models/iris", "--as", "paper", "--set", "accuracy=0.9", "--author", "Ada")
    changed = run("versions", "update", f"{iris}@paper", "--stage", "archived", "--archive").stdout
    listed = [run("versions", "ls", iris, *options).stdout for options in ((), ("--archived",), ("--all",))]
    pulled = run("pull", f"{iris}@paper", code=1)

    assert all(word in changed for word in ("s3://models/iris", "ARCHIVED", "archived", "Ada"))
    assert ["paper" in each for each in listed] == [False, True, True]
    assert "Its bytes are at s3://models/iris." in pulled.stderr


def test_versions_are_compared_and_listed_by_a_metric(run, ada, iris):
    for which, accuracy in enumerate((0.9, 0.95, 0.8), 1):
        (ada.folder / "model.bin").write_bytes(b"x" * which)
        run("push", iris, "model.bin", "--set", f"accuracy={accuracy}")

    compared = run("compare", f"{iris}@1", f"{iris}@latest").stdout
    options = ("--filter", json.dumps({"name": iris}), "--latest", "accuracy=gte:0", "--sort", "-latest.accuracy", "-q")
    assert len(run("models", "ls", *options).stdout.split()) == 1
    assert run("models", "ls", *options, "--stage", "staging", "--license", "MIT").stdout == ""
    by_metric = run("versions", "ls", iris, "--sort", "-accuracy", "--where", "accuracy=gte:0.85", "-q").stdout
    refused = run("compare", f"{iris}@1", "other@1", code=2).stderr

    assert "metadata\taccuracy\t0.9 -> 0.8 (-0.1)" in compared
    assert "file\tmodel.bin\t~ 1 B -> 3 B" in compared
    assert by_metric.split() == [f"{iris}@2", f"{iris}@1"]
    assert "several items" in refused


def test_a_card_is_set_edited_shown_and_removed(run, ada, iris, monkeypatch):
    run("models", "create", iris)
    editor = ada.folder / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/# .*/# Edited/" "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)

    run("card", "edit", iris)
    edited = run("card", "show", iris).stdout
    run("card", "set", iris, "-", typed="---\nlicense: mit\n---\n# Iris\n")
    shown = run("card", "show", iris).stdout
    run("card", "rm", iris)

    assert "# Edited" in edited
    assert shown.startswith("---\nlicense: mit\n")
    assert "has no card" in run("card", "show", iris, code=4).stderr


def test_a_link_fetches_a_file_without_a_token(run, ada, iris):
    run("push", iris, ada.file("model.onnx", b"weights"))

    link = run("versions", "link", f"{iris}@1", "--for", "60", "-q").stdout.strip()

    assert link.startswith(f"{ada.server.url}/v1/links/")
    assert httpx.get(link, timeout=SOON).content == b"weights"


def test_bytes_that_changed_on_the_server_are_found_out(run, ada, server, iris):
    run("push", iris, ada.file("model.onnx", random.randbytes(100)))
    digest = json.loads(run("versions", "show", iris, "--json").stdout)["digest"]
    [blob] = (server.folder / "uploads").rglob(digest)
    blob.chmod(0o644)
    blob.write_bytes(random.randbytes(100))

    assert "damaged on the server" in run("versions", "verify", iris, code=1).stderr


def test_standard_input_is_pushed_and_some_files_are_pulled(run, ada, iris):
    ada.file("folder/config.json", b"{}")
    ada.file("folder/weights.bin", b"weights")
    ada.file("folder/.git/config", b"")

    nameless = run("push", iris, "-", code=2, typed="notes")
    run("push", iris, "-", "--name", "notes.txt", typed="notes")
    planned = run("push", iris, "folder", "--dry-run", "--include", "*.json")
    pushed = run("push", iris, "folder")
    pulled = run("pull", iris, "config.json", "--to", "there/")

    assert "--name" in nameless.stderr
    assert run("pull", f"{iris}@1", "--to", "notes.txt").stdout == "notes.txt\n"
    assert (ada.folder / "notes.txt").read_bytes() == b"notes"
    assert planned.stdout == "config.json  2 B\n"
    assert "Left out: .git/" in pushed.stderr
    assert (pulled.stdout, pushed.stdout) == ("there/config.json\n", f"{iris}@2\n")
    assert [path.name for path in (ada.folder / "there").iterdir()] == ["config.json"]


def test_offline_the_cache_is_used(run, ada, iris):
    run("push", iris, ada.file("model.onnx", b"weights"))
    path = run("pull", iris, "--cached").stdout

    assert run("pull", iris, "--cached", "--offline").stdout == path
    assert "--offline" in run("models", "ls", "--offline", code=1).stderr


def test_versions_aliases_and_tags_are_completed(run, ada, iris):
    run("push", iris, ada.file("model.onnx", b"x"), "--alias", "champion", "--tag", iris)

    assert completion.references(f"{iris}@") == [f"{iris}@champion", f"{iris}@latest", f"{iris}@1"]
    assert completion.references(f"{iris}@ch") == [f"{iris}@champion"]
    assert iris in completion.references(iris[:9])
    assert iris in completion.tags(iris[:12])


# Items and words


@pytest.mark.parametrize("kind", ["models", "datasets", "algorithms"])
def test_an_item_is_made_changed_found_removed_and_restored(run, kind, iris):
    identity = run(kind, "create", iris, "-t", "flowers", "--set", 'seed="7"', "-d", "petals", "-q").stdout.strip()

    card = ("--license", "MIT", "--library", "keras", "--language", "en", "--task", "tagging")
    shown = run(kind, "update", iris, "--untag", "flowers", "-t", "tested", "--set", "rows=150", *card, "--json")
    tagging = ("--filter", json.dumps({"tasks": "tagging"}))
    licensed = run(kind, "ls", "--license", "MIT", "--library", "keras", *tagging, "-q")
    listed = run(kind, "ls", "--tag", "tested", "--where", "rows=gte:150", "--sort", "-name", "-q")
    found = run("search", iris, "--kind", kind, "--tag", "tested", "--where", "rows=150", "-q")
    not_found = run("search", iris, "--filter", '{"tags": "flowers"}', "-q")

    item = json.loads(shown.stdout)
    assert (item["tags"], item["metadata"], item["description"]) == (["tested"], {"seed": "7", "rows": 150}, "petals")
    assert (item["license"], item["library"], item["languages"]) == ("MIT", "keras", ["en"])
    assert identity in licensed.stdout.split()
    assert identity in listed.stdout.split()
    assert (found.stdout.split(), not_found.stdout) == ([identity], "")
    run(kind, "rm", iris)
    run(kind, "show", iris, code=4)
    assert identity in run(kind, "ls", "--trash", "-q").stdout.split()
    run(kind, "restore", iris)
    assert run(kind, "show", iris, "-q").stdout.strip() == identity


def test_an_item_is_shared_and_not_any_more(run, ada, server, tmp_path, iris):
    bob = hired(server, tmp_path, "bob").username
    run("models", "create", iris)
    assert f"owner       {ada.username}\n" in run("models", "show", iris).stdout

    assert run("models", "share", iris, bob).stdout.split() == ["users", bob, "editors"]
    assert run("models", "share", iris, bob, "--stop").stdout.split() == ["users", "editors"]


def test_a_list_for_programs_is_json_tabs_or_ids(run, iris):
    run("models", "create", iris)
    only = ("--filter", json.dumps({"name": iris}))

    [item] = json.loads(run("models", "ls", *only, "--json").stdout)

    assert run("models", "ls", *only, "-q").stdout == item["id"] + "\n"
    assert run("models", "ls", *only).stdout.split("\t")[0] == iris
    assert json.loads(run("models", "ls", "--filter", '{"name": "nobody has this"}', "--json").stdout) == []


def test_words_are_listed_added_and_removed(as_admin, iris):
    as_admin("tags", "add", iris)

    assert as_admin("tags", "ls", iris).stdout == f"{iris}\t0\tdefault\n"
    as_admin("tags", "rm", iris)
    assert as_admin("tags", "ls", iris).stdout == ""


# People


def test_people_are_kept_by_administrators(as_admin):
    name = f"carl-{uuid.uuid4().hex[:8]}"

    as_admin("users", "create", name, "--email", f"{name}@example.org", "--password-stdin", typed=f"{PASSWORD}\n")
    as_admin("users", "update", name, "--role", "admin")

    assert f"{name}\tadmin" in as_admin("users", "ls").stdout
    as_admin("users", "rm", name, "--yes")
    assert name not in as_admin("users", "ls").stdout


def test_a_token_is_printed_once_and_revoked(run):
    token = run("tokens", "create", "ci", "--scope", "write", "--for", "1h", "-q").stdout.strip()

    assert token.startswith("cat_")
    [kept] = json.loads(run("tokens", "ls", "--json").stdout)
    assert token not in str(kept)
    run("tokens", "rm", "ci")
    assert run("tokens", "ls").stdout == ""


def test_robots_are_kept_by_administrators(as_admin, server):
    name = f"ci-{uuid.uuid4().hex[:8]}"

    first = as_admin("robots", "create", name, "--scope", "write", "--tag", "nightly", "-q").stdout.strip()
    second = as_admin("robots", "rotate", name, "-q").stdout.strip()
    with Catalog(server.url, token=second) as robot:
        robot.models.create(name, tags=["nightly"])

    assert first != second
    assert f"{name}\twrite\t#nightly" in as_admin("robots", "ls").stdout
    as_admin("robots", "update", name, "--unlimited", "--description", "trains")
    shown = json.loads(as_admin("robots", "show", name, "--json").stdout)
    assert (shown["tags"], shown["description"], shown["created_by"]) == ([], "trains", "admin")
    as_admin("robots", "revoke", name)
    as_admin("robots", "rm", name, "--transfer", "admin", "--yes")
    assert name not in as_admin("robots", "ls").stdout


def test_tenants_are_kept_by_the_operator(server, monkeypatch, tmp_path):
    monkeypatch.setenv("CATALOG_URL", server.url)
    monkeypatch.setenv("CATALOG_TOKEN", OPERATOR)
    name = f"acme-{uuid.uuid4().hex[:8]}"

    def run(*arguments, typed=None):
        result = CliRunner().invoke(app, list(arguments), input=typed)
        assert result.exit_code == 0, result.stderr
        return result.stdout

    run("tenants", "create", name, "--email", "info@acme.example", "--password-stdin", typed="pippo\n")
    assert name in run("tenants", "ls", "-q").split()
    assert run("tenants", "show", name, "-q").strip() == name
    changed = run("tenants", "update", name, "--quota", "20G", "--inspection", "reject")
    assert ("20 GiB" in changed, "reject" in changed) == (True, True)
    assert "of 20 GiB (0 %)" in run("usage", "--tenant", name)
    run("tenants", "rm", name, "--confirm", name)
    assert name not in run("tenants", "ls", "-q").split()


def test_metrics_are_columns_and_lists_are_narrowed(run, ada, iris):
    run("push", iris, ada.file("model.onnx", b"x"), "--set", "accuracy=0.95", "--tag", iris)
    run("models", "update", iris, "--status", "test")
    only = ("--tag", iris, "--metric", "accuracy", "--metric", "loss")

    listed = run("models", "ls", *only, "--owner", ada.username, "--status", "test", "--visibility", "private").stdout
    versions = run("versions", "ls", iris, "-m", "accuracy").stdout

    assert listed.split("\t")[:3] == [iris, "0.95", ""]
    assert versions.split("\t")[:2] == ["1", "0.95"]
    assert run("models", "ls", *only, "--status", "deploy").stdout == ""


def test_requests_are_printed_as_curl_without_secrets(run, ada, iris):
    told = run("models", "ls", "--debug").stderr

    assert f"curl '{ada.server.url}/v1/models?limit=50" in told
    assert "Authorization: ****" in told
    assert PASSWORD not in told


def test_an_error_is_an_object_of_json_when_that_is_asked_for(run, iris):
    missing = json.loads(run("models", "show", iris, "--json", code=4).stderr)
    wrong = json.loads(run("tenants", "update", "acme", "--json", code=2).stderr)

    assert (missing["error"], missing["status"], missing["exit_code"]) == ("NotFound", 404, 4)
    assert "nothing to change" in wrong["message"]


def test_a_pull_of_what_is_not_there_says_what_there_is(run, ada, iris):
    for content in (b"1", b"2", b"3"):
        run("push", iris, ada.file("model.onnx", content))
    run("alias", "set", iris, "champion", "2")
    run("push", f"org/{iris}", ada.file("model.onnx", b"x"))

    number = run("pull", f"{iris}@9", code=4).stderr
    compared = run("compare", f"{iris}@1", f"{iris}@9", code=4).stderr
    lineage = run("lineage", f"{iris}@9", code=4).stderr
    file = run("pull", f"{iris}@1", "nothing", code=4).stderr
    card = run("card", "show", iris, code=4).stderr
    alias = run("pull", f"{iris}@champoin", code=4).stderr
    name = run("pull", f"orgs/{iris}", code=4).stderr

    assert f"{iris} has versions 1 to 3" in number
    assert compared == lineage == number
    assert "Version 1 has no file nothing. It has model.onnx." in file
    assert "catalog card set" in card
    assert "It has the alias champion" in alias
    assert f"org/{iris}" in name


# Signing in


@pytest.fixture
def away(server, tmp_path, monkeypatch):
    """No user is signed in on this machine."""
    for name in list(os.environ):
        if name.startswith("CATALOG_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CATALOG_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments, typed=None):
    return CliRunner().invoke(app, list(arguments), input=typed)


def test_a_user_who_signs_in_is_known_until_the_sign_out(server, away, ada):
    arguments = ("login", "--url", server.url, "-u", ada.username, "--tenant", TENANT, "--password-stdin")

    signed_in = invoke(*arguments, typed=f"{PASSWORD}\n")
    known = invoke("whoami", "--json")
    signed_out = invoke("logout")
    unknown = invoke("whoami")

    assert (signed_in.exit_code, signed_out.exit_code) == (0, 0)
    assert json.loads(known.stdout)["user"] == ada.username
    assert unknown.exit_code == 3
    assert "catalog login" in unknown.stderr


def test_the_token_is_in_a_file_for_oneself_and_in_no_output(server, away, ada):
    with ada.catalog() as catalog:
        token = catalog.tokens.create("ci", scope="write").token

    signed_in = invoke("login", "--url", server.url, "--token-stdin", typed=f"{token}\n")

    file = away / "config" / "credentials.json"
    assert json.loads(file.read_text()) == {server.url: token}
    assert file.stat().st_mode & 0o077 == 0
    assert token not in signed_in.output
    assert invoke("models", "ls").exit_code == 0


def test_a_profile_has_a_session_of_its_own(server, away, ada):
    arguments = ("profile", "add", "work", "--url", server.url, "--tenant", TENANT, "--username", ada.username)

    assert invoke(*arguments).exit_code == 0
    assert invoke("login", "--profile", "work", "--password-stdin", typed=f"{PASSWORD}\n").exit_code == 0
    known = json.loads(invoke("whoami", "--profile", "work", "--json").stdout)
    unused = invoke("whoami", "--url", server.url)
    invoke("profile", "use", "work")

    assert known["user"] == json.loads(invoke("whoami", "--json").stdout)["user"] == ada.username
    assert unused.exit_code == 3
    assert invoke("profile", "ls").stdout == f"work\t*\t{server.url}\t{TENANT}\t{ada.username}\n"


def test_a_wrong_password_is_not_signed_in_and_nothing_is_kept(server, away):
    refused = invoke("login", "--url", server.url, "-u", "nobody", "--password-stdin", typed="wrong\n")

    assert refused.exit_code == 3
    assert not (away / "config" / "credentials.json").exists()


def test_a_project_says_which_server_is_meant(server, away, ada):
    (away / ".catalog.toml").write_text(f'url = "{server.url}"\ntenant = "{TENANT}"\n')
    (away / "inside").mkdir()
    os.chdir(away / "inside")

    assert invoke("login", "-u", ada.username, "--password-stdin", typed=f"{PASSWORD}\n").exit_code == 0
    assert json.loads(invoke("whoami", "--json").stdout)["server"] == server.url


def test_a_secret_in_a_projects_file_is_refused(away):
    (away / ".catalog.toml").write_text('token = "cat_acme_secret"\n')

    refused = invoke("models", "ls")

    assert refused.exit_code == 2
    assert "has a token" in refused.stderr
    assert "cat_acme_secret" not in refused.stderr


# Aliases


def test_an_alias_is_set_listed_moved_back_and_removed(run, ada, iris):
    ada.file("model.onnx", b"weights")
    run("push", iris, "model.onnx")

    set_ = run("alias", "set", iris, "champion", "1")
    run("push", iris, "model.onnx", "--alias", "champion")
    refused = run("alias", "set", iris, "champion", "1", "--expected", "1", code=5)
    back = run("alias", "rollback", iris, "champion", "-q")
    moves = [line.split("\t")[1:4] for line in run("alias", "history", iris, "champion").stdout.splitlines()]
    listed = run("alias", "ls", iris, "-q")
    run("alias", "rm", iris, "champion")

    assert (set_.stdout, back.stdout, listed.stdout) == (
        f"{iris}@champion  1\n",
        f"{iris}@1\n",
        f"{iris}@champion\n",
    )
    assert "points to 2" in refused.stderr
    assert moves == [["champion", "2", "1"], ["champion", "1", "2"], ["champion", "-", "1"]]
    assert run("alias", "ls", iris).stdout == ""


def test_a_pull_of_an_alias_that_is_not_there_prints_the_command_that_sets_it(run, ada, iris):
    ada.file("model.onnx", b"weights")
    run("push", iris, "model.onnx", "--kind", "datasets")

    refused = run("pull", f"{iris}@production", "--kind", "datasets", code=4)

    assert f"catalog alias set {iris} production VERSION --kind datasets" in refused.stderr


def test_a_version_with_an_alias_is_removed_by_force(run, ada, iris):
    ada.file("model.onnx", b"weights")
    run("push", iris, "model.onnx", "--alias", "champion")

    refused = run("versions", "rm", f"{iris}@1", "--yes", code=5)
    run("versions", "rm", f"{iris}@champion", "--yes", "--force")

    assert "--force" in refused.stderr
    assert run("versions", "ls", iris).stdout == ""


# What goes wrong


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("models", "show", "no-such-model"), 4, "no-such-model"),
        (("pull", "no-such-model"), 4, "no-such-model"),
        (("pull", "@3"), 2, "iris@latest"),
        (("share", "iris", "bob"), 2, "catalog models share iris bob"),
        (("--profile", "x", "models", "ls"), 2, "comes after the command"),
        (("compare", "iris"), 2, "iris@1 iris@champion"),
        (("models", "ls", "--url", "{url}/nothing"), 4, "Check the path in the address"),
        (("push", "iris", "no-such-file"), 2, "no-such-file"),
        (("push", "iris", __file__, "--set", "accuracy"), 2, "NAME=VALUE"),
        (("models", "ls", "--filter", "{"), 2, "is not JSON"),
        (("models", "ls", "--filter", '{"$where": "1"}'), 1, "$where"),
        (("versions", "ls", "iris", "--kind", "cats"), 2, "cats"),
        (("cache", "prune", "--to", "much"), 2, "not a size"),
        (("cache", "rm"), 2, "--all"),
        (("push", __file__, "no-such-file"), 2, "comes first, then the file"),
        (("models", "update", "iris"), 2, "nothing to change"),
        (("users", "update", "bob"), 2, "nothing to change"),
        (("tokens", "create", "x", "--for", "1y"), 2, "not a length of time"),
        (("models", "ls", "--url", "nonsense"), 2, "not the address"),
        (("models", "ls", "--url", "http://127.0.0.1:1"), 1, "does not answer"),
    ],
)
def test_a_mistake_gets_a_sentence_and_a_code(run, server, monkeypatch, arguments, code, sentence):
    monkeypatch.setattr(retries, "FIRST", 0.001)
    refused = run(*(each.format(url=server.url) if "{url}" in each else each for each in arguments), code=code)

    assert sentence in refused.stderr
    assert refused.stdout == ""
    assert "Traceback" not in refused.stderr


def test_a_reader_that_has_seen_enough_is_no_failure(run, ada, iris):
    for number in range(3):
        run("models", "create", f"{iris}-{number}")
    command = f"{sys.executable} -m catalog models ls --json | true"

    ended = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_names_are_completed(run, iris, monkeypatch):
    run("models", "create", iris)
    monkeypatch.setenv("_CATALOG_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", f"catalog models show {iris[:9]}")
    monkeypatch.setenv("COMP_CWORD", "3")

    told = subprocess.run([PROGRAM], capture_output=True, text=True, check=False)

    assert iris in told.stdout.split()


# Progress


def test_a_terminal_gets_a_table_and_bars(run, ada, iris):
    run("push", iris, ada.file("model.bin", random.randbytes(2**20)))

    listed = on_terminal("models", "ls", "--filter", json.dumps({"name": iris}))
    narrow = on_terminal("models", "ls", "--filter", json.dumps({"name": iris}), columns=50)
    pulled = on_terminal("pull", iris, "--to", "there.bin")

    assert "visibility" in listed
    assert iris in narrow
    assert "Not shown: " in narrow
    assert "…" not in narrow
    assert "downloading" in pulled


def on_terminal(*arguments, columns=200):
    wide = {**os.environ, "COLUMNS": str(columns)}
    ours, theirs = pty.openpty()
    with subprocess.Popen([*CATALOG, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=wide) as process:
        os.close(theirs)
        heard = b""
        while block := _read(ours):
            heard += block
    os.close(ours)
    assert process.returncode == 0, heard
    return heard.decode()


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side has closed the connection
        return b""


def test_a_log_gets_a_line_every_ten_seconds():
    clock, lines = iter(range(0, 100, 4)), []
    progress = ProgressLines(lines.append, now=lambda: next(clock))

    for done in range(10):
        progress("uploading", done * 2**20, 10 * 2**20)

    assert len(lines) == 36 // int(INTERVAL + 2)
    assert lines[0] == "uploading 3 MiB of 10 MiB (30 %), 256 KiB/s, 28 s left"


INTERRUPTED = """
import os, signal
from catalog.client.transfer.progress import ProgressLines
from catalog.commands import cli

tell = ProgressLines.__call__

def interrupted(lines, phase, done, total):
    tell(lines, phase, done, total)
    if phase == "uploading" and done:
        os.kill(os.getpid(), signal.SIGINT)

ProgressLines.__call__ = interrupted
cli.main()
"""


def test_who_interrupts_is_told_how_to_go_on(run, ada, iris):
    size = 2**25
    with ada.file("model.bin", b"").open("r+b") as file:
        file.truncate(size)
    command = [sys.executable, "-c", INTERRUPTED, "push", iris, "model.bin"]

    with interruptible(), subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        told = process.stderr.read()

    assert process.returncode == 130, told
    assert told.endswith(f"  catalog push {iris} model.bin\n")
    assert run("push", iris, "model.bin").stdout == f"{iris}@1\n"
    assert json.loads(run("versions", "show", iris, "--json").stdout)["size"] == size


def push_and_die(who, name, path, blocks):
    """Push until so many blocks have been sent, and die at once."""
    left = [blocks]

    def tell(phase, done, total):
        if phase == "uploading":
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    with Catalog(**who) as catalog:
        catalog.push(name, path, progress=tell)


def test_a_push_that_is_killed_again_and_again_arrives_right(run, ada, iris):
    content = random.randbytes((2 * KILLS + 4) * 2**20)
    path = ada.file("model.bin", content)
    processes = get_context("forkserver")
    processes.set_forkserver_preload(["tests.commands.test_commands"])

    killed = 0
    for attempt in range(KILLS):
        process = processes.Process(target=push_and_die, args=(ada.who, iris, path, attempt % 3))
        process.start()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    last = run("push", iris, path)

    assert killed == KILLS
    assert last.stdout == f"{iris}@1\n"
    run("pull", iris, "--to", "there.bin")
    assert (ada.folder / "there.bin").read_bytes() == content


def test_the_version_is_told():
    assert invoke("version").stdout == f"catalog {__version__}\n"


# In a terminal


def test_bash_completes_what_is_behind_an_at_sign(run, ada, iris):
    run("push", iris, ada.file("m.bin", b"x"), "--alias", "champion")
    environment = {**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "PS1": "$ ", "TERM": "dumb"}

    with Terminal(["bash", "--norc", "--noprofile", "-i"], ada.folder, environment) as bash:
        bash.enter('eval "$(catalog --show-completion bash)"; echo "$COMP_WORDBREAKS"\n')
        bash.enter(f"catalog pull {iris}@ch\t")
        bash.wait_for(f"catalog pull {iris}@champion ")
        bash.enter("\x15catalog pull --kind=mod\t")
        bash.wait_for("--kind=models ")


def test_a_new_password_is_asked_for_twice_and_the_rule_is_told(as_admin, iris, tmp_path):
    with Terminal([str(PROGRAM), "users", "create", iris], tmp_path, {**os.environ}) as terminal:
        terminal.wait_for("E-mail: ")
        terminal.enter("a@example.org\n")
        rule = terminal.wait_for("Password: ")
        terminal.enter(f"{PASSWORD}\n")
        terminal.wait_for("Repeat for confirmation: ")
        terminal.enter("another\n")
        terminal.wait_for("Password: ")
        terminal.enter(f"{PASSWORD}\n")
        terminal.wait_for("Repeat for confirmation: ")
        terminal.enter(f"{PASSWORD}\n")
        code = terminal.end()

    assert "A password has at least" in rule or "Any password" in rule
    assert (code, PASSWORD in terminal.shown) == (0, False)
    assert iris in as_admin("users", "ls").stdout

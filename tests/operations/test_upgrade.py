"""What an older version wrote, this one reads: a data folder and a backup of each, under `tests/fixtures`."""

import json
import lzma
import subprocess
import sys
import tarfile
from urllib.parse import quote

import httpx
import pytest

from catalog.store.migrations.steps.sequence import NEWEST
from tests.support.paths import TESTS
from tests.support.serving import SOON, TENANT, Server, environment

FIXTURES = TESTS / "fixtures"
VERSIONS = sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir())
PASSWORD = "Engine-No-1"
SETTINGS = {
    "PROTOCOL": "http",
    "API_TOKEN": "the-operator-of-the-fixture",
    "JWT_SECRET": "a secret of the fixture, long enough for HS256",
    "DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD": PASSWORD,
}


class Older:
    """A catalog of an older version, opened by this one."""

    def __init__(self, version: str, server: Server) -> None:
        self.server = server
        self.facts = json.loads((FIXTURES / version / "facts.json").read_text())

    def get(self, path: str, username: str = "ada", tenant: str = TENANT) -> httpx.Response:
        token = self.server.login(username, PASSWORD, tenant).raise_for_status().json()["token"]
        return httpx.get(f"{self.server.url}{path}", headers={"Authorization": token}, timeout=SOON)


@pytest.fixture(scope="module", params=[f"{version} {form}" for version in VERSIONS for form in ("folder", "backup")])
def older(request, tmp_path_factory):
    version, form = request.param.split()
    folder = tmp_path_factory.mktemp("older")
    if form == "folder":
        with tarfile.open(FIXTURES / version / "catalog.tar.xz") as archive:
            archive.extractall(folder, filter="data")
    else:
        (folder / "backup.tar").write_bytes(lzma.decompress((FIXTURES / version / "backup.tar.xz").read_bytes()))
        restore = [sys.executable, "-m", "catalog", "restore", "backup.tar"]
        subprocess.run(restore, cwd=folder, env=environment(**SETTINGS), check=True, capture_output=True, timeout=SOON)
    with Server(folder, **SETTINGS) as server:
        yield Older(version, server)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_command_upgrades_a_data_folder_before_its_server_starts(version, tmp_path):
    with tarfile.open(FIXTURES / version / "catalog.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")

    dry = command(tmp_path, "migrate", "--dry-run")
    examined = command(tmp_path, "doctor")
    upgraded = command(tmp_path, "migrate")

    assert (dry.returncode, dry.stdout.splitlines()[-1]) == (1, "Tenants: 0 up to date, 2 to upgrade")
    assert f"acme and 1 more are of schema 0, and this version writes {NEWEST}" in examined.stdout
    assert (upgraded.returncode, upgraded.stdout.splitlines()[-1]) == (0, "Tenants: 2 up to date")
    assert f"{TENANT}: step 2 of {NEWEST}, serials of versions: done" in upgraded.stdout


def command(folder, *arguments):
    program = [sys.executable, "-m", "catalog", *arguments]
    return subprocess.run(
        program, cwd=folder, env=environment(**SETTINGS), capture_output=True, text=True, timeout=SOON, check=False
    )


def test_items_are_found_with_what_belongs_to_them(older):
    iris = older.get(f"/v1/models/{older.facts['iris']}").json()

    assert (iris["name"], iris["status"], iris["tags"]) == ("iris", "production", ["flowers", "small", "modèle"])
    assert [pair["value"] for pair in iris["metadata"]] == [0.95, 12, True, "first"]
    assert [dataset["name"] for dataset in iris["datasets"]] == ["petals"]
    assert [user["username"] for user in iris["users"]] == ["bob"]
    assert sorted(version["ordinal"] for version in iris["versions"]) == ["1", "2", "3", "4"]


def test_files_come_back(older):
    assert older.get(f"/v1/models/{older.facts['iris']}/versions/2").content == b"weights 1" * 50
    assert older.get("/v1/models/folder/versions/whole/files/data/weights.bin").content == b"shared bytes"
    assert older.get("/v1/models/folder/versions/draft/files/MLmodel", "bob").content == b"flavors: {}\n"


def test_names_that_would_be_refused_today_lead_to_their_items(older):
    for name, item in older.facts["odd"].items():
        by_id = older.get(f"/v1/models/{item}")
        assert by_id.json()["name"] == name
        if name != "..":  # no client sends this as it stands
            assert older.get(f"/v1/models/{quote(name, safe='')}").json()["_id"] == item, name


@pytest.mark.parametrize("username", ["ada", "bob", "admin", "ADMIN", "old spaced "])
def test_everyone_signs_in(older, username):
    assert older.server.login(username, PASSWORD).status_code == 200


def test_a_personal_token_still_serves(older):
    token = {"Authorization": older.facts["script_token"]}

    assert httpx.get(f"{older.server.url}/v1/models", headers=token, timeout=SOON).status_code == 200


def test_terms_suggest_and_search_find_what_is_there(older):
    assert {term["_id"] for term in older.get("/v1/tags?limit=100").json()["docs"]} >= {"curated", "flowers", "modèle"}
    assert "flowers" in [term["_id"] for term in older.get("/v1/tags/suggest?q=flo").json()["docs"]]
    assert "iris" in [item["name"] for item in older.get("/v1/search?q=iris").json()["docs"]]


def test_regular_users_see_the_terms_of_the_items_that_they_read(older):
    assert "flowers" in [term["_id"] for term in older.get("/v1/tags/suggest?q=flo", "bob").json()["docs"]]
    assert "flowers" in [term["_id"] for term in older.get("/v1/tags?limit=100", "bob").json()["docs"]]


@pytest.mark.parametrize("typed", ["iri", "MODELE", "zero"])
def test_a_search_finds_parts_of_names_and_tags_without_accents(older, typed):
    assert older.get(f"/v1/search?q={typed}").json()["docs"]


def test_the_trash_gives_back_what_was_removed(older):
    [removed] = older.get("/v1/trash").json()["docs"]
    token = older.server.login("ada", PASSWORD).json()["token"]
    headers = {"Authorization": token}

    restored = httpx.post(f"{older.server.url}/v1/trash/{removed['_id']}/restore", headers=headers, timeout=SOON)
    content = httpx.get(f"{older.server.url}/v1/models/removed/versions/1", headers=headers, timeout=SOON).content
    httpx.delete(f"{older.server.url}/v1/models/removed", headers=headers, timeout=SOON).raise_for_status()

    assert restored.status_code == 200
    assert content == b"removed bytes"


def test_another_tenant_is_as_it_was(older):
    [model] = older.get("/v1/models", "boss", "acme").json()["docs"]

    assert (model["name"], model["tags"]) == ("acme model", ["secret"])
    assert older.get(f"/v1/models/{model['_id']}/versions/1", "boss", "acme").content == b"acme bytes"

"""The page of `catalog/web`: its types against the API, its logic, and all of it in a real browser."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from catalog.app import BUILT_PAGE
from tests.support.app import API_TOKEN, PASSWORD
from tests.support.node_programs import NODE
from tests.support.paths import ROOT
from tests.support.serving import TENANT, Server

WEB = ROOT / "catalog" / "web"


def run(*command: str | Path, timeout: float = 300, **env: str) -> None:
    """A program of Node.js in the folder of the page. Its output is the message of a failure."""
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    whole = {**os.environ, **env, "PATH": path}
    done = subprocess.run(
        [NODE, *command], cwd=WEB, env=whole, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def hire(server: Server, *usernames: str) -> None:
    with server.client() as client:
        body = {"username": "admin", "password": server.password, "tenant": TENANT}
        token = client.post("/v1/login", json=body).raise_for_status().json()["token"]
        for name in usernames:
            user = {"username": name, "password": PASSWORD, "email": f"{name}@example.org", "role": "regular"}
            client.post("/v1/users", json=user, headers={"Authorization": token}).raise_for_status()


async def test_the_page_uses_the_api_as_its_document_says(client, tmp_path):
    document = tmp_path / "openapi.json"
    document.write_bytes((await client.get("/schema/openapi.json")).content)

    run("node_modules/openapi-typescript/bin/cli.js", document, "--output", "src/api/schema.d.ts")

    run("node_modules/typescript/bin/tsc", "--noEmit")


def test_its_sources_are_formatted_and_follow_the_rules():
    run("node_modules/@biomejs/biome/bin/biome", "check", "src", "tests")


def test_its_logic():
    run("node_modules/vitest/vitest.mjs", "run", "tests", "--testTimeout=60000")


def test_people_find_change_share_and_upload_in_a_browser(tmp_path):
    if not (BUILT_PAGE / "index.html").is_file():
        pytest.fail("the page is not built: make web")
    with Server(tmp_path, JWT_EXPIRATIONTIME="1h", API_TOKEN=API_TOKEN) as server:
        hire(server, "ada", "bob", "carol")
        chromium = shutil.which("chromium") or ""
        run(
            "--test",
            "tests/browser/all.mjs",
            CATALOG_URL=server.url,
            CATALOG_TENANT=TENANT,
            CATALOG_ADMIN=server.password,
            CATALOG_API_TOKEN=API_TOKEN,
            CATALOG_LOG=str(server.log),
            CATALOG_CHROMIUM=chromium,
            HOME=str(tmp_path),
            timeout=600,
        )

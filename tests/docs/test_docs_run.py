"""Each block of code in the documents is run, or a comment above it says why it cannot be.

The blocks of a page are one script, from its top to its end, of somebody at a server where the page has a tenant of its
own. `<!-- as: bob -->` above a block says who runs it, `<!-- not run: why -->` that nobody does.
"""

import os
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from catalog.client import Catalog
from catalog.client.profile import save_login
from tests.support.app import PASSWORD
from tests.support.paths import ROOT
from tests.support.serving import TENANT, Server, environment

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
GENERATED = "cli"
RUN = {"bash", "python"}
SHOWN = {"json", "toml", "text", "mermaid"}
BLOCK = re.compile(
    r"(?:^<!-- (?P<verb>as|not run): (?P<said>.*?) -->\n)?^```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

OTHERS = ("ada", "bob")
BEGINNERS = {"README", "first-model"}
"""Pages that begin with an administrator, who makes the others."""

WITH_IRIS = {"api", "uploads"}
"""Pages that speak of a model which is there already."""

PRELUDE = """
set -euo pipefail
catalog() {  # answers with the user of that page
    case "$1 ${2-}" in
        login*) CATALOG_PASSWORD=$PASSWORD command catalog "$@" ;;
        "users create") command catalog "$@" --password-stdin <<< "$PASSWORD" ;;
        "users rm") command catalog "$@" --yes ;;
        *) command catalog "$@" ;;
    esac
}
as() {
    if [ "$1" = server ]; then cd "$SERVER"; return; fi
    export CATALOG_CONFIG=$HOME/$1/config CATALOG_CACHE=$HOME/$1/cache
    mkdir -p "$HOME/$1/work" && cd "$HOME/$1/work"
}
"""


class Block(NamedTuple):
    language: str
    code: str
    who: str  # empty: the user of the page
    reason: str  # why it is not run

    @property
    def command(self) -> str:
        return self.code if self.language == "bash" else f"python - <<'PYTHON'\n{self.code}PYTHON\n"


def blocks(page: Path) -> list[Block]:
    found = []
    for block in BLOCK.finditer(page.read_text()):
        verb, said, language, code = block.groups()
        found.append(Block(language, code, said if verb == "as" else "", said if verb == "not run" else ""))
    return found


def runnable(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language in RUN and not block.reason]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The folder of a server that does not run: what its operator does there while nobody else has the database."""
    with Server(tmp_path_factory.mktemp("stopped")) as server:
        server.stop()
        yield server.folder


def operators_token(server: Server) -> str:
    secrets = (server.folder / "data" / "secrets.env").read_text()
    [token] = re.findall(r"^API_TOKEN=(.*)$", secrets, re.MULTILINE)
    return token


class World:
    """A page's tenant, and a home for each of its people."""

    def __init__(self, server: Server, page: Path, home: Path) -> None:
        self.server = server
        self.page = page
        self.home = home
        self.operator = operators_token(server)
        self.tenant = TENANT if page.stem == "README" else f"of-{page.stem}"
        self.password = server.password if page.stem == "README" else PASSWORD
        self.people = ["admin", *(() if page.stem in BEGINNERS else OTHERS)]
        self.me = self.people[1 % len(self.people)]

    def populate(self) -> None:
        if self.tenant != TENANT:
            with Catalog(self.server.url, token=self.operator) as operator:
                operator.tenants.create(self.tenant, "admin", PASSWORD, {"email": "info@example.org"})
        with self.signed_in("admin") as admin:
            for name in self.people[1:]:
                admin.users.create(name, PASSWORD, email=f"{name}@example.org")
        if self.page.stem in WITH_IRIS:
            with self.signed_in(self.me) as somebody:
                somebody.models.create("iris")
        for name in self.people:
            folder = self.home / name / "work"
            folder.mkdir(parents=True)
            (folder / "model.onnx").write_bytes(random.randbytes(100_000))
            (folder / "MLmodel").write_text("flavors: {}\n")

    def signed_in(self, name: str) -> Catalog:
        return Catalog(self.server.url, tenant=self.tenant, username=name, password=self.password)

    def environment(self, stopped: Path) -> dict[str, str]:
        tokens = {}
        for name in self.people:
            with self.signed_in(name) as catalog:
                tokens[name.upper()] = token = catalog.login()
            if self.page.stem != "first-model":  # as `catalog login` keeps it
                config = {"CATALOG_CONFIG": str(self.home / name / "config")}
                save_login(self.server.url, token, "", tenant=self.tenant, username=name, environ=config)
        return environment(
            **tokens,
            TOKEN=tokens[self.me.upper()],
            API_TOKEN=self.operator,
            CATALOG=self.server.url,
            CATALOG_URL=self.server.url,
            CATALOG_TENANT=self.tenant,
            PASSWORD=self.password,
            DATA=str(self.server.folder / "data"),
            SERVER=str(stopped),
            HOME=str(self.home),
            PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        )

    def script(self) -> str:
        lines = [PRELUDE, *(f"as {block.who or self.me}\n{block.command}" for block in runnable(self.page))]
        script = "\n".join(lines).replace("http://127.0.0.1:8080", self.server.url)
        return script if self.tenant == TENANT else script.replace("acme", self.tenant)


@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=lambda page: page.stem)
def test_a_page_runs_as_it_stands(server, stopped, tmp_path, page):
    world = World(server, page, tmp_path)
    world.populate()

    ran = subprocess.run(
        ["bash", "-c", world.script()],
        cwd=tmp_path,
        env=world.environment(stopped),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )

    assert ran.returncode == 0, ran.stdout
    assert '{"status":4' not in ran.stdout  # what curl does not take for a failure


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != GENERATED], ids=lambda page: page.stem)
def test_what_is_not_run_says_why(page):
    text = page.read_text()

    silent = [block for block in blocks(page) if block.language not in RUN | SHOWN and not block.reason]

    assert silent == []
    assert re.findall(r"^```.*|^\n {4}\S.*", BLOCK.sub("", text), re.MULTILINE) == []  # code of another form

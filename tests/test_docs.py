"""What the documents say is so: settings, errors, routes and commands are all there, and the tour runs."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from litestar.routes import HTTPRoute
from typer.main import get_command

from catalog.cli import app as commands
from catalog.errors import CATALOGUE
from catalog.settings import table
from tests.serving import Server

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()


@pytest.mark.parametrize("setting", table(), ids=lambda setting: setting.name)
def test_the_readme_tells_of_each_setting(setting):
    assert f"| {setting.name} | {setting.default or '(none)'} | {setting.meaning} |" in README


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_the_documents_tell_of_each_error(fault):
    assert f"| {fault.value} | {fault.status} | {fault.name} | {fault.message} |" in API


async def test_the_documents_tell_of_each_route(app):
    routes = {
        (method, re.sub(r":str\}", "}", route.path_format))
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods - {"OPTIONS", *({"HEAD"} if "GET" in route.methods else ())}
    }

    told = {
        (method, re.sub(r"\{[^}]*\}", "{}", path))
        for row in re.findall(r"^\| (`[A-Z]+ .*?) \|", API, re.MULTILINE)
        for method, path in told_routes(row)
    }

    assert {(method, re.sub(r"\{[^}]*\}", "{}", path)) for method, path in routes} == told


def told_routes(cell: str) -> list[tuple[str, str]]:
    """A method is named once for the routes that follow it."""
    found, method = [], ""
    for route in re.findall(r"`([^`]+)`", cell):
        method, path = route.split(" ") if " " in route else (method, route)
        found.append((method, path))
    return found


def test_the_readme_tells_of_each_command():
    named = re.findall(r"`catalog ([a-z]+)", README)

    assert set(get_command(commands).commands) <= set(named)


def test_each_link_between_documents_leads_somewhere():
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), (document.name, target)


def test_the_tour_runs_as_it_stands(tmp_path):
    tour = README.split("## The API in five minutes")[1].split("\n## ")[0]
    script = "set -euo pipefail\n" + "\n".join(re.findall(r"```bash\n(.*?)```", tour, re.DOTALL))

    (tmp_path / "server").mkdir()
    with Server(tmp_path / "server") as server:
        given = {"CATALOG": server.url, "PASSWORD": server.password, "DATA": str(tmp_path / "server" / "data")}
        environment = {"PATH": os.environ["PATH"], **given}
        ran = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith('"nextPage":null}')
    assert '"totalDocs":0' in ran.stdout.rpartition("{")[2]

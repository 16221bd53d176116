"""What the documents say is so: settings, errors, routes and commands are all there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from litestar.routes import HTTPRoute
from typer.main import get_command

from catalog.commands.cli import app as commands
from catalog.dialects.v1.errors import CATALOGUE
from catalog.settings.reference import markdown as settings_page
from catalog.settings.settings import table
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()
ROUTES = API + (ROOT / "docs" / "mlflow.md").read_text()
OF_OTHER_PAGES = ("/api/model_registry/", "/ajax-api/")
"""Routes that a page of their own lists, or that are the same as those below `/api`."""

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]


def test_the_page_of_settings_is_what_make_docs_writes():
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page()


@pytest.mark.parametrize("setting", table(), ids=lambda setting: setting.name)
def test_the_page_of_settings_has_each_setting(setting):
    assert f"| {setting.name} | {setting.default or '(none)'} | {setting.meaning} |" in settings_page()


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_the_documents_tell_of_each_error(fault):
    assert f"| {fault.value} | {fault.status} | {fault.name} | {fault.message} |" in API


async def test_the_documents_tell_of_each_route(app):
    routes = {
        (method, re.sub(r":str\}", "}", route.path_format))
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path_format.startswith(OF_OTHER_PAGES)
        for method in route.methods - {"OPTIONS", *({"HEAD"} if "GET" in route.methods else ())}
    }

    told = {
        (method, re.sub(r"\{[^}]*\}", "{}", path))
        for row in re.findall(r"^\| (`[A-Z]+ .*?) \|", ROUTES, re.MULTILINE)
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

    shown = {name for name, command in get_command(commands).commands.items() if not command.hidden}

    assert shown <= set(named)


def test_the_reference_of_the_commands_is_what_make_docs_writes(tmp_path):
    written = tmp_path / "cli.md"
    typer = Path(sys.executable).with_name("typer")

    subprocess.run(
        [typer, "catalog.commands.cli", "utils", "docs", "--name", "catalog", "--output", written], check=True
    )

    assert (ROOT / "docs" / "cli.md").read_text() == written.read_text()


def test_each_link_between_documents_leads_somewhere():
    for document in DOCUMENTS:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", document.read_text()):
            file = document.parent / target if target else document
            assert file.exists(), (document.name, target)
            assert not anchor or anchor in anchors(file), (document.name, target, anchor)


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_file_of_the_project_that_a_document_names_exists():
    for document in DOCUMENTS:
        for path in re.findall(r"`((?:catalog|tests|docs|init)/[\w./-]*)`", document.read_text()):
            assert (ROOT / path).exists(), (document.name, path)

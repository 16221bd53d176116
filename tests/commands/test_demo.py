"""`catalog demo`, on the database of a server that is stopped."""

import asyncio
import uuid

import pytest
from typer.testing import CliRunner

from catalog.commands.cli import app
from tests.support.app import OURS, client_of_app, in_database, settings_in


@pytest.fixture
def env_file(mongo, tmp_path):
    """The settings of a server that has been started once."""
    database = in_database(mongo, f"{OURS}-{uuid.uuid4().hex[:8]}")
    values = {"DEFAULT_TENANT_DATABASE": f"{OURS}-{uuid.uuid4().hex[:8]}", "DATABASE": database}

    async def start_once() -> None:
        async with client_of_app(settings_in(tmp_path, "shown", **values), database, started=True):
            pass

    asyncio.run(start_once())
    values |= {"DEFAULT_TENANT": f"{OURS}-shown", "DATA_PATH": tmp_path / "data", "UPLOAD_PATH": tmp_path / "uploads"}
    file = tmp_path / "variables.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return file


def test_the_command_fills_the_default_tenant_and_asks_before_it_empties_it(env_file):
    def run(*arguments: str, answer: str = ""):
        return CliRunner().invoke(app, ["demo", "--env-file", str(env_file), *arguments], input=answer)

    filled = run("--models", "1")
    aborted = run("--remove", answer="n\n")
    again = run("--models", "1")
    removed = run("--remove", answer="y\n")
    empty = run("--remove", "--yes")

    assert "model leaf-disease-base" in filled.output
    assert (filled.exit_code, aborted.exit_code, removed.exit_code) == (0, 1, 0)
    assert "0 people, 0 items and 0 versions are new" in again.output
    assert "3 items and 6 people of the demo are removed" in removed.output
    assert "0 items and 0 people of the demo are removed" in empty.output


@pytest.mark.parametrize(
    ("wrong", "sentence"), [("--tenant=nobody", "no tenant nobody"), ("--models=501", "at most 500")]
)
def test_a_demo_that_is_not_possible_is_refused_in_a_sentence(env_file, wrong, sentence):
    refused = CliRunner().invoke(app, ["demo", "--env-file", str(env_file), wrong])

    assert refused.exit_code == 1
    assert sentence in refused.output

"""What the command line says without a server: help, examples, names of other programs."""

import json
import re
import shlex
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from catalog import __version__
from catalog.__main__ import main as program
from catalog.commands.cli import app, main
from catalog.commands.terminal.tables import columns_that_fit


def commands(command, path=()):
    """All commands that are shown, by their paths."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, each in command.commands.items():
        if not each.hidden:
            yield from commands(each, (*path, name))


ALL = dict(commands(get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_each_help_page_has_two_examples_that_the_command_understands(path):
    _, *examples = ALL[path].epilog.split("\n\n")

    assert len(examples) == 2
    for example in examples:
        words = shlex.split(re.split(r" [|<>] ", example.partition(" | xargs ")[2] or example)[0])
        if words == ["catalog", "--version"]:
            continue
        assert tuple(words[1 : 1 + len(path)]) == path
        given = words[1 + len(path) :] + (["x"] if "xargs" in example else [])
        missing = ["x"] * (not given and any(each.required for each in ALL[path].params))
        with_files = [__file__ if each.endswith(".env") else each for each in given]
        ALL[path].make_context(path[-1], with_files + missing).close()


def invoke(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_h_is_help_and_the_version_an_option():
    assert invoke("pull", "-h").stdout == invoke("pull", "--help").stdout
    assert invoke("--version").stdout == f"catalog {__version__}\n"


@pytest.mark.parametrize(("other", "name"), [("upload", "push"), ("download", "pull")])
def test_a_name_of_another_program_says_the_one_that_is_used(other, name):
    refused = invoke(other, "iris", "--anything")

    assert (refused.exit_code, f"called {name} here" in refused.stderr) == (2, True)
    assert other not in invoke("--help").stdout


def test_a_narrow_terminal_gets_fewer_columns_and_at_least_one():
    assert [columns_that_fit([10, 20, 30], room) for room in (5, 31, 32, 63, 64)] == [1, 1, 2, 2, 3]
    assert columns_that_fit([500, 10], 60) == 2


def test_a_wrong_argument_is_an_object_of_json_when_that_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["catalog", "models", "show", "--json"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert json.loads(capsys.readouterr().err)["message"] == "Missing argument 'key'."


def test_an_interruption_while_the_program_is_loaded_ends_it_without_a_traceback(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    class Interrupting:
        find_spec = interrupted

    monkeypatch.delitem(sys.modules, "catalog.commands.cli")
    monkeypatch.setattr(sys, "meta_path", [Interrupting()])

    with pytest.raises(SystemExit) as loading:
        program()
    monkeypatch.undo()
    monkeypatch.setattr("catalog.commands.cli.app", interrupted)
    with pytest.raises(SystemExit) as starting:
        program()

    assert loading.value.code == starting.value.code == 130

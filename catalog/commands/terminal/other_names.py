"""Hidden commands with the names that other programs use. They print the name of the command here."""

import shlex
import sys

import typer

from catalog.commands.terminal.shell import stop

OTHER_NAMES = {"upload": "push", "download": "pull"}


def add_other_names(app: typer.Typer) -> None:
    """Add the commands."""
    for other, name in OTHER_NAMES.items():
        _add(app, other, name)


def _add(app: typer.Typer, other: str, name: str) -> None:
    @app.command(other, hidden=True, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def refuse(context: typer.Context) -> None:
        """Say which command it is."""
        del context
        arguments = sys.argv[2:] if sys.argv[1:2] == [other] else []
        stop(f"{other} is called {name} here: {shlex.join(['catalog', name, *arguments])}")

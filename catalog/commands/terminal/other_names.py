"""Hidden commands with the names that other programs use, or without the kind. They print the command to use."""

import shlex

import typer

from catalog.commands.terminal.shell import stop

OTHER_NAMES = {
    "upload": "push",
    "download": "pull",
    "ls": "models ls",
    "list": "models ls",
    "show": "models show",
    "share": "models share",
    "rm": "models rm",
    "delete": "models rm",
}


def add_other_names(app: typer.Typer) -> None:
    """Add the commands."""
    for other, name in OTHER_NAMES.items():
        _add(app, other, name)


def _add(app: typer.Typer, other: str, name: str) -> None:
    @app.command(other, hidden=True, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def refuse(context: typer.Context) -> None:
        """Say which command it is."""
        stop(f"{other} is called {name} here: {shlex.join(['catalog', *name.split(), *context.args])}")

"""`catalog alias`."""

from typing import Annotated

import typer

from catalog import client
from catalog.commands.catalog.transfers import Kind
from catalog.commands.terminal import completion
from catalog.commands.terminal.output import Columns, when
from catalog.commands.terminal.shell import Shell, command

app = typer.Typer(help="Movable names for versions: list, set, roll back, remove.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Id, name, or owner/name.", autocompletion=completion.models)]
AliasName = Annotated[str, typer.Argument(metavar="ALIAS", help="Such as champion.")]


def _mover(user: "client.User | str") -> str:
    return user if isinstance(user, str) else user.username or user.id


COLUMNS: "Columns[client.results.Alias]" = {
    "alias": lambda alias: alias.name,
    "version": lambda alias: alias.version,
    "moved": lambda alias: when(alias.moved),
    "by": lambda alias: _mover(alias.user),
}

MOVES: "Columns[client.results.AliasMove]" = {
    "moved": lambda move: when(move.moved),
    "alias": lambda move: move.alias,
    "from": lambda move: move.previous or "-",
    "to": lambda move: move.version or "-",
    "by": lambda move: _mover(move.user),
    "rollback": lambda move: "rollback" if move.is_rollback else "",
}


@command(app)
def ls(shell: Shell, name: Name, *, kind: Kind = "models") -> None:
    """List the aliases of an item."""
    shell.output.rows(shell.catalog.items(kind).aliases(name).list(), COLUMNS, lambda alias: f"{name}@{alias.name}")


@command(app, name="set")
def set_(
    shell: Shell,
    name: Name,
    alias: AliasName,
    version: Annotated[str, typer.Argument(help="An ordinal, another alias, or latest.")],
    *,
    expected: Annotated[
        str | None, typer.Option(help="Move it only from this version; an empty text: only if it does not exist.")
    ] = None,
    kind: Kind = "models",
) -> None:
    """Point an alias to a version. It is created if it does not exist."""
    pointed = shell.catalog.items(kind).aliases(name).set(alias, version, expected=expected)
    shell.output.one(pointed, {f"{name}@{pointed.name}": pointed.version}, f"{name}@{pointed.version}")


@command(app)
def history(
    shell: Shell,
    name: Name,
    alias: Annotated[str, typer.Argument(metavar="[ALIAS]", help="Default: all aliases.")] = "",
    *,
    kind: Kind = "models",
) -> None:
    """List the moves of an alias, newest first."""
    shell.output.rows(shell.catalog.items(kind).aliases(name).history(alias), MOVES, lambda move: move.id)


@command(app)
def rollback(shell: Shell, name: Name, alias: AliasName, *, kind: Kind = "models") -> None:
    """Point an alias to the version before. A second rollback goes one step further back."""
    pointed = shell.catalog.items(kind).aliases(name).rollback(alias)
    shell.output.one(pointed, {f"{name}@{pointed.name}": pointed.version}, f"{name}@{pointed.version}")


@command(app)
def rm(shell: Shell, name: Name, alias: AliasName, *, kind: Kind = "models") -> None:
    """Remove an alias. The version stays, and so does the history of the alias."""
    shell.catalog.items(kind).aliases(name).delete(alias)
    shell.say(f"Removed {name}@{alias}")

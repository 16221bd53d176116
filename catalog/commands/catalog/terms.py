"""`catalog tags` and `catalog metadata`: the terms that are suggested."""

from typing import Annotated

import typer

from catalog import client
from catalog.commands.terminal.output import Columns
from catalog.commands.terminal.shell import Shell, command

COLUMNS: "Columns[client.results.Term]" = {
    "term": lambda term: term.id,
    "uses": lambda term: term.uses,
    "usage": lambda term: term.usage,
}

Terms = Annotated[list[str], typer.Argument(metavar="WORD...")]


def term_commands(name: str, what: str) -> typer.Typer:
    """The commands for one set of terms."""
    app = typer.Typer(help=f"{what}: list, add, remove.", no_args_is_help=True)

    @command(app)
    def ls(
        shell: Shell,
        beginning: Annotated[str, typer.Argument(help="Only the best terms with this beginning.")] = "",
        *,
        limit: Annotated[
            int, typer.Option("--limit", "-n", min=1, max=100, help="The most terms to list, with a beginning.")
        ] = 20,
    ) -> None:
        """List the terms and how many items use each."""
        resource = getattr(shell.catalog, name)
        shell.output.rows(
            resource.suggest(beginning, limit=limit) if beginning else resource.list(), COLUMNS, lambda term: term.id
        )

    @command(app)
    def add(shell: Shell, terms: Terms) -> None:
        """Make terms default ones, which are suggested first. For administrators."""
        for term in terms:
            getattr(shell.catalog, name).create(term)
            shell.say(f"Added {term}")

    @command(app)
    def rm(shell: Shell, terms: Terms) -> None:
        """Remove terms that no item uses. For administrators."""
        for term in terms:
            getattr(shell.catalog, name).delete(term)
            shell.say(f"Removed {term}")

    return app

"""`catalog tags` and `catalog metadata`: the words that a UI suggests."""

from typing import Annotated

import typer

from catalog.commands.output import Columns
from catalog.commands.shell import Shell, command

COLUMNS: Columns = {
    "word": lambda word: word.id,
    "uses": lambda word: word.uses,
    "usage": lambda word: word.usage,
}

Given = Annotated[list[str], typer.Argument(metavar="WORD...")]


def words(room: str, what: str) -> typer.Typer:
    """The commands of one vocabulary."""
    app = typer.Typer(help=f"{what}: list, add, remove.", no_args_is_help=True)

    @command(app)
    def ls(
        shell: Shell,
        beginning: Annotated[str, typer.Argument(help="Only the best that begin so.")] = "",
        *,
        limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="With a beginning.")] = 20,
    ) -> None:
        """List the words and how many items use each."""
        found = getattr(shell.catalog, room)
        shell.output.rows(
            found.suggest(beginning, limit=limit) if beginning else found.list(), COLUMNS, lambda word: word.id
        )

    @command(app)
    def add(shell: Shell, given: Given) -> None:
        """Make words ones that are suggested first. For administrators."""
        for word in given:
            getattr(shell.catalog, room).create(word)
            shell.say(f"Added {word}")

    @command(app)
    def rm(shell: Shell, given: Given) -> None:
        """Remove words that no item uses. For administrators."""
        for word in given:
            getattr(shell.catalog, room).delete(word)
            shell.say(f"Removed {word}")

    return app

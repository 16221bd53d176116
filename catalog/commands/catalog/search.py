"""`catalog search`."""

from itertools import islice
from typing import Annotated

import typer

from catalog.commands.catalog.items import COLUMNS, Alias, Filter, Latest, Library, License, Stage, Tags, Where
from catalog.commands.terminal import values
from catalog.commands.terminal.shell import Shell, command


def add_search_command(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(search)


def search(
    shell: Shell,
    query: Annotated[str, typer.Argument(help="Text to find in names, tags, metadata and descriptions.")],
    *,
    kind: Annotated[str, typer.Option("--kind", "-k", help="Only models, datasets or algorithms.")] = "",
    status: Annotated[str, typer.Option(help="Only training, test, production or deploy.")] = "",
    visibility: Annotated[str, typer.Option(help="Only private or public.")] = "",
    owner: Annotated[str, typer.Option(help="Only items of this user.")] = "",
    tag: Tags = None,
    where: Where = None,
    latest: Latest = None,
    alias: Alias = "",
    stage: Stage = "",
    license_: License = "",
    library: Library = "",
    filter_: Filter = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="The most to list; 0 lists all.")] = 20,
) -> None:
    """Find models, datasets and algorithms, the best matches first."""
    found = shell.catalog.search(
        query,
        kind=kind,
        status=status,
        visibility=visibility,
        owner=owner,
        filter=values.filters(filter_, tag or []),
        metadata=values.conditions(where or []),
        latest=values.conditions(latest or []),
        alias=alias,
        stage=stage,
        license=license_,
        library=library,
    )
    columns = {"kind": lambda item: item.kind, **COLUMNS, "name": lambda item: item.reference or item.name}
    shell.output.rows(islice(found, limit or None), columns, lambda item: item.id)

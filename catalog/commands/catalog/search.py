"""`catalog search`."""

from itertools import islice
from typing import Annotated, Literal

import typer

from catalog.commands.catalog.items import (
    COLUMNS,
    Alias,
    Filter,
    Latest,
    Library,
    License,
    Metrics,
    OfOwner,
    OfStatus,
    OfVisibility,
    Stage,
    Tags,
    Where,
    with_metrics,
)
from catalog.commands.terminal import values
from catalog.commands.terminal.shell import Shell, command


def add_search_command(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(search)


def search(
    shell: Shell,
    query: Annotated[str, typer.Argument(help="Text to find in names, tags, metadata and descriptions.")],
    *,
    kind: Annotated[
        Literal["models", "datasets", "algorithms"] | None, typer.Option("--kind", "-k", help="Only these.")
    ] = None,
    status: OfStatus = None,
    visibility: OfVisibility = None,
    owner: OfOwner = "",
    tag: Tags = None,
    where: Where = None,
    latest: Latest = None,
    alias: Alias = "",
    stage: Stage = "",
    license_: License = "",
    library: Library = "",
    filter_: Filter = "",
    metric: Metrics = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="The most to list; 0 lists all.")] = 20,
) -> None:
    """Find models, datasets and algorithms, the best matches first."""
    found = shell.catalog.search(
        query,
        kind=kind or "",
        status=status or "",
        visibility=visibility or "",
        owner=owner,
        filter=values.filters(filter_, tag or []),
        metadata=values.conditions(where or []),
        latest=values.conditions(latest or []),
        alias=alias,
        stage=stage,
        license=license_,
        library=library,
    )
    columns = {**COLUMNS, "name": lambda item: item.reference or item.name, "kind": lambda item: item.kind}
    shell.output.rows(islice(found, limit or None), with_metrics(columns, metric), lambda item: item.id)

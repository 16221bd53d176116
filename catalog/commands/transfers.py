"""`catalog push` and `catalog pull`: files up and down."""

import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from catalog.client.revisions import reference
from catalog.commands import completion, values
from catalog.commands.meter import metered
from catalog.commands.shell import INTERRUPTED, Shell, command, stop

Kind = Annotated[Literal["models", "datasets", "algorithms"], typer.Option("--kind", "-k")]
OWN = "Of your own item, which is made if there is none. OWNER/NAME, or an id, is somebody else's."
Reference = Annotated[
    str,
    typer.Argument(
        metavar="[OWNER/]NAME[@REVISION]",
        help="A name alone is your own item, else the only one that you may read. "
        "@3, @latest, or a status: @production is its newest version, if it has that status.",
        autocompletion=completion.models,
    ),
]


def transfers(app: typer.Typer) -> None:
    """Add the commands."""
    command(app)(push)
    command(app)(pull)


def push(
    shell: Shell,
    name: Annotated[str, typer.Argument(help=OWN)],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Several, or a folder, are one version.")],
    *,
    kind: Kind = "models",
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="May be repeated.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", "-s", help="Metadata: accuracy=0.95. May be repeated.")
    ] = None,
    description: Annotated[str, typer.Option("--description", "-d", help="Of the version.")] = "",
    ordinal: Annotated[str, typer.Option("--as", help="What the version is called. Default: the next number.")] = "",
) -> None:
    """Make a version of a file. Interrupted, the same command goes on where it ended."""
    with resumable(), metered(quiet=shell.quiet) as tell:
        pushed = shell.catalog.push(
            name,
            files if len(files) > 1 else files[0],
            kind=kind,
            tags=tag or [],
            metrics=values.pairs(set_ or []),
            description=description,
            ordinal=ordinal,
            progress=tell,
        )
    shell.output.one(pushed.version, {"": pushed.reference}, pushed.reference)


def pull(
    shell: Shell,
    what: Reference,
    *,
    kind: Kind = "models",
    to: Annotated[
        Path | None, typer.Option(help="A folder, or the path that the file gets. Default: this folder.")
    ] = None,
    cached: Annotated[bool, typer.Option("--cached", help="Leave it in the cache, and say where it is.")] = False,
) -> None:
    """Bring a version here, verified, and say where it is. Interrupted, the same command goes on where it ended."""
    with resumable(), metered(quiet=shell.quiet) as tell:
        place = None if cached else to or _here(shell, what, kind)
        path = shell.catalog.pull(what, kind=kind, to=place, progress=tell)
    shell.output.one({"path": str(path)}, {"": path}, str(path))


def _here(shell: Shell, what: str, kind: str) -> Path:
    """This folder, but one of its own for a folder of files."""
    name, revision = reference(what)
    is_folder = shell.catalog.resolve(name, revision, kind=kind).folder
    return Path(name.replace("/", "_")) if is_folder else Path()


@contextmanager
def resumable() -> Generator[None]:
    try:
        yield
    except KeyboardInterrupt:
        again = shlex.join(["catalog", *sys.argv[1:]])
        stop(f"Interrupted. What was transferred is kept; this goes on:\n  {again}", INTERRUPTED)

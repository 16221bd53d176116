"""`catalog push` and `catalog pull`: files up and down."""

import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from catalog import client
from catalog.commands.terminal import completion, values
from catalog.commands.terminal.shell import INTERRUPTED, Shell, command, stop
from catalog.commands.terminal.transfer_progress import transfer_progress

Kind = Annotated[Literal["models", "datasets", "algorithms"], typer.Option("--kind", "-k")]
OWN = "Your own item, which is created if it does not exist. OWNER/NAME, or an id, means another user's item."
Reference = Annotated[
    str,
    typer.Argument(
        metavar="[OWNER/]NAME[@REVISION]",
        help="A bare name means your own item, else the only one of that name that you may read. "
        "@3 is a version, @champion an alias, and @latest the newest version, which is the default.",
        autocompletion=completion.models,
    ),
]


def add_transfer_commands(app: typer.Typer) -> None:
    """Add the commands."""
    command(app)(push)
    command(app)(pull)


def push(
    shell: Shell,
    name: Annotated[str, typer.Argument(help=OWN)],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files or a folder, uploaded as one version.")],
    *,
    kind: Kind = "models",
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="May be repeated.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", "-s", help="Metadata: accuracy=0.95. May be repeated.")
    ] = None,
    description: Annotated[str, typer.Option("--description", "-d", help="The description of the version.")] = "",
    ordinal: Annotated[str, typer.Option("--as", help="The label of the version. Default: the next number.")] = "",
    alias: Annotated[str, typer.Option("--alias", "-a", help="An alias to point to the version afterwards.")] = "",
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", help="What it was made from: petals@2, models/base@1. May be repeated."),
    ] = None,
) -> None:
    """Upload a file or folder as a new version. After an interruption, the same command resumes."""
    with resume_hint(), transfer_progress(quiet=shell.quiet) as progress:
        pushed = shell.catalog.push(
            name,
            files if len(files) > 1 else files[0],
            kind=kind,
            tags=tag or [],
            metrics=values.pairs(set_ or []),
            description=description,
            ordinal=ordinal,
            alias=alias,
            inputs=input_ or [],
            progress=progress,
        )
    shell.output.one(pushed.version, {"": pushed.reference}, pushed.reference)


def pull(
    shell: Shell,
    what: Reference,
    *,
    kind: Kind = "models",
    to: Annotated[
        Path | None, typer.Option(help="A folder, or the path of the new file. Default: this folder.")
    ] = None,
    cached: Annotated[bool, typer.Option("--cached", help="Leave it in the cache and print its path.")] = False,
) -> None:
    """Download a version, verify it and print its path. After an interruption, the same command resumes."""
    with resume_hint(), transfer_progress(quiet=shell.quiet) as progress:
        place = None if cached else to or _default_target(shell, what, kind)
        path = shell.catalog.pull(what, kind=kind, to=place, progress=progress)
    shell.output.one({"path": str(path)}, {"": path}, str(path))


def _default_target(shell: Shell, what: str, kind: str) -> Path:
    """This folder, or for a version of many files a subfolder with the name of the item."""
    name, revision = client.revisions.parse_reference(what)
    is_folder = shell.catalog.resolve(name, revision, kind=kind).folder
    return Path(name.replace("/", "_")) if is_folder else Path()


@contextmanager
def resume_hint() -> Generator[None]:
    try:
        yield
    except KeyboardInterrupt:
        again = shlex.join(["catalog", *sys.argv[1:]])
        stop(f"Interrupted. What was transferred is kept. To resume:\n  {again}", INTERRUPTED)

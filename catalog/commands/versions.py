"""`catalog versions`."""

from typing import Annotated, Any

import typer

from catalog.client import Version
from catalog.client.revisions import reference
from catalog.client.versions import Versions
from catalog.commands.meter import metered
from catalog.commands.output import Columns, when
from catalog.commands.shell import Shell, command, confirmed
from catalog.commands.transfers import Kind, Reference
from catalog.durations import human_size

app = typer.Typer(help="The versions of an item: list, show, verify, link, remove.", no_args_is_help=True)

COLUMNS: Columns = {
    "version": lambda version: version.ordinal,
    "file": lambda version: version.original,
    "size": lambda version: human_size(version.size),
    "state": lambda version: version.state,
    "made": lambda version: when(version.timestamp),
    "description": lambda version: version.description,
}


def _versions(shell: Shell, name: str, kind: str) -> Versions[Any]:
    found: Versions[Any] = getattr(shell.catalog, kind).versions(name)
    return found


def _one(shell: Shell, what: str, kind: str) -> tuple[str, Version]:
    name, revision = reference(what)
    return name, shell.catalog.resolve(name, revision, kind=kind)


@command(app)
def ls(shell: Shell, name: Annotated[str, typer.Argument(help="Of the item.")], *, kind: Kind = "models") -> None:
    """List them, newest first."""
    shell.output.rows(_versions(shell, name, kind).list(), COLUMNS, lambda version: f"{name}@{version.ordinal}")


@command(app)
def show(shell: Shell, what: Reference, *, kind: Kind = "models") -> None:
    """Show all of one."""
    name, version = _one(shell, what, kind)
    about: dict[str, object] = {
        "version": f"{name}@{version.ordinal}",
        "file": version.original,
        "size": human_size(version.size),
        "sha256": version.digest,
        "state": version.state,
        "metadata": version.metadata,
        "description": version.description,
        "verdict": version.inspection.get("verdict"),
        "made": when(version.timestamp),
    }
    if version.folder:
        about |= {each.path: human_size(each.size) for each in version.files}
    shell.output.one(version, {label: value for label, value in about.items() if value}, f"{name}@{version.ordinal}")


@command(app)
def verify(shell: Shell, what: Reference, *, kind: Kind = "models") -> None:
    """Read all bytes of one from the server, and compare them with its digests."""
    name, version = _one(shell, what, kind)
    with metered(quiet=shell.quiet) as tell:
        _versions(shell, name, kind).verify(version.ordinal, progress=tell)
    shell.say(f"{name}@{version.ordinal} is as it was uploaded: {version.file_count} files, {human_size(version.size)}")


@command(app)
def link(
    shell: Shell,
    what: Reference,
    *,
    seconds: Annotated[int, typer.Option("--for", min=1, help="Seconds that it serves; a day at most.")] = 300,
    path: Annotated[str, typer.Option(help="One file of a folder. Default: all of it, as an archive.")] = "",
    kind: Kind = "models",
) -> None:
    """Make a link for somebody without an account, and print it. Whoever has it fetches the file."""
    name, version = _one(shell, what, kind)
    made = _versions(shell, name, kind).link(version.ordinal, expires_in=seconds, path=path)
    shell.say(f"It serves until {when(made.expires)}:")
    shell.output.one(made, {"": made.url}, made.url)


@command(app)
def rm(
    shell: Shell,
    what: Annotated[str, typer.Argument(metavar="NAME@VERSION")],
    *,
    kind: Kind = "models",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove one, for good."""
    name, version = _one(shell, what, kind)
    confirmed(f"Remove {name}@{version.ordinal}, {version.original}, for good?", yes=yes)
    _versions(shell, name, kind).delete(version.ordinal)
    shell.say(f"Removed {name}@{version.ordinal}")

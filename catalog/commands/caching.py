"""`catalog cache`: what this machine keeps of what was pulled."""

from typing import Annotated

import typer

from catalog.client.cache import Cache
from catalog.commands import values
from catalog.commands.output import Columns, when
from catalog.commands.shell import Shell, command, confirmed, stop
from catalog.durations import human_size

app = typer.Typer(help="The cache of this machine (CATALOG_CACHE): list, remove, prune.", no_args_is_help=True)

COLUMNS: Columns = {
    "sha256": lambda entry: entry.digest,
    "size": lambda entry: human_size(entry.size),
    "used": lambda entry: when(entry.used),
}


@command(app)
def ls(shell: Shell) -> None:
    """List the files, those that were used last first."""
    cache = Cache()
    entries = cache.entries()
    shell.output.rows(
        entries if not shell.output.json else [entry._asdict() for entry in entries],
        COLUMNS,
        lambda entry: entry.digest,
    )
    shell.say(f"{len(entries)} files, {human_size(sum(entry.size for entry in entries))}, in {cache.folder}")


@command(app)
def rm(
    shell: Shell,
    digests: Annotated[list[str] | None, typer.Argument(metavar="SHA256...", help="Beginnings will do.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove files. They are fetched again when they are wanted."""
    if bool(digests) == everything:
        stop("Name digests, or say --all")
    if everything:
        confirmed("Remove everything from the cache?", yes=yes)
    cache = Cache()
    beginnings = ("",) if everything else tuple(digests or ())
    chosen = [entry for entry in cache.entries() if entry.digest.startswith(beginnings)]
    for entry in chosen:
        cache.drop(entry.digest)
    shell.say(f"Removed {len(chosen)} files, {human_size(sum(entry.size for entry in chosen))}")


@command(app)
def prune(
    shell: Shell,
    *,
    size: Annotated[str, typer.Option("--to", help="What may stay: 500M, 20G. What was used last stays.")] = "10G",
) -> None:
    """Remove what was not used for longest, and what broken transfers left a week ago."""
    dropped = Cache().prune(values.size(size))
    shell.say(f"Removed {len(dropped)} files, {human_size(sum(entry.size for entry in dropped))}")

"""`catalog cache`: the downloaded files on this machine."""

from typing import Annotated

import typer

from catalog import client
from catalog.client.wording import counted
from catalog.commands.terminal import values
from catalog.commands.terminal.output import Columns, when
from catalog.commands.terminal.shell import Shell, command, confirm_or_stop, stop
from catalog.durations import human_size

app = typer.Typer(help="The cache of this machine (CATALOG_CACHE): list, remove, prune.", no_args_is_help=True)

COLUMNS: "Columns[client.transfer.cache.CachedFile]" = {
    "sha256": lambda entry: entry.digest,
    "size": lambda entry: human_size(entry.size),
    "used": lambda entry: when(entry.used),
}


@command(app)
def ls(shell: Shell) -> None:
    """List the files, the most recently used first."""
    cache = client.transfer.cache.Cache()
    entries = cache.entries()
    shell.output.rows(entries, COLUMNS, lambda entry: entry.digest)
    shell.say(f"{counted(len(entries), 'file')}, {human_size(sum(entry.size for entry in entries))}, in {cache.folder}")


@command(app)
def rm(
    shell: Shell,
    digests: Annotated[
        list[str] | None, typer.Argument(metavar="SHA256...", help="Digests, or their first characters.")
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Remove all files.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove files. They are downloaded again when needed."""
    if bool(digests) == everything:
        stop("Name digests, or use --all")
    if everything:
        confirm_or_stop("Remove everything from the cache?", yes=yes)
    cache = client.transfer.cache.Cache()
    prefixes = ("",) if everything else tuple(digests or ())
    selected = [entry for entry in cache.entries() if entry.digest.startswith(prefixes)]
    cache.drop(*(entry.digest for entry in selected))
    shell.say(f"Removed {counted(len(selected), 'file')}, {human_size(sum(entry.size for entry in selected))}")


@command(app)
def prune(
    shell: Shell,
    *,
    size: Annotated[str, typer.Option("--to", help="The size to keep: 500M, 20G.")] = "10G",
) -> None:
    """Remove the least recently used files, and the remains of transfers that stopped over a week ago."""
    dropped = client.transfer.cache.Cache().prune(values.size(size))
    shell.say(f"Removed {counted(len(dropped), 'file')}, {human_size(sum(entry.size for entry in dropped))}")

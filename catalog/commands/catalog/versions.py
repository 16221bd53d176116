"""`catalog versions`."""

from typing import Annotated, Literal

import typer

from catalog import client
from catalog.client.wording import counted
from catalog.commands.catalog.items import Metrics, with_metrics
from catalog.commands.catalog.transfers import Kind, Reference
from catalog.commands.terminal import values
from catalog.commands.terminal.output import Columns, when
from catalog.commands.terminal.shell import Shell, command, confirm_or_stop, stop_without_change
from catalog.commands.terminal.transfer_progress import transfer_progress
from catalog.durations import human_size

Item = Annotated[str, typer.Argument(help="The item.")]
Pairs = Annotated[list[str] | None, typer.Option("--set", "-s", help="Metadata: NAME=VALUE. May be repeated.")]
FIELDS = frozenset({"number", "ordinal", "size", "state", "stage", "author", "timestamp", "lastmod"})
"""Fields of a version that sort; another name is that of metadata."""

Stage = Literal["none", "staging", "production", "archived"]
NewStage = Annotated[Stage, typer.Option(help="Its stage, a label for people.")]

app = typer.Typer(help="The versions of an item: list, show, add, change, verify, link, remove.", no_args_is_help=True)

COLUMNS: "Columns[client.Version]" = {
    "version": lambda version: version.ordinal,
    "file": lambda version: version.original or version.uri,
    "size": lambda version: human_size(version.size),
    "state": lambda version: version.state,
    "stage": lambda version: "" if version.stage == "none" else version.stage,
    "aliases": lambda version: version.aliases,
    "created": lambda version: when(version.timestamp),
    "description": lambda version: version.description,
}


PRUNED: "Columns[client.results.PrunedVersion]" = {
    "version": lambda version: version.ordinal,
    "size": lambda version: human_size(version.size),
    "created": lambda version: when(version.timestamp),
}


def _one(shell: Shell, what: str, kind: str) -> tuple[str, "client.Version"]:
    name, revision = client.revisions.parse_reference(what)
    return name, shell.catalog.resolve(name, revision, kind=kind)


@command(app)
def ls(
    shell: Shell,
    name: Item,
    *,
    where: Annotated[list[str] | None, typer.Option(help="On metadata: accuracy=gte:0.9. May be repeated.")] = None,
    sort: Annotated[
        list[str] | None, typer.Option(help="A field, or the name of metadata; -NAME: descending. May be repeated.")
    ] = None,
    metric: Metrics = None,
    archived: Annotated[bool, typer.Option("--archived", help="List archived versions alone.")] = False,
    all_: Annotated[bool, typer.Option("--all", "-a", help="List archived versions, too.")] = False,
    kind: Kind = "models",
) -> None:
    """List the versions, newest first."""
    order = {name if name in FIELDS else f"metadata.{name}": way for name, way in values.order(sort or []).items()}
    found = (
        shell.catalog.items(kind)
        .versions(name)
        .list(
            sort=order, metadata=values.conditions(where or []), archived="all" if all_ else "true" if archived else ""
        )
    )
    shell.output.rows(found, with_metrics(COLUMNS, metric), lambda version: f"{name}@{version.ordinal}")


@command(app)
def show(shell: Shell, what: Reference, *, kind: Kind = "models") -> None:
    """Show one version."""
    _show(shell, *_one(shell, what, kind))


def _show(shell: Shell, name: str, version: "client.Version") -> None:
    about: dict[str, object] = {
        "version": f"{name}@{version.ordinal}",
        "file": version.original,
        "size": human_size(version.size),
        "sha256": version.digest,
        "uri": version.uri,
        "state": version.state,
        "stage": "" if version.stage == "none" else version.stage,
        "author": version.author,
        "external id": version.external_id,
        "run": " ".join(filter(None, version.run.values())),
        "aliases": version.aliases,
        "metadata": version.metadata,
        "description": version.description,
        "verdict": version.inspection.get("verdict"),
        "created": when(version.timestamp),
    }
    if version.folder:
        about |= {each.path: human_size(each.size) for each in version.files}
    shell.output.one(version, {label: value for label, value in about.items() if value}, f"{name}@{version.ordinal}")


@command(app)
def register(
    shell: Shell,
    name: Item,
    uri: Annotated[str, typer.Argument(help="Where the bytes are: s3://bucket/model.onnx.")],
    *,
    ordinal: Annotated[str, typer.Option("--as", help="The label of the version. Default: the next number.")] = "",
    description: Annotated[str, typer.Option("--description", "-d")] = "",
    set_: Pairs = None,
    author: Annotated[str, typer.Option(help="The author.")] = "",
    stage: NewStage = "none",
    kind: Kind = "models",
) -> None:
    """Add a version whose bytes are not stored in the catalog."""
    version = (
        shell.catalog.items(kind)
        .versions(name)
        .register(
            uri,
            ordinal=ordinal,
            description=description,
            metadata=values.pairs(set_ or []),
            author=author,
            stage=stage,
        )
    )
    shell.output.one(version, {"": f"{name}@{version.ordinal}"}, f"{name}@{version.ordinal}")


@command(app)
def update(
    shell: Shell,
    what: Reference,
    *,
    description: Annotated[str | None, typer.Option("--description", "-d")] = None,
    set_: Pairs = None,
    unset: Annotated[list[str] | None, typer.Option(help="A metadata name to remove. May be repeated.")] = None,
    author: Annotated[str | None, typer.Option(help="The author.")] = None,
    stage: Annotated[Stage | None, typer.Option(help="Its stage, a label for people.")] = None,
    archive: Annotated[bool | None, typer.Option("--archive/--unarchive", help="Leave it out of lists.")] = None,
    pin: Annotated[
        bool | None, typer.Option("--pin/--unpin", help="Keep it, regardless of retention policies.")
    ] = None,
    kind: Kind = "models",
) -> None:
    """Change the given fields of a version."""
    name, version = _one(shell, what, kind)
    stop_without_change(description, author, stage, archive, pin, set_ or None, unset or None)
    changed = (
        shell.catalog.items(kind)
        .versions(name)
        .update(
            version.ordinal,
            description=description,
            author=author,
            stage=stage,
            archived=archive,
            pinned=pin,
            add=values.pairs(set_ or []),
            remove=tuple(unset or ()),
        )
    )
    _show(shell, name, changed)


@command(app)
def verify(shell: Shell, what: Reference, *, kind: Kind = "models") -> None:
    """Read all bytes of a version from the server and compare them with its digests."""
    name, version = _one(shell, what, kind)
    with transfer_progress(quiet=shell.quiet) as progress:
        shell.catalog.items(kind).versions(name).verify(version.ordinal, progress=progress)
    shell.say(f"{name}@{version.ordinal} is intact: {counted(version.file_count, 'file')}, {human_size(version.size)}")


@command(app)
def link(
    shell: Shell,
    what: Reference,
    *,
    seconds: Annotated[int, typer.Option("--for", min=1, help="Seconds that it is valid; a day at most.")] = 300,
    path: Annotated[str, typer.Option(help="One file of a folder. Default: all files, as an archive.")] = "",
    kind: Kind = "models",
) -> None:
    """Create a link that downloads a version without an account, and print it."""
    name, version = _one(shell, what, kind)
    created = shell.catalog.items(kind).versions(name).link(version.ordinal, expires_in=seconds, path=path)
    shell.say(f"It is valid until {when(created.expires)}:")
    shell.output.one(created, {"": created.url}, created.url)


@command(app)
def rm(
    shell: Shell,
    what: Annotated[str, typer.Argument(metavar="NAME@VERSION")],
    *,
    kind: Kind = "models",
    force: Annotated[bool, typer.Option("--force", help="Remove its aliases as well, and a deployed version.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a version for good."""
    name, version = _one(shell, what, kind)
    confirm_or_stop(f"Remove {name}@{version.ordinal}, {version.original}, for good?", yes=yes)
    shell.catalog.items(kind).versions(name).delete(version.ordinal, force=force)
    shell.say(f"Removed {name}@{version.ordinal}")


@command(app)
def prune(
    shell: Shell,
    name: Item,
    *,
    keep: Annotated[
        int | None, typer.Option("--keep", min=1, help="How many of the newest to keep. Default: the policy in force.")
    ] = None,
    keep_aliased: Annotated[
        bool, typer.Option("--keep-aliased", help="No effect: versions with an alias are always kept.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be removed, and remove nothing.")] = False,
    kind: Kind = "models",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove old versions for good.

    The newest stay, and every version that has an alias, is deployed, is pinned, has the stage staging or production,
    or is the input of another version.
    """
    del keep_aliased
    resource = shell.catalog.items(kind).versions(name)
    if not dry_run:
        listed = resource.prune(keep, dry_run=True)
        if not listed.versions and not listed.more:
            shell.say(f"{name}: nothing to remove")
            return
        many = counted(len(listed.versions), "version") + (" or more" if listed.more else "")
        confirm_or_stop(f"Remove {many} of {name} ({human_size(listed.bytes)}) for good?", yes=yes)
    found = resource.prune(keep, dry_run=dry_run)
    size, count = found.bytes, len(found.versions)
    shell.output.rows(iter(found.versions), PRUNED, lambda version: f"{name}@{version.ordinal}")
    while found.more and found.versions and not dry_run:
        found = resource.prune(keep)
        size, count = size + found.bytes, count + len(found.versions)
    verb = "Would remove" if dry_run else "Removed"
    more = ", and more" if found.more else ""
    shell.say(f"{verb} {counted(count, 'version')} of {name} ({human_size(size)}){more}")

"""`catalog push` and `catalog pull`: uploads and downloads."""

import shlex
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TypedDict

import typer

from catalog import client
from catalog.client.wording import counted, listed
from catalog.commands.terminal import completion, values
from catalog.commands.terminal.shell import INTERRUPTED, Shell, command, stop
from catalog.commands.terminal.transfer_progress import transfer_progress
from catalog.durations import human_size

Kind = Annotated[Literal["models", "datasets", "algorithms"], typer.Option("--kind", "-k")]
Include = Annotated[
    list[str] | None,
    typer.Option("--include", help="Only files of a folder that match: '*.json', weights/. May be repeated."),
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", help="Leave files of a folder out: '*.tmp', logs/. May be repeated.")
]
OWN = "Your own item, which is created if it does not exist. OWNER/NAME, or an id, means another user's item."
Reference = Annotated[
    str,
    typer.Argument(
        metavar="[OWNER/]NAME[@REVISION]",
        help="A bare name means your own item, else the only one of that name that you may read. "
        "@3 is a version, @champion an alias, and @latest the newest version, which is the default.",
        autocompletion=completion.references,
    ),
]


def add_transfer_commands(app: typer.Typer) -> None:
    """Add the commands."""
    command(app)(push)
    command(app)(pull)


class PushOptions(TypedDict):
    """What `push` and its plan take alike."""

    kind: str
    tags: list[str]
    metrics: "dict[str, client.results.Value]"
    description: str
    ordinal: str
    alias: str
    inputs: list[str]
    filename: str
    include: list[str]
    exclude: list[str]


def push(
    shell: Shell,
    name: Annotated[str, typer.Argument(help=OWN, autocompletion=completion.models)],
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Files or a folder, uploaded as one version; `-`: standard input."),
    ],
    *,
    kind: Kind = "models",
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", "-t", help="May be repeated.", autocompletion=completion.tags),
    ] = None,
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
    filename: Annotated[str, typer.Option("--name", help="The name of the file, for example of standard input.")] = "",
    include: Include = None,
    exclude: Exclude = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a file in which the inspection finds a threat.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and list what would be uploaded; upload nothing.")
    ] = False,
) -> None:
    """Upload a file or folder as a new version. After an interruption, the same command resumes.

    All is checked before anything is sent. Of a folder, .git, __pycache__, .DS_Store and what its .catalogignore names
    are left out.
    """
    what: client.transfer.uploads.contents.Uploadable = files if len(files) > 1 else files[0]
    if what == "-":
        what = sys.stdin.buffer
        filename = filename or stop("Standard input has no name: pass one with --name model.onnx")
    options: PushOptions = {
        "kind": kind,
        "tags": tag or [],
        "metrics": values.pairs(set_ or []),
        "description": description,
        "ordinal": ordinal,
        "alias": alias,
        "inputs": input_ or [],
        "filename": filename,
        "include": include or [],
        "exclude": exclude or [],
    }
    if dry_run:
        _show_plan(shell, shell.catalog.plan_push(name, what, **options))
        return
    with resume_hint(), transfer_progress(quiet=shell.quiet) as progress:
        pushed = shell.catalog.push(name, what, **options, strict=strict, progress=progress)
    if pushed.is_new:
        shell.say(f"Created {pushed.name} in {kind}")
    if pushed.left_out:
        shell.say(f"Left out: {listed(pushed.left_out)}")
    shell.output.one(pushed.version, {"": pushed.reference}, pushed.reference)


def _show_plan(shell: Shell, plan: "client.PushPlan") -> None:
    """Print what a push would do."""
    size = human_size(plan.size)
    adds = f"create {plan.name} in {plan.kind} and add" if plan.is_new else f"add to {plan.name} in {plan.kind}"
    shell.say(f"It would {adds} a version of {counted(len(plan.files), 'file')}, {size}. Nothing was uploaded.")
    if plan.left_out:
        shell.say(f"Left out: {listed(plan.left_out)}")
    shell.output.one(plan, {path: human_size(size) for path, size in plan.files.items()}, "\n".join(plan.files))


def pull(
    shell: Shell,
    what: Reference,
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]...", help="Some of its files or folders. Default: all.")
    ] = None,
    *,
    kind: Kind = "models",
    to: Annotated[
        str,
        typer.Option(help="A folder (there/ creates one), or the path of the new file. Default: this folder."),
    ] = "",
    cached: Annotated[bool, typer.Option("--cached", help="Leave it in the cache and print its path.")] = False,
    include: Include = None,
    exclude: Exclude = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that differ.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a version in which the inspection found a threat.")
    ] = False,
) -> None:
    """Download a version, verify it and print its path. After an interruption, the same command resumes.

    A file that is there already and differs stays, and nothing is written, unless an earlier pull wrote it and no one
    has changed it, or with --force.
    """
    with resume_hint(), transfer_progress(quiet=shell.quiet) as progress:
        path = shell.catalog.pull(
            what,
            *(files or ()),
            kind=kind,
            to=None if cached else to or _default_target(what),
            include=include or [],
            exclude=exclude or [],
            force=force,
            strict=strict,
            progress=progress,
        )
    shell.output.one({"path": str(path)}, {"": path}, str(path))


def _default_target(what: str) -> "Callable[[client.Version], str | Path]":
    """This folder, or for a version of many files a subfolder with the name of the item."""
    subfolder = client.revisions.parse_reference(what).name.replace("/", "_")

    def target(version: "client.Version") -> str | Path:
        return f"{subfolder}/" if version.folder else Path()

    return target


@contextmanager
def resume_hint() -> Generator[None]:
    try:
        yield
    except KeyboardInterrupt:
        again = shlex.join(["catalog", *sys.argv[1:]])
        stop(f"Interrupted. What was transferred is kept. To resume:\n  {again}", INTERRUPTED)

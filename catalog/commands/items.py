"""`catalog models`, `catalog datasets`, `catalog algorithms`."""

import shlex
from itertools import islice
from typing import Annotated, Any

import typer

from catalog.client import Item
from catalog.client.items import Items
from catalog.commands import completion, values
from catalog.commands.output import Columns, when
from catalog.commands.shell import Shell, command
from catalog.durations import human_size

Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", help="May be repeated.")]
Pairs = Annotated[list[str] | None, typer.Option("--set", "-s", help="Metadata: NAME=VALUE. May be repeated.")]
Datasets = Annotated[list[str] | None, typer.Option("--dataset", help="What it was trained on. May be repeated.")]
Visibility = Annotated[str | None, typer.Option(help="private or public, which is for everybody of the tenant.")]
Status = Annotated[str | None, typer.Option(help="training, test, production or deploy.")]
Description = Annotated[str | None, typer.Option("--description", "-d")]
Where = Annotated[list[str] | None, typer.Option(help="Of metadata: accuracy=0.95, accuracy=gte:0.9. May be repeated.")]
Filter = Annotated[str, typer.Option("--filter", help="As in the API, in JSON.")]
Users = Annotated[list[str], typer.Argument(help="Ids or names.")]

TRAINED = ("status", "dataset", "add_dataset", "remove_dataset")
"""What datasets do not have."""


def items(kind: str) -> typer.Typer:  # noqa: C901  one after the other
    """The commands of one kind."""
    one = kind.removesuffix("s")
    app = typer.Typer(help=f"{kind.capitalize()}: list, show, make, change, share, remove.", no_args_is_help=True)
    without = TRAINED if kind == "datasets" else ()
    complete = {"autocompletion": completion.OF[kind]}
    key = Annotated[str, typer.Argument(help="Id, name, or owner/name.", **complete)]
    keys = Annotated[list[str], typer.Argument(help="Ids, names, or owner/name.", **complete)]

    def room(shell: Shell) -> Items[Any, Any]:
        found: Items[Any, Any] = getattr(shell.catalog, kind)
        return found

    @command(app)
    def ls(
        shell: Shell,
        *,
        tag: Tags = None,
        where: Where = None,
        filter_: Filter = "",
        sort: Annotated[list[str] | None, typer.Option(help="A field; -FIELD goes down. May be repeated.")] = None,
        limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="0 is all.")] = 50,
        trash: Annotated[bool, typer.Option("--trash", help="What was removed and can be restored.")] = False,
    ) -> None:
        """List those that you may read, newest first."""
        if trash:
            shell.output.rows(room(shell).trash(), REMOVED, lambda removed: removed.id)
            return
        found = room(shell).list(
            filter=values.filters(filter_, tag or []),
            sort=values.order(sort or []) or None,
            metadata=values.conditions(where or []),
            batch=min(limit or 100, 100),
        )
        shell.output.rows(islice(found, limit or None), COLUMNS, lambda item: item.id)

    @command(app)
    def show(shell: Shell, key: key) -> None:
        """Show all of one."""
        _show(shell, room(shell).get(key))

    @command(app, without=without)
    def create(
        shell: Shell,
        name: str,
        *,
        description: Description = None,
        visibility: Visibility = None,
        status: Status = None,
        tag: Tags = None,
        set_: Pairs = None,
        user: Annotated[list[str] | None, typer.Option(help="Who may read it besides. May be repeated.")] = None,
        dataset: Datasets = None,
    ) -> None:
        """Make one."""
        made = room(shell).create(
            name,
            description=description or "",
            visibility=visibility or "private",
            status=status,
            tags=tag or [],
            metadata=values.pairs(set_ or []),
            users=user or [],
            datasets=dataset,
        )
        shell.say(f"Made the {one} {made.name}")
        shell.output.one(made, {"id": made.id}, made.id)

    @command(app, without=without)
    def update(
        shell: Shell,
        key: key,
        *,
        description: Description = None,
        visibility: Visibility = None,
        status: Status = None,
        owner: Annotated[str | None, typer.Option(help="Give it to somebody else: administrators only.")] = None,
        tag: Tags = None,
        untag: Annotated[list[str] | None, typer.Option("--untag", help="May be repeated.")] = None,
        set_: Pairs = None,
        unset: Annotated[list[str] | None, typer.Option(help="A name of metadata. May be repeated.")] = None,
        add_dataset: Datasets = None,
        remove_dataset: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
    ) -> None:
        """Change what is named."""
        add = {"tags": tag, "metadata": values.pairs(set_ or []), "datasets": add_dataset}
        remove = {"tags": untag, "metadata": unset, "datasets": remove_dataset}
        changed = room(shell).update(
            key,
            description=description,
            visibility=visibility,
            status=status,
            owner=owner,
            add={name: given for name, given in add.items() if given},
            remove={name: given for name, given in remove.items() if given},
        )
        _show(shell, changed)

    @command(app)
    def share(
        shell: Shell,
        key: key,
        users: Users,
        *,
        stop: Annotated[bool, typer.Option("--stop", help="Do not share it with them any more.")] = False,
    ) -> None:
        """Let users read it."""
        shared = (room(shell).unshare if stop else room(shell).share)(key, *users)
        shell.output.one(shared, {"users": _names(shared)}, shared.id)

    @command(app)
    def rm(shell: Shell, keys: keys) -> None:
        """Remove, with all versions, into the trash."""
        for each in keys:
            room(shell).delete(each)
            shell.say(f"Removed {each}. It comes back by: catalog {kind} restore {shlex.quote(each)}")

    @command(app)
    def restore(shell: Shell, key: Annotated[str, typer.Argument(help="Id, name, or owner/name.")]) -> None:
        """Bring one back from the trash."""
        _show(shell, room(shell).restore(key))

    return app


COLUMNS: Columns = {
    "name": lambda item: item.name,
    "status": lambda item: getattr(item, "status", ""),
    "tags": lambda item: item.tags,
    "visibility": lambda item: item.visibility,
    "versions": lambda item: item.versions_total,
    "changed": lambda item: when(item.lastmod),
    "id": lambda item: item.id,
}

REMOVED: Columns = {
    "name": lambda removed: removed.name,
    "removed": lambda removed: when(removed.removed),
    "until": lambda removed: when(removed.until),
    "id": lambda removed: removed.id,
}


def _show(shell: Shell, item: Item) -> None:
    about: dict[str, object] = {
        "name": item.name,
        "id": item.id,
        "owner": item.owner,
        "visibility": item.visibility,
        "users": _names(item),
        "status": getattr(item, "status", None),
        "tags": item.tags,
        "metadata": item.metadata,
        "datasets": [each if isinstance(each, str) else each.name for each in getattr(item, "datasets", ())],
        "description": item.description,
        "made": when(item.timestamp),
        "changed": when(item.lastmod),
    }
    about |= {f"@{each.ordinal}": f"{each.original}  {human_size(each.size)}" for each in item.versions}
    shell.output.one(item, {name: value for name, value in about.items() if value}, item.id)


def _names(item: Item) -> list[str]:
    return [user if isinstance(user, str) else user.username or user.id for user in item.users]

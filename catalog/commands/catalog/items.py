"""`catalog models`, `catalog datasets`, `catalog algorithms`."""

import shlex
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Annotated, Literal, TypeVar

import typer

from catalog import client
from catalog.commands.terminal import completion, values
from catalog.commands.terminal.output import Columns, when
from catalog.commands.terminal.shell import Shell, command, stop_without_change
from catalog.durations import human_size

Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", help="May be repeated.", autocompletion=completion.tags)]
Pairs = Annotated[list[str] | None, typer.Option("--set", "-s", help="Metadata: NAME=VALUE. May be repeated.")]
Datasets = Annotated[list[str] | None, typer.Option("--dataset", help="What it was trained on. May be repeated.")]
Visibility = Annotated[
    Literal["private", "public"] | None, typer.Option(help="Public: readable by every user of the tenant.")
]
Status = Annotated[Literal["training", "test", "production", "deploy"] | None, typer.Option(help="Its maturity.")]
OfStatus = Annotated[
    Literal["training", "test", "production", "deploy"] | None, typer.Option("--status", help="Only with this status.")
]
OfVisibility = Annotated[Literal["private", "public"] | None, typer.Option("--visibility", help="Only these.")]
OfOwner = Annotated[str, typer.Option("--owner", help="Only items of this user: an id or a username.")]
Metrics = Annotated[
    list[str] | None, typer.Option("--metric", "-m", help="Show this metadata in a column. May be repeated.")
]
Description = Annotated[str | None, typer.Option("--description", "-d")]
Where = Annotated[list[str] | None, typer.Option(help="On metadata: accuracy=0.95, accuracy=gte:0.9. May be repeated.")]
Latest = Annotated[
    list[str] | None, typer.Option("--latest", help="The same on metadata of the latest version. May be repeated.")
]
Alias = Annotated[str, typer.Option(help="Only with this alias.")]
Stage = Annotated[str, typer.Option(help="Only with a live version in this stage: staging, production or archived.")]
License = Annotated[str, typer.Option("--license", help="Only with this license.")]
Library = Annotated[str, typer.Option(help="Only for this library.")]
Filter = Annotated[str, typer.Option("--filter", help="A filter of the API, as JSON.")]
Users = Annotated[list[str], typer.Argument(help="Ids or names of users and groups.")]

CardLicense = Annotated[str | None, typer.Option("--license", help="Such as MIT.")]
CardLibrary = Annotated[str | None, typer.Option("--library", help="The library that reads it, such as keras.")]
Languages = Annotated[list[str] | None, typer.Option("--language", help="Such as en. May be repeated.")]
Tasks = Annotated[list[str] | None, typer.Option("--task", help="Such as text-classification. May be repeated.")]

TRAINED = ("status", "dataset", "add_dataset", "remove_dataset")
"""Options that datasets do not have."""


def item_commands(kind: str) -> typer.Typer:  # noqa: C901  one short function per command
    """The commands for one kind of item."""
    one = kind.removesuffix("s")
    app = typer.Typer(help=f"{kind.capitalize()}: list, show, create, change, share, remove.", no_args_is_help=True)
    without = TRAINED if kind == "datasets" else ()
    complete = {"autocompletion": completion.COMPLETERS[kind]}
    key = Annotated[str, typer.Argument(help="Id, name, or owner/name.", **complete)]
    keys = Annotated[list[str], typer.Argument(help="Ids, names, or owner/name.", **complete)]

    @command(app)
    def ls(
        shell: Shell,
        *,
        tag: Tags = None,
        where: Where = None,
        latest: Latest = None,
        alias: Alias = "",
        stage: Stage = "",
        license_: License = "",
        library: Library = "",
        status: OfStatus = None,
        visibility: OfVisibility = None,
        owner: OfOwner = "",
        filter_: Filter = "",
        metric: Metrics = None,
        sort: Annotated[
            list[str] | None,
            typer.Option(help="A field, or latest.NAME; -FIELD: descending. May be repeated."),
        ] = None,
        limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="The most to list; 0 lists all.")] = 50,
        archived: Annotated[bool, typer.Option("--archived", help="List archived items alone.")] = False,
        trash: Annotated[bool, typer.Option("--trash", help="List removed items that can be restored.")] = False,
    ) -> None:
        """List the items that you may read, newest first."""
        if trash:
            shell.output.rows(shell.catalog.items(kind).trash(), REMOVED, lambda removed: removed.id)
            return
        narrowed = {"status": status, "visibility": visibility, "owner": owner and _user_id(shell, owner)}
        found = shell.catalog.items(kind).list(
            filter=values.filters(filter_, tag or [], narrowed),
            sort=values.order(sort or []) or None,
            metadata=values.conditions(where or []),
            latest=values.conditions(latest or []),
            alias=alias,
            stage=stage,
            license=license_,
            library=library,
            archived="true" if archived else "",
            batch=min(limit or 100, 100),
        )
        shell.output.rows(islice(found, limit or None), with_metrics(COLUMNS, metric), lambda item: item.id)

    @command(app)
    def show(shell: Shell, key: key) -> None:
        """Show one item."""
        _show(shell, shell.catalog.items(kind).get(key))

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
        user: Annotated[list[str] | None, typer.Option(help="A user who may read it. May be repeated.")] = None,
        dataset: Datasets = None,
        license_: CardLicense = None,
        library: CardLibrary = None,
        language: Languages = None,
        task: Tasks = None,
    ) -> None:
        """Create an item."""
        created = shell.catalog.items(kind).create(
            name,
            description=description or "",
            visibility=visibility or "private",
            status=status,
            tags=tag or [],
            metadata=values.pairs(set_ or []),
            users=user or [],
            datasets=dataset,
            **_card_fields(license_, library, language, task),
        )
        shell.say(f"Created the {one} {created.name}")
        shell.output.one(created, {"id": created.id}, created.id)

    @command(app, without=without)
    def update(
        shell: Shell,
        key: key,
        *,
        description: Description = None,
        visibility: Visibility = None,
        status: Status = None,
        owner: Annotated[str | None, typer.Option(help="Transfer it to another user. For administrators.")] = None,
        tag: Tags = None,
        untag: Annotated[list[str] | None, typer.Option("--untag", help="A tag to remove. May be repeated.")] = None,
        set_: Pairs = None,
        unset: Annotated[list[str] | None, typer.Option(help="A metadata name to remove. May be repeated.")] = None,
        archive: Annotated[bool | None, typer.Option("--archive/--unarchive", help="Leave it out of lists.")] = None,
        add_dataset: Datasets = None,
        remove_dataset: Annotated[list[str] | None, typer.Option(help="May be repeated.")] = None,
        license_: CardLicense = None,
        library: CardLibrary = None,
        language: Languages = None,
        task: Tasks = None,
    ) -> None:
        """Change the given fields of an item."""
        lists = {"tags": tag, "metadata": values.pairs(set_ or []), "datasets": add_dataset}
        add = {name: value for name, value in lists.items() if value}
        lists = {"tags": untag, "metadata": unset, "datasets": remove_dataset}
        remove = {name: value for name, value in lists.items() if value}
        card = _card_fields(license_, library, language, task)
        stop_without_change(description, visibility, status, owner, archive, add or None, remove or None, card or None)
        changed = shell.catalog.items(kind).update(
            key,
            description=description,
            visibility=visibility,
            status=status,
            owner=owner,
            archived=archive,
            add=add,
            remove=remove,
            **card,
        )
        _show(shell, changed)

    @command(app)
    def rename(shell: Shell, key: key, name: Annotated[str, typer.Argument(help="The new name.")]) -> None:
        """Give an item another name. Its id stays."""
        renamed = shell.catalog.items(kind).rename(key, name)
        shell.output.one(renamed, {"": renamed.name}, renamed.id)

    @command(app)
    def share(
        shell: Shell,
        key: key,
        users: Users,
        *,
        edit: Annotated[
            bool, typer.Option("--edit", help="Let them add versions and change the content, too.")
        ] = False,
        stop: Annotated[bool, typer.Option("--stop", help="Stop sharing it with them.")] = False,
    ) -> None:
        """Give users and groups read access."""
        found = shell.catalog.items(kind)
        shared = found.unshare(key, *users) if stop else found.share(key, *users, edit=edit)
        shell.output.one(shared, {"users": _names(shared), "editors": _editors(shared)}, shared.id)

    @command(app)
    def rm(
        shell: Shell,
        keys: keys,
        *,
        force: Annotated[bool, typer.Option("--force", help="Remove a model that is deployed as well.")] = False,
    ) -> None:
        """Move items, with all their versions, to the trash."""
        for each in keys:
            shell.catalog.items(kind).delete(each, force=force)
            shell.say(f"Removed {each}. To restore it: catalog {kind} restore {shlex.quote(each)}")

    @command(app)
    def restore(shell: Shell, key: Annotated[str, typer.Argument(help="Id, name, or owner/name.")]) -> None:
        """Restore an item from the trash."""
        _show(shell, shell.catalog.items(kind).restore(key))

    return app


COLUMNS: "Columns[client.Item]" = {
    "name": lambda item: item.name,
    "status": lambda item: getattr(item, "status", ""),
    "tags": lambda item: item.tags,
    "visibility": lambda item: item.visibility,
    "versions": lambda item: item.versions_total,
    "changed": lambda item: when(item.lastmod),
    "id": lambda item: item.id,
}

REMOVED: "Columns[client.results.TrashedItem]" = {
    "name": lambda removed: removed.name,
    "removed": lambda removed: when(removed.removed),
    "until": lambda removed: when(removed.until),
    "id": lambda removed: removed.id,
}


WithMetadata = TypeVar("WithMetadata", "client.Item", "client.Version")


def with_metrics(columns: "Columns[WithMetadata]", names: Sequence[str] | None) -> "Columns[WithMetadata]":
    """The columns, with some of the metadata behind the name."""
    first, *others = columns.items()
    return dict([first, *((name, _metadata_cell(name)) for name in names or ()), *others])


def _metadata_cell(name: str) -> "Callable[[client.Item | client.Version], object]":
    return lambda element: element.metadata.get(name, "")


def _user_id(shell: Shell, key: str) -> str:
    return str(shell.catalog.users.get(key).id)


def owner_name(shell: Shell, key: str) -> str:
    """The name of a user; the id of one who is gone."""
    try:
        return shell.catalog.users.get(key).username or key
    except client.NotFound:
        return key


def _show(shell: Shell, item: "client.Item") -> None:
    about: dict[str, object] = {
        "name": item.name,
        "id": item.id,
        "owner": owner_name(shell, item.owner),
        "visibility": item.visibility,
        "users": _names(item),
        "editors": _editors(item),
        "status": getattr(item, "status", None),
        "tags": item.tags,
        "aliases": item.aliases,
        "license": item.license,
        "library": item.library,
        "languages": item.languages,
        "tasks": item.tasks,
        "metadata": item.metadata,
        "datasets": [each if isinstance(each, str) else each.name for each in getattr(item, "datasets", ())],
        "description": item.description,
        "created": when(item.timestamp),
        "changed": when(item.lastmod),
    }
    about |= {f"@{each.ordinal}": f"{each.original}  {human_size(each.size)}" for each in item.versions}
    shell.output.one(item, {name: value for name, value in about.items() if value}, item.id)


def _card_fields(
    license_: str | None, library: str | None, languages: list[str] | None, tasks: list[str] | None
) -> "client.results.CardFields":
    """The fields that were given."""
    given: client.results.CardFields = {}
    if license_ is not None:
        given["license"] = license_
    if library is not None:
        given["library"] = library
    if languages:
        given["languages"] = languages
    if tasks:
        given["tasks"] = tasks
    return given


def _names(item: "client.Item") -> list[str]:
    users = [user if isinstance(user, str) else user.username or user.id for user in item.users]
    return users + [group.name for group in item.groups]


def _editors(item: "client.Item") -> list[str]:
    return [party if isinstance(party, str) else party.name for party in item.editors]

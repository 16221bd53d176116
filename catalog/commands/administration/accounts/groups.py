"""`catalog groups`."""

from typing import Annotated

import typer

from catalog import client
from catalog.commands.terminal.output import Columns
from catalog.commands.terminal.shell import Shell, command

groups = typer.Typer(help="Groups of users, to share with: list, show, create, change, remove.", no_args_is_help=True)

Key = Annotated[str, typer.Argument(metavar="GROUP", help="Id or name.")]
Members = Annotated[list[str], typer.Argument(metavar="USERS", help="Ids or names.")]
SomeMembers = Annotated[list[str] | None, typer.Argument(metavar="USERS", help="Ids or names.")]

GROUPS: "Columns[client.results.Group]" = {
    "name": lambda group: group.name,
    "description": lambda group: group.description,
    "id": lambda group: group.id,
}


@command(groups, "ls")
def list_groups(shell: Shell) -> None:
    """List the groups of the tenant."""
    shell.output.rows(shell.catalog.groups.list(), GROUPS, lambda group: group.id)


@command(groups, "show")
def show_group(shell: Shell, group: Key) -> None:
    """Show a group. Its members and administrators see who is in it."""
    _show(shell, shell.catalog.groups.get(group))


@command(groups, "create")
def create_group(
    shell: Shell, name: str, members: SomeMembers = None, *, description: Annotated[str, typer.Option()] = ""
) -> None:
    """Create a group. For administrators."""
    _show(shell, shell.catalog.groups.create(name, *(members or ()), description=description))


@command(groups, "add")
def add_members(shell: Shell, group: Key, members: Members) -> None:
    """Add users to a group. For administrators."""
    _show(shell, shell.catalog.groups.add(group, *members))


@command(groups, "remove")
def remove_members(shell: Shell, group: Key, members: Members) -> None:
    """Remove users from a group. For administrators."""
    _show(shell, shell.catalog.groups.remove(group, *members))


@command(groups, "rm")
def remove_group(shell: Shell, group: Key) -> None:
    """Remove a group. What was shared with it no longer is. For administrators."""
    shell.catalog.groups.delete(group)
    shell.say(f"Removed {group}")


def _show(shell: Shell, group: "client.results.Group") -> None:
    members = "" if group.members is None else [user.username for user in group.members]
    shown = {"name": group.name, "description": group.description, "members": members, "id": group.id}
    shell.output.one(group, shown, group.id)

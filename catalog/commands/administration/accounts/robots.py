"""`catalog robots`."""

from typing import Annotated

import typer

from catalog import client
from catalog.commands.terminal.output import Columns, when
from catalog.commands.terminal.shell import Shell, command, confirm_or_stop, stop_without_change

robots = typer.Typer(
    help="Robots, accounts for pipelines that belong to no person: list, create, rotate, revoke. For administrators.",
    no_args_is_help=True,
)

Key = Annotated[str, typer.Argument(metavar="ROBOT", help="Id or name.")]
Items = Annotated[
    list[str] | None,
    typer.Option("--item", help="Limit it to this item: ada/iris, datasets/ada/petals. May be repeated."),
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Limit it to items with this tag. May be repeated.")]
Life = Annotated[str, typer.Option("--for", help="How long the token is valid: 12h, 90d.")]
Description = Annotated[str | None, typer.Option(help="A description.")]

ROBOTS: "Columns[client.results.Robot]" = {
    "name": lambda robot: robot.username,
    "scopes": lambda robot: robot.scopes,
    "limited to": lambda robot: [*robot.items, *(f"#{tag}" for tag in robot.tags)],
    "used": lambda robot: when(robot.used),
    "expires": lambda robot: when(robot.expires) or "no token",
    "id": lambda robot: robot.id,
}


@command(robots, "ls")
def list_robots(shell: Shell) -> None:
    """List the robots of the tenant."""
    shell.output.rows(shell.catalog.robots.list(), ROBOTS, lambda robot: robot.id)


@command(robots, "show")
def show_robot(shell: Shell, robot: Key) -> None:
    """Show a robot."""
    _show(shell, shell.catalog.robots.get(robot))


@command(robots, "create")
def create_robot(
    shell: Shell,
    name: str,
    *,
    scope: Annotated[str, typer.Option(help="read or write.")] = "read",
    item: Items = None,
    tag: Tags = None,
    expires_in: Life = "90d",
    description: Description = None,
) -> None:
    """Create a robot and print its token, which is shown only once.

    Without --item and --tag it has the rights of a regular user. What it creates belongs to it.
    """
    created = shell.catalog.robots.create(
        name, scope=scope, items=item or (), tags=tag or (), expires_in=expires_in, description=description or ""
    )
    _show_token(shell, created)


@command(robots, "update")
def update_robot(
    shell: Shell,
    robot: Key,
    *,
    scope: Annotated[str, typer.Option(help="read or write.")] = "",
    item: Items = None,
    tag: Tags = None,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Remove all limits to items and tags.")] = False,
    description: Description = None,
) -> None:
    """Change what a robot may do. The given items and tags replace those that are there; its token stays."""
    none: list[str] | None = [] if unlimited else None
    items, tags = item or none, tag or none
    stop_without_change(scope or None, items, tags, description)
    _show(shell, shell.catalog.robots.update(robot, scope=scope, items=items, tags=tags, description=description))


@command(robots, "rotate")
def rotate_token(
    shell: Shell,
    robot: Key,
    *,
    expires_in: Life = "90d",
    overlap: Annotated[str, typer.Option(help="How long the old token stays valid: 1h. Default: not at all.")] = "",
) -> None:
    """Give a robot a new token and print it. It is shown only once."""
    _show_token(shell, shell.catalog.robots.rotate(robot, expires_in=expires_in, overlap=overlap))


@command(robots, "revoke")
def revoke_tokens(shell: Shell, robot: Key) -> None:
    """End all tokens of a robot. The robot stays, with what it owns."""
    shell.catalog.robots.revoke(robot)
    shell.say(f"{robot} has no token any more")


@command(robots, "rm")
def remove_robot(
    shell: Shell,
    robot: Key,
    *,
    transfer: Annotated[str, typer.Option(help="The user who gets the items of the robot.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove a robot."""
    confirm_or_stop(f"Remove the robot {robot}?", yes=yes)
    shell.catalog.robots.delete(robot, transfer=transfer)
    shell.say(f"Removed {robot}")


def _show(shell: Shell, robot: "client.results.Robot") -> None:
    shown = {label: value(robot) for label, value in ROBOTS.items()}
    shown |= {"description": robot.description, "created by": robot.created_by}
    shell.output.one(robot, shown, robot.id)


def _show_token(shell: Shell, robot: "client.results.Robot") -> None:
    shell.say(f"It is valid until {when(robot.expires)}, and is shown only once:")
    shell.output.one(robot, {"": robot.token}, robot.token)

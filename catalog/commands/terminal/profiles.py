"""`catalog profile`: several servers, tenants and users on one machine."""

from collections.abc import Mapping
from typing import Annotated

import typer

from catalog import client
from catalog.commands.terminal import values
from catalog.commands.terminal.output import Columns
from catalog.commands.terminal.shell import Shell, command

app = typer.Typer(help="Profiles: a server, a tenant and a user under one name.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The name of the profile.")]

COLUMNS: Columns[Mapping[str, object]] = {
    "profile": lambda row: row["profile"],
    "used": lambda row: "*" if row["used"] else "",
    "server": lambda row: row.get("url", ""),
    "tenant": lambda row: row.get("tenant", ""),
    "user": lambda row: row.get("username", ""),
}


@command(app)
def add(
    shell: Shell,
    name: Name,
    *,
    tenant: Annotated[str, typer.Option("--tenant", "-t")] = "",
    username: Annotated[str, typer.Option("--username", "-u")] = "",
    ca: Annotated[str, typer.Option(help="A file of certificates to trust.")] = "",
) -> None:
    """Store a profile, or change one. Sign in to it with `catalog login --profile NAME`."""
    values.profile_name(name)
    given = {"tenant": tenant, "username": username, "ca": ca}
    before = client.profile.profiles().profiles.get(name, {})
    url = client.profile.find({"url": shell.url or before.get("url", "")}).url
    changes = {each: value for each, value in given.items() if value}
    client.profile.save_profile(name, {**changes, "url": url})
    shell.say(f"Stored {name}. Sign in with: catalog login --profile {name}")


@command(app)
def use(
    shell: Shell,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Default: none any more.")] = "",
) -> None:
    """Use a profile by default."""
    client.profile.use_profile(name)
    shell.say(f"Commands use {name} from now on." if name else "Commands use no profile from now on.")


@command(app)
def ls(shell: Shell) -> None:
    """List the profiles."""
    stored = client.profile.profiles()
    rows = [{"profile": name, "used": name == stored.used, **about} for name, about in stored.profiles.items()]
    shell.output.rows(sorted(rows, key=lambda row: str(row["profile"])), COLUMNS, lambda row: str(row["profile"]))


@command(app)
def rm(shell: Shell, name: Name) -> None:
    """Remove a profile, and the token that is stored for it."""
    client.profile.remove_profile(name)
    shell.say(f"Removed {name}")

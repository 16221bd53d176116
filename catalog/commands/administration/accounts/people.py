"""`catalog users`, `catalog tokens` and `catalog tenants`."""

import re
import sys
from typing import Annotated, Literal

import typer

from catalog import client
from catalog.commands.terminal import values
from catalog.commands.terminal.output import Columns, when
from catalog.commands.terminal.shell import Shell, ask, command, confirm_or_stop, secret, stop_without_change
from catalog.durations import human_size

users = typer.Typer(help="The users of the tenant: list, create, change, remove.", no_args_is_help=True)
tokens = typer.Typer(help="Personal access tokens, for scripts: list, create, revoke.", no_args_is_help=True)
tenants = typer.Typer(
    help="Tenants: list, show, create, change, remove. For the operator, with API_TOKEN in CATALOG_TOKEN.",
    no_args_is_help=True,
)

FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Role = Literal["regular", "admin"]
ID = re.compile("[0-9a-f]{24}")
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

USERS: "Columns[client.results.User]" = {
    "name": lambda user: user.username,
    "role": lambda user: user.role,
    "email": lambda user: user.email,
    "id": lambda user: user.id,
}

TOKENS: "Columns[client.results.Token]" = {
    "name": lambda token: token.name,
    "scopes": lambda token: token.scopes,
    "used": lambda token: when(token.used),
    "expires": lambda token: when(token.expires),
    "id": lambda token: token.id,
}

TENANTS: "Columns[client.results.Tenant]" = {
    "name": lambda tenant: tenant.id,
    "organization": lambda tenant: tenant.organization,
    "email": lambda tenant: tenant.email,
    "quota": lambda tenant: human_size(tenant.quota_bytes) if tenant.quota_bytes else "",
    "inspection": lambda tenant: tenant.inspection,
}


def _new_password(shell: Shell, what: str, *, from_stdin: bool) -> str:
    """A new password, for which a terminal asks twice and shows the rule."""
    if not from_stdin and sys.stdin.isatty():
        shell.say(shell.catalog.password_rule())
    return secret(what, from_stdin=from_stdin, twice=True)


@command(users, "ls")
def list_users(shell: Shell) -> None:
    """List the users of the tenant."""
    shell.output.rows(shell.catalog.users.list(), USERS, lambda user: user.id)


@command(users, "create")
def create_user(
    shell: Shell,
    username: str,
    *,
    email: Annotated[str, typer.Option(help="Default: ask for it.")] = "",
    role: Role = "regular",
    password_stdin: FromStdin = False,
) -> None:
    """Create a user. For administrators. The password is asked for twice."""
    email = email or ask("E-mail", "--email")
    password = _new_password(shell, "Password", from_stdin=password_stdin)
    created = shell.catalog.users.create(username, password, email=email, role=role)
    shell.output.one(created, {"name": created.username, "id": created.id}, created.id)


@command(users, "update")
def update_user(
    shell: Shell,
    user: Annotated[str, typer.Argument(help="Id or name.")],
    *,
    email: Annotated[str, typer.Option()] = "",
    role: Role | None = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a new password.")] = False,
    password_stdin: FromStdin = False,
) -> None:
    """Change a user, or yourself. A new password or role ends all sessions of the user."""
    new = _new_password(shell, "New password", from_stdin=password_stdin) if password or password_stdin else None
    stop_without_change(email or None, role, new)
    changed = shell.catalog.users.update(user, email=email, role=role or "", password=new or "")
    shell.output.one(changed, {"name": changed.username, "id": changed.id}, changed.id)


@command(users, "rm")
def remove_user(
    shell: Shell,
    user: Annotated[str, typer.Argument(help="Id or name.")],
    *,
    transfer: Annotated[str, typer.Option(help="The user who gets the items of the removed one.")] = "",
    yes: Yes = False,
) -> None:
    """Remove a user. For administrators."""
    confirm_or_stop(f"Remove the user {user}?", yes=yes)
    shell.catalog.users.delete(user, transfer=transfer)
    shell.say(f"Removed {user}")


@command(tokens, "ls")
def list_tokens(shell: Shell) -> None:
    """List your tokens; administrators see those of all users."""
    shell.output.rows(shell.catalog.tokens.list(), TOKENS, lambda token: token.id)


@command(tokens, "create")
def create_token(
    shell: Shell,
    name: Annotated[str, typer.Argument(help="A description.")],
    *,
    scope: Literal["read", "write"] = "read",
    expires_in: Annotated[str, typer.Option("--for", help="How long it is valid: 12h, 90d.")] = "90d",
) -> None:
    """Create a token and print it. It is shown only once."""
    created = shell.catalog.tokens.create(name, scope=scope, expires_in=expires_in)
    shell.say(f"It is valid until {when(created.expires)}, and is shown only once:")
    shell.output.one(created, {"": created.token}, created.token)


@command(tokens, "rm")
def revoke_tokens(
    shell: Shell, ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or names of your own tokens.")]
) -> None:
    """Revoke tokens."""
    for each in ids:
        shell.catalog.tokens.revoke(each if ID.fullmatch(each) else _token_id(shell, each))
        shell.say(f"Revoked {each}")


def _token_id(shell: Shell, name: str) -> str:
    """The id of the user's own token of this name; the name itself if there is none."""
    own = shell.catalog.whoami().user.id
    return next((token.id for token in shell.catalog.tokens.list() if (token.name, token.user) == (name, own)), name)


@command(tenants, "ls")
def list_tenants(shell: Shell) -> None:
    """List all tenants."""
    shell.output.rows(shell.catalog.tenants.list(), TENANTS, lambda tenant: tenant.id)


@command(tenants, "show")
def show_tenant(shell: Shell, name: str) -> None:
    """Show one tenant."""
    tenant = shell.catalog.tenants.get(name)
    shell.output.one(tenant, {label: value(tenant) for label, value in TENANTS.items()}, tenant.id)


@command(tenants, "create")
def create_tenant(
    shell: Shell,
    name: str,
    *,
    admin: Annotated[str, typer.Option(help="Username of its administrator.")] = "admin",
    email: Annotated[str, typer.Option()] = "",
    organization: Annotated[str, typer.Option()] = "",
    password_stdin: FromStdin = False,
) -> None:
    """Create a tenant, with a database and an administrator of its own."""
    password = _new_password(shell, "Password of its administrator", from_stdin=password_stdin)
    about = {"email": email, "organization": organization}
    created = shell.catalog.tenants.create(name, admin, password, {key: value for key, value in about.items() if value})
    shell.output.one(created, {"name": created.id}, created.id)


@command(tenants, "update")
def update_tenant(
    shell: Shell,
    name: str,
    *,
    quota: Annotated[str, typer.Option(help="The quota of its files: 500M, 20G; 0: no limit.")] = "",
    inspection: Annotated[
        Literal["warn", "quarantine", "reject"] | None, typer.Option(help="The policy for files with a threat.")
    ] = None,
    email: Annotated[str | None, typer.Option()] = None,
    organization: Annotated[str | None, typer.Option()] = None,
    address: Annotated[str | None, typer.Option()] = None,
    phone: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Change the given fields of a tenant."""
    about: dict[str, object] = {
        "inspection": inspection,
        "email": email,
        "organization": organization,
        "address": address,
        "phone": phone,
    }
    about |= {"quota_bytes": values.size(quota) if quota else None}
    stop_without_change(*about.values())
    changed = shell.catalog.tenants.update(name, {field: value for field, value in about.items() if value is not None})
    shell.output.one(changed, {label: value(changed) for label, value in TENANTS.items()}, changed.id)


@command(tenants, "rm")
def remove_tenant(
    shell: Shell,
    name: str,
    *,
    confirm: Annotated[str, typer.Option(help="The name again: all its data is removed for good.")] = "",
) -> None:
    """Remove a tenant with all its data."""
    if confirm != name:
        confirm_or_stop(f"Remove {name} with all its models, datasets and files, for good?", yes=False)
    shell.catalog.tenants.delete(name)
    shell.say(f"Removed {name}")

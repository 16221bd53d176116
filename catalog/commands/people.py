"""`catalog users`, `catalog tokens` and `catalog tenants`."""

from typing import Annotated

import typer

from catalog.commands.output import Columns, when
from catalog.commands.shell import Shell, command, confirmed, secret
from catalog.durations import human_size

users = typer.Typer(help="The people of the tenant: list, make, change, remove.", no_args_is_help=True)
tokens = typer.Typer(help="Personal access tokens, for scripts: list, make, revoke.", no_args_is_help=True)
tenants = typer.Typer(
    help="Organisations: list, show, make, remove. For the operator, with API_TOKEN in CATALOG_TOKEN.",
    no_args_is_help=True,
)

FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

USERS: Columns = {
    "name": lambda user: user.username,
    "role": lambda user: user.role,
    "email": lambda user: user.email,
    "id": lambda user: user.id,
}

TOKENS: Columns = {
    "name": lambda token: token.name,
    "scopes": lambda token: token.scopes,
    "used": lambda token: when(token.used),
    "expires": lambda token: when(token.expires),
    "id": lambda token: token.id,
}

TENANTS: Columns = {
    "name": lambda tenant: tenant.id,
    "organization": lambda tenant: tenant.organization,
    "email": lambda tenant: tenant.email,
    "quota": lambda tenant: human_size(tenant.quota_bytes) if tenant.quota_bytes else "",
}


@command(users, "ls")
def list_users(shell: Shell) -> None:
    """List everybody of the tenant."""
    shell.output.rows(shell.catalog.users.list(), USERS, lambda user: user.id)


@command(users, "create")
def create_user(
    shell: Shell,
    username: str,
    *,
    email: Annotated[str, typer.Option()] = "",
    role: Annotated[str, typer.Option(help="regular or admin.")] = "regular",
    password_stdin: FromStdin = False,
) -> None:
    """Make a user. For administrators."""
    password = secret("Password", from_stdin=password_stdin)
    made = shell.catalog.users.create(username, password, email=email, role=role)
    shell.output.one(made, {"name": made.username, "id": made.id}, made.id)


@command(users, "update")
def update_user(
    shell: Shell,
    user: Annotated[str, typer.Argument(help="Id or name.")],
    *,
    email: Annotated[str, typer.Option()] = "",
    role: Annotated[str, typer.Option(help="regular or admin.")] = "",
    password: Annotated[bool, typer.Option("--password", help="Ask for a new password.")] = False,
    password_stdin: FromStdin = False,
) -> None:
    """Change a user, or yourself. A new password or role signs out everywhere."""
    new = secret("New password", from_stdin=password_stdin) if password or password_stdin else ""
    changed = shell.catalog.users.update(user, email=email, role=role, password=new)
    shell.output.one(changed, {"name": changed.username, "id": changed.id}, changed.id)


@command(users, "rm")
def remove_user(
    shell: Shell,
    user: Annotated[str, typer.Argument(help="Id or name.")],
    *,
    transfer: Annotated[str, typer.Option(help="Who gets what the user owns.")] = "",
    yes: Yes = False,
) -> None:
    """Remove a user. For administrators."""
    confirmed(f"Remove the user {user}?", yes=yes)
    shell.catalog.users.delete(user, transfer=transfer)
    shell.say(f"Removed {user}")


@command(tokens, "ls")
def list_tokens(shell: Shell) -> None:
    """List your tokens; administrators see everybody's."""
    shell.output.rows(shell.catalog.tokens.list(), TOKENS, lambda token: token.id)


@command(tokens, "create")
def create_token(
    shell: Shell,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scope: Annotated[str, typer.Option(help="read or write.")] = "read",
    expires_in: Annotated[str, typer.Option("--for", help="How long it serves: 12h, 90d.")] = "90d",
) -> None:
    """Make a token and print it, this once."""
    made = shell.catalog.tokens.create(name, scope=scope, expires_in=expires_in)
    shell.say(f"It serves until {when(made.expires)}, and is shown this once:")
    shell.output.one(made, {"": made.token}, made.token)


@command(tokens, "rm")
def revoke_tokens(shell: Shell, ids: Annotated[list[str], typer.Argument(metavar="ID...")]) -> None:
    """Revoke tokens."""
    for each in ids:
        shell.catalog.tokens.revoke(each)
        shell.say(f"Revoked {each}")


@command(tenants, "ls")
def list_tenants(shell: Shell) -> None:
    """List all organisations."""
    shell.output.rows(shell.catalog.tenants.list(), TENANTS, lambda tenant: tenant.id)


@command(tenants, "show")
def show_tenant(shell: Shell, name: str) -> None:
    """Show one."""
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
    """Make an organisation, with a database and an administrator of its own."""
    password = secret("Password of its administrator", from_stdin=password_stdin)
    about = {"email": email, "organization": organization}
    made = shell.catalog.tenants.create(name, admin, password, {key: value for key, value in about.items() if value})
    shell.output.one(made, {"name": made.id}, made.id)


@command(tenants, "rm")
def remove_tenant(
    shell: Shell,
    name: str,
    *,
    confirm: Annotated[str, typer.Option(help="The name once more: all it has is removed for good.")] = "",
) -> None:
    """Remove an organisation with everything that it has."""
    if confirm != name:
        confirmed(f"Remove {name} with all its models, datasets and files, for good?", yes=False)
    shell.catalog.tenants.delete(name)
    shell.say(f"Removed {name}")

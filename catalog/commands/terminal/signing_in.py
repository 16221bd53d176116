"""`catalog login`, `catalog logout` and `catalog whoami`."""

from typing import Annotated

import typer

from catalog import client
from catalog.commands.terminal.shell import Shell, ask, command, secret, stop


def add_sign_in_commands(app: typer.Typer) -> None:
    """Add the commands."""
    command(app)(login)
    command(app)(logout)
    command(app)(whoami)


def login(
    shell: Shell,
    *,
    username: Annotated[str, typer.Option("--username", "-u", help="Default: ask for it.")] = "",
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="Your tenant. Default: the server's default.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read a personal access token from standard input instead.")
    ] = False,
) -> None:
    """Sign in, and store the token in a file that only you can read. Daily use renews it."""
    known = shell.known
    if token_stdin:
        token, tenant, username = secret("Token", from_stdin=True), "", ""
        with shell.open(token=token) as catalog:
            identity = catalog.whoami()
    else:
        username = username or known.username or ask("Username", "--username")
        tenant = tenant or known.tenant
        password = known.password or secret(f"Password of {username} at {known.url}", from_stdin=password_stdin)
        with shell.open(username=username, password=password, tenant=tenant) as catalog:
            token = catalog.login()
            identity = catalog.whoami()
    file = client.profile.save_login(known.url, token, known.name, tenant=tenant, username=username)
    shell.say(
        f"Signed in to {known.url} as {_display_name(identity.user.username)} of {identity.tenant or 'all tenants'}."
    )
    shell.say(f"The token is in {file}.")
    if shell.known.token != token:
        shell.say("Commands use CATALOG_TOKEN, as long as it is set, and not this login.")


def logout(shell: Shell) -> None:
    """Remove the stored token."""
    known = shell.known
    if not client.profile.stored_token(known.url, known.name):
        stop(f"You are not signed in to {known.url}.", 0)
    client.profile.save_token(known.url, "", known.name)
    shell.say(f"Signed out of {known.url}.")


def whoami(shell: Shell) -> None:
    """Show the user, the tenant and the server you are signed in to."""
    identity = shell.catalog.whoami()
    about = {
        "user": _display_name(identity.user.username),
        "role": identity.user.role,
        "tenant": identity.tenant,
        "server": shell.catalog.url,
    }
    shell.output.one(about, {name: value for name, value in about.items() if value}, identity.user.id)


def _display_name(username: str) -> str:
    return username or "a token"

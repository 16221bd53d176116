"""Commands that show the configuration of a server: `env`, `certificate`."""

from pathlib import Path
from typing import Annotated

import typer

from catalog.commands.server.parts import PANEL, EnvFile, load_settings, server_parts
from catalog.commands.terminal.shell import FAILURE, stop

Names = Annotated[
    list[str] | None, typer.Option("--name", help="An additional host name or address of the server. May be repeated.")
]


def add_env_command(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(env)


def add_certificate_commands(app: typer.Typer) -> None:
    """Add `catalog certificate`."""
    certificate = typer.Typer(help="Certificates of the server.", no_args_is_help=True)
    certificate.command()(self_signed)
    certificate.command()(show)
    app.add_typer(certificate, name="certificate", rich_help_panel=PANEL)


def env(env_file: EnvFile = None) -> None:
    """Print the settings in force, with secrets as ****."""
    with server_parts():
        from catalog.settings.settings import in_force  # noqa: PLC0415

    typer.echo("\n".join(in_force(load_settings(env_file))))


def self_signed(name: Names = None, folder: Path = Path("resources")) -> None:
    """Create a self-signed certificate for this machine, to use until there is a real one."""
    with server_parts():
        from catalog.server.certificates import SELF_SIGNED_LIFE, make_self_signed  # noqa: PLC0415

    try:
        made, key = make_self_signed(folder, name or [])
    except FileExistsError as error:
        stop(f"{error.filename} is there already: remove it first", FAILURE)
    except OSError as error:
        stop(f"{folder} cannot be written to ({error.strerror})", FAILURE)
    typer.echo(f"Made {made} (valid for {SELF_SIGNED_LIFE.days} days) and its private key {key}")


def show(env_file: EnvFile = None, folder: Path = Path("resources")) -> None:
    """Show which certificate the server would use, and why not another. Exit code 1: it needs one, and has none."""
    with server_parts():
        from catalog.commands.administration.certificate import described  # noqa: PLC0415
        from catalog.server.certificates import choose  # noqa: PLC0415

    settings = load_settings(env_file)
    if settings.protocol == "http":
        typer.echo("PROTOCOL is http: the server uses plain HTTP and no certificate.")
    choice = choose(folder, settings.httpssecret.get_secret_value())
    typer.echo("\n".join(described(choice, folder)))
    if choice.context is None and settings.protocol == "https":
        raise typer.Exit(1)

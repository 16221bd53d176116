"""The commands.

A client's machine has no server parts: what they need is imported by the commands that run beside the server.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from catalog import __version__

# One sentence, never a trace: pretty ones show the values of variables, and some are secrets.
app = typer.Typer(
    help="A catalog of machine-learning models and datasets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
certificate = typer.Typer(help="Certificates of the server.", no_args_is_help=True)
app.add_typer(certificate, name="certificate")

EnvFile = Annotated[
    Path | None,
    typer.Option("--env-file", exists=True, dir_okay=False, help="File of settings, instead of init/variables.env."),
]
Names = Annotated[
    list[str] | None, typer.Option("--name", help="One more host name or address of the server. May be repeated.")
]


def main() -> None:
    app()


@app.command()
def version() -> None:
    """Say which version this is."""
    typer.echo(f"catalog {__version__}")


@app.command()
def serve(env_file: EnvFile = None) -> None:
    """Run the server until Ctrl-C."""
    with _server_parts():
        from catalog.generated import with_secrets  # noqa: PLC0415
        from catalog.settings import FILE, SettingsError, load  # noqa: PLC0415
        from catalog.store.embedded import DatabaseUnavailable, Embedded  # noqa: PLC0415

    try:
        given = load(env_file or FILE)
        settings, file = with_secrets(given)
    except SettingsError as error:
        _stop(error, 2)
    token_kept_in = "the settings" if given.api_token.get_secret_value() else str(file)

    with ExitStack() as stack:
        database = Embedded(settings.data_path) if settings.database == "embedded" else None
        if database:
            stack.callback(database.stop)
            try:
                database.start()
            except DatabaseUnavailable as error:
                _stop(error, 1)
        # Only now: the database starts while everything else is imported, which halves the time to the first answer.
        with _server_parts():
            from catalog import server  # noqa: PLC0415

        code = server.serve(settings, database.ready if database else lambda: settings.database, token_kept_in)
    raise typer.Exit(code)


@app.command()
def env(env_file: EnvFile = None) -> None:
    """Print the settings in force, with secrets as ****."""
    with _server_parts():
        from catalog.settings import FILE, SettingsError, in_force, load  # noqa: PLC0415

    try:
        typer.echo("\n".join(in_force(load(env_file or FILE))))
    except SettingsError as error:
        _stop(error, 2)


@certificate.command()
def self_signed(name: Names = None, folder: Path = Path("resources")) -> None:
    """Make a self-signed certificate for this machine, for as long as there is no real one."""
    with _server_parts():
        from catalog.certificates import SELF_SIGNED_LIFE, make_self_signed  # noqa: PLC0415

    try:
        made, key = make_self_signed(folder, name or [])
    except FileExistsError as error:
        _stop(f"{error.filename} is there already: remove it first", 1)
    except OSError as error:
        _stop(f"{folder} cannot be written to ({error.strerror})", 1)
    typer.echo(f"Made {made} (valid for {SELF_SIGNED_LIFE.days} days) and its private key {key}")


@contextmanager
def _server_parts() -> Generator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        _stop(f"This command needs the server's parts, and {error.name} is missing: pip install 'catalog[server]'", 1)


def _stop(sentence: object, code: int) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)

"""What the commands on the server's machine share: their options, the settings, and the import of the server's parts.

Parts of the server are imported within the commands that need them: a client's machine does not have them, and loading
them would slow down every command.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands.terminal.shell import FAILURE, USAGE, stop
from catalog.server.collection import paused_collection

if TYPE_CHECKING:
    from catalog.settings.settings import Settings

PANEL = "On the server's machine"
"""The heading of these commands in `catalog --help`."""

EnvFile = Annotated[
    Path | None,
    typer.Option("--env-file", exists=True, dir_okay=False, help="File of settings, instead of init/variables.env."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print an object of JSON on each line.")]
Tenants = Annotated[list[str] | None, typer.Option("--tenant", help="Only this one. May be repeated.")]


@contextmanager
def server_parts() -> Generator[None]:
    """Import parts of the server in this block. Where one is not installed, the command ends with advice."""
    try:
        with paused_collection():
            yield
    except ModuleNotFoundError as error:
        stop(
            f"This command needs the server's parts, and {error.name} is missing: pip install 'catalog[server]'",
            FAILURE,
        )


def load_settings(env_file: Path | None) -> "Settings":
    """The settings in force. A wrong value ends the command."""
    with server_parts():
        from catalog.settings.loading import FILE, SettingsError, load  # noqa: PLC0415

    try:
        return load(env_file or FILE)
    except SettingsError as error:
        stop(error, USAGE)


def operator_token(env_file: Path | None) -> str:
    """API_TOKEN, from the settings or from the generated secrets. The command ends where neither has it."""
    settings = load_settings(env_file)
    with server_parts():
        from catalog.settings.generated_secrets import read_secrets  # noqa: PLC0415
        from catalog.settings.loading import SettingsError  # noqa: PLC0415

    try:
        token = settings.api_token.get_secret_value() or read_secrets(settings).get("API_TOKEN", "")
    except SettingsError as error:
        stop(error, USAGE)
    return token or stop("API_TOKEN is not known here: put it into CATALOG_TOKEN", USAGE)

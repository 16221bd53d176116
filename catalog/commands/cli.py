"""The command line: puts the commands together. Their order here is the order of `catalog --help`."""

import atexit
import gc
import sys
from types import ModuleType
from typing import Annotated

import typer

from catalog import __version__
from catalog.commands.administration import retention
from catalog.commands.administration.accounts import groups, people, robots
from catalog.commands.administration.usage import add_usage_command
from catalog.commands.catalog import aliases, cache, cards, versions
from catalog.commands.catalog.comparison import add_compare_command
from catalog.commands.catalog.items import item_commands
from catalog.commands.catalog.lineage import add_lineage_command
from catalog.commands.catalog.search import add_search_command
from catalog.commands.catalog.terms import term_commands
from catalog.commands.catalog.transfers import add_transfer_commands
from catalog.commands.server.configuration import add_certificate_commands, add_env_command
from catalog.commands.server.data import add_data_commands, add_import_commands
from catalog.commands.server.running import add_running_commands
from catalog.commands.terminal import completion, profiles
from catalog.commands.terminal.examples import add_examples
from catalog.commands.terminal.other_names import add_other_names
from catalog.commands.terminal.shell import CommandsFirst, run_for_programs
from catalog.commands.terminal.signing_in import add_sign_in_commands
from catalog.commands.terminal.streams import immediate_exit, program_streams
from catalog.vocabulary import Kind

# One sentence, never a trace: pretty ones show the values of variables, and some are secrets.
app = typer.Typer(
    cls=CommandsFirst,
    help="A catalog of machine-learning models and datasets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
completion.use_bash_script()
add_certificate_commands(app)
add_import_commands(app)
add_sign_in_commands(app)
app.add_typer(profiles.app, name="profile")
add_transfer_commands(app)
add_search_command(app)
add_compare_command(app)
add_lineage_command(app)
add_usage_command(app)
add_other_names(app)
for kind in Kind:
    app.add_typer(item_commands(kind.value), name=kind.value)
app.add_typer(versions.app, name="versions")
app.add_typer(aliases.app, name="alias")
app.add_typer(cards.app, name="card")
app.add_typer(term_commands("tags", "Tags"), name="tags")
app.add_typer(term_commands("metadata", "Metadata names"), name="metadata")
app.add_typer(people.users, name="users")
app.add_typer(groups.groups, name="groups")
app.add_typer(people.tokens, name="tokens")
app.add_typer(robots.robots, name="robots")
app.add_typer(retention.app, name="retention")
app.add_typer(people.tenants, name="tenants")
app.add_typer(cache.app, name="cache")


def main() -> None:
    # The HTTP library has a command line of its own, and loads it with all that draws its output where it can.
    sys.modules.setdefault("httpx._main", ModuleType("httpx._main"))
    atexit.register(gc.freeze)  # at the end of a process, searching for garbage takes longer than many a command
    with immediate_exit(), program_streams():
        run_for_programs(app) if "--json" in sys.argv else app()


def _version_option(value: bool) -> None:
    if value:
        typer.echo(f"catalog {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version_option, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A catalog of machine-learning models and datasets."""


@app.command()
def version() -> None:
    """Print the version of this program."""
    typer.echo(f"catalog {__version__}")


add_running_commands(app)
add_data_commands(app)
add_env_command(app)
add_examples(app)

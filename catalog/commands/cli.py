"""The commands.

Parts of the server are imported within the commands that need them: a client's machine does not have them, and loading
them would slow down every command.
"""

import json
import os
import signal
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from catalog import __version__, client
from catalog.commands import administration
from catalog.commands.administration import retention
from catalog.commands.administration.accounts import groups, people, robots
from catalog.commands.administration.usage import add_usage_command
from catalog.commands.catalog import aliases, cache, cards, versions
from catalog.commands.catalog.comparison import add_compare_command
from catalog.commands.catalog.copying import add_kubeflow, add_mlflow
from catalog.commands.catalog.items import item_commands
from catalog.commands.catalog.lineage import add_lineage_command
from catalog.commands.catalog.search import add_search_command
from catalog.commands.catalog.terms import term_commands
from catalog.commands.catalog.transfers import add_transfer_commands
from catalog.commands.terminal import profiles
from catalog.commands.terminal.examples import add_examples
from catalog.commands.terminal.other_names import add_other_names
from catalog.commands.terminal.shell import exit_codes, stop
from catalog.commands.terminal.signing_in import add_sign_in_commands
from catalog.commands.terminal.streams import program_streams
from catalog.vocabulary import Kind

if TYPE_CHECKING:
    from catalog.settings.settings import Settings

BESIDE = "On the server's machine"

# One sentence, never a trace: pretty ones show the values of variables, and some are secrets.
app = typer.Typer(
    help="A catalog of machine-learning models and datasets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
certificate = typer.Typer(help="Certificates of the server.", no_args_is_help=True)
app.add_typer(certificate, name="certificate", rich_help_panel=BESIDE)
imports = typer.Typer(help="Import the content of another registry.", no_args_is_help=True)
app.add_typer(imports, name="import", rich_help_panel=BESIDE)
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

EnvFile = Annotated[
    Path | None,
    typer.Option("--env-file", exists=True, dir_okay=False, help="File of settings, instead of init/variables.env."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print an object of JSON on each line.")]
Names = Annotated[
    list[str] | None, typer.Option("--name", help="One more host name or address of the server. May be repeated.")
]
Tenants = Annotated[list[str] | None, typer.Option("--tenant", help="Only this one. May be repeated.")]


def main() -> None:
    with program_streams():
        app()


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


@app.command(rich_help_panel=BESIDE)
def serve(env_file: EnvFile = None) -> None:
    """Run the server until Ctrl-C."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # never ends a server; once it runs, it reloads the certificates
    with _server_parts():
        from catalog.settings.generated_secrets import with_secrets  # noqa: PLC0415
        from catalog.settings.loading import SettingsError  # noqa: PLC0415
        from catalog.store.embedded.process import DatabaseUnavailable, Embedded  # noqa: PLC0415

    configured = _settings(env_file)
    try:
        settings, file = with_secrets(configured)
    except SettingsError as error:
        _stop(error, 2)
    token_location = "the settings" if configured.api_token.get_secret_value() else str(file)

    with ExitStack() as stack:
        database = Embedded(settings.data_path, settings.embedded_engine) if settings.database == "embedded" else None
        if database:
            stack.callback(database.stop)
            try:
                database.start()
            except DatabaseUnavailable as error:
                _stop(error, 1)
        # The database starts while the server is imported, which halves the time to the first answer.
        with _server_parts():
            if settings.workers > 1:
                from catalog.server.supervisor import serve as serving  # noqa: PLC0415
            else:
                from catalog.server.run import serve as serving  # noqa: PLC0415

        code = serving(settings, database.ready if database else lambda: settings.database, token_location)
    raise typer.Exit(code)


@app.command(rich_help_panel=BESIDE)
def log(
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep running, and print new entries.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=1000, help="Number of the latest entries.")] = 20,
    server: Annotated[
        str,
        typer.Option(
            "--server", "--url", help="Address of the server. Default: CATALOG_URL, else where you signed in."
        ),
    ] = "",
    operator: Annotated[bool, typer.Option("--operator", help="The operator's journal: needs API_TOKEN.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the journal of a running server to an administrator. --operator reads API_TOKEN from CATALOG_TOKEN."""
    with exit_codes(json=as_json):
        known = client.profile.find({"url": server})
        if not known.token:
            _stop("Sign in as an administrator (catalog login), or put a token into CATALOG_TOKEN", 3)
        reader = administration.log.JournalReader(known.url, known.token, operator=operator)
        try:
            for entry in chain(reader.latest(lines), reader.follow() if follow else ()):
                typer.echo(json.dumps(entry, ensure_ascii=False) if as_json else administration.log.line(entry))
        except administration.log.JournalError as error:
            _stop(error, 1)
        except KeyboardInterrupt:
            raise typer.Exit from None


@app.command(rich_help_panel=BESIDE)
def sweep(
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be removed, and remove nothing.")
    ] = False,
    tenant: Annotated[str, typer.Option(help="Only this one.")] = "",
    grace: Annotated[str, typer.Option(help="Spare younger files: 1h, 7d; at least 10m. Default: SWEEP_GRACE.")] = "",
    server: Annotated[str, typer.Option(envvar="CATALOG_URL", help="Address of the server.")] = "http://127.0.0.1:8080",
    env_file: EnvFile = None,
) -> None:
    """Have a running server remove the files that no version uses any more.

    API_TOKEN is looked for in CATALOG_TOKEN, in the settings and in DATA_PATH/secrets.env.
    """
    token = os.environ.get("CATALOG_TOKEN") or _operators_token(env_file)
    try:
        for line in administration.sweep.lines(
            administration.sweep.ask(server, token, dry_run=dry_run, tenant=tenant, grace=grace)
        ):
            typer.echo(line)
    except administration.sweep.SweepError as error:
        _stop(error, 1)


@app.command(rich_help_panel=BESIDE)
def doctor(env_file: EnvFile = None, *, as_json: AsJson = False) -> None:
    """Check the settings, database, storage, certificates, disk and clock, and say what to do."""
    with _server_parts():
        from catalog.commands.administration import doctor as doctors  # noqa: PLC0415

    grades = set()
    for finding in doctors.run(_settings(env_file)):
        grades.add(finding.grade)
        line = json.dumps({"grade": finding.grade.lower(), "sentence": finding.sentence}, ensure_ascii=False)
        typer.echo(line if as_json else f"{finding.grade:>7}  {finding.sentence}")
    if doctors.Grade.FAILURE in grades:
        raise typer.Exit(1)


@app.command(rich_help_panel=BESIDE)
def migrate(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and change nothing.")] = False,
    repeat: Annotated[
        bool, typer.Option("--repeat", help="Run all steps again, after an older server has written records.")
    ] = False,
    tenant: Tenants = None,
    env_file: EnvFile = None,
) -> None:
    """Upgrade the records of all tenants that an older version wrote. A server does so when it opens a tenant.

    An embedded database is opened by the command itself: stop its server first. The exit code is 1 if a tenant is not
    up to date afterwards.
    """
    with _server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415
        from catalog.commands.administration import migrate as migrations  # noqa: PLC0415

    try:
        complete = migrations.run(_settings(env_file), tenant or [], typer.echo, dry_run=dry_run, repeat=repeat)
    except backups.CommandError as error:
        _stop(error, 1)
    if not complete:
        raise typer.Exit(1)


@app.command(rich_help_panel=BESIDE)
def backup(
    target: Annotated[str, typer.Argument(metavar="FILE", help="A file, a folder, or s3://bucket/prefix.")],
    *,
    tenant: Tenants = None,
    since: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Leave out the bytes that this backup has.")
    ] = None,
    server: Annotated[
        str, typer.Option("--server", "--url", help="Address of a running server, which makes the backup.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Write the records and files of all tenants, or of some, into FILE.

    With --server, the running server sends the backup, also that of its embedded database; API_TOKEN is looked for in
    CATALOG_TOKEN, in the settings and in DATA_PATH/secrets.env. Without it, the command opens the database and the
    storage itself: stop the server of an embedded database first.
    """
    with _server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415

    token = (os.environ.get("CATALOG_TOKEN") or _operators_token(env_file)) if server else ""
    options = backups.BackupOptions(tenants=tenant or [], since=since, force=force, server=server, token=token)
    try:
        whole = backups.make(_settings(env_file), target, options, typer.echo)
    except backups.CommandError as error:
        _stop(error, 1)
    if not whole:
        _stop(f"{target} is written, but not all bytes were there", 1)


@app.command(rich_help_panel=BESIDE)
def restore(
    file: Path,
    tenant: Tenants = None,
    name: Annotated[str, typer.Option("--as", help="New name for the tenant in --tenant.")] = "",
    base: Annotated[
        list[Path] | None,
        typer.Option("--base", exists=True, dir_okay=False, help="A backup that FILE continues. May be repeated."),
    ] = None,
    env_file: EnvFile = None,
) -> None:
    """Restore all tenants of a backup, or some, onto the configured database and storage."""
    with _server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415

    if name and len(tenant or []) != 1:
        _stop("--as wants one --tenant", 2)
    try:
        backups.bring_back(_settings(env_file), file, tenant or [], name, base or [], typer.echo)
    except backups.CommandError as error:
        _stop(error, 1)


@app.command(rich_help_panel=BESIDE)
def demo(
    *,
    tenant: Annotated[str, typer.Option(help="The tenant to fill. Default: DEFAULT_TENANT.")] = "",
    models: Annotated[int, typer.Option(min=1, help="How many models.")] = 60,
    remove: Annotated[bool, typer.Option("--remove", help="Take the demo away, and nothing else.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Fill a tenant with a catalog to look at: people, groups, datasets and models, the same each time.

    What is there already stays as it is. An embedded database is opened by the command itself: stop its server first.
    """
    with _server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415
        from catalog.commands.administration import demo as demos  # noqa: PLC0415

    settings = _settings(env_file)
    name = tenant or settings.default_tenant
    if remove and not yes:
        typer.confirm(f"Remove all people, groups, datasets and models of the demo from {name}?", abort=True)
    try:
        if remove:
            demos.remove(settings, name, typer.echo)
        else:
            demos.fill(settings, name, models, typer.echo)
    except backups.CommandError as error:
        _stop(error, 1)


@imports.command()
def measurify(uri: str, uploads: Path, tenant: Tenants = None, env_file: EnvFile = None) -> None:
    """Import a Measurify registry: URI of its MongoDB, and the folder of its UPLOADS. May be repeated."""
    with _server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415
        from catalog.commands.administration import importing  # noqa: PLC0415

    try:
        complete = importing.measurify(_settings(env_file), uri, uploads, tenant or [], typer.echo)
    except backups.CommandError as error:
        _stop(error, 1)
    if not complete:
        raise typer.Exit(1)


add_kubeflow(imports)
add_mlflow(imports)


def _settings(env_file: Path | None) -> "Settings":
    with _server_parts():
        from catalog.settings.loading import FILE, SettingsError, load  # noqa: PLC0415

    try:
        return load(env_file or FILE)
    except SettingsError as error:
        _stop(error, 2)


def _operators_token(env_file: Path | None) -> str:
    """API_TOKEN, on the machine of a server."""
    settings = _settings(env_file)
    with _server_parts():
        from catalog.settings.generated_secrets import read_secrets  # noqa: PLC0415
        from catalog.settings.loading import SettingsError  # noqa: PLC0415

    try:
        token = settings.api_token.get_secret_value() or read_secrets(settings).get("API_TOKEN", "")
    except SettingsError as error:
        _stop(error, 2)
    return token or _stop("API_TOKEN is not known here: put it into CATALOG_TOKEN", 2)


@app.command(rich_help_panel=BESIDE)
def env(env_file: EnvFile = None) -> None:
    """Print the settings in force, with secrets as ****."""
    with _server_parts():
        from catalog.settings.settings import in_force  # noqa: PLC0415

    typer.echo("\n".join(in_force(_settings(env_file))))


@certificate.command()
def self_signed(name: Names = None, folder: Path = Path("resources")) -> None:
    """Create a self-signed certificate for this machine, to use until there is a real one."""
    with _server_parts():
        from catalog.server.certificates import SELF_SIGNED_LIFE, make_self_signed  # noqa: PLC0415

    try:
        made, key = make_self_signed(folder, name or [])
    except FileExistsError as error:
        _stop(f"{error.filename} is there already: remove it first", 1)
    except OSError as error:
        _stop(f"{folder} cannot be written to ({error.strerror})", 1)
    typer.echo(f"Made {made} (valid for {SELF_SIGNED_LIFE.days} days) and its private key {key}")


@certificate.command()
def show(env_file: EnvFile = None, folder: Path = Path("resources")) -> None:
    """Show which certificate the server would use, and why not another. Exit code 1: it needs one, and has none."""
    with _server_parts():
        from catalog.commands.administration.certificate import described  # noqa: PLC0415
        from catalog.server.certificates import choose  # noqa: PLC0415

    settings = _settings(env_file)
    if settings.protocol == "http":
        typer.echo("PROTOCOL is http: the server uses plain HTTP and no certificate.")
    choice = choose(folder, settings.httpssecret.get_secret_value())
    typer.echo("\n".join(described(choice, folder)))
    if choice.context is None and settings.protocol == "https":
        raise typer.Exit(1)


@contextmanager
def _server_parts() -> Generator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        _stop(f"This command needs the server's parts, and {error.name} is missing: pip install 'catalog[server]'", 1)


def _stop(sentence: object, code: int) -> NoReturn:
    stop(sentence, code)


add_examples(app)

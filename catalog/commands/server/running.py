"""Commands that run a server, or ask a running one: `serve`, `log`, `sweep`, `doctor`."""

import json
import signal
from contextlib import ExitStack, closing
from itertools import chain
from typing import Annotated

import typer

from catalog import client
from catalog.commands.administration import online
from catalog.commands.server.parts import PANEL, AsJson, EnvFile, load_settings, operator_token, server_parts
from catalog.commands.terminal.shell import FAILURE, USAGE, Shell, command, stop


def add_running_commands(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL)(serve)
    command(app, panel=PANEL)(log)
    command(app, panel=PANEL)(sweep)
    app.command(rich_help_panel=PANEL)(doctor)


def serve(env_file: EnvFile = None) -> None:
    """Run the server until Ctrl-C.

    Its settings come from the environment, such as HTTP_PORT=9000, or from a file; `catalog env` prints them.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # never ends a server; once it runs, it reloads the certificates
    with server_parts():
        from catalog.server.sockets import ListenError, load_certificate, refuse_taken_ports  # noqa: PLC0415
        from catalog.settings.generated_secrets import with_secrets  # noqa: PLC0415
        from catalog.settings.loading import SettingsError  # noqa: PLC0415
        from catalog.store.embedded.process import DatabaseUnavailable, Embedded  # noqa: PLC0415

    configured = load_settings(env_file)
    try:
        settings, file = with_secrets(configured)
    except SettingsError as error:
        stop(error, USAGE)
    token_location = "the settings" if configured.api_token.get_secret_value() else str(file)

    with ExitStack() as stack:
        database = Embedded(settings.data_path, settings.embedded_engine) if settings.database == "embedded" else None
        try:
            certificate = load_certificate(settings)
            if database:
                stack.callback(database.stop)
                database.hold()
                refuse_taken_ports(settings, certificate)  # before a database is created for nothing
                database.start()
        except (DatabaseUnavailable, ListenError) as error:
            stop(error, FAILURE)
        # The database starts while the server is imported, which halves the time to the first answer.
        with server_parts():
            if settings.workers > 1:
                from catalog.server.supervisor import serve as serving  # noqa: PLC0415
            else:
                from catalog.server.run import serve as serving  # noqa: PLC0415

        code = serving(settings, certificate, database.ready if database else lambda: settings.database, token_location)
    raise typer.Exit(code)


def log(
    shell: Shell,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep running, and print new entries.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=1000, help="Number of the latest entries.")] = 20,
    server: Annotated[str, typer.Option("--server", help="The same as --url.")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="The operator's journal: needs API_TOKEN.")] = False,
) -> None:
    """Show the journal of a running server to an administrator. --operator reads API_TOKEN from CATALOG_TOKEN.

    With --json each entry is an object on a line of its own.
    """
    with closing(shell.open(url=server or shell.url)) as catalog:
        reader = online.log.JournalReader(catalog, operator=operator)
        try:
            for entry in chain(reader.latest(lines), reader.follow() if follow else ()):
                typer.echo(json.dumps(entry, ensure_ascii=False) if shell.output.json else online.log.line(entry))
        except KeyboardInterrupt:
            raise typer.Exit from None


def sweep(
    shell: Shell,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be removed, and remove nothing.")
    ] = False,
    tenant: Annotated[str, typer.Option(help="Only this one.")] = "",
    grace: Annotated[str, typer.Option(help="Spare younger files: 1h, 7d; at least 10m. Default: SWEEP_GRACE.")] = "",
    server: Annotated[str, typer.Option("--server", help="The same as --url.")] = "",
    env_file: EnvFile = None,
) -> None:
    """Have a running server remove the files that no version uses any more.

    API_TOKEN is looked for in CATALOG_TOKEN, in the settings and in DATA_PATH/secrets.env.
    """
    url = client.profile.find({"url": server or shell.url}, name=shell.options.profile).url
    token = client.profile.environment_token(url) or operator_token(env_file)
    with closing(shell.open(url=url, token=token)) as catalog:
        swept = catalog.sweep(dry_run=dry_run, tenant=tenant, grace=grace)
    shell.output.text(swept, "\n".join(online.sweep.lines(swept)))


def doctor(env_file: EnvFile = None, *, as_json: AsJson = False) -> None:
    """Check the settings, database, storage, certificates, disk and clock, and say what to do."""
    with server_parts():
        from catalog.commands.administration import doctor as doctors  # noqa: PLC0415

    grades = set()
    for finding in doctors.run(load_settings(env_file)):
        grades.add(finding.grade)
        line = json.dumps({"grade": finding.grade.lower(), "sentence": finding.sentence}, ensure_ascii=False)
        typer.echo(line if as_json else f"{finding.grade:>7}  {finding.sentence}")
    if doctors.Grade.FAILURE in grades:
        raise typer.Exit(1)

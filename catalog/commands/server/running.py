"""Commands that run a server, or ask a running one: `serve`, `log`, `sweep`, `doctor`."""

import json
import signal
from contextlib import ExitStack
from itertools import chain
from typing import Annotated

import typer

from catalog import client
from catalog.commands.administration import online
from catalog.commands.server.parts import PANEL, AsJson, EnvFile, load_settings, operator_token, server_parts
from catalog.commands.terminal.shell import FAILURE, NOT_SIGNED_IN, USAGE, exit_codes, stop


def add_running_commands(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (serve, log, sweep, doctor):
        app.command(rich_help_panel=PANEL)(command)


def serve(env_file: EnvFile = None) -> None:
    """Run the server until Ctrl-C."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # never ends a server; once it runs, it reloads the certificates
    with server_parts():
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
        if database:
            stack.callback(database.stop)
            try:
                database.start()
            except DatabaseUnavailable as error:
                stop(error, FAILURE)
        # The database starts while the server is imported, which halves the time to the first answer.
        with server_parts():
            if settings.workers > 1:
                from catalog.server.supervisor import serve as serving  # noqa: PLC0415
            else:
                from catalog.server.run import serve as serving  # noqa: PLC0415

        code = serving(settings, database.ready if database else lambda: settings.database, token_location)
    raise typer.Exit(code)


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
            notes = "".join(f" {note}" for note in known.notes)
            stop(
                f"Sign in as an administrator (catalog login), or put a token into CATALOG_TOKEN.{notes}", NOT_SIGNED_IN
            )
        reader = online.log.JournalReader(known.url, known.token, operator=operator)
        try:
            for entry in chain(reader.latest(lines), reader.follow() if follow else ()):
                typer.echo(json.dumps(entry, ensure_ascii=False) if as_json else online.log.line(entry))
        except online.log.JournalError as error:
            stop(error, FAILURE)
        except KeyboardInterrupt:
            raise typer.Exit from None


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
    token = client.profile.environment_token(server) or operator_token(env_file)
    try:
        for line in online.sweep.lines(online.sweep.ask(server, token, dry_run=dry_run, tenant=tenant, grace=grace)):
            typer.echo(line)
    except online.sweep.SweepError as error:
        stop(error, FAILURE)


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

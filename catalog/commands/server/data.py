"""Commands on all records and files of tenants: `migrate`, `backup`, `restore`, `demo`, `import`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from catalog import client
from catalog.commands.catalog.copying import add_kubeflow, add_mlflow
from catalog.commands.server.parts import PANEL, EnvFile, Tenants, load_settings, operator_token, server_parts
from catalog.commands.terminal.shell import FAILURE, USAGE, exit_codes, stop


def add_data_commands(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (migrate, backup, restore, demo):
        app.command(rich_help_panel=PANEL)(command)


def add_import_commands(app: typer.Typer) -> None:
    """Add `catalog import`."""
    imports = typer.Typer(help="Import the content of another registry.", no_args_is_help=True)
    imports.command()(measurify)
    add_kubeflow(imports)
    add_mlflow(imports)
    app.add_typer(imports, name="import", rich_help_panel=PANEL)


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
    with server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415
        from catalog.commands.administration import migrate as migrations  # noqa: PLC0415

    try:
        complete = migrations.run(load_settings(env_file), tenant or [], typer.echo, dry_run=dry_run, repeat=repeat)
    except backups.CommandError as error:
        stop(error, FAILURE)
    if not complete:
        raise typer.Exit(1)


def backup(
    target: Annotated[str, typer.Argument(metavar="FILE", help="A file, a folder, or s3://bucket/prefix.")],
    *,
    tenant: Tenants = None,
    since: Annotated[
        str,
        typer.Option(metavar="FILE", help="Leave out the bytes that this backup has, a file or s3://bucket/name.tar."),
    ] = "",
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
    with server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415

    options = backups.BackupOptions(tenants=tenant or [], since=since, force=force)
    if server:
        with exit_codes():
            known = client.profile.find({"url": server})
        token = client.profile.environment_token(known.url) or operator_token(env_file)
        options = replace(options, server=known.url, token=token, ca=known.ca)
    try:
        whole = backups.make(load_settings(env_file), target, options, typer.echo)
    except backups.CommandError as error:
        stop(error, FAILURE)
    if not whole:
        stop(f"{target} is written, but not all bytes were there", FAILURE)


def restore(
    file: Annotated[str, typer.Argument(help="A file, or s3://bucket/prefix/name.tar.")],
    tenant: Tenants = None,
    name: Annotated[str, typer.Option("--as", help="New name for the tenant in --tenant.")] = "",
    base: Annotated[
        list[str] | None,
        typer.Option(
            "--base",
            metavar="FILE",
            help="A backup that FILE continues. May be repeated. Default: those that are beside it.",
        ),
    ] = None,
    env_file: EnvFile = None,
) -> None:
    """Restore all tenants of a backup, or some, onto the configured database and storage."""
    with server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415

    if name and len(tenant or []) != 1:
        stop("--as needs one --tenant", USAGE)
    try:
        backups.bring_back(load_settings(env_file), file, tenant or [], name, base or [], typer.echo)
    except backups.CommandError as error:
        stop(error, FAILURE)


def demo(
    *,
    tenant: Annotated[str, typer.Option(help="The tenant to fill. Default: DEFAULT_TENANT.")] = "",
    models: Annotated[int, typer.Option(min=1, help="How many models.")] = 60,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the demo, and nothing else.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without asking.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Fill a tenant with a catalog to look at: people, groups, datasets and models, the same each time.

    What is there already stays as it is. An embedded database is opened by the command itself: stop its server first.
    """
    with server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415
        from catalog.commands.administration import demo as demos  # noqa: PLC0415

    settings = load_settings(env_file)
    name = tenant or settings.default_tenant
    if remove and not yes:
        typer.confirm(f"Remove all people, groups, datasets and models of the demo from {name}?", abort=True)
    try:
        if remove:
            demos.remove(settings, name, typer.echo)
        else:
            demos.fill(settings, name, models, typer.echo)
    except backups.CommandError as error:
        stop(error, FAILURE)


def measurify(uri: str, uploads: Path, tenant: Tenants = None, env_file: EnvFile = None) -> None:
    """Import a Measurify registry: URI of its MongoDB, and the folder of its UPLOADS. May be repeated."""
    with server_parts():
        from catalog.commands.administration import backup as backups  # noqa: PLC0415
        from catalog.commands.administration import importing  # noqa: PLC0415

    try:
        complete = importing.measurify(load_settings(env_file), uri, uploads, tenant or [], typer.echo)
    except backups.CommandError as error:
        stop(error, FAILURE)
    if not complete:
        raise typer.Exit(1)

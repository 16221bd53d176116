"""`catalog import kubeflow` and `catalog import mlflow`: copy another model registry through its API."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from catalog import client
from catalog.commands.terminal.shell import FAILURE, Shell, command, stop

Url = Annotated[str, typer.Argument(metavar="URL", help="Address of the other registry.")]
TokenFile = Annotated[Path | None, typer.Option("--token-file", help="A file with a token for it.")]
Ca = Annotated[str, typer.Option("--ca", help="Certificates to trust for it.")]


def add_kubeflow(app: typer.Typer) -> None:
    @command(app, "kubeflow")
    def copy_kubeflow(shell: Shell, source: Url, *, token_file: TokenFile = None, ca: Ca = "") -> None:
        """Copy a Kubeflow model registry: models, versions, artifacts, experiments, services. May be repeated."""
        api = client.resources.registry_api
        with closing(api.OtherRegistry(source, api.bearer(_content(token_file)), ca=ca)) as other:
            copy = client.compat.kubeflow.KubeflowCopy(other, shell.catalog.registry.request, shell.say)
            _run(shell, copy.result, copy.run)


def add_mlflow(app: typer.Typer) -> None:
    @command(app, "mlflow")
    def copy_mlflow(
        shell: Shell,
        source: Url,
        *,
        artifacts: Annotated[
            bool,
            typer.Option("--artifacts", help="Copy the files that the server has, too. Others stay where they are."),
        ] = False,
        token_file: TokenFile = None,
        username: Annotated[str, typer.Option("--username", help="A user of the other server.")] = "",
        password_file: Annotated[Path | None, typer.Option("--password-file", help="A file with its password.")] = None,
        workspace: Annotated[str, typer.Option("--workspace", help="A workspace of the other server.")] = "",
        ca: Ca = "",
    ) -> None:
        """Copy the registry of an MLflow server: models, prompts, versions, stages, aliases, tags. May be repeated."""
        if bool(username) != bool(password_file) or (username and token_file):
            stop("Pass --token-file, or --username and --password-file")
        api = client.resources.registry_api
        headers = api.basic(username, _content(password_file)) if username else api.bearer(_content(token_file))
        headers |= {"X-MLFLOW-WORKSPACE": workspace} if workspace else {}
        with closing(api.OtherRegistry(source, headers, ca=ca)) as other:
            copy = client.compat.mlflow.MlflowCopy(
                other, shell.catalog.registry.request, shell.say, with_files=artifacts
            )
            _run(shell, copy.result, copy.run)


def _content(file: Path | None) -> str:
    try:
        return file.read_text().strip() if file else ""
    except (OSError, UnicodeDecodeError) as error:
        stop(f"{file} cannot be read ({error})")


def _run(shell: Shell, copied: "client.compat.copying.Copied", run: Callable[[], object]) -> None:
    """Copy, and say what was copied, also where that ends early."""
    try:
        run()
    finally:
        _report(shell, copied)
    if copied.problems:
        raise typer.Exit(FAILURE)


def _report(shell: Shell, copied: "client.compat.copying.Copied") -> None:
    if shell.output.json:
        shell.output.one(copied, {}, "")
        return
    for kind in sorted(copied.new.keys() | copied.there.keys()):
        typer.echo(f"{kind}: {copied.new.get(kind, 0)} copied, {copied.there.get(kind, 0)} were there")
    for problem in copied.problems:
        shell.say(f"left out: {problem}")

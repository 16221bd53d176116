"""`catalog import kubeflow`: copies another model registry through its API."""

from pathlib import Path
from typing import Annotated

import typer

from catalog import client
from catalog.commands.terminal.shell import FAILURE, Shell, command


def add_kubeflow(app: typer.Typer) -> None:
    @command(app)
    def kubeflow(
        shell: Shell,
        source: Annotated[str, typer.Argument(metavar="URL", help="Address of the other registry.")],
        *,
        token_file: Annotated[Path | None, typer.Option("--token-file", help="A file with a token for it.")] = None,
        ca: Annotated[str, typer.Option("--ca", help="Certificates that it is trusted by.")] = "",
    ) -> None:
        """Copy a Kubeflow model registry: models, versions, artifacts, experiments, services. May be repeated."""
        token = token_file.read_text().strip() if token_file else ""
        other = client.resources.registry_api.OtherRegistry(source, token, ca=ca)
        try:
            version = _version_of(other)
            copied = client.compat.kubeflow.Copy(
                lambda path, query: other.get(version, path, query),
                lambda method, path, query, body: shell.catalog.registry.request(version, method, path, query, body),
                shell.say,
            ).run()
        finally:
            other.close()
        _report(shell, copied)
        if copied.problems:
            raise typer.Exit(FAILURE)


def _version_of(other: "client.resources.registry_api.OtherRegistry") -> str:
    """The older version of the API, which has experiments, where it is there."""
    try:
        other.get(client.resources.registry_api.OLDER, "/registered_models", {"pageSize": "1"})
    except client.NotFound:
        return client.resources.registry_api.NEWER
    return client.resources.registry_api.OLDER


def _report(shell: Shell, copied: "client.compat.kubeflow.Copied") -> None:
    for kind in sorted(copied.new.keys() | copied.there.keys()):
        typer.echo(f"{kind}: {copied.new.get(kind, 0)} copied, {copied.there.get(kind, 0)} were there")
    for problem in copied.problems:
        shell.say(f"left out: {problem}")

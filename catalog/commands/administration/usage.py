"""`catalog usage`: what a tenant stores, and how much of it its quota allows."""

from typing import Annotated

import typer

from catalog.commands.terminal.shell import Shell, command
from catalog.durations import human_size

COUNTED = ("models", "datasets", "algorithms", "versions", "blobs", "trash", "users")


def add_usage_command(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(usage)


def usage(
    shell: Shell,
    *,
    tenant: Annotated[str, typer.Option(help="Show another tenant. For the operator.")] = "",
) -> None:
    """Show what the tenant stores, and its quota. For administrators."""
    found = shell.catalog.usage(tenant)
    used, quota = found["bytes"], found["quota_bytes"]
    share = f" of {human_size(quota)} ({100 * used // quota} %)" if quota else ", without a quota"
    about: dict[str, object] = {"stored": f"{human_size(used)}{share}"}
    about["unfinished uploads"] = human_size(found["unfinished_bytes"])
    about |= {name: str(count) for name, count in found.items() if name in COUNTED}
    shell.output.one(found, about, str(used))

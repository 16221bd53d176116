"""`catalog lineage`."""

from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from catalog import client
from catalog.commands.catalog.transfers import Kind, Reference
from catalog.commands.terminal.shell import Shell, command

Neighbours = Callable[[str], list[str]]


def add_lineage_command(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(lineage)


def lineage(
    shell: Shell,
    what: Reference,
    *,
    kind: Kind = "models",
    depth: Annotated[int, typer.Option("--depth", min=1, max=10, help="Levels in each direction.")] = 3,
) -> None:
    """Show as a tree what a version was made from, and what was made from it; its run, artifacts and services."""
    named = client.revisions.parse_reference(what)
    found = shell.catalog.lineage(named.name, named.revision, kind=kind, depth=depth)
    if shell.output.json:
        shell.output.one(found, {}, found.root)
        return
    typer.echo("\n".join([*lines(found), *tracked_lines(found)]))
    if found.truncated:
        shell.say("There are more versions than an answer has.")


def lines(found: "client.results.Lineage") -> Iterator[str]:
    """The lines of two trees below the version."""
    yield label(found, found.root)
    parts: list[tuple[str, Neighbours]] = [("made from", found.inputs), ("used by", found.outputs)]
    shown = [(title, neighbours) for title, neighbours in parts if neighbours(found.root)]
    for at, (title, neighbours) in enumerate(shown):
        is_last = at == len(shown) - 1
        yield f"{'└─' if is_last else '├─'} {title}"
        yield from _branches(found, found.root, neighbours, "   " if is_last else "│  ", {found.root})


def tracked_lines(found: "client.results.Lineage") -> Iterator[str]:
    """Its run, its artifacts, and where it is deployed."""
    if found.run:
        yield f"run: {' '.join(filter(None, found.run.values()))}"
    for artifact in found.artifacts:
        yield f"{artifact['type']}: {artifact['name']} {artifact['uri']}".rstrip()
    for service in found.services:
        yield f"{service['desired_state'].lower()}: {service['name']}"


def label(found: "client.results.Lineage", key: str) -> str:
    """A version by name; by its id if it may not be read."""
    node = found.nodes[key]
    return f"{node.kind}/{node.name}@{node.ordinal}" if node.name else f"{key} (not readable, or removed)"


def _branches(
    found: "client.results.Lineage", key: str, neighbours: Neighbours, indent: str, above: set[str]
) -> Iterator[str]:
    """A version stands below each of its neighbours, and never below itself."""
    below = neighbours(key)
    for at, each in enumerate(below):
        is_last = at == len(below) - 1
        is_loop = each in above
        yield f"{indent}{'└─' if is_last else '├─'} {label(found, each)}{' (again)' if is_loop else ''}"
        if not is_loop:
            deeper = indent + ("   " if is_last else "│  ")
            yield from _branches(found, each, neighbours, deeper, above | {each})

"""`catalog compare`: versions of one item side by side."""

from collections.abc import Iterator
from typing import Annotated

import typer

from catalog import client
from catalog.commands.catalog.transfers import Kind
from catalog.commands.terminal.output import Columns
from catalog.commands.terminal.shell import Shell, command
from catalog.durations import human_size

Row = tuple[str, str, str]
"""What is compared, its name, and the difference."""

COLUMNS: Columns[Row] = {"of": lambda row: row[0], "name": lambda row: row[1], "difference": lambda row: row[2]}


def add_compare_command(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(compare)


def compare(
    shell: Shell,
    what: Annotated[
        list[str], typer.Argument(metavar="NAME@VERSION NAME@VERSION...", help="2 to 8 versions of one item.")
    ],
    *,
    kind: Kind = "models",
) -> None:
    """Compare versions with the first one: metadata, files, and the tensors of model files."""
    named = [client.revisions.parse_reference(each) for each in what]
    if len(named) == 1:
        raise client.Invalid("One version is not compared", advice="Name two or more: iris@1 iris@champion.")
    if len({each.name for each in named}) > 1:
        raise client.Invalid(
            "These are versions of several items", advice="Compare versions of one: iris@1 iris@champion."
        )
    found = shell.catalog.items(kind).versions(named[0].name).compare(*(each.revision for each in named))
    if shell.output.json:
        shell.output.one(found, {}, "")
    else:
        shell.output.rows(_rows(found), COLUMNS, lambda row: row[1])


def _rows(found: "client.results.ComparisonResult") -> Iterator[Row]:
    for pair in found["metadata"]:
        if pair["differs"]:
            yield "metadata", pair["name"], " -> ".join(map(_value, pair["values"], pair["change"]))
    several = len(found["differences"]) > 1
    for version in found["differences"]:
        suffix = f" @{version['which']}" if several else ""
        for row in (*_files(version["files"]), *_tensors(version["tensors"])):
            yield row[0], row[1], row[2] + suffix


def _value(value: object, change: float | None) -> str:
    shown = "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"{shown} ({change:+g})" if change else shown


def _files(files: "client.results.DifferentFiles") -> Iterator[Row]:
    for sign, alone in (("+", files["added"]), ("-", files["removed"])):
        for file in alone:
            yield "file", file["path"], f"{sign} {human_size(file['size'])}"
    for changed in files["changed"]:
        yield "file", changed["path"], f"~ {human_size(changed['size_before'])} -> {human_size(changed['size'])}"


def _tensors(tensors: "list[client.results.DifferentTensors]") -> Iterator[Row]:
    for file in tensors:
        for sign, alone in (("+", file["added"]), ("-", file["removed"])):
            for tensor in alone:
                yield "tensor", tensor["name"], f"{sign} {_kind(tensor['dtype'], tensor['shape'])}"
        for changed in file["changed"]:
            before = _kind(changed["dtype_before"], changed["shape_before"])
            yield "tensor", changed["name"], f"~ {before} -> {_kind(changed['dtype'], changed['shape'])}"
        if not file["complete"]:
            yield "tensor", file["path"], "not all tensors could be read"


def _kind(dtype: str, shape: list[int]) -> str:
    return f"{dtype}[{', '.join(map(str, shape))}]"

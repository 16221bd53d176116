"""Data on standard output: a table for people, JSON or ids for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import TypeVar

import msgspec
import typer

from catalog import client
from catalog.commands import terminal

T = TypeVar("T")

Columns = Mapping[str, Callable[[T], object]]
"""Headings of columns, and functions from an element to its cell."""


@dataclass(frozen=True)
class CommandOutput:
    json: bool = False
    quiet: bool = False
    whole: bool = False
    """Whether tables keep all columns and whole cells."""

    def rows(self, elements: Iterable[T], columns: Columns[T], name: Callable[[T], str]) -> None:
        """Print a list element by element; `name` returns the id that other commands accept.

        A terminal gets a table. Columns that its width has no room for are left out, the last ones first, and named.
        Other outputs get all columns, separated by tabs.
        """
        if self.json:
            _array(elements)
        elif self.quiet:
            for element in elements:
                typer.echo(name(element))
        elif sys.stdout.isatty():
            cells = [[_text(value(element)) for value in columns.values()] for element in elements]
            hidden = terminal.tables.print_table(cells, [*columns], whole=self.whole)
            if hidden:
                typer.echo(f"Not shown: {', '.join(hidden)} (--no-truncate shows all)", err=True)
        else:
            for element in elements:
                typer.echo("\t".join(_text(value(element)) for value in columns.values()))

    def one(self, element: object, about: Mapping[str, object], name: str) -> None:
        if self.json:
            typer.echo(json.dumps(plain(element), ensure_ascii=False, indent=2))
        elif self.quiet:
            typer.echo(name)
        else:
            width = max(map(len, about), default=0)
            for label, value in about.items():
                typer.echo(f"{label:<{width}}  {_text(value)}".strip())

    def text(self, element: object, text: str) -> None:
        """Print a text of several lines, without other control characters."""
        if self.json:
            typer.echo(json.dumps(plain(element), ensure_ascii=False, indent=2))
        else:
            typer.echo("\n".join(_text(line.replace("\t", "    ")) for line in text.splitlines()))


def plain(value: object) -> object:
    """A result as a value that JSON can encode."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(each) for name, each in msgspec.structs.asdict(value).items() if name != "raw"}
    if is_dataclass(value) and not isinstance(value, type):  # what a command found out, rather than a server
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return None if value == client.results.NEVER else value.isoformat().replace("+00:00", "Z")
    return value


def when(moment: datetime | None) -> str:
    """In local time, to the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment and moment != client.results.NEVER else ""


def _array(elements: Iterable[object]) -> None:
    """Print a JSON array element by element: the list may be long."""
    separator = "["
    for element in elements:
        typer.echo(f"{separator}\n{json.dumps(plain(element), ensure_ascii=False)}")
        separator = ","
    typer.echo("[]" if separator == "[" else "]")


def _text(value: object) -> str:
    """A cell as one line, without control characters: the text may come from another user."""
    if value is None:
        return ""
    if isinstance(value, bool):
        value = str(value).lower()  # as in JSON, and as it is written in options
    elif isinstance(value, Mapping):
        value = ", ".join(f"{name}={_text(each)}" for name, each in value.items())
    elif isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return "".join(character if character.isprintable() else " " for character in str(value))

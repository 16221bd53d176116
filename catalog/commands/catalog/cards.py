"""`catalog card`: the README of an item."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from catalog import client
from catalog.commands.catalog.transfers import Kind
from catalog.commands.terminal.shell import Shell, command, stop

app = typer.Typer(help="The card of an item: show, set, edit, remove.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The item.")]

TEMPLATE = """---
license:
language:
tags:
library_name:
pipeline_tag:
---
# {name}
"""
"""Where an editor begins, for an item without a card."""


@command(app)
def show(shell: Shell, name: Name, *, kind: Kind = "models") -> None:
    """Print the card."""
    card = shell.catalog.items(kind).card(name)
    shell.output.text(card, card.text)


@command(app, name="set")
def set_(
    shell: Shell,
    name: Name,
    file: Annotated[str, typer.Argument(help="A file with Markdown; `-`: standard input.")],
    *,
    kind: Kind = "models",
) -> None:
    """Set the card. The YAML at its beginning fills the license, languages, tags and tasks of the item."""
    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    shell.catalog.items(kind).set_card(name, text)
    shell.say(f"Set the card of {name}")


@command(app)
def edit(shell: Shell, name: Name, *, kind: Kind = "models") -> None:
    """Edit the card in the editor of VISUAL or EDITOR. It is refused if the item was changed meanwhile."""
    items = shell.catalog.items(kind)
    try:
        card = items.card(name)
    except client.NotFound:
        item = items.get(name)
        card = client.Card(text=TEMPLATE.format(name=item.name), revision=item.revision)
    text = _edited(card.text)
    if text == card.text:
        stop("Nothing was changed.", 1)
    items.set_card(name, text, revision=card.revision)
    shell.say(f"Set the card of {name}")


def _edited(text: str) -> str:
    """The text, after the user has saved it and closed the editor."""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with TemporaryDirectory(prefix="catalog-") as folder:
        file = Path(folder, "card.md")
        file.write_text(text, encoding="utf-8")
        try:
            subprocess.run([*editor, str(file)], check=True)  # noqa: S603  the user's own program
        except (OSError, subprocess.CalledProcessError) as failure:
            stop(f"The editor failed: {failure}. Set EDITOR to another one.", 1)
        return file.read_text(encoding="utf-8")


@command(app)
def rm(shell: Shell, name: Name, *, kind: Kind = "models") -> None:
    """Remove the card. The fields that it filled stay."""
    shell.catalog.items(kind).remove_card(name)
    shell.say(f"Removed the card of {name}")

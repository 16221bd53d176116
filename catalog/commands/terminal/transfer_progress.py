"""The progress of transfers on standard error: bars on a terminal, else lines."""

import sys
from collections.abc import Generator
from contextlib import contextmanager

import typer

from catalog.client.transfer.progress import Progress, ProgressLines, silent
from catalog.commands import terminal


@contextmanager
def transfer_progress(*, quiet: bool) -> Generator[Progress]:
    """A progress callback for a transfer."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with terminal.bars.progress_bars() as bars:
            yield bars
    else:
        yield ProgressLines(lambda line: typer.echo(line, err=True))

"""Tables on a terminal."""

import os
from collections.abc import Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

GAP = "  "
READABLE = 40
"""Characters of a column in which longer texts wrap."""


def print_table(rows: Sequence[Sequence[str]], headings: Sequence[str], *, whole: bool) -> Sequence[str]:
    """Print as many columns as fit, or with `whole` all; return the headings of the others."""
    console = Console(no_color="NO_COLOR" in os.environ, markup=False, highlight=False, emoji=False)
    widths = [max(map(cell_len, cells)) for cells in zip(headings, *rows, strict=True)]
    if whole:
        console.width = sum(widths) + len(widths) * len(GAP)
    fitting = len(headings) if whole else columns_that_fit(widths, console.width)
    table = Table(*headings[:fitting], box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*row[:fitting])
    console.print(table)
    return headings[fitting:]


def columns_that_fit(widths: Sequence[int], room: int) -> int:
    """How many of the first columns fit, one at least. A wide cell may wrap: it needs no more than READABLE."""
    used = 0
    for number, width in enumerate(widths):
        used += min(width, READABLE) + (len(GAP) if number else 0)
        if used > room:
            return max(number, 1)
    return len(widths)

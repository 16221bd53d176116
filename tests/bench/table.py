"""Figures as one table."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

MIB = 2**20
COLUMNS = ("row", "median", "p99", "reference", "ratio", "promise", "met")
HIGHER_IS_BETTER = ("MB/s", "requests/s")
PIPED_WIDTH = 160  # characters, where no terminal says how many there are


class Promise(NamedTuple):
    """What a figure must be: the median, or its ratio to that of the reference, or the ratio of their p99."""

    words: str
    bound: float
    of: Literal["median", "ratio", "p99"] = "median"
    is_least: bool = False


def at_most(bound: float, unit: str) -> Promise:
    return Promise(f"at most {bound:g} {unit}", bound)


def ratio_at_least(bound: float) -> Promise:
    return Promise(f"ratio at least {bound:g}", bound, "ratio", is_least=True)


def ratio_at_most(bound: float) -> Promise:
    return Promise(f"ratio at most {bound:g}", bound, "ratio")


def p99_at_most(bound: float) -> Promise:
    return Promise(f"ratio of p99 at most {bound:g}", bound, "p99")


class Row(NamedTuple):
    name: str
    unit: str
    figures: Sequence[float]
    reference: Sequence[float] = ()
    promise: Promise | None = None

    @property
    def ratio(self) -> float | None:
        """To the reference: of the medians, or of the p99 if something is promised of those."""
        if not self.reference:
            return None
        if self.promise and self.promise.of == "p99":
            return p99(self.figures, self.unit) / p99(self.reference, self.unit)
        return median(self.figures) / median(self.reference)

    @property
    def is_met(self) -> bool | None:
        """None when nothing is promised, or when the promise is a ratio and there is no reference."""
        if self.promise is None:
            return None
        figure = median(self.figures) if self.promise.of == "median" else self.ratio
        if figure is None:
            return None
        return figure >= self.promise.bound if self.promise.is_least else figure <= self.promise.bound


def p99(figures: Sequence[float], unit: str) -> float:
    """What 99 of 100 are at least as good as. Of fewer than a hundred it is the worst."""
    ordered = sorted(figures, reverse=unit in HIGHER_IS_BETTER)
    return ordered[math.ceil(0.99 * len(ordered)) - 1]


def show(header: Sequence[str], rows: Sequence[Row]) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    for line in header:
        console.print(line, highlight=False, markup=False)
    table = Table(*COLUMNS, box=box.ASCII2)
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)


def markdown(rows: Sequence[Row]) -> list[str]:
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(_cells(row) for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        _worded(median(row.figures), row.unit),
        _worded(p99(row.figures, row.unit), row.unit),
        _worded(median(row.reference), row.unit) if row.reference else "",
        f"{row.ratio:.2f}" if row.ratio is not None else "",
        row.promise.words if row.promise else "",
        {True: "yes", False: "NO", None: ""}[row.is_met],
    )


def _worded(figure: float, unit: str) -> str:
    return f"{figure:.0f} {unit}".rstrip() if figure >= 100 else f"{figure:.3g} {unit}".rstrip()

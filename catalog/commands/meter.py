"""How far a transfer is, on standard error: bars on a terminal, else a line every ten seconds."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from catalog.client.progress import Progress as Tell
from catalog.client.progress import silent
from catalog.durations import human_size

EVERY = 10.0  # seconds


@contextmanager
def metered(*, quiet: bool) -> Generator[Tell]:
    """Whom a transfer tells how far it is."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            yield Bars(bars)
    else:
        yield Lines()


@dataclass
class Bars:
    """One for each thing that is done. When the last byte is sent, the other side still has to verify it."""

    bars: Progress
    _tasks: dict[str, TaskID] = field(default_factory=dict)

    def __call__(self, phase: str, done: int, total: int) -> None:
        self._show(phase, done, total)
        if phase == "uploading" and done == total:
            self._show("verifying", 0, None)

    def _show(self, phase: str, done: int, total: int | None) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = self.bars.add_task(phase, total=total)
        self.bars.update(self._tasks[phase], completed=done, total=total)


@dataclass
class Lines:
    now: Callable[[], float] = time.monotonic
    _begun: dict[str, tuple[float, int]] = field(default_factory=dict)
    _told: float | None = None

    def __call__(self, phase: str, done: int, total: int) -> None:
        now = self.now()
        begun, first = self._begun.setdefault(phase, (now, done))
        if self._told is None:
            self._told = now  # the first line after the first ten seconds: small files need none
        if now - self._told >= EVERY:
            self._told = now
            rate = (done - first) / max(now - begun, 1e-9)
            left = f", {(total - done) / rate:.0f} s left" if rate > 0 else ""
            percent = 100 * done // max(total, 1)
            far = f"{phase} {human_size(done)} of {human_size(total)} ({percent} %), {human_size(int(rate))}/s{left}"
            typer.echo(far, err=True)

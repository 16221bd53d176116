"""Bars on a terminal."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

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


@contextmanager
def progress_bars() -> Generator["ProgressBars"]:
    """Bars on standard error, which disappear at the end."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield ProgressBars(bars)


@dataclass
class ProgressBars:
    """One bar for each phase. After the last byte is sent, the server still verifies the file."""

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

"""The progress of transfers on standard error: bars on a terminal, else a line every ten seconds."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import typer

from catalog.client.transfer.progress import Progress, silent
from catalog.commands import terminal
from catalog.durations import human_size

INTERVAL = 10.0  # seconds


@contextmanager
def transfer_progress(*, quiet: bool) -> Generator[Progress]:
    """A progress callback for a transfer."""
    if quiet:
        yield silent
    elif sys.stderr.isatty():
        with terminal.bars.progress_bars() as bars:
            yield bars
    else:
        yield ProgressLines()


@dataclass
class ProgressLines:
    now: Callable[[], float] = time.monotonic
    _starts: dict[str, tuple[float, int]] = field(default_factory=dict)
    _last_line: float | None = None

    def __call__(self, phase: str, done: int, total: int) -> None:
        now = self.now()
        started, first = self._starts.setdefault(phase, (now, done))
        if self._last_line is None:
            self._last_line = now  # no line in the first ten seconds: small files need none
        if now - self._last_line >= INTERVAL:
            self._last_line = now
            rate = (done - first) / max(now - started, 1e-9)
            left = f", {(total - done) / rate:.0f} s left" if rate > 0 else ""
            percent = 100 * done // max(total, 1)
            line = f"{phase} {human_size(done)} of {human_size(total)} ({percent} %), {human_size(int(rate))}/s{left}"
            typer.echo(line, err=True)

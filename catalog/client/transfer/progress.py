"""Progress callbacks of transfers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeAlias

from catalog.durations import human_size

INTERVAL = 10.0  # seconds

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the phase (`hashing`, `uploading`, `downloading`, `verifying`), the bytes done and the bytes in total.
Files of a folder are transferred in parallel: calls come from several threads, but never at the same time."""


def silent(phase: str, done: int, total: int) -> None:
    """Ignore the progress."""


@dataclass
class TotalProgress:
    """Adds up the progress of several files."""

    progress: Progress
    total: int
    _done: dict[tuple[str, str], int] = field(default_factory=dict)
    _sums: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, name: str) -> Progress:
        def add(phase: str, done: int, total: int) -> None:
            del total
            with self._lock:
                self._sums[phase] = self._sums.get(phase, 0) + done - self._done.get((phase, name), 0)
                self._done[phase, name] = done
                self.progress(phase, self._sums[phase], self.total)

        return add


@dataclass
class ProgressLines:
    """A line every ten seconds, where there are no bars."""

    write: Callable[[str], None]
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
            self.write(line)

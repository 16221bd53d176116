"""The progress of an upgrade, for the log and for the command line."""

from collections.abc import Callable
from time import monotonic

EVERY = 5.0
"""Seconds between two reports within a step."""

Report = Callable[[str], None]
"""Takes a line about the progress."""


class Progress:
    """Counts the records that one step has changed, and reports the count from time to time."""

    def __init__(self, step: str, report: Report, every: float = EVERY) -> None:
        self.count = 0
        self._step = step
        self._report = report
        self._every = every
        self._next = monotonic() + every

    def add(self, count: int) -> None:
        """Count records that were changed."""
        self.count += count
        if monotonic() >= self._next:
            self._next = monotonic() + self._every
            self._report(f"{self._step}: {self.count} records so far")

"""Progress callbacks of transfers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeAlias

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
    _lock: Lock = field(default_factory=Lock)

    def of(self, name: str) -> Progress:
        def add(phase: str, done: int, total: int) -> None:
            del total
            with self._lock:
                self._done[phase, name] = done
                self.progress(phase, sum(n for (each, _), n in self._done.items() if each == phase), self.total)

        return add

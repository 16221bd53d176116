"""Telling somebody how far a transfer is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done (`hashing`, `uploading`, `downloading`, `verifying`), and the bytes done and in all.
Files of a folder go in parallel: it is called from several threads, but never twice at once."""


def silent(phase: str, done: int, total: int) -> None:
    """For whoever does not want to know."""


@dataclass
class Sum:
    """The progress of several files, as of one."""

    tell: Progress
    total: int
    _done: dict[tuple[str, str], int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, name: str) -> Progress:
        def tell(phase: str, done: int, total: int) -> None:
            del total
            with self._lock:
                self._done[phase, name] = done
                self.tell(phase, sum(n for (each, _), n in self._done.items() if each == phase), self.total)

        return tell

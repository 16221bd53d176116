"""A child process that is started again whenever it ends, with a growing pause, until it is stopped.

Imports little: the embedded database starts while the server still imports the rest.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock
from time import monotonic
from typing import IO, AnyStr, Generic, TypeVar

SHORTEST_PAUSE = 0.05  # seconds before the second restart; the first one is immediate
LONGEST_PAUSE = 5.0  # seconds before a child that dies again and again is started again
HEALTHY = 60.0  # seconds alive after which a death counts as the first

C = TypeVar("C")


class Supervised(Generic[C]):
    """`child` is the process of the moment, and the first one at the beginning.

    `wait` waits until a child has ended and returns how; `report` is called before a new one is spawned.
    """

    def __init__(
        self, child: C, spawn: Callable[[], C], wait: Callable[[C], str], report: Callable[[C, str], None]
    ) -> None:
        self.child = child
        self._spawn = spawn
        self._wait = wait
        self._report = report
        self._stopping = Event()
        self._changing = Lock()  # held by a restart and by a stop, so that no child is spawned after the stop

    def keep_running(self) -> None:
        """Return once the child has ended after `stop`. Runs in a thread of its own."""
        pause = 0.0
        while True:
            began = monotonic()
            how = self._wait(self.child)
            is_healthy = monotonic() - began > HEALTHY
            pause = 0.0 if is_healthy else min(max(2 * pause, SHORTEST_PAUSE), LONGEST_PAUSE)
            if self._stopping.wait(pause):
                return
            self._report(self.child, how)
            self._replace()

    def stop(self, end: Callable[[C], None]) -> None:
        """Spawn no further child, and `end` the one that there is. May be called again, with another `end`."""
        with self._changing:
            self._stopping.set()
            end(self.child)

    def _replace(self) -> None:
        # Without a process or memory to spare, the dead child stays: waiting for it returns at once, and the next
        # attempt follows after the pause.
        with self._changing, suppress(OSError):
            if not self._stopping.is_set():
                self.child = self._spawn()


def pipe(stream: IO[AnyStr] | None) -> IO[AnyStr]:
    """A child's pipe, which `Popen` declares optional."""
    assert stream is not None
    return stream

"""The log of requests that are refused before an application sees them: junk, slow heads, wrong framing.

Port scanners send thousands. A line tells who sent what; more lines than MOST in a PERIOD are counted instead.
"""

import logging
from collections.abc import Callable
from time import monotonic

logger = logging.getLogger(__name__)

MOST = 10
"""Lines in a PERIOD."""

PERIOD = 60.0  # seconds


class RefusalLog:
    """One for all connections of a process."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._ends = 0.0  # when the period of the moment ends
        self._written = 0
        self._left_out = 0

    def write(self, client: tuple[str, int] | None, reason: str) -> None:
        """Log that a request of `client` (address and port) was refused, and why."""
        if self._clock() >= self._ends:
            self._begin_period()
        if self._written >= MOST:
            self._left_out += 1
            return
        self._written += 1
        logger.warning("refused a request from %s: %s", client[0] if client else "an unknown address", reason)

    def _begin_period(self) -> None:
        if self._left_out:
            logger.warning("refused %d more requests since the last line of this kind", self._left_out)
        self._ends = self._clock() + PERIOD
        self._written = self._left_out = 0

"""File descriptors: every connection and every open file takes one."""

import logging
import os
import resource
from time import monotonic

logger = logging.getLogger(__name__)

WARNING_INTERVAL = 60.0
"""Seconds between two warnings."""


def raise_limit() -> None:
    """Let this process open as many files as the system allows it to. The usual soft limit is 1 024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def check() -> None:
    """Raises OSError when no file can be opened, and so no connection can be accepted."""
    _probe()


class DescriptorWatch:
    """Warns, at most once a minute, when connections are dropped because no descriptor is left."""

    def __init__(self) -> None:
        self._warned = -WARNING_INTERVAL

    def check(self) -> None:
        try:
            _probe()
        except OSError as failure:
            if monotonic() - self._warned >= WARNING_INTERVAL:
                self._warned = monotonic()
                limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
                logger.warning(
                    "no file descriptor is left, so new connections are dropped (%s; the limit is %d: raise it with "
                    "ulimit -n, or LimitNOFILE of systemd)",
                    os.strerror(failure.errno or 0).lower(),
                    limit,
                )


def _probe() -> None:
    os.close(os.open(os.devnull, os.O_RDONLY))

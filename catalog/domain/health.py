"""Readiness: whether the database, the storage and the other parts that requests need respond."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

from catalog.blobs.protocol import StorageUnavailableError

logger = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds within which a part must respond."""

CACHED_FOR = 1.0
"""Seconds for which a result is cached, so that frequent probes are cheap."""

Check = Callable[[], Awaitable[object]]


class Health:
    """Whether a server can serve requests.

    `stopping` is set on the signal to stop: the server is not ready from then on. `ending` is set when the server
    accepts no more connections: long requests are then refused.
    """

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self.stopping = False
        self.ending = False
        self._checks = checks
        self._checked = -CACHED_FOR
        self._away: frozenset[str] = frozenset()
        self._lock = asyncio.Lock()

    @property
    def parts(self) -> list[str]:
        return list(self._checks)

    async def away(self) -> frozenset[str]:
        """The names of the parts that do not respond."""
        async with self._lock:
            if monotonic() - self._checked >= CACHED_FOR:
                responses = await asyncio.gather(*(_responds(name, check) for name, check in self._checks.items()))
                self._away = frozenset(name for name, is_up in zip(self._checks, responses, strict=True) if not is_up)
                self._checked = monotonic()
        return self._away


async def _responds(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except Exception as failure:  # noqa: BLE001  any failure counts
        why = str(failure) if isinstance(failure, StorageUnavailableError) else type(failure).__name__
        logger.warning("%s does not answer: %s", name, why)
        return False
    return True

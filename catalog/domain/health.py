"""Is everything there that requests need: asked of the database and of the storage, at most once a second."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

from catalog.blobs.protocol import StorageUnavailableError

logger = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that a part is given to answer."""

BELIEVED = 1.0
"""Seconds that an answer is believed, so that asking often costs nothing."""

Check = Callable[[], Awaitable[object]]


class Health:
    """`stopping` is set when the server is told to stop: from then on it is not ready. `ending` is set when it takes no
    more connections: long work is to end.
    """

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self.stopping = False
        self.ending = False
        self._checks = checks
        self._learnt = -BELIEVED
        self._away: frozenset[str] = frozenset()
        self._turn = asyncio.Lock()

    @property
    def parts(self) -> list[str]:
        return list(self._checks)

    async def away(self) -> frozenset[str]:
        """The parts that do not answer."""
        async with self._turn:
            if monotonic() - self._learnt >= BELIEVED:
                answers = await asyncio.gather(*(_is_there(name, check) for name, check in self._checks.items()))
                self._away = frozenset(name for name, there in zip(self._checks, answers, strict=True) if not there)
                self._learnt = monotonic()
        return self._away


async def _is_there(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except Exception as failure:  # noqa: BLE001  whatever it raises, it is not there
        why = str(failure) if isinstance(failure, StorageUnavailableError) else type(failure).__name__
        logger.warning("%s does not answer: %s", name, why)
        return False
    return True

"""The other workers of a server, asked for what they have measured: whichever is asked then tells of all."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

logger = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that a worker is given to tell. One that does not is left out, and tells the next time."""


class Colleagues:
    """Each worker listens in `room`, a folder of theirs alone, on a socket that is called as its number."""

    def __init__(self, room: Path, me: int) -> None:
        self._room = room
        self._me = room / str(me)

    @asynccontextmanager
    async def told(self, text: Callable[[], bytes]) -> AsyncIterator[None]:
        """Tell `text()` to whoever asks, for as long as the context lasts."""

        async def tell(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(text())
            writer.close()
            await writer.wait_closed()

        self._me.unlink(missing_ok=True)  # of one who was killed
        server = await asyncio.start_unix_server(tell, self._me)
        try:
            yield
        finally:
            server.close()

    async def ask(self) -> dict[str, str]:
        """What each worker tells, by its number."""
        names = sorted(socket.name for socket in self._room.iterdir())
        told = await asyncio.gather(*(self._ask(name) for name in names))
        return {name: text for name, text in zip(names, told, strict=True) if text}

    async def _ask(self, name: str) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_unix_connection(self._room / name)
                try:
                    return (await reader.read()).decode()
                finally:
                    writer.close()
        except (OSError, TimeoutError) as failure:
            logger.warning("worker %s does not tell what it has measured: %s", name, type(failure).__name__)
            return ""


def together(texts: Mapping[str, str]) -> bytes:
    """One text of all, each line with a label that says whose it is."""
    families: dict[str, Metric] = {}
    for worker, text in texts.items():
        for family in text_string_to_metric_families(text):
            whole = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            whole.samples += [each._replace(labels={**each.labels, "worker": worker}) for each in family.samples]

    def collect() -> Iterable[Metric]:
        return families.values()

    return generate_latest(cast("Any", SimpleNamespace(collect=collect)))

"""The metrics of all workers of a server: each worker that is asked collects those of the others."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

logger = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds that a worker has to answer. One that does not is left out of this response."""


class WorkerMetrics:
    """Each worker listens on a Unix socket in `folder`; the socket's name is the worker's number."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._own_socket = folder / str(number)

    @asynccontextmanager
    async def serve(self, text: Callable[[], bytes]) -> AsyncIterator[None]:
        """Send `text()` to each worker that asks, for as long as the context lasts."""

        async def send(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(text())
            writer.close()
            await writer.wait_closed()

        self._own_socket.unlink(missing_ok=True)  # left by a worker that was killed
        server = await asyncio.start_unix_server(send, self._own_socket)
        try:
            yield
        finally:
            server.close()

    async def collect(self) -> dict[str, str]:
        """The metrics of each worker, by its number."""
        names = sorted(socket.name for socket in self._folder.iterdir())
        texts = await asyncio.gather(*(self._fetch(name) for name in names))
        return {name: text for name, text in zip(names, texts, strict=True) if text}

    async def _fetch(self, name: str) -> str:
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_unix_connection(self._folder / name)
                try:
                    return (await reader.read()).decode()
                finally:
                    writer.close()
        except (OSError, TimeoutError) as failure:
            logger.warning("worker %s does not send its metrics: %s", name, type(failure).__name__)
            return ""


@dataclass(frozen=True)
class MergedMetrics:
    """Metrics of several workers, as a collector of the Prometheus client."""

    families: Iterable[Metric]

    def collect(self) -> Iterable[Metric]:
        return self.families


def merge(texts: Mapping[str, str]) -> bytes:
    """One text of all, with the label `worker` on each line."""
    families: dict[str, Metric] = {}
    for worker, text in texts.items():
        for family in text_string_to_metric_families(text):
            whole = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            whole.samples += [each._replace(labels={**each.labels, "worker": worker}) for each in family.samples]

    return generate_latest(MergedMetrics(families.values()))

"""A store that is unwell: stands before a healthy one, and answers some requests with 500, and others late."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

ERROR = b"<Error><Code>InternalError</Code><Message>We encountered an internal error</Message></Error>"
FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
    len(ERROR),
    ERROR,
)


class IllStore:
    """`fails_every` third request, say, of all; those while `well` is not set wait until it is."""

    def __init__(self, upstream: str) -> None:
        self.url = ""
        self.fails_every = 0
        self.asked = 0
        self.failed = 0
        self.well = asyncio.Event()
        self.well.set()
        self._upstream = urlsplit(upstream)
        self._open: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["IllStore"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request of a connection."""
        self._open.add(task := asyncio.current_task())
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
                body = await reader.readexactly(int(length[1]) if length else 0)
                await self.well.wait()
                self.asked += 1
                if self.fails_every and self.asked % self.fails_every == 0:
                    self.failed += 1
                    writer.write(FAILED)
                else:
                    await self._passed_on(head, body, writer)
                await writer.drain()
        finally:
            self._open.discard(task)
            writer.close()

    async def _passed_on(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        there, onwards = await asyncio.open_connection(self._upstream.hostname, self._upstream.port)
        try:
            onwards.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
            while block := await there.read(2**16):
                writer.write(block)
                await writer.drain()
        finally:
            onwards.close()

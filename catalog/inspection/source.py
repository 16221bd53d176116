"""The bytes of one file, read in ranges and within bounds."""

import asyncio
import time
from contextlib import aclosing

from catalog.blobs import Blobs

MOST_BYTES = 64 * 2**20
MOST_READS = 2000
MOST_OF_A_HEADER = 24 * 2**20
"""Bytes, since a header is walked through by the server itself."""

MOST_SECONDS = 3.0
"""For a header."""

AHEAD = 2**16
"""Bytes read at a time while a header is walked through."""


class TooMuch(Exception):  # noqa: N818  a bound, not an error
    """More than is read of any file."""


class Malformed(Exception):  # noqa: N818  the sentence matters more than the suffix
    """It is not what its format says."""


class Source:
    """A file's bytes, of which only so many are read."""

    def __init__(self, blobs: Blobs, digest: str, size: int) -> None:
        self.size = size
        self.bytes_read = 0
        self._blobs, self._digest = blobs, digest
        self._reads = 0

    async def read(self, start: int, stop: int) -> bytes:
        """Bytes `start` up to, not including, `stop`, or fewer at the end.

        Raises TooMuch when a bound would be passed, BlobUnknown, OSError.
        """
        stop = min(stop, self.size)
        if stop <= start:
            return b""
        self._reads += 1
        self.bytes_read += stop - start
        if self._reads > MOST_READS or self.bytes_read > MOST_BYTES:
            raise TooMuch(f"more than {MOST_BYTES} bytes or {MOST_READS} ranges, which is all that is read of a file")
        async with aclosing(self._blobs.read(self._digest, start, stop)) as blocks:
            return b"".join([block async for block in blocks])


class Window:
    """A source as a thread reads it: forwards, leaving out what it does not need."""

    def __init__(self, source: Source, head: bytes, loop: asyncio.AbstractEventLoop) -> None:
        self.at = 0
        self.size = source.size
        self._source, self._loop = source, loop
        self._held, self._held_from = head, 0
        self._over = False
        self._latest = time.monotonic() + MOST_SECONDS

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises Malformed when there are not so many, TooMuch.
        """
        self.need(size)
        begin = self.at - self._held_from
        if not 0 <= begin <= len(self._held) - size:
            self._fetch(max(size, AHEAD))
            begin = 0
        self.at += size
        return self._held[begin : begin + size]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def skip(self, size: int) -> None:
        self.need(size)
        self.at += size

    def need(self, size: int) -> None:
        """Raises Malformed when fewer bytes are left."""
        if size > self.size - self.at:
            raise Malformed(f"it wants {size} bytes where {self.size - self.at} are left")

    def skip_texts(self, count: int) -> None:
        """Leave out texts with their sizes of 8 bytes: a vocabulary has hundreds of thousands."""
        while count > 0:
            held, at = self._held, self.at - self._held_from
            last = len(held) - 8
            while count and 0 <= at <= last:
                at += 8 + int.from_bytes(held[at : at + 8], "little")
                count -= 1
            self.skip(self._held_from + at - self.at)
            if count:
                self.skip(self.number(8))
                count -= 1

    def close(self) -> None:
        """End a thread that still reads, at its next range."""
        self._over = True

    def _fetch(self, size: int) -> None:
        if self._over or time.monotonic() > self._latest:
            raise TooMuch(f"a header that takes more than {MOST_SECONDS} s")
        if self._source.bytes_read > MOST_OF_A_HEADER:
            raise TooMuch(f"a header of more than {MOST_OF_A_HEADER} bytes")
        reading = asyncio.run_coroutine_threadsafe(self._source.read(self.at, self.at + size), self._loop)
        self._held, self._held_from = reading.result(MOST_SECONDS), self.at

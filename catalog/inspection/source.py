"""The bytes of one file, read in ranges and within limits."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from catalog.inspection.sandbox.views import LimitExceededError

MOST_BYTES = 64 * 2**20
MOST_READS = 2000


class ReadableBlobs(Protocol):
    """What an inspection needs of a storage."""

    def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]: ...


class BoundedSource:
    """A file of which at most MOST_BYTES bytes in MOST_READS ranges are read."""

    def __init__(self, blobs: ReadableBlobs, digest: str, size: int) -> None:
        self.size = size
        self.bytes_read = 0
        self._blobs, self._digest = blobs, digest
        self._reads = 0

    async def read(self, start: int, stop: int) -> bytes:
        """Return bytes `start` up to, not including, `stop`, or fewer at the end.

        Raises LimitExceededError when a limit would be exceeded, UnknownBlobError, OSError.
        """
        stop = min(stop, self.size)
        if stop <= start:
            return b""
        self._reads += 1
        self.bytes_read += stop - start
        if self._reads > MOST_READS or self.bytes_read > MOST_BYTES:
            raise LimitExceededError(f"more than {MOST_BYTES} bytes or {MOST_READS} ranges of a file")
        async with aclosing(self._blobs.read(self._digest, start, stop)) as blocks:
            return b"".join([block async for block in blocks])

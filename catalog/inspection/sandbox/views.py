"""Files within files: a part of one, and one decompressed. Neither is ever whole in memory."""

import io
from collections.abc import Callable
from typing import Any, Protocol

BUFFER = 2**16
MOST_DECOMPRESSED = 2**28
"""Bytes that come out of everything compressed in a file, taken together."""


class LimitExceededError(Exception):
    """A bound was reached."""


class Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, most: int, /) -> bytes: ...


class DecompressionBudget:
    """What may still be decompressed."""

    def __init__(self, most: int = MOST_DECOMPRESSED) -> None:
        self._left = most

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise LimitExceededError(f"more than {MOST_DECOMPRESSED} bytes decompressed")


class FileSlice(io.RawIOBase):
    """Bytes `start` up to `stop` of a file that can seek."""

    def __init__(self, whole: io.BufferedReader, start: int, stop: int) -> None:
        self._whole, self._start, self._stop = whole, start, max(start, stop)
        self._at = start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at - self._start

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: self._start, 1: self._at, 2: self._stop}[whence]
        self._at = max(self._start, base + offset)
        return self.tell()

    def readinto(self, into: Any) -> int:
        self._whole.seek(self._at)
        data = self._whole.read(max(0, min(len(into), self._stop - self._at)))
        into[: len(data)] = data
        self._at += len(data)
        return len(data)


class Decompressed(io.RawIOBase):
    """What a compressed file holds, forwards only. Damage ends it, as the end does."""

    def __init__(self, file: io.BufferedReader, begin: Callable[[], Decompressor], budget: DecompressionBudget) -> None:
        self._file, self._begin, self._budget = file, begin, budget
        self._decompressor = begin()
        self._over = False

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        filled = 0  # as far as it goes: what looks at the beginning must not be shown a single byte
        while not self._over and filled < len(into):
            data = self._next(len(into) - filled)
            self._budget.spend(len(data))
            into[filled : filled + len(data)] = data
            filled += len(data)
        return filled

    def _next(self, most: int) -> bytes:
        waiting: bytes = getattr(self._decompressor, "unconsumed_tail", b"")
        if self._decompressor.eof:
            waiting = self._decompressor.unused_data
            self._decompressor = self._begin()  # gzip and its like may follow one another
        needs = getattr(self._decompressor, "needs_input", True)
        given = waiting or (self._file.read(BUFFER) if needs else b"")
        if not given and needs:
            self._over = True
            return b""
        try:
            data: bytes = self._decompressor.decompress(given, most)
        except Exception:  # noqa: BLE001  each kind of compression has its own
            self._over = True
            return b""
        return data


class Forwards(io.RawIOBase):
    """Of a file in a compressed archive, which says that it could seek when it cannot."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        data = self._file.read(len(into))
        into[: len(data)] = data
        return len(data)


def forwards(file: object) -> io.BufferedReader:
    return io.BufferedReader(Forwards(file), BUFFER)


def part(whole: io.BufferedReader, start: int, stop: int) -> io.BufferedReader:
    return io.BufferedReader(FileSlice(whole, start, stop), BUFFER)


def decompressed(
    file: io.BufferedReader, begin: Callable[[], Decompressor], budget: DecompressionBudget
) -> io.BufferedReader:
    return io.BufferedReader(Decompressed(file, begin, budget), BUFFER)

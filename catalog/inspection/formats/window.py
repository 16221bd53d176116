"""The bytes of one file, read forwards and within bounds."""

import time
from collections.abc import Callable
from typing import NamedTuple

from catalog.inspection.sandbox.views import LimitExceededError

AHEAD = 2**16
"""Bytes read at a time while a header is walked through."""


class MalformedError(Exception):
    """The file violates its format."""


class SandboxNeededError(Exception):
    """The header is larger than what is read outside of the sandboxed process."""


class Bounds(NamedTuple):
    """How much of a header is read, and what is raised where there is more."""

    size: int  # bytes
    values: int  # in JSON: numbers, texts, lists, objects
    steps: int  # fields, pairs, rows
    seconds: float
    over: type[Exception]


IN_SERVER = Bounds(2**18, 8_000, 8_000, 3.0, SandboxNeededError)
IN_SANDBOX = Bounds(24 * 2**20, 1_000_000, 5_000_000, 5.0, LimitExceededError)


class Window:
    """A file of `size` bytes, which `read` gives by ranges and whose first bytes are `head`."""

    def __init__(self, read: Callable[[int, int], bytes], size: int, head: bytes, bounds: Bounds) -> None:
        self.at = 0
        self.size = size
        self.bounds = bounds
        self._read = read
        self._held, self._held_from = head, 0
        self._fetched = len(head)
        self._over = False
        self._steps = 0
        self._latest = time.monotonic() + bounds.seconds

    def take(self, size: int) -> bytes:
        """The next `size` bytes.

        Raises MalformedError when there are not so many, LimitExceededError, SandboxNeededError.
        """
        self.need(size)
        begin = self.at - self._held_from
        if not 0 <= begin <= len(self._held) - size:
            self._fetch(max(size, AHEAD))
            begin = 0
        self.at += size
        return self._held[begin : begin + size]

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, which stay the next. Raises as `take` does."""
        begin = self.at
        data = self.take(size)
        self.at = begin
        return data

    def byte(self) -> int:
        """The next byte, which `take(1)` would give more slowly."""
        begin = self.at - self._held_from
        if 0 <= begin < len(self._held):
            self.at += 1
            return self._held[begin]
        return self.take(1)[0]

    def step(self) -> None:
        """Count one field, pair or row: a few microseconds of a reader, whatever it holds."""
        self._steps += 1
        if self._steps > self.bounds.steps:
            raise self.bounds.over(f"a header of more than {self.bounds.steps} parts")

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def skip(self, size: int) -> None:
        self.need(size)
        self.at += size

    def need(self, size: int) -> None:
        """Raises MalformedError when fewer bytes are left."""
        if size > self.size - self.at:
            raise MalformedError(f"it wants {size} bytes where {self.size - self.at} are left")

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
            raise self.bounds.over(f"a header that takes more than {self.bounds.seconds:g} s")
        self._fetched += size
        if self._fetched > self.bounds.size:
            raise self.bounds.over(f"a header of more than {self.bounds.size} bytes")
        self._held, self._held_from = self._read(self.at, self.at + size), self.at
        if len(self._held) < min(size, self.size - self.at):
            raise MalformedError("it ends before its size")

"""A file of the server that is read like one of this machine, by ranges."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER = 2**20
"""Bytes that are fetched at least, so that a reader of small pieces does not ask for each."""


class Remote(io.RawIOBase):
    """`size` bytes, of which `read` fetches those from the first number up to, not including, the second."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size = size
        self._read = read
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        beginning = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if beginning + offset < 0:
            raise ValueError(f"there is nothing at {beginning + offset}")
        self._at = beginning + offset
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        stop = min(self._at + len(view), self._size)
        if stop <= self._at:
            return 0
        content = self._read(self._at, stop)
        view[: len(content)] = content
        self._at += len(content)
        return len(content)

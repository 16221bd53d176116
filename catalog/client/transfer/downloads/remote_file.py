"""A file object over a file of the server, read by range requests."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER = 2**20
"""The buffer size in bytes: small reads do not cost a request each."""


class RemoteFile(io.RawIOBase):
    """A raw file of `size` bytes; `read(start, stop)` fetches those from `start` up to, not including, `stop`."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        super().__init__()
        self._size = size
        self._read = read
        self._offset = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"the offset is negative: {base + offset}")
        self._offset = base + offset
        return self._offset

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        stop = min(self._offset + len(view), self._size)
        if stop <= self._offset:
            return 0
        content = self._read(self._offset, stop)
        view[: len(content)] = content
        self._offset += len(content)
        return len(content)

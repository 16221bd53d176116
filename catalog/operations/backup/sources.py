"""Where a backup is read from: a file, or an object of a bucket."""

import errno
import io
import os
from typing import IO, TYPE_CHECKING, Literal, NamedTuple, Protocol

import obstore
from obstore.exceptions import PreconditionError
from obstore.store import S3Store

from catalog.blobs.s3.connection import translated_errors

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FIRST = 64 * 2**10
LARGEST = 8 * 2**20
"""Bytes of the first request, which is enough to know a backup, and of the largest one. Each is twice the last."""


class SourceChangedError(OSError):
    """The object was replaced while it was read."""


class BackupSource(Protocol):
    """A backup that can be read, any number of times. `str` names it for people. A `Path` is one, too."""

    def open(self, mode: Literal["rb"], /) -> IO[bytes]:
        """Raises OSError and StorageUnavailableError, also while it is read."""
        ...


class ObjectSource(NamedTuple):
    """An object of a bucket, read in ranges: the reader may take its time between them."""

    store: S3Store
    key: str
    address: str  # s3://bucket/prefix/name.tar

    def __str__(self) -> str:
        return self.address

    def open(self, _: Literal["rb"], /) -> IO[bytes]:
        return io.BufferedReader(_Ranges(self), LARGEST)


class _Ranges(io.RawIOBase):
    """The bytes of one object: of the one that was there at the beginning."""

    def __init__(self, source: ObjectSource) -> None:
        super().__init__()
        self._source = source
        self._at = 0
        self._length = FIRST
        found = _size_and_tag(source)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(source))
        self._size, self._etag = found

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        stop = min(self._at + min(self._length, len(view)), self._size)
        if stop <= self._at:
            return 0
        block = self._range(self._at, stop)
        view[: len(block)] = block
        self._at += len(block)
        self._length = min(2 * self._length, LARGEST)
        return len(block)

    def _range(self, start: int, stop: int) -> bytes:
        """Raises SourceChangedError, StorageUnavailableError."""
        with translated_errors():
            try:
                answer = obstore.get(
                    self._source.store, self._source.key, options={"range": (start, stop), "if_match": self._etag}
                )
                return bytes(answer.bytes())
            except (FileNotFoundError, PreconditionError):
                raise SourceChangedError(0, "it was replaced or removed while it was read", str(self._source)) from None


def _size_and_tag(source: ObjectSource) -> tuple[int, str | None] | None:
    with translated_errors():
        try:
            head = obstore.head(source.store, source.key)
        except FileNotFoundError:
            return None
    return head["size"], head["e_tag"]

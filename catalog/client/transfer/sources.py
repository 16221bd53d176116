"""The files to upload, read block by block."""

import hashlib
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.client.errors import Damaged, Invalid
from catalog.client.transfer.progress import Progress, silent
from catalog.client.transport.effects import BLOCK

WRITE_FIRST = "Write it first, then push it."
EXPECTED = "Pass the path of a file or of a folder, or a file opened for reading bytes."


@dataclass(frozen=True, slots=True)
class Source:
    path: Path
    name: str
    size: int
    mtime_ns: int
    """The modification time, in nanoseconds."""
    inode: int

    @property
    def identity(self) -> list[str | int]:
        """Equal for the same file with the same content, by its metadata alone."""
        return [str(self.path.resolve()), self.size, self.mtime_ns, self.inode]

    def digest(self, progress: Progress = silent) -> str:
        """SHA-256, 64 lowercase hexadecimal characters."""
        hasher, done = hashlib.sha256(), 0
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                hasher.update(block)
                done += len(block)
                progress("hashing", done, self.size)
        return hasher.hexdigest()


@dataclass(frozen=True, slots=True)
class SourceSlice:
    """A range of a source, as the body of a request."""

    source: Source
    start: int
    size: int
    progress: Progress = silent

    def blocks(self) -> Generator[bytes, None, None]:
        """Raises Damaged if the file has become shorter."""
        at, stop = self.start, self.start + self.size
        with self.source.path.open("rb") as file:
            file.seek(at)
            while at < stop:
                block = file.read(min(BLOCK, stop - at))
                if not block:
                    raise Damaged(f"{self.source.path} became shorter while it was read", advice=WRITE_FIRST)
                at += len(block)
                yield block
                self.progress("uploading", at, self.source.size)


def file_source(path: Path, name: str = "") -> Source:
    """Raises Invalid if the path is not a readable file."""
    try:
        status = path.stat()
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}", advice=EXPECTED) from None
    if not path.is_file():
        raise Invalid(f"{path} is not a file", advice=EXPECTED)
    if not os.access(path, os.R_OK):
        raise Invalid(f"{path}: you may not read it")
    return Source(path, name or path.name, status.st_size, status.st_mtime_ns, status.st_ino)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add the name of the file to an error of the system that lacks it, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None

"""The files to upload, read block by block."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from catalog.client.errors import Damaged, Invalid
from catalog.client.transfer.progress import Progress, silent
from catalog.client.transport.effects import BLOCK

Uploadable = str | Path | IO[bytes] | Sequence[str | Path]

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
    def identity(self) -> list[Any]:
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
    return Source(path, name or path.name, status.st_size, status.st_mtime_ns, status.st_ino)


def check_uploadable(what: Uploadable) -> None:
    """Raises Invalid for what cannot be uploaded, before anything is created for it."""
    if several := folder_paths(what):
        collect_files(several)
    elif isinstance(what, str | Path):
        file_source(Path(what))


def folder_paths(what: Uploadable) -> list[Path]:
    """The paths that become a version of many files; empty for a single file."""
    if isinstance(what, str | Path):
        return [Path(what)] if Path(what).is_dir() else []
    return [Path(each) for each in what] if isinstance(what, list | tuple) else []


def collect_files(several: Sequence[Path]) -> dict[str, Source]:
    """Files by their paths in the new version: those of one folder, or of several files and folders.

    Raises Invalid if there is no file, or if two have the same path.
    """
    if len(several) == 1 and several[0].is_dir():
        return folder_files(several[0])
    found: dict[str, Source] = {}
    for path in several:
        name = path.resolve().name
        more = {f"{name}/{inner}": source for inner, source in folder_files(path).items()} if path.is_dir() else None
        more = more or {name: file_source(path)}
        if twice := found.keys() & more.keys():
            raise Invalid(f"Two files are called {min(twice)}", advice="Put them into folders, and push a folder.")
        found |= more
    if not found:
        raise Invalid("There are no files", advice=EXPECTED)
    return found


@contextmanager
def spool(file: IO[bytes], name: str) -> Iterator[Source]:
    """Copy the rest of an open file to a temporary one, which can be read more than once."""
    named = getattr(file, "name", "")
    name = name or (Path(named).name if isinstance(named, str) else "")
    if not name:
        raise Invalid("The file has no name", advice='Pass a name: name="model.pkl".')
    handle, path = tempfile.mkstemp(prefix="catalog-")
    try:
        with os.fdopen(handle, "wb") as copy:
            shutil.copyfileobj(file, copy, BLOCK)
        yield file_source(Path(path), name)
    finally:
        Path(path).unlink(missing_ok=True)


def folder_files(folder: Path) -> dict[str, Source]:
    """The files in a folder and its subfolders, by their relative POSIX paths. Raises Invalid if there is none."""
    found = {}
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(parent, name)
            found[file.relative_to(folder).as_posix()] = file_source(file)
    if not found:
        raise Invalid(f"There are no files in {folder}")
    return found

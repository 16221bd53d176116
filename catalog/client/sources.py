"""What is uploaded: files on this machine, read piece by piece."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from catalog.client.effects import BLOCK
from catalog.client.errors import Damaged, Invalid
from catalog.client.progress import Progress, silent

What = str | Path | IO[bytes] | Sequence[str | Path]

WRITE_FIRST = "Write it first, then push it."
WHAT_TO_GIVE = "Give the path of a file or of a folder, or a file that is open for reading bytes."


@dataclass(frozen=True, slots=True)
class Source:
    path: Path
    name: str
    size: int
    changed: int
    """Its mtime in nanoseconds."""
    inode: int

    @property
    def identity(self) -> list[Any]:
        """The same again only for the same file with the same content, as far as can be seen without reading it."""
        return [str(self.path.resolve()), self.size, self.changed, self.inode]

    def digest(self, tell: Progress = silent) -> str:
        """SHA-256, in 64 hexadecimal characters."""
        code, done = hashlib.sha256(), 0
        with self.path.open("rb") as file:
            while block := file.read(BLOCK):
                code.update(block)
                done += len(block)
                tell("hashing", done, self.size)
        return code.hexdigest()


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of a source, as the body of a request."""

    source: Source
    start: int
    size: int
    tell: Progress = silent

    def blocks(self) -> Generator[bytes, None, None]:
        """Raises Damaged when the file has become shorter."""
        at, stop = self.start, self.start + self.size
        with self.source.path.open("rb") as file:
            file.seek(at)
            while at < stop:
                block = file.read(min(BLOCK, stop - at))
                if not block:
                    raise Damaged(f"{self.source.path} became shorter while it was read", advice=WRITE_FIRST)
                at += len(block)
                yield block
                self.tell("uploading", at, self.source.size)


def on_disk(path: Path, name: str = "") -> Source:
    """Raises Invalid for what is no file that can be read."""
    try:
        status = path.stat()
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}", advice=WHAT_TO_GIVE) from None
    if not path.is_file():
        raise Invalid(f"{path} is not a file", advice=WHAT_TO_GIVE)
    return Source(path, name or path.name, status.st_size, status.st_mtime_ns, status.st_ino)


def examine(what: What) -> None:
    """Raises Invalid for what cannot be uploaded, before anything is made for it."""
    if several := paths(what):
        gathered(several)
    elif isinstance(what, str | Path):
        on_disk(Path(what))


def paths(what: What) -> list[Path]:
    """Those of what becomes a version of many files; empty for what is one file."""
    if isinstance(what, str | Path):
        return [Path(what)] if Path(what).is_dir() else []
    return [Path(each) for each in what] if isinstance(what, list | tuple) else []


def gathered(several: Sequence[Path]) -> dict[str, Source]:
    """The files of one folder, by their paths in it; of several paths, files by their names and folders by theirs.

    Raises Invalid for none, and for two of one name.
    """
    if len(several) == 1 and several[0].is_dir():
        return in_folder(several[0])
    found: dict[str, Source] = {}
    for path in several:
        name = path.resolve().name
        more = {f"{name}/{inner}": source for inner, source in in_folder(path).items()} if path.is_dir() else None
        more = more or {name: on_disk(path)}
        if twice := found.keys() & more.keys():
            raise Invalid(f"Two files are called {min(twice)}", advice="Put them into folders, and push a folder.")
        found |= more
    if not found:
        raise Invalid("There are no files", advice=WHAT_TO_GIVE)
    return found


@contextmanager
def spooled(file: IO[bytes], name: str) -> Iterator[Source]:
    """What is left of an open file, copied to a temporary one: it may have to be read more than once."""
    named = getattr(file, "name", "")
    name = name or (Path(named).name if isinstance(named, str) else "")
    if not name:
        raise Invalid("The file has no name", advice='Say how it is called: name="model.pkl".')
    handle, path = tempfile.mkstemp(prefix="catalog-")
    try:
        with os.fdopen(handle, "wb") as copy:
            shutil.copyfileobj(file, copy, BLOCK)
        yield on_disk(Path(path), name)
    finally:
        Path(path).unlink(missing_ok=True)


def in_folder(folder: Path) -> dict[str, Source]:
    """The files below a folder, by their paths from there with slashes. Raises Invalid when there is none."""
    found = {}
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = Path(parent, name)
            found[file.relative_to(folder).as_posix()] = on_disk(file)
    if not found:
        raise Invalid(f"There are no files in {folder}")
    return found

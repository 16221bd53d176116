"""What this machine keeps: downloaded files by their digest, and how far interrupted uploads are.

    blobs/ab/<digest>         a file, read only; <digest>.json beside it says what it looked like when it was verified
    views/<digest>/<name>     the same file under its own name, and folders
    refs/<key>.json           what `iris@production` was when it was last asked for
    uploads/<key>.json        uploads that are not over

Any number of processes may use it. A file takes its place by one rename, when it is whole and verified; who fetches it
holds a lock on the partial file, which dies with him.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

import platformdirs

try:
    import fcntl
except ImportError:  # Windows: two downloads of the same file at once may both be begun again
    fcntl = None  # type: ignore[assignment]

from catalog.client.errors import Damaged
from catalog.client.sources import on_disk

VARIABLE = "CATALOG_CACHE"
DIGEST = re.compile("[0-9a-f]{64}")
ABANDONED = 7 * 86400  # seconds
LEFT_BEHIND = ("blobs/*/.*.partial", "uploads/*", "drafts/*")


def default_folder() -> Path:
    """CATALOG_CACHE, or where this system keeps such things."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_cache_path("catalog", appauthor=False))


class Entry(NamedTuple):
    """A file of the cache."""

    digest: str
    size: int
    used: datetime


class Cache:
    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or default_folder()).expanduser().absolute()

    def blob(self, digest: str) -> Path:
        """Where a file belongs, whether or not it is there."""
        return self.folder / "blobs" / digest[:2] / digest

    def find(self, digest: str, *, verify: bool = False) -> Path | None:
        """The file of that digest, or None. One that changed since it was verified is read again, and dropped when
        it is not what it was; `verify` reads it in any case.
        """
        path = self.blob(digest)
        if not path.is_file():
            return None
        if verify or _look(path) != _read(_note(path)):
            if on_disk(path).digest() != digest:
                self.drop(digest)
                return None
            self.note(digest)
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))  # so that `prune` knows what is in use
        return path

    def note(self, digest: str) -> None:
        """Remember what a file looks like that has just been verified."""
        path = self.blob(digest)
        path.chmod(0o444)
        _write(_note(path), _look(path))

    def drop(self, digest: str) -> None:
        path = self.blob(digest)
        path.unlink(missing_ok=True)
        _note(path).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "views" / digest, ignore_errors=True)

    def named(self, digest: str, name: str) -> Path:
        """A file that is here, under a name of its own."""
        view = self.folder / "views" / digest / below(name)
        if not (view.exists() and view.samefile(self.blob(digest))):
            self._place(self.blob(digest), view)
        return view

    def folder_of(self, digest: str, files: Mapping[str, str]) -> Path:
        """The folder of that digest, with files that are here: digests by their paths."""
        folder = self.folder / "views" / digest / "files"
        for path, each in files.items():
            view = folder / below(path)
            if not (view.exists() and view.samefile(self.blob(each))):
                self._place(self.blob(each), view)
        return folder

    def entries(self) -> list[Entry]:
        """All files, those that were used last first."""
        found = []
        for path in self.folder.glob("blobs/*/*"):
            if DIGEST.fullmatch(path.name):
                status = path.stat()
                found.append(Entry(path.name, status.st_size, datetime.fromtimestamp(status.st_atime, UTC)))
        return sorted(found, key=lambda entry: entry.used, reverse=True)

    def prune(self, most: int) -> list[Entry]:
        """Drop what was not used for longest, until at most `most` bytes are left, and say what was dropped.

        Also what transfers left behind that were interrupted more than a week ago.
        """
        dropped, size = [], 0
        for entry in self.entries():
            size += entry.size
            if size > most:
                self.drop(entry.digest)
                dropped.append(entry)
        for left in (each for room in LEFT_BEHIND for each in self.folder.glob(room)):
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink(missing_ok=True)
        return dropped

    def _place(self, blob: Path, view: Path) -> None:
        """Link, or copy where links are not possible; what is there is replaced at once."""
        view.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=view.parent, prefix=".new-"))
        try:
            link(blob, temporary / view.name)
            (temporary / view.name).replace(view)
        finally:
            shutil.rmtree(temporary)

    def remember(self, room: str, key: Any, told: Any) -> None:
        _write(self.kept(room, key), told)

    def recall(self, room: str, key: Any) -> Any:
        """What was remembered; None for nothing, and for what cannot be read any more."""
        return _read(self.kept(room, key))

    def forget(self, room: str, key: Any) -> None:
        self.kept(room, key).unlink(missing_ok=True)

    def kept(self, room: str, key: Any) -> Path:
        return self.folder / room / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()}.json"


def link(file: Path, target: Path) -> None:
    """Another name for a file, or a copy of it where there can be none."""
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, target)


def below(path: str) -> Path:
    """A path of the server as one below a folder. Raises Damaged for one that leads out of it."""
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts or "\0" in path:
        raise Damaged(f"The server names a file {path!r}, which is not a path below a folder")
    return Path(path)


@contextmanager
def claimed(path: Path) -> Iterator[IO[bytes]]:
    """A file that is open for reading and writing, for one at a time: others wait.

    Whoever had it may have renamed or removed it meanwhile; then there is a new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a+b") as file:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_still(path, file):
                continue
            yield file
            return


def _is_still(path: Path, file: IO[bytes]) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _look(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def _write(file: Path, told: Any) -> None:
    """Whole or not at all, for this user alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "w") as writing:
            json.dump(told, writing)
        Path(temporary).replace(file)
    finally:
        Path(temporary).unlink(missing_ok=True)

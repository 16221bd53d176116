"""The cache of this machine: downloaded files by digest, and the state of interrupted uploads.

    blobs/ab/<digest>         a file, read-only; <digest>.json holds its size, mtime and inode when it was verified
    views/<digest>/<name>     the same file under its own name, or a folder of files
    refs/<key>.json           the version that `iris@champion` meant at the last request
    uploads/<key>.json        the state of an unfinished upload

Any number of processes may share it, and several users where the rights of its folder allow that. A file is renamed
into place once it is complete and verified. A process that downloads a file locks the partial file; the lock ends with
the process.
"""

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from catalog.client.errors import Damaged
from catalog.client.transfer.sources import file_source

VARIABLE = "CATALOG_CACHE"
DIGEST = re.compile("[0-9a-f]{64}")
ABANDONED = 7 * 86400  # seconds
LEFTOVERS = ("blobs/*/.*.partial", "uploads/*", "drafts/*")


def default_folder() -> Path:
    """CATALOG_CACHE, or the cache folder of the system."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_cache_path("catalog", appauthor=False))


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file in the cache."""

    digest: str
    size: int
    used: datetime


class Cache:
    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or default_folder()).expanduser().absolute()
        self._unsaved: dict[Path, object] = {}
        """States that could not be written to a file: they last as long as this program."""

    def blob(self, digest: str) -> Path:
        """The path of a file, whether or not it exists."""
        checked = _checked(digest)
        return self.folder / "blobs" / checked[:2] / checked

    def find(self, digest: str, *, verify: bool = False) -> Path | None:
        """The file with this digest, or None.

        A file that changed since it was verified is read again, and removed if its digest differs. With `verify` it is
        always read.
        """
        if not digest:
            return None  # the bytes are elsewhere
        path = self.blob(digest)
        if not path.is_file():
            return None
        if verify or _stamp(path) != _read(_stamp_file(path)):
            if file_source(path).digest() != digest:
                self.drop(digest)
                return None
            self.mark_verified(digest)
        with suppress(PermissionError):  # another user's, in a cache that several share
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))  # `prune` goes by the access time
        return path

    def mark_verified(self, digest: str) -> None:
        """Record the size, mtime and inode of a file that has just been verified."""
        path = self.blob(digest)
        with suppress(PermissionError):  # another user's: it is read again each time
            path.chmod(0o444)
            _write(_stamp_file(path), _stamp(path))

    def drop(self, *digests: str) -> None:
        """Remove files, with the folders that have one of them: else a link in a folder would hold its bytes.

        The folders go first. What is interrupted leaves files, which the next attempt finds.
        """
        paths = [self.blob(digest) for digest in digests]
        inodes = set()
        for path in paths:
            with suppress(FileNotFoundError):
                inodes.add(path.stat().st_ino)
            shutil.rmtree(self._views(path.name), ignore_errors=True)
        for folder in self.folder.glob("views/*/files"):
            if folder.is_dir() and any(_is_dropped(file, inodes) for file in folder.rglob("*")):
                shutil.rmtree(folder.parent, ignore_errors=True)
        for path in paths:
            path.unlink(missing_ok=True)
            _stamp_file(path).unlink(missing_ok=True)

    def file_view(self, digest: str, name: str) -> Path:
        """The path of a cached file under its own name."""
        view = self._views(digest) / relative_path(name)
        if not (view.exists() and view.samefile(self.blob(digest))):
            self._place(self.blob(digest), view)
        return view

    def folder_view(self, digest: str, files: Mapping[str, str]) -> Path:
        """The path of a cached folder. `files` maps its paths to digests, all of them cached."""
        folder = self._views(digest) / "files"
        for path, each in files.items():
            view = folder / relative_path(path)
            if not (view.exists() and view.samefile(self.blob(each))):
                self._place(self.blob(each), view)
        return folder

    def entries(self) -> list[CachedFile]:
        """All files, the most recently used first."""
        found = []
        for path in self.folder.glob("blobs/*/*"):
            if DIGEST.fullmatch(path.name):
                status = path.stat()
                found.append(CachedFile(path.name, status.st_size, datetime.fromtimestamp(status.st_atime, UTC)))
        return sorted(found, key=lambda entry: entry.used, reverse=True)

    def prune(self, most: int) -> list[CachedFile]:
        """Remove the least recently used files until at most `most` bytes are left; return the removed files.

        Partial files and states of transfers that stopped more than a week ago are removed as well.
        """
        dropped, size = [], 0
        for entry in self.entries():
            size += entry.size
            if size > most:
                dropped.append(entry)
        self.drop(*(entry.digest for entry in dropped))
        for left in (each for section in LEFTOVERS for each in self.folder.glob(section)):
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink(missing_ok=True)
        return dropped

    def _views(self, digest: str) -> Path:
        return self.folder / "views" / _checked(digest)

    def _place(self, blob: Path, view: Path) -> None:
        """Link `view` to the blob, or copy it; an existing file is replaced atomically."""
        view.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=view.parent, prefix=".new-"))
        try:
            link(blob, temporary / view.name)
            (temporary / view.name).replace(view)
        finally:
            shutil.rmtree(temporary)

    def save_state(self, section: str, key: object, value: object) -> None:
        """Keep a value for a later program. A cache that cannot be written to costs time, and no result."""
        file = self.state_file(section, key)
        try:
            _write(file, value)
        except OSError:
            self._unsaved[file] = value

    def load_state(self, section: str, key: object) -> object:
        """The saved value; None if there is none or it cannot be read."""
        file = self.state_file(section, key)
        return self._unsaved[file] if file in self._unsaved else _read(file)

    def forget(self, section: str, key: object) -> None:
        file = self.state_file(section, key)
        self._unsaved.pop(file, None)
        with suppress(OSError):
            file.unlink(missing_ok=True)

    def state_file(self, section: str, key: object) -> Path:
        return self.folder / section / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()}.json"


def link(file: Path, target: Path) -> None:
    """Create a hard link to a file, or a copy where links are impossible."""
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, target)


def _checked(digest: str) -> str:
    """A digest from the server, which becomes a part of paths. Raises Damaged if it is none."""
    if not DIGEST.fullmatch(digest):
        raise Damaged(f"The server names a digest {digest[:80]!r}, which is not a SHA-256")
    return digest


def relative_path(path: str) -> Path:
    """A path from the server, relative to a folder. Raises Damaged if it leads out of the folder."""
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts or "\0" in path:
        raise Damaged(f"The server names a file {path!r}, which is not a path inside a folder")
    return Path(path)


def _is_dropped(file: Path, inodes: Collection[int]) -> bool:
    """Whether a file of a folder has bytes that were dropped; or, where links are impossible, bytes of its own."""
    try:
        status = file.stat()
    except FileNotFoundError:  # another process removes it
        return False
    return stat.S_ISREG(status.st_mode) and (status.st_ino in inodes or status.st_nlink == 1)


def _stamp_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _read(file: Path) -> object:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None


def _write(file: Path, value: object) -> None:
    """Write a file atomically, readable by this user only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "w") as writing:
            json.dump(value, writing)
        Path(temporary).replace(file)
    finally:
        Path(temporary).unlink(missing_ok=True)

"""Uploads in parts as files: `uploads/<upload>` grows, and `uploads/<upload>.kept` holds the digest and size it got.

Appending and finishing hold a lock on the file, which works across threads, processes and servers.
"""

import fcntl
import os
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from threading import Lock

from catalog.atomic_files import flush_folder
from catalog.blobs.disk import (
    FILE_MODE,
    blob_path,
    make_folder,
    open_private,
    rename_whole,
    translated_errors,
    write_whole,
)
from catalog.blobs.protocol import BLOCK, Blob, UnknownBlobError, UploadBusyError, WrongOffsetError

FLUSH_EVERY = 256 * BLOCK


class PartialFile:
    """An upload that one request appends to. Its methods run in threads, one at a time.

    After a failed write nothing more is written, so the file has no gaps.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mutex = Lock()
        self._file: int | None = None
        self._length = 0
        self._closed = False

    @translated_errors()
    def begin(self, offset: int) -> None:
        """Lock the file. Raises WrongOffsetError, UploadBusyError."""
        with self._mutex:
            if self._closed:
                return
            file = open_locked(self._path)
            self._length = length(self._path)
            if offset != self._length or finished(self._path):
                os.close(file)
                raise WrongOffsetError(self._length)
            self._file = file

    @translated_errors()
    def write(self, block: bytearray) -> None:
        with self._mutex:
            self._write(block)

    def _write(self, block: bytearray) -> None:
        if self._file is None or self._closed:
            return
        self._closed = True  # until the write has succeeded
        write_whole(self._file, block)
        before, self._length = self._length, self._length + len(block)
        if before // FLUSH_EVERY < self._length // FLUSH_EVERY:
            os.fdatasync(self._file)
        self._closed = False

    @translated_errors()
    def end(self, last: bytearray) -> int:
        """Write `last`, flush, release the lock, and return the length."""
        with self._mutex:
            try:
                self._write(last)
            finally:
                self._closed = True
                self._release()
            return self._length

    def _release(self) -> None:
        if self._file is not None:
            try:
                os.fsync(self._file)
            finally:
                os.close(self._file)
                self._file = None


def lock(file: int) -> None:
    """Mark the file as in use for as long as it is open, whatever its age."""
    with suppress(OSError):  # a file system without locks: there only the age counts
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_locked(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False


def open_locked(path: Path) -> int:
    """Open the upload's file, creating it if necessary, locked for as long as it is open. Raises UploadBusyError."""
    make_folder(path.parent)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Finished or abandoned between the two lines above, this file is no longer the upload, and may be a blob.
        if not os.path.samestat(os.fstat(file), path.stat()):
            raise BlockingIOError  # noqa: TRY301  handled as if the other request still had the lock
        flush_folder(path.parent)
    except BaseException as error:
        os.close(file)
        if isinstance(error, BlockingIOError | FileNotFoundError):
            raise UploadBusyError(path.name) from None
        raise
    return file


@translated_errors()
def length(path: Path) -> int:
    blob = finished(path)
    if blob:
        return blob.size
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@translated_errors()
def finish(folder: Path, path: Path) -> Blob:
    """Turn the upload into a blob of `folder`: first the mark, then the name, so a crash in between can be repeated.

    Raises UploadBusyError; UnknownBlobError when the blob of a finished upload was dropped since, or lost bytes.
    """
    blob = finished(path)
    if blob is None or path.exists():
        file = open_locked(path)
        try:
            blob = finished(path) or write_mark(path, file)
            if os.fstat(file).st_size == blob.size:
                rename_whole(path, blob_path(folder, blob.digest))
            else:  # created by an `append` that arrived during the first `finish`, and was refused
                path.unlink()
        finally:
            os.close(file)
    stored = blob_path(folder, blob.digest)
    if not stored.exists() or stored.stat().st_size != blob.size:
        raise UnknownBlobError(blob.digest)
    return blob


def write_mark(path: Path, file: int) -> Blob:
    """Hash the whole upload, and record its digest and size."""
    with os.fdopen(os.dup(file), "rb", buffering=0) as content:
        content.seek(0)
        digest = file_digest(content, "sha256").hexdigest()
        os.fsync(content.fileno())
    blob = Blob(digest, path.stat().st_size)
    temporary = path.with_suffix(".marking")
    with open(temporary, "w", opener=open_private) as mark:
        mark.write(f"{blob.digest} {blob.size}")
        mark.flush()
        os.fsync(mark.fileno())
    temporary.replace(path.with_suffix(".kept"))
    flush_folder(path.parent)
    return blob


@translated_errors()
def finished(path: Path) -> Blob | None:
    """Return the blob in the upload's mark, if there is a mark."""
    try:
        digest, _, size = path.with_suffix(".kept").read_text().partition(" ")
    except FileNotFoundError:
        return None
    return Blob(digest, int(size))


@translated_errors()
def abandon(path: Path) -> None:
    for suffix in ("", ".marking", ".kept"):  # the mark last: without it, the rest would be an unfinished upload
        with suppress(FileNotFoundError):
            path.with_suffix(suffix).unlink()

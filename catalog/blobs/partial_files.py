"""Uploads in parts as files: `uploads/<upload>` grows, and `uploads/<upload>.kept` says what it became.

Whoever adds or finishes holds the file's lock, across threads, processes and servers alike.
"""

import fcntl
import os
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from threading import Lock

from catalog.blobs.disk import FILE_MODE, flush_folder, in_our_words, keep_as, make_folder, place, private, write_whole
from catalog.blobs.protocol import BLOCK, Blob, BlobUnknown, OffsetWrong, UploadBusy

FLUSH_EVERY = 256 * BLOCK


class Growing:
    """An upload that somebody is adding to. Its methods are for threads, which take turns.

    After a write that failed nothing more is written: what is kept has no gaps.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = Lock()
        self._file: int | None = None
        self._length = 0
        self._over = False

    @in_our_words()
    def begin(self, offset: int) -> None:
        """Raises OffsetWrong, UploadBusy."""
        with self._turn:
            if self._over:
                return
            file = locked(self._path)
            self._length = length(self._path)
            if offset != self._length or finished(self._path):
                os.close(file)
                raise OffsetWrong(self._length)
            self._file = file

    @in_our_words()
    def write(self, block: bytearray) -> None:
        with self._turn:
            self._write(block)

    def _write(self, block: bytearray) -> None:
        if self._file is None or self._over:
            return
        self._over = True  # until it went well
        write_whole(self._file, block)
        before, self._length = self._length, self._length + len(block)
        if before // FLUSH_EVERY < self._length // FLUSH_EVERY:
            os.fdatasync(self._file)
        self._over = False

    @in_our_words()
    def end(self, last: bytearray) -> int:
        """Write `last`, flush whatever was written, let go, and return the length."""
        with self._turn:
            try:
                self._write(last)
            finally:
                self._over = True
                self._let_go()
            return self._length

    def _let_go(self) -> None:
        if self._file is not None:
            try:
                os.fsync(self._file)
            finally:
                os.close(self._file)
                self._file = None


def claim(file: int) -> None:
    """Say that the file is somebody's for as long as it is open, however old it looks."""
    with suppress(OSError):  # a file system without locks: there its age has to do
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_claimed(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return False


def locked(path: Path) -> int:
    """The upload's file, made if need be, and locked for as long as it is open. Raises UploadBusy."""
    make_folder(path.parent)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Finished or abandoned between the two lines above, this is no longer the upload, and may be a blob.
        if not os.path.samestat(os.fstat(file), path.stat()):
            raise BlockingIOError  # noqa: TRY301  as if the other had it still
        flush_folder(path.parent)
    except BaseException as error:
        os.close(file)
        if isinstance(error, BlockingIOError | FileNotFoundError):
            raise UploadBusy(path.name) from None
        raise
    return file


@in_our_words()
def length(path: Path) -> int:
    became = finished(path)
    if became:
        return became.size
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@in_our_words()
def finish(folder: Path, path: Path) -> Blob:
    """Make the upload a blob of `folder`: first the mark, then the name, so that a crash between them can be repeated.

    Raises UploadBusy; BlobUnknown when the blob of a finished upload was dropped since, or lost bytes.
    """
    blob = finished(path)
    if blob is None or path.exists():
        file = locked(path)
        try:
            blob = finished(path) or marked(path, file)
            if os.fstat(file).st_size == blob.size:
                keep_as(path, place(folder, blob.digest))
            else:  # made by an `append` that came as this was being finished, and was refused
                path.unlink()
        finally:
            os.close(file)
    kept = place(folder, blob.digest)
    if not kept.exists() or kept.stat().st_size != blob.size:
        raise BlobUnknown(blob.digest)
    return blob


def marked(path: Path, file: int) -> Blob:
    """Hash the whole upload, and write down what it is about to become."""
    with os.fdopen(os.dup(file), "rb", buffering=0) as content:
        content.seek(0)
        digest = file_digest(content, "sha256").hexdigest()
        os.fsync(content.fileno())
    blob = Blob(digest, path.stat().st_size)
    writing = path.with_suffix(".marking")
    with open(writing, "w", opener=private) as mark:
        mark.write(f"{blob.digest} {blob.size}")
        mark.flush()
        os.fsync(mark.fileno())
    writing.replace(path.with_suffix(".kept"))
    flush_folder(path.parent)
    return blob


@in_our_words()
def finished(path: Path) -> Blob | None:
    """What the upload became, if it is finished or was about to be."""
    try:
        digest, _, size = path.with_suffix(".kept").read_text().partition(" ")
    except FileNotFoundError:
        return None
    return Blob(digest, int(size))


@in_our_words()
def abandon(path: Path) -> None:
    for suffix in ("", ".marking", ".kept"):  # the mark last: without it, what is left would be an upload again
        with suppress(FileNotFoundError):
            path.with_suffix(suffix).unlink()

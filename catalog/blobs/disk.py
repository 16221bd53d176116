"""Durable files: a name appears only when its bytes are on the disk, and folders survive a power failure.

Files and folders are readable by this user only.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.atomic_files import flush_folder
from catalog.blobs.protocol import StorageUnavailableError, UnknownBlobError, is_digest

FILE_MODE, FOLDER_MODE = 0o600, 0o700

UNAVAILABLE = frozenset(
    {
        *(
            errno.EROFS,
            errno.EACCES,
            errno.EPERM,
            errno.EIO,
            errno.ENOTDIR,
            errno.EEXIST,
            errno.ELOOP,
            errno.EMFILE,
            errno.ENFILE,
        ),
        *(errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.ETIMEDOUT, errno.EREMOTEIO, errno.EUCLEAN, errno.EBADMSG),
    }
)
"""Errors of a file system that is read-only, broken, unmounted or not accessible, and of a process without descriptors.

A full disk (ENOSPC, EDQUOT, EFBIG) and a missing file are not among them.
"""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise StorageUnavailableError instead of an OSError whose cause is the disk, see UNAVAILABLE."""
    try:
        yield
    except OSError as failure:
        if failure.errno in UNAVAILABLE:
            raise StorageUnavailableError(f"the disk says: {os.strerror(failure.errno).lower()}") from failure
        raise


def blob_path(folder: Path, digest: str) -> Path:
    """The path of a blob. Raises UnknownBlobError for a text that is not a digest, before the disk is accessed."""
    if not is_digest(digest):
        raise UnknownBlobError(digest)
    return folder / digest[:2] / digest


def rename_whole(source: Path, path: Path) -> None:
    """Give complete and flushed bytes their final name.

    A file of that name is replaced in one step: it has the same bytes, or was damaged since it was written.
    """
    os.utime(source)  # the sweep counts the age from now
    make_folder(path.parent)
    os.replace(source, path)  # noqa: PTH105  a test records the order of os.fsync and os.replace
    flush_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Create a folder that survives a power failure: its name is durable once the parent folder is flushed."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(FOLDER_MODE, exist_ok=True)
        flush_folder(folder.parent)


def open_private(path: str | Path, flags: int) -> int:
    """Open a file, as an opener for `open`. A file that it creates is readable by this user only."""
    return os.open(path, flags, FILE_MODE)


def write_whole(file: int, block: bytes | bytearray) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(file, rest) :]

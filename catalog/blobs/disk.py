"""What the disk is asked so that nothing is lost: names that come last, and folders that outlive a power cut.

Files and folders are for this user alone.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.blobs.protocol import BlobUnknown, StorageAway, is_digest

FILE_MODE, FOLDER_MODE = 0o600, 0o700

UNUSABLE = frozenset(
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
"""What a file system answers that is read-only, broken, gone or not this user's, and a process without descriptors.

No room (ENOSPC, EDQUOT, EFBIG) and no such file are not among them.
"""


@contextmanager
def in_our_words() -> Iterator[None]:
    """Raises StorageAway in the place of an OSError that says nothing of the request, see UNUSABLE."""
    try:
        yield
    except OSError as failure:
        if failure.errno in UNUSABLE:
            raise StorageAway(f"the disk says: {os.strerror(failure.errno).lower()}") from failure
        raise


def place(folder: Path, digest: str) -> Path:
    """Raises BlobUnknown for what is not a digest: it never reaches the disk."""
    if not is_digest(digest):
        raise BlobUnknown(digest)
    return folder / digest[:2] / digest


def keep_as(source: Path, path: Path) -> None:
    """Give whole and flushed bytes their name.

    A file of that name is replaced, in one step: it has the same bytes, or lost or changed some since it was written.
    """
    os.utime(source)  # a sweep counts its age from now
    make_folder(path.parent)
    os.replace(source, path)  # noqa: PTH105  it stands between two flushes, and is looked for there
    flush_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder that outlives a power cut: its name is safe once the folder above is flushed."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(FOLDER_MODE, exist_ok=True)
        flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private(path: str | Path, flags: int) -> int:
    """An opener for `open`: what it creates is for this user alone."""
    return os.open(path, flags, FILE_MODE)


def write_whole(file: int, block: bytes | bytearray) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(file, rest) :]

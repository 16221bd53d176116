"""File locks between processes."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: concurrent downloads of one file may both start again
    fcntl = None  # type: ignore[assignment]


NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})


@contextmanager
def locked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading and writing under an exclusive lock.

    The previous holder may have renamed or removed the file; then a new one is opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a+b") as file:
            _lock(file)
            if not _is_same_file(path, file):
                continue
            yield file
            return


def _lock(file: IO[bytes]) -> None:
    """Does nothing on a file system without locks, such as those of some clusters."""
    if not fcntl:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise


def _is_same_file(path: Path, file: IO[bytes]) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False

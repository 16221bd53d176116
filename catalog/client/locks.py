"""Files that one process at a time works on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: concurrent downloads of one file may both start again
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading and writing under an exclusive lock.

    The previous holder may have renamed or removed the file; then a new one is opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a+b") as file:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_same_file(path, file):
                continue
            yield file
            return


def _is_same_file(path: Path, file: IO[bytes]) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False

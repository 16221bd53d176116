"""Temporary files in memory: every test that has a database of its own waits for its disk otherwise.

Nothing is tested less. A killed process leaves its files to the operating system wherever they are, and a test of a
full disk brings a file system of its own.
"""

import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 * 2**30
"""Bytes that the tests may need there. With less, as in a container, they use the disk."""


def folder_in_memory() -> Path | None:
    """A new folder on a file system in memory. None where there is none with enough room."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    return Path(tempfile.mkdtemp(prefix="catalog-tests-", dir=MEMORY))

"""Many small blobs at once, as files: one call of a thread, flushes in parallel, and one flush of each folder."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from catalog.atomic_files import flush_folder
from catalog.blobs.disk import blob_path, make_folder, open_private, translated_errors, write_whole
from catalog.blobs.incoming_files import NEW
from catalog.blobs.partial_files import lock
from catalog.blobs.protocol import Blob, SmallContent, WrongDigestError

FLUSHES = 4
"""Flushes at the same time: a disk does several in the time of one."""

OPEN_FILES = 32
"""Files that are open until they are flushed."""


@translated_errors()
def write_small(folder: Path, contents: Sequence[SmallContent]) -> list[Blob | WrongDigestError]:
    """Store the contents, as `Blobs.put_small` does. A failure leaves nothing but whole blobs."""
    incoming = folder / "incoming"
    make_folder(incoming)
    ends: list[Blob | WrongDigestError] = []
    changed: set[Path] = set()
    with ThreadPoolExecutor(FLUSHES) as flushes:
        for at in range(0, len(contents), OPEN_FILES):
            receiving: list[ReceivedFile] = []
            try:
                for content in contents[at : at + OPEN_FILES]:
                    digest = sha256(content.content).hexdigest()
                    if content.announced not in {"", digest}:
                        ends.append(WrongDigestError(digest))
                        continue
                    receiving.append(ReceivedFile(incoming / uuid4().hex))
                    receiving[-1].write(content.content)
                    receiving[-1].target = blob_path(folder, digest)
                    ends.append(Blob(digest, len(content.content)))
                [*flushes.map(ReceivedFile.flush, receiving)]
                for file in receiving:
                    file.rename()
                    changed.add(file.target.parent)
            finally:
                for file in receiving:
                    file.close()
        [*flushes.map(flush_folder, changed)]
    return ends


class ReceivedFile:
    """A file without a name of its own until it is flushed."""

    def __init__(self, path: Path) -> None:
        self.target = path
        self._path = path
        self._file = open_private(path, NEW)
        lock(self._file)

    def write(self, content: bytes) -> None:
        write_whole(self._file, content)

    def flush(self) -> None:
        os.fsync(self._file)

    def rename(self) -> None:
        make_folder(self.target.parent)
        os.replace(self._path, self.target)  # noqa: PTH105  a test records the order of os.fsync and os.replace

    def close(self) -> None:
        """Close the file. Without a name it is removed."""
        os.close(self._file)
        self._path.unlink(missing_ok=True)

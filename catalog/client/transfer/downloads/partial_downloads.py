"""Downloads a file into a partial file beside the target, verifies it, and renames it into place."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from catalog.client.errors import Damaged, Unavailable
from catalog.client.locks import locked
from catalog.client.results import File
from catalog.client.session import Session
from catalog.client.transfer.progress import Progress
from catalog.client.transfer.sources import naming
from catalog.client.transport import retries
from catalog.client.transport.effects import BLOCK, Operation, Request, in_thread, pause

OK, PARTIAL_CONTENT = 200, 206

ANSWER_TIMEOUT = 600.0  # seconds

NAME_IN_PARTIAL = 100
"""Bytes of the name of a file that its partial file has in its own: a name has at most 255."""


class PartialDownload:
    """A partial file. It receives response bodies and computes their digest."""

    def __init__(self, file: IO[bytes], path: Path, size: int, progress: Progress) -> None:
        self._file = file
        self._path = path
        self.size = size
        self._progress = progress
        self._restart()

    def resume(self) -> None:
        """Hash the bytes of an earlier attempt, to resume after them."""
        self._file.seek(0)
        while block := self._file.read(BLOCK):
            self._hash.update(block)
            self.offset += len(block)
            self._progress("verifying", self.offset, self.size)
        if self.offset > self.size:
            self.clear()

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        if status not in {OK, PARTIAL_CONTENT}:
            return False
        first_byte = headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
        if status == OK or first_byte != str(self.offset):
            self.clear()  # the server sends the whole file: the partial bytes are stale
        return True

    def write(self, block: bytes) -> None:
        if self.offset + len(block) > self.size:
            self.clear()
            raise Damaged(f"The server sends more than the {self.size} bytes of the file")
        with naming(self._path):
            self._file.write(block)
        self._hash.update(block)
        self.offset += len(block)
        self._progress("downloading", self.offset, self.size)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def move_into_place(self, partial: Path, target: Path, digest: str) -> None:
        """Rename the complete file from `partial` to `target`. Raises Damaged if its digest is not `digest`."""
        if self.digest != digest:
            received = self.digest
            self.clear()
            raise Damaged(f"{target.name} is damaged", details=f"expected sha256 {digest}, received {received}")
        with naming(target):
            self._file.flush()
            os.fsync(self._file.fileno())
        partial.replace(target)

    def clear(self) -> None:
        self._file.truncate(0)
        self._restart()

    def _restart(self) -> None:
        self.offset = 0
        self._hash = hashlib.sha256()


def fetch(
    session: Session, path: str, target: Path, file: File, progress: Progress, is_complete: Callable[[], bool]
) -> Operation[None]:
    """Download the server's file at `path` to `target`, or resume an earlier attempt.

    One process at a time does this; `is_complete` says whether another process has finished meanwhile. An interruption
    leaves `.<name>.<digest>.partial` beside the target, which the next attempt resumes.

    Raises CatalogError: Damaged if the digest differs; then no file is left.
    """
    beginning = target.name.encode(errors="replace")[:NAME_IN_PARTIAL].decode(errors="ignore")
    path_of_partial = target.with_name(f".{beginning}.{file.digest[:16]}.partial")
    lock = locked(path_of_partial)

    def opened() -> IO[bytes]:
        with naming(target):
            return lock.__enter__()

    partial = PartialDownload((yield from in_thread(opened)), target, file.size, progress)
    try:
        if (yield from in_thread(is_complete)):
            return
        yield from in_thread(partial.resume)
        resumed = partial.offset > 0
        yield from _fetch_rest(session, path, partial, file.digest)
        if resumed and partial.digest != file.digest:  # the bytes of the earlier attempt were wrong
            partial.clear()
            yield from _fetch_rest(session, path, partial, file.digest)
        yield from in_thread(partial.move_into_place, path_of_partial, target, file.digest)
    finally:
        if partial.offset == 0:
            path_of_partial.unlink(missing_ok=True)
        lock.__exit__(None, None, None)


class DigestReader:
    """Hashes a response body and discards it."""

    def __init__(self, size: int, progress: Progress) -> None:
        self._size = size
        self._progress = progress

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        del headers
        self._hash, self._done = hashlib.sha256(), 0
        return status == OK

    def write(self, block: bytes) -> None:
        self._hash.update(block)
        self._done += len(block)
        if self._done > self._size:
            raise Damaged(f"The server sends more than the {self._size} bytes of the file")
        self._progress("verifying", self._done, self._size)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def check(session: Session, path: str, file: File, progress: Progress) -> Operation[None]:
    """Raises CatalogError: Damaged if the server's bytes do not match the digest."""
    reading = DigestReader(file.size, progress)
    headers = {"Accept-Encoding": "identity"}
    yield from session.send(Request(method="GET", path=path, headers=headers, sink=reading, timeout=ANSWER_TIMEOUT))
    if reading.digest != file.digest:
        raise Damaged(
            f"{file.path} is damaged on the server",
            details=f"expected sha256 {file.digest}, received {reading.digest}",
            advice="Tell the operator, and push it again.",
        )


def _fetch_rest(session: Session, path: str, partial: PartialDownload, digest: str) -> Operation[None]:
    """Request the missing bytes until the file is complete.

    Raises CatalogError: Unavailable after several failures without progress.
    """
    failures = 0
    while partial.offset < partial.size:
        reached = partial.offset
        headers = {"Accept-Encoding": "identity"}
        if reached:
            headers |= {"Range": f"bytes={reached}-", "If-Range": f'"{digest}"'}
        try:
            yield from session.send(Request(method="GET", path=path, headers=headers, sink=partial))
            if partial.offset <= reached:
                raise Damaged(f"The server sends {partial.offset} of the {partial.size} bytes of the file")
        except Unavailable as failure:
            failures = 1 if partial.offset > reached else failures + 1
            seconds = retries.backoff(failure, failures, session.jitter())
            if seconds is None:
                raise
            yield from pause(seconds)

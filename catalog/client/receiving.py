"""Files down: into a partial file beside the target, verified, and then in its place."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from catalog.client import retries
from catalog.client.cache import claimed
from catalog.client.effects import BLOCK, Operation, Request, pause, work
from catalog.client.errors import Damaged, Unavailable
from catalog.client.progress import Progress
from catalog.client.results import File
from catalog.client.sessions import Session

OK, PARTIAL_CONTENT = 200, 206

PATIENCE = 600.0  # seconds


class Partial:
    """A file that is arriving. Takes the bytes of answers, and knows the digest of what it has."""

    def __init__(self, file: IO[bytes], size: int, tell: Progress) -> None:
        self._file = file
        self.size = size
        self._tell = tell
        self._restart()

    def read_back(self) -> None:
        """Go on after what an earlier attempt left."""
        self._file.seek(0)
        while block := self._file.read(BLOCK):
            self._code.update(block)
            self.offset += len(block)
            self._tell("verifying", self.offset, self.size)
        if self.offset > self.size:
            self.clear()

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        if status not in {OK, PARTIAL_CONTENT}:
            return False
        beginning = headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
        if status == OK or beginning != str(self.offset):
            self.clear()  # the server gives the whole: what was here is of something else
        return True

    def write(self, block: bytes) -> None:
        self._file.write(block)
        self._code.update(block)
        self.offset += len(block)
        self._tell("downloading", self.offset, self.size)

    @property
    def digest(self) -> str:
        return self._code.hexdigest()

    def settle(self, aside: Path, target: Path, digest: str) -> None:
        """Give the whole file, `aside` so far, its place. Raises Damaged when it is not the right one."""
        if self.digest != digest:
            received = self.digest
            self.clear()
            raise Damaged(f"{target.name} is damaged", details=f"expected sha256 {digest}, received {received}")
        self._file.flush()
        os.fsync(self._file.fileno())
        aside.replace(target)

    def clear(self) -> None:
        self._file.truncate(0)
        self._restart()

    def _restart(self) -> None:
        self.offset = 0
        self._code = hashlib.sha256()


def fetch(
    session: Session, path: str, target: Path, file: File, tell: Progress, there: Callable[[], bool]
) -> Operation[None]:
    """Bring a file of the server, at `path` there, to `target`, or go on where an earlier attempt ended.

    One process does so at a time; `there` says whether another has done it meanwhile. Only an interruption leaves a
    file, `.<name>.<digest>.partial` beside the target, which the next attempt goes on with.

    Raises CatalogError: Damaged when the bytes are not those of the digest; nothing is left then.
    """
    aside = target.with_name(f".{target.name[:100]}.{file.digest[:16]}.partial")
    claim = claimed(aside)
    partial = Partial((yield from work(claim.__enter__)), file.size, tell)
    try:
        if (yield from work(there)):
            return
        yield from work(partial.read_back)
        was_begun = partial.offset > 0
        yield from _rest(session, path, partial, file.digest)
        if was_begun and partial.digest != file.digest:  # what was left here was not what it should be
            partial.clear()
            yield from _rest(session, path, partial, file.digest)
        yield from work(partial.settle, aside, target, file.digest)
    finally:
        if partial.offset == 0:
            aside.unlink(missing_ok=True)
        claim.__exit__(None, None, None)


class Reading:
    """Reads the bytes of an answer, and keeps none."""

    def __init__(self, size: int, tell: Progress) -> None:
        self._size = size
        self._tell = tell

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        del headers
        self._code, self._done = hashlib.sha256(), 0
        return status == OK

    def write(self, block: bytes) -> None:
        self._code.update(block)
        self._done += len(block)
        self._tell("verifying", self._done, self._size)

    @property
    def digest(self) -> str:
        return self._code.hexdigest()


def check(session: Session, path: str, file: File, tell: Progress) -> Operation[None]:
    """Raises CatalogError: Damaged when the server's bytes are not those of the digest."""
    reading = Reading(file.size, tell)
    headers = {"Accept-Encoding": "identity"}
    yield from session.send(Request(method="GET", path=path, headers=headers, sink=reading, patience=PATIENCE))
    if reading.digest != file.digest:
        raise Damaged(
            f"{file.path} is damaged on the server",
            details=f"expected sha256 {file.digest}, received {reading.digest}",
            advice="Tell the operator, and push it again.",
        )


def _rest(session: Session, path: str, partial: Partial, digest: str) -> Operation[None]:
    """Ask for what is not here yet until it is.

    Raises CatalogError: Unavailable after several failures without a byte in between.
    """
    failures = 0
    while partial.offset < partial.size:
        reached = partial.offset
        headers = {"Accept-Encoding": "identity"}
        if reached:
            headers |= {"Range": f"bytes={reached}-", "If-Range": f'"{digest}"'}
        try:
            yield from session.send(Request(method="GET", path=path, headers=headers, sink=partial))
        except Unavailable as failure:
            failures = 1 if partial.offset > reached else failures + 1
            seconds = retries.wait(failure, failures, session.chance())
            if seconds is None:
                raise
            yield from pause(seconds)

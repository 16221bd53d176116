"""Files that appear whole or not at all."""

import fcntl
import os
import re
import secrets
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

PARTIAL = re.compile(r"\.(.+)\.[0-9a-f]{16}\.partial", re.DOTALL)


class UnfinishedFile(NamedTuple):
    file: Path
    name: str  # that it would get


class Beginning(NamedTuple):
    """What an interrupted writer has left, and how many bytes of it stay."""

    partial: Path
    length: int


@contextmanager
def new_file(
    file: Path, mode: int = 0o600, *, replace: bool = False, keep: bool = False, beginning: Beginning | None = None
) -> Generator[IO[bytes]]:
    """Write beside `file`; at the end flush, and give the bytes their name. Nothing is left after an error, or with
    `keep` what was written so far, for a later `beginning`.

    Without `replace` an existing file stays as it is, and the end raises FileExistsError.
    """
    partial = beginning.partial if beginning else file.with_name(f".{file.name}.{secrets.token_hex(8)}.partial")
    is_left = False
    try:
        with _locked(partial, mode, is_new=not beginning) as writing:
            if beginning:
                writing.truncate(beginning.length)
                writing.seek(beginning.length)
            try:
                yield writing
            except BaseException:
                is_left = keep and writing.tell() > 0
                raise
            writing.flush()
            os.fsync(writing.fileno())
        if replace:
            partial.replace(file)
        else:
            file.hardlink_to(partial)  # a link, unlike a rename, refuses to replace
        flush_folder(file.parent)
    finally:
        if not is_left:
            partial.unlink(missing_ok=True)


def _locked(partial: Path, mode: int, *, is_new: bool) -> IO[bytes]:
    """Open a file and lock it. A new one may be taken for abandoned before it is locked: then it is made again."""
    while True:
        file = os.fdopen(os.open(partial, os.O_RDWR | (os.O_CREAT | os.O_EXCL if is_new else 0), mode), "w+b")
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX | (0 if is_new else fcntl.LOCK_NB))
        if not is_new or partial.exists():
            return file
        file.close()


def unfinished_files(folder: Path) -> Iterator[UnfinishedFile]:
    """What `new_file` writes in a folder, or what killed processes left of it."""
    for file in folder.glob(".*.partial"):
        if found := PARTIAL.fullmatch(file.name):
            yield UnfinishedFile(file, found[1])


def remove_abandoned(file: Path) -> None:
    """Remove what killed processes left of a file. One that is being written is locked, and stays."""
    for partial in unfinished_files(file.parent):
        if partial.name == file.name:
            with abandoned(partial.file) as is_abandoned:
                if is_abandoned:
                    partial.file.unlink(missing_ok=True)


@contextmanager
def abandoned(partial: Path) -> Generator[bool]:
    """Whether no process writes a file. It is locked meanwhile: who has just created it waits, and makes another one if
    it is removed.
    """
    with ExitStack() as opened:
        is_free = False
        with suppress(OSError):
            left = opened.enter_context(partial.open("rb"))
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_free = True
        yield is_free


def flush_folder(folder: Path) -> None:
    """Make names in a folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

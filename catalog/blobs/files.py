"""Blobs as files: `<root>/<tenant>/<first two hex>/<sha256>`.

A name appears only when its bytes are whole and on the disk: hash while writing, flush,
rename, flush the folder. What is on its way in stands in `<tenant>/incoming/`, and what a
killed process leaves there is never read; uploads in parts stand in `<tenant>/uploads/`.
Files are 0600 and folders 0700.
"""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from threading import Lock
from uuid import uuid4

import aiofiles
import aiofiles.os

from catalog.blobs import partial_files as grow
from catalog.blobs.disk import FOLDER_MODE, in_our_words, keep_as, make_folder, place, private, write_whole
from catalog.blobs.protocol import (
    BLOCK,
    Blob,
    BlobUnknown,
    Kept,
    Leftover,
    StorageAway,
    StorageUnusable,
    is_digest,
    nothing_more,
    plain_leftover,
    plain_tenant,
    plain_upload,
)

FLUSH_EVERY = 256 * BLOCK
"""So that the last flush is short: 3 GiB took 7.7 s flushed once at the end, 1.4 s flushed as it grew."""

FORGOTTEN = ".forgotten"
"""Where a deleted tenant's folder goes first: no tenant's name begins with a dot."""

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL

AT_ONCE = 1000
"""How many names a listing takes from the disk in one hop to a thread."""


class FileStorage:
    def __init__(self, root: Path) -> None:
        self._root = root

    def of(self, tenant: str) -> "FileBlobs":
        return FileBlobs(self._root / plain_tenant(tenant))

    async def forget(self, tenant: str) -> None:
        # Out of sight in one step: a tenant of the same name, made meanwhile, must not lose its first bytes.
        forgotten = self._root / FORGOTTEN
        with in_our_words():
            await aiofiles.os.makedirs(forgotten, FOLDER_MODE, exist_ok=True)
            with suppress(FileNotFoundError):
                await aiofiles.os.rename(self._root / plain_tenant(tenant), forgotten / uuid4().hex)
            for leftover in await aiofiles.os.listdir(forgotten):
                with suppress(FileNotFoundError):  # another `forget` was there first
                    await asyncio.to_thread(shutil.rmtree, forgotten / leftover)

    async def check(self) -> None:
        try:
            await asyncio.to_thread(probe, self._root)
        except OSError as error:
            in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
            why = "there is a file in its way" if in_the_way else (error.strerror or "").lower()
            raise StorageUnusable(f"UPLOAD_PATH {self._root} cannot be written to: {why}") from None

    async def probe(self) -> None:
        with in_our_words():
            await asyncio.to_thread(probe, self._root)


class FileBlobs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, content: AsyncIterator[bytes]) -> Blob:
        # Not aiofiles: hashing and writing a block are one hop to a thread here, and while the
        # disk takes one block, the next is received. Never more: the client waits for the disk.
        arriving = Arriving(self._folder)
        step = asyncio.create_task(asyncio.to_thread(arriving.begin))
        block = bytearray()
        try:
            async for chunk in content:
                block += chunk
                if len(block) >= BLOCK:
                    await step
                    step = asyncio.create_task(asyncio.to_thread(arriving.write, block))
                    block = bytearray()
            await step
            return await asyncio.to_thread(arriving.finish, block)
        except BaseException:
            # Shielded, so that a second cancellation does not leave the file; gathered, so that a
            # failure of the last step is not reported as one that nobody looked at.
            given_up = asyncio.shield(asyncio.create_task(asyncio.to_thread(arriving.give_up)))
            await asyncio.gather(step, given_up, return_exceptions=True)
            raise

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        with in_our_words():
            try:
                file = await aiofiles.open(place(self._folder, digest), "rb", buffering=0)
            except FileNotFoundError:
                raise BlobUnknown(digest) from None
            try:
                await file.seek(start)
                while block := await file.read(BLOCK if stop is None else max(0, min(BLOCK, stop - start))):
                    start += len(block)
                    yield block
            finally:
                await file.close()

    async def size(self, digest: str) -> int | None:
        try:
            with in_our_words():
                return (await aiofiles.os.stat(place(self._folder, digest))).st_size
        except (BlobUnknown, FileNotFoundError):
            return None

    async def drop(self, digest: str) -> None:
        with in_our_words(), suppress(BlobUnknown, FileNotFoundError):
            await aiofiles.os.remove(place(self._folder, digest))

    async def listing(self) -> AsyncGenerator[Kept, None]:
        async for name, size, modified in found_in(self._folder, "[0-9a-f][0-9a-f]/*"):
            digest = name.rpartition("/")[2]
            if is_digest(digest):
                yield Kept(digest, size, modified)

    async def append(self, upload: str, offset: int, content: AsyncIterator[bytes]) -> int:
        path = self._upload(upload)
        finished = await asyncio.to_thread(grow.finished, path)
        if finished and finished.size == offset:
            return await nothing_more(content, offset)

        growing, block = grow.Growing(path), bytearray()
        step = asyncio.create_task(asyncio.to_thread(growing.begin, offset))
        try:
            await asyncio.shield(step)
            async for chunk in content:
                block += chunk
                if len(block) >= BLOCK:
                    await asyncio.shield(step)
                    step = asyncio.create_task(asyncio.to_thread(growing.write, block))
                    block = bytearray()
            await asyncio.shield(step)
        except BaseException:
            with suppress(OSError, StorageAway):  # what went wrong first is what matters
                await asyncio.shield(asyncio.create_task(ended(growing, step, block)))
            raise
        return await asyncio.shield(asyncio.create_task(ended(growing, step, block)))

    async def length(self, upload: str) -> int:
        return await asyncio.to_thread(grow.length, self._upload(upload))

    async def finish(self, upload: str) -> Blob:
        return await asyncio.to_thread(grow.finish, self._folder, self._upload(upload))

    async def abandon(self, upload: str) -> None:
        await asyncio.to_thread(grow.abandon, self._upload(upload))

    async def leftovers(self) -> AsyncGenerator[Leftover, None]:
        async for name, size, modified in found_in(self._folder, "incoming/*"):
            if not await asyncio.to_thread(grow.is_claimed, self._folder / name):
                yield Leftover(name, size, modified)
        async for name, size, modified in found_in(self._folder, "uploads/*"):
            stem, _, suffix = name.partition(".")
            yield Leftover(stem, 0 if suffix else size, modified)

    async def discard(self, name: str) -> None:
        await asyncio.to_thread(grow.abandon, self._folder / plain_leftover(name))

    async def presigned(self, digest: str, *, seconds: int, name: str, mimetype: str) -> None:  # noqa: ARG002
        return None

    def _upload(self, upload: str) -> Path:
        return self._folder / "uploads" / plain_upload(upload)


class Arriving:
    """A file on its way in. Its methods are for threads, which take turns.

    A cancelled upload does not stop the thread that writes for it: `give_up` waits for that
    thread, and a thread that comes later finds the file closed and writes nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "incoming" / uuid4().hex
        self._turn = Lock()
        self._over = False
        self._to_clean = ExitStack()
        self._hash = sha256()
        self._size = 0

    @in_our_words()
    def begin(self) -> None:
        with self._turn:
            if not self._over:
                make_folder(self._path.parent)
                self._to_clean.callback(self._path.unlink, missing_ok=True)
                self._file = self._to_clean.enter_context(os.fdopen(private(self._path, NEW), "wb", buffering=0))
                grow.claim(self._file.fileno())

    @in_our_words()
    def write(self, block: bytearray) -> None:
        with self._turn:
            self._write(block)

    def _write(self, block: bytearray) -> None:
        self._hash.update(block)
        write_whole(self._file.fileno(), block)
        before, self._size = self._size, self._size + len(block)
        if before // FLUSH_EVERY < self._size // FLUSH_EVERY:
            os.fdatasync(self._file.fileno())

    @in_our_words()
    def finish(self, last: bytearray) -> Blob:
        with self._turn:
            self._write(last)
            digest = self._hash.hexdigest()
            os.fsync(self._file.fileno())
            keep_as(self._path, place(self._folder, digest))
            self._file.close()
            return Blob(digest, self._size)

    def give_up(self) -> None:
        with self._turn:
            self._over = True
            self._to_clean.close()


async def ended(growing: grow.Growing, step: asyncio.Task[None], rest: bytearray) -> int:
    """The thread before has its say first, then the rest is written and the lock let go of. To be shielded."""
    await asyncio.gather(step, return_exceptions=True)
    return await asyncio.to_thread(growing.end, rest)


async def found_in(folder: Path, pattern: str) -> AsyncGenerator[tuple[str, int, datetime], None]:
    """Name below `folder`, size and age of each file; those that vanish meanwhile are left out."""
    paths = folder.glob(pattern)  # noqa: ASYNC240  lazy: the disk is asked in the thread below
    while found := await asyncio.to_thread(looked_at, folder, paths):
        for entry in found:
            if entry:
                yield entry


@in_our_words()
def looked_at(folder: Path, paths: Iterator[Path]) -> list[tuple[str, int, datetime] | None]:
    found: list[tuple[str, int, datetime] | None] = []
    for path in islice(paths, AT_ONCE):
        try:
            status = path.stat()
        except FileNotFoundError:
            found.append(None)
        else:
            modified = datetime.fromtimestamp(status.st_mtime, UTC)
            found.append((path.relative_to(folder).as_posix(), status.st_size, modified))
    return found


def probe(root: Path) -> None:
    """Create a file in `root` and remove it. It has no bytes: a full disk still serves what it has.

    Raises OSError.
    """
    path = root / f".probe-{uuid4().hex}"
    make_folder(root)
    try:
        os.close(private(path, NEW))
    except OSError as failure:
        if failure.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
    path.unlink(missing_ok=True)

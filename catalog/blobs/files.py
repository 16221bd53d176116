"""Blobs as files: `<root>/<tenant>/<first two hex>/<sha256>`.

A name appears only when its bytes are complete and on the disk: hash while writing, flush,
rename, flush the folder. A file being received is in `<tenant>/incoming/`, where the sweep removes what
a killed process left; uploads in parts are in `<tenant>/uploads/`.
"""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import aiofiles
import aiofiles.os

from catalog.blobs import partial_files
from catalog.blobs.disk import FOLDER_MODE, blob_path, make_folder, open_private, translated_errors
from catalog.blobs.incoming_files import NEW, BlobFileWriter
from catalog.blobs.partial_files import PartialFile
from catalog.blobs.protocol import (
    BLOCK,
    Blob,
    Leftover,
    ListedBlob,
    SmallContent,
    StorageSetupError,
    StorageUnavailableError,
    UnknownBlobError,
    WrongDigestError,
    checked_leftover,
    checked_tenant,
    checked_upload,
    is_digest,
    refuse_more,
)
from catalog.blobs.small_files import write_small

FORGOTTEN = ".forgotten"
"""Where the folder of a removed tenant is moved first: no tenant's name begins with a dot."""

PAGE = 1000
"""How many names a listing reads from the disk in one call of a thread."""


class FileStorage:
    def __init__(self, root: Path) -> None:
        self._root = root

    def of(self, tenant: str) -> "FileBlobs":
        return FileBlobs(self._root / checked_tenant(tenant))

    async def forget(self, tenant: str) -> None:
        # Renamed in one step: a new tenant of the same name must not lose its first bytes.
        forgotten = self._root / FORGOTTEN
        with translated_errors():
            await aiofiles.os.makedirs(forgotten, FOLDER_MODE, exist_ok=True)
            with suppress(FileNotFoundError):
                await aiofiles.os.rename(self._root / checked_tenant(tenant), forgotten / uuid4().hex)
            for leftover in await aiofiles.os.listdir(forgotten):
                with suppress(FileNotFoundError):  # another `forget` was there first
                    await asyncio.to_thread(shutil.rmtree, forgotten / leftover)

    async def check(self) -> None:
        try:
            await asyncio.to_thread(probe, self._root)
        except OSError as error:
            in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
            why = "there is a file in its way" if in_the_way else (error.strerror or "").lower()
            raise StorageSetupError(f"UPLOAD_PATH {self._root} cannot be written to: {why}") from None

    async def probe(self) -> None:
        with translated_errors():
            await asyncio.to_thread(probe, self._root)


class FileBlobs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, content: AsyncIterator[bytes], announced: Blob | None = None) -> Blob:
        # Not aiofiles: hashing and writing a block are one call of a thread here. While the disk writes one block,
        # the next is received, and no more than that: the client waits for the disk.
        incoming = BlobFileWriter(self._folder)
        step = asyncio.create_task(asyncio.to_thread(incoming.begin))
        block = bytearray()
        try:
            async for chunk in content:
                block += chunk
                if len(block) >= BLOCK:
                    await step
                    step = asyncio.create_task(asyncio.to_thread(incoming.write, block))
                    block = bytearray()
            await step
            return await asyncio.to_thread(incoming.finish, block, announced.digest if announced else "")
        except BaseException:
            # Shielded, so that a second cancellation does not leave the file; gathered, so that asyncio does not
            # report a failure of the last step as never retrieved.
            discarded = asyncio.shield(asyncio.create_task(asyncio.to_thread(incoming.discard)))
            await asyncio.gather(step, discarded, return_exceptions=True)
            raise

    async def put_small(self, contents: Sequence[SmallContent]) -> list[Blob | WrongDigestError]:
        return await asyncio.to_thread(write_small, self._folder, contents)

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        with translated_errors():
            if stop is not None and stop - start <= BLOCK:  # one step in a thread, instead of five
                block = await asyncio.to_thread(_read_range, blob_path(self._folder, digest), start, stop)
                if block:
                    yield block
                return
            try:
                file = await aiofiles.open(blob_path(self._folder, digest), "rb", buffering=0)
            except FileNotFoundError:
                raise UnknownBlobError(digest) from None
            try:
                await file.seek(start)
                while block := await file.read(BLOCK if stop is None else max(0, min(BLOCK, stop - start))):
                    start += len(block)
                    yield block
            finally:
                await file.close()

    async def size(self, digest: str) -> int | None:
        try:
            with translated_errors():
                return (await aiofiles.os.stat(blob_path(self._folder, digest))).st_size
        except (UnknownBlobError, FileNotFoundError):
            return None

    async def sizes(self, digests: Sequence[str]) -> list[int | None]:
        return await asyncio.to_thread(_sizes, self._folder, digests)

    async def drop(self, digest: str) -> None:
        with translated_errors(), suppress(UnknownBlobError, FileNotFoundError):
            await aiofiles.os.remove(blob_path(self._folder, digest))

    async def listing(self) -> AsyncGenerator[ListedBlob, None]:
        async for name, size, modified in list_files(self._folder, "[0-9a-f][0-9a-f]/*"):
            digest = name.rpartition("/")[2]
            if is_digest(digest):
                yield ListedBlob(digest, size, modified)

    async def append(self, upload: str, offset: int, content: AsyncIterator[bytes]) -> int:
        path = self._upload(upload)
        finished = await asyncio.to_thread(partial_files.finished, path)
        if finished and finished.size == offset:
            return await refuse_more(content, offset)

        partial, block = PartialFile(path), bytearray()
        step = asyncio.create_task(asyncio.to_thread(partial.begin, offset))
        try:
            await asyncio.shield(step)
            async for chunk in content:
                block += chunk
                if len(block) >= BLOCK:
                    await asyncio.shield(step)
                    step = asyncio.create_task(asyncio.to_thread(partial.write, block))
                    block = bytearray()
            await asyncio.shield(step)
        except BaseException:
            with suppress(OSError, StorageUnavailableError):  # the first failure is the one to report
                await asyncio.shield(asyncio.create_task(end_append(partial, step, block)))
            raise
        return await asyncio.shield(asyncio.create_task(end_append(partial, step, block)))

    async def length(self, upload: str) -> int:
        return await asyncio.to_thread(partial_files.length, self._upload(upload))

    async def finish(self, upload: str, digest: str = "") -> Blob:  # noqa: ARG002
        return await asyncio.to_thread(partial_files.finish, self._folder, self._upload(upload))

    async def abandon(self, upload: str) -> None:
        await asyncio.to_thread(partial_files.abandon, self._upload(upload))

    async def leftovers(self) -> AsyncGenerator[Leftover, None]:
        async for name, size, modified in list_files(self._folder, "incoming/*"):
            if not await asyncio.to_thread(partial_files.is_locked, self._folder / name):
                yield Leftover(name, size, modified)
        async for name, size, modified in list_files(self._folder, "uploads/*"):
            stem, _, suffix = name.partition(".")
            yield Leftover(stem, 0 if suffix else size, modified)

    async def discard(self, name: str) -> None:
        await asyncio.to_thread(partial_files.abandon, self._folder / checked_leftover(name))

    async def presigned(self, digest: str, *, seconds: int, name: str, mimetype: str) -> None:  # noqa: ARG002
        return None

    def _upload(self, upload: str) -> Path:
        return self._folder / "uploads" / checked_upload(upload)


@translated_errors()
def _sizes(folder: Path, digests: Sequence[str]) -> list[int | None]:
    sizes: list[int | None] = []
    for digest in digests:
        try:
            sizes.append(blob_path(folder, digest).stat().st_size)
        except (UnknownBlobError, FileNotFoundError):
            sizes.append(None)
    return sizes


def _read_range(path: Path, start: int, stop: int) -> bytes:
    """Some bytes of a file; fewer where it ends. Raises UnknownBlobError."""
    try:
        with path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), max(0, stop - start), start)
    except FileNotFoundError:
        raise UnknownBlobError(path.name) from None


async def end_append(partial: PartialFile, step: asyncio.Task[None], rest: bytearray) -> int:
    """Wait for the running write, write the rest and release the lock. The caller shields it from cancellation."""
    await asyncio.gather(step, return_exceptions=True)
    return await asyncio.to_thread(partial.end, rest)


class ListedFile(NamedTuple):
    name: str  # relative to the listed folder
    size: int
    modified: datetime


async def list_files(folder: Path, pattern: str) -> AsyncGenerator[ListedFile, None]:
    """Yield the files below `folder` that match; files that vanish meanwhile are left out."""
    paths = folder.glob(pattern)  # noqa: ASYNC240  lazy: the disk is read in the thread below
    while page := await asyncio.to_thread(list_page, folder, paths):
        for file in page:
            if file:
                yield file


@translated_errors()
def list_page(folder: Path, paths: Iterator[Path]) -> list[ListedFile | None]:
    page: list[ListedFile | None] = []
    for path in islice(paths, PAGE):
        try:
            status = path.stat()
        except FileNotFoundError:
            page.append(None)
        else:
            modified = datetime.fromtimestamp(status.st_mtime, UTC)
            page.append(ListedFile(path.relative_to(folder).as_posix(), status.st_size, modified))
    return page


def probe(root: Path) -> None:
    """Create an empty file in `root` and remove it. Empty, because a full disk can still serve its files.

    Raises OSError.
    """
    path = root / f".probe-{uuid4().hex}"
    make_folder(root)
    try:
        os.close(open_private(path, NEW))
    except OSError as failure:
        if failure.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
    path.unlink(missing_ok=True)

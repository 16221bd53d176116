"""Blobs as files: `<root>/<tenant>/<first two hex>/<sha256>`, and what is on its way in under `<tenant>/incoming/`.

A name appears only when its bytes are whole and on the disk: hash while writing, flush,
rename, flush the folder. What a killed process leaves in `incoming` is never read.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from uuid import uuid4

import aiofiles
import aiofiles.os

from catalog.blobs import BLOCK, Blob, BlobUnknown

FLUSH_EVERY = 256 * BLOCK
"""So that the last flush is short: 3 GiB took 7.7 s flushed once at the end, 1.4 s flushed as it grew."""

FORGOTTEN = ".forgotten"
"""Where a deleted tenant's folder goes first: no tenant's name begins with a dot."""


class FileStorage:
    def __init__(self, root: Path) -> None:
        self._root = root

    def of(self, tenant: str) -> "FileBlobs":
        return FileBlobs(self._root / plain_folder_name(tenant))

    async def forget(self, tenant: str) -> None:
        # Out of sight in one step: a tenant of the same name, made meanwhile, must not lose its first bytes.
        forgotten = self._root / FORGOTTEN
        await aiofiles.os.makedirs(forgotten, exist_ok=True)
        with suppress(FileNotFoundError):
            await aiofiles.os.rename(self._root / plain_folder_name(tenant), forgotten / uuid4().hex)
        for leftover in await aiofiles.os.listdir(forgotten):
            with suppress(FileNotFoundError):  # another `forget` was there first
                await asyncio.to_thread(shutil.rmtree, forgotten / leftover)


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

    async def drop(self, digest: str) -> None:
        with suppress(BlobUnknown, FileNotFoundError):
            await aiofiles.os.remove(place(self._folder, digest))


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

    def begin(self) -> None:
        with self._turn:
            if not self._over:
                make_folder(self._path.parent)
                self._to_clean.callback(self._path.unlink, missing_ok=True)
                self._file = self._to_clean.enter_context(self._path.open("xb", buffering=0))

    def write(self, block: bytearray) -> None:
        with self._turn:
            self._write(block)

    def _write(self, block: bytearray) -> None:
        self._hash.update(block)
        rest = memoryview(block)
        while rest:
            rest = rest[self._file.write(rest) :]
        before, self._size = self._size, self._size + len(block)
        if before // FLUSH_EVERY < self._size // FLUSH_EVERY:
            os.fdatasync(self._file.fileno())

    def finish(self, last: bytearray) -> Blob:
        with self._turn:
            self._write(last)
            digest = self._hash.hexdigest()
            self._keep_as(place(self._folder, digest))
            return Blob(digest, self._size)

    def _keep_as(self, path: Path) -> None:
        try:
            os.utime(path)  # already here: kept once, and a sweep counts its age from now
        except FileNotFoundError:
            os.fsync(self._file.fileno())
            make_folder(path.parent)
            os.replace(self._path, path)  # noqa: PTH105  it stands between two flushes, and is looked for there
        else:
            self._path.unlink()
        self._file.close()
        flush_folder(path.parent)

    def give_up(self) -> None:
        with self._turn:
            self._over = True
            self._to_clean.close()


def place(folder: Path, digest: str) -> Path:
    """Raises BlobUnknown for what is not a digest: it never reaches the disk."""
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise BlobUnknown(digest)
    return folder / digest[:2] / digest


def plain_folder_name(tenant: str) -> str:
    """The name itself. Whoever made the tenant has checked it; this is the second lock on the way out of `root`."""
    if not re.fullmatch(r"[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*", tenant):
        raise ValueError(f"not the name of a tenant's folder: {tenant!r}")
    return tenant


def make_folder(folder: Path) -> None:
    """Make a folder that outlives a power cut: its name is safe once the folder above is flushed."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

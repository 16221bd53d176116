"""Where backups are kept: a folder, or a prefix of a bucket. A backup appears there complete or not at all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import obstore

from catalog.atomic_files import new_file
from catalog.blobs.s3.connection import connect, translated_errors
from catalog.blobs.selection import bucket_address
from catalog.settings.values import StorageSettings

SUFFIX = ".tar"

S3 = "s3://"


class Target(Protocol):
    """Raises OSError and StorageUnavailableError."""

    async def save(self, name: str, chunks: AsyncIterator[bytes], *, force: bool = False) -> None:
        """Keep what `chunks` yield under a name. Raises FileExistsError without `force`, and any error of `chunks`."""
        ...

    async def has(self, name: str) -> bool: ...

    async def names(self) -> list[str]:
        """The names of the backups, in order."""
        ...

    async def remove(self, name: str) -> None: ...


class FolderTarget:
    """A folder, which is created at the first backup if `create` says so."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        self._folder = folder
        self._create = create

    async def save(self, name: str, chunks: AsyncIterator[bytes], *, force: bool = False) -> None:
        if self._create:
            await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        with new_file(self._folder / name, replace=force) as file:
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)

    async def has(self, name: str) -> bool:
        return await asyncio.to_thread((self._folder / name).exists)

    async def names(self) -> list[str]:
        return await asyncio.to_thread(lambda: sorted(file.name for file in self._folder.glob(f"[!.]*{SUFFIX}")))

    async def remove(self, name: str) -> None:
        await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)


class BucketTarget:
    def __init__(self, settings: StorageSettings) -> None:
        self._store = connect(bucket_address(settings))

    async def save(self, name: str, chunks: AsyncIterator[bytes], *, force: bool = False) -> None:
        if not force and await self.has(name):
            raise FileExistsError(f"{name} is there already")
        with translated_errors():
            # The object appears when the last part is there and the upload is completed.
            await obstore.put_async(self._store, name, chunks, use_multipart=True)

    async def has(self, name: str) -> bool:
        with translated_errors():
            try:
                await obstore.head_async(self._store, name)
            except FileNotFoundError:
                return False
            return True

    async def names(self) -> list[str]:
        with translated_errors():
            pages = [page async for page in obstore.list(self._store)]
        paths = (entry["path"] for page in pages for entry in page)
        return sorted(path for path in paths if path.endswith(SUFFIX) and "/" not in path)

    async def remove(self, name: str) -> None:
        with translated_errors():
            await obstore.delete_async(self._store, name)


def target_of(location: str, storage: StorageSettings) -> Target:
    """The target that a folder or `s3://bucket/prefix` names. A bucket has the address and the keys of the storage."""
    if location.startswith(S3):
        return BucketTarget(replace(storage, location=location, redirects=False))
    return FolderTarget(Path(location).expanduser())

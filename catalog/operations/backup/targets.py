"""Where backups are kept: a folder, or a prefix of a bucket. A backup appears there complete or not at all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

from catalog.atomic_files import Beginning, abandoned, new_file, remove_abandoned, unfinished_files
from catalog.blobs.protocol import StorageUnavailableError
from catalog.blobs.s3.bucket import Bucket
from catalog.blobs.s3.multipart import MultipartWriter
from catalog.blobs.selection import bucket_address
from catalog.operations.backup.claims import Claim
from catalog.operations.backup.interrupted import Interrupted, examine
from catalog.operations.backup.sources import BackupSource, ObjectSource
from catalog.settings.values import StorageSettings

SUFFIX = ".tar"

CLAIM = ".claim"
"""Ends the name of the object that the writer of a backup has in a bucket."""

PART = 32 * 2**20
"""Bytes of a part of an upload. A store takes 10 000 parts, so a backup in a bucket has at most 312 GiB."""

S3 = "s3://"


class PartialBackup(NamedTuple):
    """What an interrupted writer has left of the backup `name`."""

    name: str
    file: Path
    found: Interrupted


class Target(Protocol):
    """Raises OSError and StorageUnavailableError."""

    async def save(
        self, name: str, chunks: AsyncIterator[bytes], *, force: bool = False, partial: PartialBackup | None = None
    ) -> None:
        """Keep what `chunks` yield under a name, behind what is there of it.

        Raises FileExistsError without `force`, and any error of `chunks`.
        """
        ...

    async def partial(
        self, is_ours: Callable[[str], bool], base: str, tenants: Collection[str], /
    ) -> PartialBackup | None:
        """What is left of an interrupted backup of these tenants (none: all) that continues `base`."""
        ...

    async def has(self, name: str) -> bool: ...

    async def names(self) -> list[str]:
        """The names of the backups, in order."""
        ...

    async def remove(self, name: str) -> None: ...

    async def clear(self, is_ours: Callable[[str], bool]) -> None:
        """Remove what killed writers left of the backups with these names. None of them may be in progress."""
        ...

    def source(self, name: str) -> BackupSource:
        """Where a backup is read from."""
        ...


class FolderTarget:
    """A folder, which is created at the first backup if `create` says so."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        self._folder = folder
        self._create = create

    async def save(
        self, name: str, chunks: AsyncIterator[bytes], *, force: bool = False, partial: PartialBackup | None = None
    ) -> None:
        if self._create:
            await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        if not partial:
            await asyncio.to_thread(remove_abandoned, self._folder / name)
        beginning = Beginning(partial.file, partial.found.length) if partial else None
        with new_file(self._folder / name, replace=force, keep=True, beginning=beginning) as file:
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)

    async def partial(
        self, is_ours: Callable[[str], bool], base: str, tenants: Collection[str]
    ) -> PartialBackup | None:
        def find() -> PartialBackup | None:
            for left in unfinished_files(self._folder):
                if not is_ours(left.name):
                    continue
                with abandoned(left.file) as is_abandoned:
                    found = examine(left.file) if is_abandoned else None
                    if is_abandoned and found is None:
                        left.file.unlink(missing_ok=True)
                if found and found.base == base and (not tenants or set(found.tenants) == set(tenants)):
                    return PartialBackup(left.name, left.file, found)
            return None

        return await asyncio.to_thread(find)

    def is_interrupted(self, name: str) -> bool:
        return any(left.name == name for left in unfinished_files(self._folder))

    async def has(self, name: str) -> bool:
        return await asyncio.to_thread((self._folder / name).exists)

    async def names(self) -> list[str]:
        return await asyncio.to_thread(lambda: sorted(file.name for file in self._folder.glob(f"[!.]*{SUFFIX}")))

    async def remove(self, name: str) -> None:
        await asyncio.to_thread((self._folder / name).unlink, missing_ok=True)

    async def clear(self, is_ours: Callable[[str], bool]) -> None:
        def remove() -> None:
            for partial in unfinished_files(self._folder):
                if is_ours(partial.name):
                    partial.file.unlink(missing_ok=True)

        await asyncio.to_thread(remove)

    def source(self, name: str) -> BackupSource:
        return self._folder / name


class BucketTarget:
    """A prefix of a bucket. Who writes a name has its claim, an object that is created only if there is none.

    An interrupted backup begins again: what an unfinished upload has cannot be read.
    """

    def __init__(self, settings: StorageSettings) -> None:
        self._location = settings.location.rstrip("/")
        self._bucket = Bucket(bucket_address(settings))

    async def save(
        self, name: str, chunks: AsyncIterator[bytes], *, force: bool = False, partial: PartialBackup | None = None
    ) -> None:
        assert partial is None
        if force:
            await self._bucket.drop(f"{name}{CLAIM}")  # its writer, should it live, does not complete
            await self._write(name, chunks, None)
            return
        claim = Claim(self._bucket, f"{name}{CLAIM}")
        await claim.acquire()
        try:
            if await self.has(name):
                raise FileExistsError(f"{name} is there already")
            await self._write(name, chunks, claim)
        finally:
            with suppress(StorageUnavailableError):
                await asyncio.shield(claim.release())

    async def partial(self, *_: object) -> None:
        """Nothing: parts of an upload cannot be read."""

    async def _write(self, name: str, chunks: AsyncIterator[bytes], claim: Claim | None) -> None:
        # The object appears when the last part is there and the upload is completed.
        writer = MultipartWriter(self._bucket.store, name, PART)
        try:
            async for chunk in chunks:
                await writer.write(chunk)
                if claim:
                    await claim.renew()
            if claim:
                await claim.check()
            await writer.finish()
        except BaseException:
            await asyncio.shield(asyncio.ensure_future(writer.abort()))
            raise

    async def has(self, name: str) -> bool:
        return await self._bucket.size(name) is not None

    async def names(self) -> list[str]:
        paths = [found.key async for found in self._bucket.listing("")]
        return sorted(path for path in paths if path.endswith(SUFFIX) and "/" not in path)

    async def remove(self, name: str) -> None:
        await self._bucket.drop(name)

    async def clear(self, is_ours: Callable[[str], bool]) -> None:
        claims = [found.key async for found in self._bucket.listing("") if found.key.endswith(CLAIM)]
        await self._bucket.drop_all([claim for claim in claims if is_ours(claim.removesuffix(CLAIM))])

    def source(self, name: str) -> BackupSource:
        return ObjectSource(self._bucket.store, name, f"{self._location}/{name}")


def target_of(location: str, storage: StorageSettings) -> Target:
    """The target that a folder or `s3://bucket/prefix` names. A bucket has the address and the keys of the storage."""
    if location.startswith(S3):
        return BucketTarget(replace(storage, location=location, redirects=False))
    return FolderTarget(Path(location).expanduser())

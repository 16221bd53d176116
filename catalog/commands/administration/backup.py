"""`catalog backup` and `catalog restore`: on the database and the storage of a server, or through a running one."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Generator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from catalog.blobs.protocol import StorageUnavailableError
from catalog.commands.administration.online.backup import OnlineBackupError, archive
from catalog.durations import human_size
from catalog.operations.backup.archive import ArchiveError, NotRegularFileError, read, refuse_irregular
from catalog.operations.backup.chains import find_bases
from catalog.operations.backup.sources import BackupSource
from catalog.operations.backup.streaming import stream
from catalog.operations.backup.targets import S3, SUFFIX, FolderTarget, PartialBackup, Target, target_of
from catalog.operations.backup.watching import ArchiveWatch
from catalog.operations.backup.writing import (
    BackupError,
    Increment,
    ResumptionRefusedError,
    TenantBackup,
    UnknownTenantError,
    find_tenants,
)
from catalog.operations.restore import RestoreError, TenantRestore, restore
from catalog.operations.stores import Stores, open_stores
from catalog.settings.settings import Settings
from catalog.store.clock import now
from catalog.store.embedded.process import DatabaseInUse, DatabaseUnavailable
from catalog.store.failures import DatabaseError

T = TypeVar("T")

Tell = Callable[[str], None]

GENERATED = re.compile(r"catalog-\d{8}T\d{6}Z\.tar")
"""The name of a backup in a folder."""


class CommandError(Exception):
    """The message says why the command failed, and what to do."""


@dataclass(frozen=True, kw_only=True)
class BackupOptions:
    tenants: Collection[str] = ()
    since: str = ""  # the backup to continue
    force: bool = False  # replace an existing file
    server: str = ""  # the address of a running server; empty: open the stores
    token: str = ""  # API_TOKEN
    ca: str = ""  # certificates to trust


def make(settings: Settings, where: str, options: BackupOptions, tell: Tell) -> bool:
    """Back up to a file, into a folder or into `s3://bucket/prefix`, with a line for each tenant and each lost blob.

    False when there are lost ones. Raises CommandError.
    """
    target, name, is_named = _target(settings, where)
    since = _increment(settings, options.since) if options.since else None
    backup = _Backup(settings, where, options, tell, target, name, is_named, since)
    with _told_that_it_continues(target, name):
        _run(backup.run, where)
    return backup.is_whole


@dataclass
class _Backup:
    """A backup under way."""

    settings: Settings
    where: str
    options: BackupOptions
    tell: Tell
    target: Target
    name: str
    is_named: bool  # by the user; else the name says when the backup was made
    since: Increment | None
    is_whole: bool = True
    """Whether no blob was lost."""

    async def run(self) -> None:
        """Continue the interrupted backup that is there, or begin. Raises CommandError."""
        if not self.options.force and await self.target.has(self.name):
            raise CommandError(f"{self.where} is there already: --force replaces it")
        partial = await _partial(self.target, self.name, self.since, self.options.tenants, is_named=self.is_named)
        if partial:
            self.tell(f"Continues an interrupted backup, {human_size(partial.found.length)} of it are there")
        back_up = self._from_server if self.options.server else self._from_stores
        try:
            await back_up(partial)
        except ResumptionRefusedError:
            await self.target.clear((partial.name if partial else self.name).__eq__)
            self.tell("That was of other tenants: the backup begins again")
            await back_up(None)

    async def _from_stores(self, partial: PartialBackup | None) -> None:
        async with _stores_beside_no_server(self.settings) as stores:
            records = await find_tenants(stores.database, self.options.tenants)
            resume = partial and partial.found.resumption
            archived = stream(
                stores.database, stores.storage, records, since=self.since, resume=resume, report=self._report
            )
            await self._save(archived, partial)

    async def _from_server(self, partial: PartialBackup | None) -> None:
        options, watch = self.options, ArchiveWatch()
        resume = partial and partial.found.resumption
        archived = archive(options.server, options.token, options.tenants, self.since, watch, options.ca, resume)
        await self._save(archived, partial)
        for tenant, summary in watch.summaries.items():
            self._report(TenantBackup.of(tenant, summary))

    async def _save(self, archived: AsyncGenerator[bytes, None], partial: PartialBackup | None) -> None:
        name = partial.name if partial else self.name
        async with aclosing(archived) as chunks:
            await self.target.save(name, chunks, force=self.options.force, partial=partial)

    def _report(self, done: TenantBackup) -> None:
        self.is_whole = self.is_whole and not done.lost
        _tell_of(done, self.tell)


@contextmanager
def _told_that_it_continues(target: Target, name: str) -> Generator[None]:
    """Add the next step to the reason of a failure."""
    try:
        yield
    except CommandError as error:
        if not isinstance(target, FolderTarget) or not target.is_interrupted(name):
            raise
        raise CommandError(
            f"{str(error).rstrip('.')}. What is written so far is kept: the same command continues"
        ) from None


def _tell_of(done: TenantBackup, tell: Tell) -> None:
    omitted = f"; {done.omitted} files are in the backup that it continues" if done.omitted else ""
    tell(_line(done) + omitted)
    for digest, why, named in done.lost:
        places = "; ".join(named) or "a version that is gone by now"
        tell(f"{done.tenant}: not in the backup: the bytes of {digest} ({places}) are {why}. Push the file again")


async def _partial(
    target: Target, name: str, since: Increment | None, tenants: Collection[str], *, is_named: bool
) -> PartialBackup | None:
    """What an interrupted backup of the same kind has left."""
    is_ours = name.__eq__ if is_named else lambda left: GENERATED.fullmatch(left) is not None
    return await target.partial(is_ours, since.identity if since else "", tenants)


def bring_back(
    settings: Settings, where: str, tenants: Collection[str], name: str, bases: Sequence[str], tell: Tell
) -> None:
    """Restore, with a line for each tenant. An increment takes what it does not have from `bases`, or from those that
    it continues beside it.

    Raises CommandError.
    """

    def one(done: TenantRestore) -> None:
        if done.was_there:
            tell(f"{done.tenant}: left as it is: an earlier, interrupted restore of this backup has completed it")
            return
        left_out = f"; {done.orphans} versions of items that had gone were left out" if done.orphans else ""
        tell(_line(done) + left_out)

    async def run() -> None:
        source, beside = _source(settings, where)
        given = [_source(settings, base)[0] for base in bases] or await find_bases(source, beside)
        for found in given if not bases else ():
            tell(f"It continues {found}")
        async with _stores(settings) as stores:
            await restore(stores.database, stores.storage, source, tenants, one, name=name, bases=given)

    _run(run, where)


def _source(settings: Settings, where: str) -> tuple[BackupSource, Target]:
    """A backup and its location."""
    if where.startswith(S3):
        folder, _, name = where.rpartition("/")
        target = target_of(folder, settings.storage_settings)
        return target.source(name), target
    path = Path(where).expanduser()
    return path, FolderTarget(path.parent)


def _target(settings: Settings, where: str) -> tuple[Target, str, bool]:
    """The target of a backup, its name, and whether the user gave the name. Raises CommandError."""
    name = f"catalog-{now():%Y%m%dT%H%M%SZ}{SUFFIX}"
    if where.startswith(S3):
        is_named = where.endswith(SUFFIX)
        if is_named:
            where, _, name = where.rpartition("/")
        return target_of(where, settings.storage_settings), name, is_named
    path = Path(where).expanduser()
    if path.is_dir() or where.endswith("/"):
        return FolderTarget(path), name, False
    try:
        refuse_irregular(path)
    except NotRegularFileError as error:
        raise CommandError(str(error)) from None
    if not path.parent.is_dir():
        raise CommandError(f"There is no folder {path.parent}: create it, or write into another one")
    return FolderTarget(path.parent, create=False), path.name, True


def _increment(settings: Settings, base: str) -> Increment:
    """Raises CommandError."""

    async def find() -> Increment:
        with read(_source(settings, base)[0]) as found:
            try:
                return Increment.of(found.identity, found.made)
            except ValueError:
                raise ArchiveError(f"{base} does not say when it was made") from None

    return _run(find, base)


def _line(done: TenantBackup | TenantRestore) -> str:
    files = "1 file" if done.blobs == 1 else f"{done.blobs} files"
    return f"{done.tenant}: {done.records} records, {files} ({human_size(done.size)})"


def _stores(settings: Settings) -> AbstractAsyncContextManager[Stores]:
    return open_stores(settings.database, settings.data_path, settings.storage_settings, settings.embedded_engine)


@asynccontextmanager
async def _stores_beside_no_server(settings: Settings) -> AsyncGenerator[Stores]:
    """Raises CommandError for the embedded database of a server that is running, with what to do."""
    try:
        async with _stores(settings) as stores:
            yield stores
    except DatabaseInUse as error:
        raise CommandError(f"{error}, or let the running server make the backup: --server ADDRESS") from None


REASONS = (
    ArchiveError,
    BackupError,
    DatabaseUnavailable,
    NotRegularFileError,
    OnlineBackupError,
    RestoreError,
    UnknownTenantError,
)
"""Errors whose message is the sentence."""


def _run(work: Callable[[], Awaitable[T]], where: str) -> T:
    """Raises CommandError."""

    async def run() -> T:
        return await work()

    try:
        return asyncio.run(run())
    except REASONS as error:
        raise CommandError(str(error)) from error
    except StorageUnavailableError as error:
        raise CommandError(f"The storage of files does not answer: {error}") from error
    except DatabaseError as error:
        raise CommandError(f"The database failed: {str(error).partition(' (configured')[0]}") from error
    except OSError as error:
        raise CommandError(f"{error.filename or where}: {(error.strerror or str(error)).lower()}") from error

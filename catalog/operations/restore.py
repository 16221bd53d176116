"""Restores a backup onto this database and this storage, which may be of other kinds than those it came from."""

import re
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from typing import NamedTuple, cast

from catalog.blobs.protocol import Blob, Storage, is_digest
from catalog.domain.files.intake import FULL
from catalog.domain.tenants.removal import LEAVING
from catalog.domain.tenants.tenants import NAME, RESERVED, RESTORING, new_generation
from catalog.domain.versions.files import version_files
from catalog.errors import Refused
from catalog.operations.backup.archive import (
    BEGINNING,
    CONTINUED,
    ArchiveBeginning,
    ArchiveError,
    Member,
    TenantSummary,
    read,
)
from catalog.operations.backup.sources import BackupSource
from catalog.operations.consistency import named_digests, remove_dangling_aliases, remove_orphans
from catalog.store import raw_documents
from catalog.store.clock import now
from catalog.store.database import Database
from catalog.store.derived import version_summaries
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.store.failures import UNAVAILABLE, DatabaseError, Duplicate
from catalog.store.migrations.upgrade import missing_steps, upgrade
from catalog.store.raw_documents import InvalidRecord
from catalog.store.records import TenantRecord
from catalog.store.tenant import Tenant

NO_LEASES = dict.fromkeys(("sweep", "sweeping", "backup", "backing_up"))
"""Leases that servers held when the backup was made, also that of the backup itself."""

COLLECTION = re.compile("[A-Za-z][A-Za-z0-9_-]{0,99}")


class RestoreError(Exception):
    """The message says what prevents the restore, and what to do."""


class TenantRestore(NamedTuple):
    tenant: str
    records: int
    blobs: int
    size: int  # bytes of the blobs
    orphans: int  # versions that were left out, because their item was removed while the backup was written
    was_there: bool = False  # restored by an earlier, interrupted run with this backup


async def restore(
    database: Database,
    storage: Storage,
    file: BackupSource,
    selected: Collection[str],
    report: Callable[[TenantRestore], None],
    *,
    name: str = "",
    bases: Sequence[BackupSource] = (),
) -> None:
    """Restore the `selected` tenants (none: all) of a backup, one after the other, each completely or not at all.

    `name` renames the only selected tenant, and its database. A tenant that an earlier, interrupted restore of the same
    backup has completed is left as it is. An increment takes the bytes that it does not have from `bases`: the backups
    that it continues.

    Raises RestoreError for a tenant that exists already or a name that is not in the backup; ArchiveError;
    StorageUnavailableError; OSError.
    """
    begun: dict[str, str] = {}  # the new name of each tenant of the backup
    with read(file) as archive:
        if archive.base and not bases:
            raise RestoreError(
                f"{file} continues an earlier backup: give that, and those that it continues, with --base"
            )
        current: RestoringTenant | PresentTenant | None = None
        unfinished = ""  # the tenant that had not ended when the backup was interrupted, and begins again
        for member in archive.members:
            tenant, *path = member.path
            if member.path == (BEGINNING,):
                _refuse_another_beginning(member)
                unfinished, current = current.source if current else unfinished, None
            elif selected and tenant not in selected:
                continue
            elif path == ["tenant.bson"]:
                _refuse_misplaced(file, member, is_misplaced=bool(current) or tenant in begun.keys() - {unfinished})
                record = _record(tenant, member.whole())
                begun[tenant] = name or tenant
                is_again, unfinished = tenant == unfinished, "" if tenant == unfinished else unfinished
                current = await _begin(database, storage, record, name, archive.identity, is_again=is_again)
            elif current is None or current.source != tenant:
                raise ArchiveError(f"{file} has {member.name} where a tenant should begin")
            elif path == ["end.json"]:
                report(await current.ended(database, member, bases))
                current = None
            else:
                await current.take(path, member)
        if open_tenant := current.source if current else unfinished:
            raise ArchiveError(f"{file} lacks the end of {open_tenant}")
    # Complete: the next restore of this backup does not skip these tenants.
    done = {"_id": {"$in": list(begun.values())}, "restored_from": archive.identity}
    await database.tenants.records.update_many(done, {"$unset": {"restored_from": ""}})
    if left := set(selected) - begun.keys():
        raise RestoreError(f"{file} has no tenant {', '.join(sorted(left))}")


def _refuse_misplaced(file: BackupSource, member: Member, *, is_misplaced: bool) -> None:
    """Raises ArchiveError."""
    if is_misplaced:
        raise ArchiveError(f"{file} has {member.name} where it cannot be: a tenant has not ended, or comes twice")


def _refuse_another_beginning(member: Member) -> None:
    """Raises ArchiveError, unless the backup goes on here after an interruption."""
    if member.json(ArchiveBeginning).get("format") != CONTINUED:
        raise ArchiveError(f"The backup has another {member.name} where it cannot be")


def _record(tenant: str, content: bytes) -> TenantRecord:
    try:
        record = cast("TenantRecord", raw_documents.decode(content))
        RegisteredTenant.model_validate({**record, "id": record["_id"]})
    except (InvalidRecord, KeyError, ValueError) as wrong:
        raise ArchiveError(f"The record of {tenant} in the backup is damaged") from wrong
    if record["_id"] != tenant:
        raise ArchiveError(f"The record of {tenant} in the backup is one of {record['_id']}")
    return record


async def _begin(
    database: Database, storage: Storage, record: TenantRecord, name: str, identity: str, *, is_again: bool
) -> "RestoringTenant | PresentTenant":
    """`is_again`: the bytes that this restore has stored so far stay."""
    source = record["_id"]
    if name:
        record = {**record, "_id": name, "database": name}
    for each in (record["_id"], record["database"]):
        refuse_name(database, each)
    again = {"id": record["_id"], "state": RESTORING, "restored_from": identity, "generation": new_generation()}
    leases = {"lastmod": now(), "migrator": None, "migrating": None, **NO_LEASES}
    fresh = RegisteredTenant.model_validate({**record, **again, **leases})
    _refuse_newer(fresh)
    known = await database.tenants.records.find_one({"_id": fresh.id}, {"state": 1, "restored_from": 1, "database": 1})
    if known and known["state"] == "ready" and known.get("restored_from") == identity:
        return PresentTenant(source, fresh.id)
    if known and known["state"] in LEAVING:
        raise RestoreError(f"The tenant {fresh.id} is still being removed, please try again in some seconds")
    if known and known["state"] == RESTORING:
        await database.drop(known["database"])
        if not is_again:
            await storage.forget(fresh.id)
        await database.tenants.records.delete_one({"_id": fresh.id, "state": RESTORING})
    await _register(database, fresh)
    return RestoringTenant(source, database.tenant(fresh), storage)


async def _register(database: Database, fresh: RegisteredTenant) -> None:
    """Raises RestoreError when another tenant has the name, or something is in the database."""
    try:
        await database.tenants.insert(fresh)
    except Duplicate:
        raise RestoreError(
            f"There is a tenant {fresh.id} already, or one with its database {fresh.database}: "
            "remove it first, or restore under another name with --as"
        ) from None
    if await database.holds(fresh.database):
        await database.tenants.records.delete_one({"_id": fresh.id, "state": RESTORING})
        raise RestoreError(
            f"There is a database {fresh.database} already, with something in it: restore under another name with --as"
        )


def _refuse_newer(record: RegisteredTenant) -> None:
    """Raises RestoreError for records that this version does not know."""
    try:
        missing_steps(record)
    except Refused as newer:
        raise RestoreError(newer.details) from None


def refuse_name(database: Database, name: str) -> None:
    """Raises RestoreError for a name that neither a tenant nor its database may have."""
    if not NAME.fullmatch(name) or name.lower() in RESERVED | {database.catalogue.lower()}:
        raise RestoreError(f"{name} cannot be the name of a tenant or of its database")


class PresentTenant(NamedTuple):
    """A tenant that is restored already. Its members of the archive are skipped."""

    source: str
    tenant: str

    async def take(self, path: list[str], member: Member) -> None:
        """Skip the member."""

    async def ended(self, _: Database, __: Member, ___: Sequence[BackupSource]) -> TenantRestore:
        return TenantRestore(self.tenant, 0, 0, 0, 0, was_there=True)


class RestoringTenant:
    """A tenant that is being restored. `source` is its name in the archive."""

    def __init__(self, source: str, tenant: Tenant, storage: Storage) -> None:
        self.source = source
        self._tenant = tenant
        self._blobs = storage.of(tenant.name)
        self._counts: dict[str, int] = {}
        self._seen = sha256()
        self._kept = 0
        self._size = 0
        self._other: str | None = None  # a digest whose bytes were others: it must be lost
        self._last: Blob | None = None
        self._lost: set[str] = set()

    async def take(self, path: list[str], member: Member) -> None:
        if self._other and path != ["lost", self._other]:
            raise ArchiveError(f"The bytes of {self._other} are damaged")
        match path:
            case ["lost", digest] if is_digest(digest):
                if self._last and self._last.digest == digest:  # there were more bytes than these
                    self._kept, self._size = self._kept - 1, self._size - self._last.size
                self._lost.add(digest)
                self._other = None
            case ["records", collection, _] if COLLECTION.fullmatch(collection):
                await self._records(collection, member)
            case ["blobs", digest] if is_digest(digest):
                await self._blob(digest, member)
            case _:
                raise ArchiveError(f"{member.name} has no place in a backup")

    async def _records(self, collection: str, member: Member) -> None:
        part = member.whole()
        self._seen.update(part)
        try:
            documents = raw_documents.split(part)
            await raw_documents.insert_all(self._tenant, collection, documents)
        except (InvalidRecord, DatabaseError, ValueError) as wrong:
            raise self._damaged(wrong, member.name) from wrong
        self._counts[collection] = self._counts.get(collection, 0) + len(documents)

    async def _blob(self, digest: str, member: Member) -> None:
        try:
            blob = await self._blobs.put(member.chunks())
        except OSError as failure:
            if failure.errno not in FULL:
                raise
            raise RestoreError(
                f"There is no room in the storage for the files of {self._tenant.name}: make room, and start again"
            ) from None
        if blob.digest != digest:
            self._other = digest
            return
        self._last = blob
        self._kept, self._size = self._kept + 1, self._size + blob.size

    async def ended(self, database: Database, member: Member, bases: Sequence[BackupSource]) -> TenantRestore:
        if self._other:
            raise ArchiveError(f"The bytes of {self._other} are damaged")
        summary = member.json(TenantSummary)
        counts = {name: count for name, count in summary["records"].items() if count}
        there = (counts, summary["sha256"], summary["blobs"])
        if there != (self._counts, self._seen.hexdigest(), self._kept):
            raise ArchiveError(
                f"The records or the files of {self._tenant.name} are damaged: they differ from those that were written"
            )
        try:
            orphans = await remove_orphans(self._tenant)
            await remove_dangling_aliases(self._tenant)
            if summary.get("omitted") or summary.get("held"):
                await self._complete(bases)
            self._kept, self._size = self._kept + summary.get("held", 0), self._size + summary.get("held_bytes", 0)
            await self._tenant.prepare()
            await upgrade(database, self._tenant.name, state=RESTORING)
            await version_files.remove_orphans(self._tenant, now())
        except (DatabaseError, LookupError, TypeError, ValueError) as wrong:
            raise self._damaged(wrong, "what they name") from wrong
        await version_summaries.repair(self._tenant)
        ready = {"$set": {"state": "ready", "lastmod": now()}}
        await database.tenants.records.update_one({"_id": self._tenant.name, "state": RESTORING}, ready)
        return TenantRestore(self._tenant.name, sum(self._counts.values()), self._kept, self._size, orphans)

    async def _complete(self, bases: Sequence[BackupSource]) -> None:
        """Take the bytes that an increment leaves out from earlier backups. Raises RestoreError, ArchiveError."""
        missing = {digest async for digest in named_digests(self._tenant)} - self._lost
        missing = {digest for digest in missing if await self._blobs.size(digest) is None}
        lost: set[str] = set()  # bytes that an earlier backup did not have either
        for base in bases:
            if not missing:
                break
            with read(base) as archive:
                for member in archive.members:
                    match member.path:
                        case (self.source, "blobs", digest) if digest in missing:
                            blob = await self._blobs.put(member.chunks())
                            if blob.digest == digest:
                                missing.discard(digest)
                                self._kept, self._size = self._kept + 1, self._size + blob.size
                        case (self.source, "lost", digest):
                            lost.add(digest)
        if missing := missing - lost:
            raise RestoreError(
                f"{len(missing)} files of {self.source} are in none of the backups, {min(missing)} for example: "
                "give each backup that this one continues with --base"
            )

    def _damaged(self, wrong: Exception, where: str) -> Exception:
        if isinstance(wrong, UNAVAILABLE):
            return DatabaseUnavailable("The database does not answer: start the restore again when it does")
        return ArchiveError(f"The records of {self._tenant.name} are damaged ({where}, {type(wrong).__name__})")

"""Restoring a backup, onto this database and this storage: whatever they are, and whatever the backup came from."""

import re
from collections.abc import Callable, Collection
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import bson
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from catalog.blobs.protocol import Storage, is_digest
from catalog.domain.tenants.tenants import NAME, RESERVED, new_generation
from catalog.operations.archive import BadArchive, Member, read
from catalog.store.database import UNAVAILABLE, Database, DatabaseError, Duplicate, Tenant
from catalog.store.documents import RegisteredTenant, now
from catalog.store.embedded.process import DatabaseUnavailable
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind

RESTORING = "restoring"
"""The state of a tenant that nobody sees yet. What a killed restore left in it is cleared by the next one."""

BATCH = 1000

SMALLEST = 5
"""Bytes of an empty document."""

COLLECTION = re.compile("[A-Za-z][A-Za-z0-9_-]{0,99}")


class CannotRestore(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """Says what is in the way, and what to do."""


class Restored(NamedTuple):
    tenant: str
    records: int
    blobs: int
    size: int  # bytes of the blobs
    orphans: int  # versions that were left out, because the item they belong to had gone while the backup was made
    was_there: bool = False  # brought back by an earlier restore of this backup, which was stopped later


async def restore(
    database: Database,
    storage: Storage,
    file: Path,
    wanted: Collection[str],
    tell: Callable[[Restored], None],
    *,
    name: str = "",
) -> None:
    """Bring the `wanted` tenants (none: all) of a backup back, one after the other, each whole or not at all.

    `name` is another name for the only one that is wanted, which its database bears, too. A tenant that an earlier
    restore of the same backup brought back before it was stopped is left as it is.

    Raises CannotRestore for a tenant that is there already or a name that is not in the backup; BadArchive;
    StorageUnavailableError; OSError.
    """
    begun: dict[str, str] = {}  # what each tenant of the backup is called here
    with read(file) as archive:
        coming: Coming | Present | None = None
        for member in archive.members:
            tenant, *path = member.path
            if wanted and tenant not in wanted:
                continue
            if path == ["tenant.bson"]:
                if coming or tenant in begun:
                    raise BadArchive(
                        f"{file} has {member.name} where it cannot be: a tenant has not ended, or comes twice"
                    )
                record = _record(tenant, member.whole())
                begun[tenant] = name or tenant
                coming = await _begun(database, storage, record, name, archive.identity)
            elif coming is None or coming.source != tenant:
                raise BadArchive(f"{file} has {member.name} where a tenant should begin")
            elif path == ["end.json"]:
                tell(await coming.ended(database, member))
                coming = None
            else:
                await coming.take(path, member)
        if coming:
            raise BadArchive(f"{file} lacks the end of {coming.source}")
    # Only what is left half-way is gone on with.
    done = {"_id": {"$in": list(begun.values())}, "restored_from": archive.identity}
    await database.tenants.raw.update_many(done, {"$unset": {"restored_from": ""}})
    if left := set(wanted) - begun.keys():
        raise CannotRestore(f"{file} has no tenant {', '.join(sorted(left))}")


def _record(tenant: str, content: bytes) -> Raw:
    try:
        record: Raw = bson.decode(content, CodecOptions(tz_aware=True))
        RegisteredTenant(**record | {"id": record["_id"]})
    except (BSONError, KeyError, ValueError) as wrong:
        raise BadArchive(f"The record of {tenant} in the backup is damaged") from wrong
    if record["_id"] != tenant:
        raise BadArchive(f"The record of {tenant} in the backup is one of {record['_id']}")
    return record


async def _begun(database: Database, storage: Storage, record: Raw, name: str, identity: str) -> "Coming | Present":
    source = record["_id"]
    if name:
        record |= {"_id": name, "database": name}
    for each in (record["_id"], record["database"]):
        refuse_name(database, each)
    again = {"id": record["_id"], "state": RESTORING, "restored_from": identity, "generation": new_generation()}
    fresh = RegisteredTenant(**record | again | {"lastmod": now()})
    known: Raw | None = await database.tenants.raw.find_one(
        {"_id": fresh.id}, {"state": 1, "restored_from": 1, "database": 1}
    )
    if known and known["state"] == "ready" and known.get("restored_from") == identity:
        return Present(source, fresh.id)
    if known and known["state"] == RESTORING:
        await database.drop(known["database"])
        await storage.forget(fresh.id)
        await database.tenants.raw.delete_one({"_id": fresh.id, "state": RESTORING})
    try:
        await database.tenants.insert(fresh)
    except Duplicate:
        raise CannotRestore(
            f"There is a tenant {fresh.id} already, or one with its database {fresh.database}: "
            "remove it first, or restore under another name with --as"
        ) from None
    if await database.holds(fresh.database):
        await database.tenants.raw.delete_one({"_id": fresh.id, "state": RESTORING})
        raise CannotRestore(
            f"There is a database {fresh.database} already, with something in it: restore under another name with --as"
        )
    return Coming(source, database.tenant(fresh), storage)


def refuse_name(database: Database, name: str) -> None:
    """Raises CannotRestore for what neither a tenant nor its database may be called."""
    if not NAME.fullmatch(name) or name.lower() in RESERVED | {database.catalogue.lower()}:
        raise CannotRestore(f"{name} cannot be the name of a tenant or of its database")


class Present(NamedTuple):
    """A tenant that is back already. What the archive has of it is passed over."""

    source: str
    tenant: str

    async def take(self, path: list[str], member: Member) -> None:
        """Nothing of it is needed."""

    async def ended(self, _: Database, __: Member) -> Restored:
        return Restored(self.tenant, 0, 0, 0, 0, was_there=True)


class Coming:
    """A tenant on its way out of the archive, where it is called `source`."""

    def __init__(self, source: str, tenant: Tenant, storage: Storage) -> None:
        self.source = source
        self._tenant = tenant
        self._blobs = storage.of(tenant.name)
        self._counts: dict[str, int] = {}
        self._seen = sha256()
        self._kept = 0
        self._size = 0

    async def take(self, path: list[str], member: Member) -> None:
        match path:
            case ["records", collection, _] if COLLECTION.fullmatch(collection):
                await self._records(collection, member)
            case ["blobs", digest] if is_digest(digest):
                await self._blob(digest, member)
            case _:
                raise BadArchive(f"{member.name} has no place in a backup")

    async def _records(self, collection: str, member: Member) -> None:
        part = member.whole()
        self._seen.update(part)
        try:
            documents = [RawBSONDocument(each) for each in _documents(part)]
            for start in range(0, len(documents), BATCH):
                await self._tenant.database[collection].insert_many(documents[start : start + BATCH], ordered=False)
        except (BSONError, DatabaseError, ValueError) as wrong:
            raise self._damaged(wrong, member.name) from wrong
        self._counts[collection] = self._counts.get(collection, 0) + len(documents)

    async def _blob(self, digest: str, member: Member) -> None:
        blob = await self._blobs.put(member.chunks())
        if blob.digest != digest:
            raise BadArchive(f"The bytes of {digest} are damaged: they are {blob.digest}")
        self._kept, self._size = self._kept + 1, self._size + blob.size

    async def ended(self, database: Database, member: Member) -> Restored:
        told = member.told()
        counts = told.get("records")
        if not isinstance(counts, dict):
            raise BadArchive(f"{member.name} in the backup is damaged: it does not count records")
        counts = {name: count for name, count in counts.items() if count}
        there = (counts, told.get("sha256"), told.get("blobs"))
        if there != (self._counts, self._seen.hexdigest(), self._kept):
            raise BadArchive(
                f"The records or the files of {self._tenant.name} are damaged: they are not those that were kept"
            )
        try:
            orphans = await _without_orphans(self._tenant)
            await self._tenant.prepare()
        except (DatabaseError, LookupError, TypeError, ValueError) as wrong:
            raise self._damaged(wrong, "what they name") from wrong
        ready = {"$set": {"state": "ready", "lastmod": now()}}
        await database.tenants.raw.update_one({"_id": self._tenant.name, "state": RESTORING}, ready)
        return Restored(self._tenant.name, sum(self._counts.values()), self._kept, self._size, orphans)

    def _damaged(self, wrong: Exception, where: str) -> Exception:
        if isinstance(wrong, UNAVAILABLE):
            return DatabaseUnavailable("The database does not answer: start the restore again when it does")
        return BadArchive(f"The records of {self._tenant.name} are damaged ({where}, {type(wrong).__name__})")


def _documents(part: bytes) -> list[bytes]:
    """Each document begins with its length: https://bsonspec.org. Raises ValueError."""
    found, start = [], 0
    while start < len(part):
        length = int.from_bytes(part[start : start + 4], "little")
        if length < SMALLEST or start + length > len(part):
            raise ValueError("a document is cut off")
        found.append(part[start : start + length])
        start += length
    return found


async def _without_orphans(tenant: Tenant) -> int:
    """Remove versions whose item is neither there nor in the trash, and say how many there were."""
    removed = 0
    async for group in tenant.versions.raw.aggregate([{"$group": {"_id": {"item": "$item", "kind": "$kind"}}}]):
        item, kind = group["_id"]["item"], Kind(group["_id"]["kind"])
        there = await tenant.items(kind).raw.find_one({"_id": item}, {"_id": 1})
        if there is None and await tenant.trash.raw.find_one({"_id": item}, {"_id": 1}) is None:
            removed += (await tenant.versions.raw.delete_many({"item": item})).deleted_count
    return removed

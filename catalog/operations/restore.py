"""Restoring a backup, onto this database and this storage: whatever they are, and whatever the backup came from."""

from collections.abc import Callable, Collection
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import bson
from bson.raw_bson import RawBSONDocument

from catalog.blobs import Storage
from catalog.domain.tenants import NAME, RESERVED
from catalog.operations.archive import BadArchive, Member, read
from catalog.store.database import Database, Duplicate, Tenant
from catalog.store.documents import TenantRecord, now
from catalog.store.seam import Raw
from catalog.vocabulary import Kind

RESTORING = "restoring"
"""The state of a tenant that nobody sees yet. What a killed restore left in it is cleared by the next one."""

BATCH = 1000


class CannotRestore(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """Says what is in the way, and what to do."""


class Restored(NamedTuple):
    tenant: str
    records: int
    blobs: int
    size: int  # bytes of the blobs
    orphans: int  # versions that were left out, because the item they belong to had gone while the backup was made


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

    `name` is another name for the only one that is wanted, which its database bears, too.

    Raises CannotRestore for a tenant that is there already or a name that is not in the backup; BadArchive; OSError.
    """
    left = set(wanted)
    with read(file) as members:
        coming: Coming | None = None
        for member in members:
            tenant, *path = member.path
            if wanted and tenant not in wanted:
                continue
            if path == ["tenant.bson"]:
                left.discard(tenant)
                coming = Coming(await _begun(database, storage, bson.decode(member.whole()), name), storage)
            elif coming is None:
                raise BadArchive(f"{file} has {'/'.join(member.path)} where a tenant should begin")
            elif path == ["end.json"]:
                tell(await coming.ended(database, member.told()))
            else:
                await coming.take(path, member)
    if left:
        raise CannotRestore(f"{file} has no tenant {', '.join(sorted(left))}")


async def _begun(database: Database, storage: Storage, record: Raw, name: str) -> Tenant:
    if name:
        record |= {"_id": name, "database": name}
    for each in (record["_id"], record["database"]):
        refuse_name(database, each)
    fresh = TenantRecord(**record | {"id": record["_id"], "state": RESTORING, "lastmod": now()})
    killed = await database.tenants.raw.find_one({"_id": fresh.id, "state": RESTORING})
    if killed is not None:
        await database.drop(killed["database"])
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
    return database.tenant(fresh)


def refuse_name(database: Database, name: str) -> None:
    """Raises CannotRestore for what neither a tenant nor its database may be called."""
    if not NAME.fullmatch(name) or name.lower() in RESERVED | {database.catalogue.lower()}:
        raise CannotRestore(f"{name} cannot be the name of a tenant or of its database")


class Coming:
    """A tenant on its way out of the archive."""

    def __init__(self, tenant: Tenant, storage: Storage) -> None:
        self._tenant = tenant
        self._blobs = storage.of(tenant.name)
        self._counts: dict[str, int] = {}
        self._seen = sha256()
        self._kept = 0
        self._size = 0

    async def take(self, path: list[str], member: Member) -> None:
        match path:
            case ["records", collection, _]:
                await self._records(collection, member.whole())
            case ["blobs", digest]:
                await self._blob(digest, member)
            case _:
                raise BadArchive(f"{'/'.join(member.path)} has no place in a backup")

    async def _records(self, collection: str, part: bytes) -> None:
        self._seen.update(part)
        documents = [RawBSONDocument(each) for each in _documents(part)]
        self._counts[collection] = self._counts.get(collection, 0) + len(documents)
        for start in range(0, len(documents), BATCH):
            await self._tenant.database[collection].insert_many(documents[start : start + BATCH], ordered=False)

    async def _blob(self, digest: str, member: Member) -> None:
        blob = await self._blobs.put(member.chunks())
        if blob.digest != digest:
            raise BadArchive(f"The bytes of {digest} are damaged: they are {blob.digest}")
        self._kept, self._size = self._kept + 1, self._size + blob.size

    async def ended(self, database: Database, told: Any) -> Restored:
        counts = {name: count for name, count in told["records"].items() if count}
        if (counts, told["sha256"], told["blobs"]) != (self._counts, self._seen.hexdigest(), self._kept):
            raise BadArchive(f"The records of {self._tenant.name} are damaged")
        orphans = await _without_orphans(self._tenant)
        await self._tenant.prepare()
        ready = {"$set": {"state": "ready", "lastmod": now()}}
        await database.tenants.raw.update_one({"_id": self._tenant.name, "state": RESTORING}, ready)
        return Restored(self._tenant.name, sum(self._counts.values()), self._kept, self._size, orphans)


def _documents(part: bytes) -> list[bytes]:
    """Each document begins with its length: https://bsonspec.org."""
    found, start = [], 0
    while start < len(part):
        length = int.from_bytes(part[start : start + 4], "little")
        found.append(part[start : start + length])
        start += max(length, 4)
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

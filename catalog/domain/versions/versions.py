"""Versions: an item's files, numbered. The bytes are safe before a record points at them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import NamedTuple, Protocol

from bson import ObjectId
from pymongo import DESCENDING, ReturnDocument

from catalog.blobs.protocol import Blob, Blobs, FileHead
from catalog.domain.access import Caller, changeable_by, may_change
from catalog.domain.files import acceptance, blob_records
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.errors import CANNOT_MODIFY, NOT_CREATED, NOT_FOUND, QUARANTINED, VERSION_DRAFT, Refused
from catalog.inspection.inspector import holds_back
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import Pair, Version, now
from catalog.store.records import ItemRecord
from catalog.store.tenant_documents import Raw
from catalog.vocabulary import Kind, VersionState

LONGEST_ORDINAL = 128
LONGEST_NUMBER = 9
"""Digits of an ordinal that still counts as a number; more are a label."""


NEWEST = [("number", DESCENDING)]


class Upload(Protocol):
    """One file on its way in. Nothing is read from the client before `open`."""

    digest: str
    """The client's own SHA-256 of the bytes, in hex, or nothing."""

    announced: int
    """How many bytes the client says will come, at least; 0 when it does not say."""

    async def open(self) -> FileHead: ...

    def chunks(self) -> AsyncIterator[bytes]: ...

    @property
    def description(self) -> str:
        """Complete once `chunks` has ended."""
        ...


class Told(NamedTuple):
    """What the client says of a version, beside its files."""

    ordinal: str = ""
    description: str = ""
    metadata: Sequence[Pair] = ()


NOTHING_TOLD = Told()


# A version is made in three steps: `prepare` before a byte is read, `receive`, `finish`. Whoever gets the
# bytes in another way than in one piece does the second step himself.


async def add(
    tenant: Tenant, kind: Kind, key: str, upload: Upload, caller: Caller, blobs: Blobs, *, ordinal: str = ""
) -> ItemRecord:
    """Keep a file as the next version of an item, and return the item.

    Without an `ordinal` it is the highest number that ever was one, plus 1.

    Raises Refused: what `prepare`, `receive` and `finish` raise, and what `upload` does.
    """
    item = await prepare(tenant, kind, key, caller, ordinal)
    await blob_records.refuse_over_quota(tenant, upload.announced)
    head = await upload.open()
    blob = await receive(tenant, upload, blobs)
    told = Told(ordinal, upload.description)
    return await finish(tenant, kind, item, head, blob, caller, blobs, told)


async def prepare(tenant: Tenant, kind: Kind, key: str, caller: Caller, ordinal: str = "") -> ItemRecord:
    """The item that is to get a version, before anything of it is read.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED for an ordinal that is taken or that no address can hold.
    """
    item = await items.changeable(caller, kind, Reference(key))
    await _refuse_ordinal(tenant, item["_id"], ordinal)
    return item


async def receive(tenant: Tenant, upload: Upload, blobs: Blobs) -> Blob:
    """Keep an upload's bytes. No version names them yet.

    Raises Refused: QUOTA_EXCEEDED, DIGEST_MISMATCH, STORAGE_FULL, NOT_FOUND, and what `upload` raises.
    """
    async with aclosing(blob_records.within_quota(tenant, upload.chunks(), upload.announced)) as chunks:
        return await acceptance.put(blobs, chunks, upload.digest)


async def finish(
    tenant: Tenant,
    kind: Kind,
    item: ItemRecord,
    head: FileHead,
    blob: Blob,
    caller: Caller,
    blobs: Blobs,
    told: Told = NOTHING_TOLD,
    *,
    identity: ObjectId | None = None,
) -> ItemRecord:
    """Make bytes that are kept the next version of an item, and return the item.

    With an `identity` it is made once, however often this is asked for.

    Raises Refused: NOT_CREATED for an ordinal that is taken by now, NOT_FOUND for an item that is gone by now,
    QUOTA_EXCEEDED, UNSAFE_FILE, BUSY.
    """
    inspection = await acceptance.look(tenant, blobs, head, blob)
    version = Version(
        id=identity,
        item=item["_id"],
        kind=kind,
        number=0,
        ordinal=told.ordinal,
        ordinal_key="",  # with the number, see `record`
        files=[acceptance.kept_file(head, blob)],
        original=head.name,
        size=blob.size,
        digest=blob.digest,
        description=told.description,
        metadata=list(told.metadata),
        state=acceptance.state(tenant, held=holds_back(inspection)),
        inspection=dict(inspection),
        owner=caller.user,
    )
    return await record(tenant, version, caller)


async def record(tenant: Tenant, version: Version, caller: Caller) -> ItemRecord:
    """Write a version under the next number, with the next ordinal if it has none, and return its item.

    Raises Refused: NOT_CREATED for an ordinal that is taken, NOT_FOUND when the item is gone, CANNOT_MODIFY when it is
    somebody else's by now.
    """
    # The bytes are safe before anything points at them. A crash between the two
    # leaves a blob nobody names, which a sweep removes; never a version without bytes.
    ordinal = version.ordinal
    while True:
        version.number, version.ordinal = await _next_number(tenant, version.kind, version.item, ordinal, caller)
        version.ordinal_key = version.ordinal.casefold()
        try:
            await tenant.versions.insert(version)  # the unique index decides, not a look beforehand
            break
        except Duplicate:
            if version.id and await tenant.versions.raw.find_one({"_id": version.id}, {"_id": 1}):
                break
            if ordinal:
                raise _taken(ordinal) from None

    # The item's revision counts on only now: who sees the new one sees the version too. Its highest number is told
    # again, because the item may have been in the trash and back in between, as it was before.
    item = await touched(tenant, version.kind, version.item, version.number)
    if item is None:
        # Whoever removes the item removes its versions next. If that went by between our look and our write,
        # this version is what it missed.
        await tenant.versions.raw.delete_one({"_id": version.id})
        raise Refused(NOT_FOUND, str(version.item))
    return item


async def touched(tenant: Tenant, kind: Kind, item: ObjectId, number: int = 0) -> ItemRecord | None:
    """The item, after a change of its versions: what was seen of it before is stale. None when it is gone."""
    change = {"$inc": {"revision": 1}, "$set": {"lastmod": now()}, "$max": {"last_version": number}}
    return await tenant.items(kind).records.find_one_and_update(
        {"_id": item}, change, return_document=ReturnDocument.AFTER
    )


async def read(tenant: Tenant, kind: Kind, key: str, which: str, caller: Caller) -> Raw:
    """The version of an item whose ordinal is `which`, else the newest whose file is named so.

    Raises Refused: NOT_FOUND, CANNOT_READ.
    """
    return await find(tenant, await items.read(caller, kind, Reference(key)), which, caller)


async def openable(tenant: Tenant, kind: Kind, key: str, which: str, caller: Caller) -> Raw:
    """The version, for somebody who may have its bytes.

    Raises Refused: NOT_FOUND, CANNOT_READ, QUARANTINED.
    """
    version = await read(tenant, kind, key, which, caller)
    refuse_quarantined(version, caller)
    return version


async def verify(
    tenant: Tenant, kind: Kind, key: str, which: str, caller: Caller, blobs: Blobs
) -> list[tuple[Raw, blob_records.Condition]]:
    """Read all bytes of a version in the storage. Each of its files, with what became of its bytes, which is noted.

    Raises Refused: what `openable` raises.
    """
    version = await openable(tenant, kind, key, which, caller)
    return [
        (file, await blob_records.verify(tenant, blobs, Blob(file["digest"], file["size"])))
        for file in version["files"]
    ]


def refuse_quarantined(version: Raw, caller: Caller) -> None:
    """Raises Refused: QUARANTINED, unless for an administrator."""
    if version["state"] == VersionState.QUARANTINED and not caller.is_admin:
        raise Refused(QUARANTINED, version["ordinal"])


def refuse_draft(version: Raw) -> None:
    """Raises Refused: VERSION_DRAFT."""
    if version["state"] == VersionState.DRAFT:
        raise Refused(VERSION_DRAFT, version["ordinal"])


async def remove(tenant: Tenant, kind: Kind, key: str, which: str, caller: Caller) -> ItemRecord:
    """Remove a version, and return its item. The bytes are left to the sweep: others may name them too.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY.
    """
    item = await items.changeable(caller, kind, Reference(key))
    version = await find(tenant, item, which, caller)
    removed = await tenant.versions.raw.delete_one({"_id": version["_id"]})
    if not removed.deleted_count:
        raise Refused(NOT_FOUND, which)
    return await touched(tenant, kind, item["_id"]) or item


def seen_by(caller: Caller, item: ItemRecord) -> Raw:
    """The filter of an item's versions that the caller sees: drafts are for whoever may change the item."""
    mine = {"item": item["_id"]}
    return mine if may_change(caller, item) else mine | {"state": {"$ne": VersionState.DRAFT.value}}


async def find(tenant: Tenant, item: ItemRecord, which: str, caller: Caller) -> Raw:
    """Raises Refused: NOT_FOUND."""
    collection = tenant.versions.raw
    # What an index answers stands alone: beside other conditions the embedded engine reads all versions (0.6 s for
    # 10 000 of them, where this takes 4 ms).
    found: Raw | None = await collection.find_one({"item": item["_id"], "ordinal_key": which.casefold()})
    if found is None or (found["state"] == VersionState.DRAFT and not may_change(caller, item)):
        found = await _newest_named(tenant, item, which)
    if found is None:
        raise Refused(NOT_FOUND, which)
    return found


async def _newest_named(tenant: Tenant, item: ItemRecord, name: str) -> Raw | None:
    """The newest version of one file that is called so. The files of a folder do not stand for it."""
    named = {"item": item["_id"], "original": name}
    found: Raw | None = await tenant.versions.raw.find_one(named, sort=NEWEST)
    return found


async def _refuse_ordinal(tenant: Tenant, item: ObjectId, ordinal: str) -> None:
    """Spare the client an upload that cannot end well."""
    stands_in_a_path = ordinal.isprintable() and "/" not in ordinal and ordinal not in {".", ".."}
    if len(ordinal) > LONGEST_ORDINAL or not stands_in_a_path:
        raise Refused(
            NOT_CREATED, f"ordinal: at most {LONGEST_ORDINAL} printable characters, without a slash, not . or .."
        )
    taken = ordinal and await tenant.versions.raw.find_one(
        {"item": item, "ordinal_key": ordinal.casefold()}, {"_id": 1}
    )
    if taken:
        raise _taken(ordinal)


def _taken(ordinal: str) -> Refused:
    return Refused(
        NOT_CREATED,
        f"Ordinal value duplicated: {ordinal} , Please choose another value or let default incremental choice",
    )


async def _next_number(tenant: Tenant, kind: Kind, item: ObjectId, ordinal: str, caller: Caller) -> tuple[int, str]:
    """A number that no version of the item had before, and `ordinal`, by default the highest that was a number, plus 1.

    An ordinal that is a higher number is the version's number, too. `last_ordinal` of the item is the highest ordinal
    that was a number, where that is not `last_version`.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY.
    """
    collection, changeable = tenant.items(kind).raw, {"_id": item, **changeable_by(caller)}
    if not ordinal:
        counted: Raw | None = await collection.find_one_and_update(
            {**changeable, "last_ordinal": None},
            {"$inc": {"last_version": 1}},
            {"last_version": 1},
            return_document=ReturnDocument.AFTER,
        )
        if counted is not None:
            return int(counted["last_version"]), str(counted["last_version"])
    while True:
        found: Raw | None = await collection.find_one({"_id": item}, {"owner": 1, "last_version": 1, "last_ordinal": 1})
        if found is None or not may_change(caller, found):
            raise Refused(CANNOT_MODIFY if found else NOT_FOUND, str(item))
        last, highest = int(found["last_version"]), found.get("last_ordinal")
        top = last if highest is None else int(highest)
        mine = ordinal or str(top + 1)
        # What was counted up is a number, however long: else a label of that name would be met again and again.
        is_number = not ordinal or (mine.isascii() and mine.isdigit() and len(mine) <= LONGEST_NUMBER)
        number, top = (max(last + 1, int(mine)), max(top, int(mine))) if is_number else (last + 1, top)
        differ = {"$set": {"last_version": number, "last_ordinal": top}}
        same = {"$set": {"last_version": number}, "$unset": {"last_ordinal": ""}}
        unchanged = {**changeable, "last_version": last, "last_ordinal": highest}
        if (await collection.update_one(unchanged, same if top == number else differ)).matched_count:
            return number, mine

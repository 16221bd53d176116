"""Versions: files under an item. The bytes are safe before a record points at them."""

import errno
from collections.abc import AsyncIterator
from typing import Any, Protocol

from bson import ObjectId
from pymongo import DESCENDING, ReturnDocument

from catalog.blobs import Blob, Blobs, FileHead
from catalog.domain import items
from catalog.domain.access import Caller
from catalog.errors import DIGEST_MISMATCH, NOT_CREATED, NOT_FOUND, STORAGE_FULL, Refused
from catalog.store.database import Duplicate, Tenant
from catalog.store.documents import File, Version, now
from catalog.store.seam import Raw
from catalog.vocabulary import Kind

LONGEST_ORDINAL = 128
LONGEST_NUMBER = 9
"""Digits of an ordinal that still counts as a number; more are a label."""

FULL = (errno.ENOSPC, errno.EDQUOT)


class Upload(Protocol):
    """One file on its way in. Nothing is read from the client before `open`."""

    digest: str
    """The client's own SHA-256 of the bytes, in hex, or nothing."""

    async def open(self) -> FileHead: ...

    def chunks(self) -> AsyncIterator[bytes]: ...

    @property
    def description(self) -> str:
        """Complete once `chunks` has ended."""
        ...


async def add(
    tenant: Tenant, kind: Kind, key: str, upload: Upload, caller: Caller, blobs: Blobs, *, ordinal: str = ""
) -> Raw:
    """Keep a file as the next version of an item, and return the item.

    Without an `ordinal` the version's number is its ordinal.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY, NOT_CREATED for an ordinal that is taken or a
    missing file, DIGEST_MISMATCH, STORAGE_FULL, and what `upload` raises.
    """
    item = await items.changeable(tenant, kind, key, caller)
    await _refuse_ordinal(tenant, item["_id"], ordinal)
    head = await upload.open()
    blob = await _kept(upload, blobs)

    # The bytes are safe before anything points at them. A crash between the two
    # leaves a blob nobody names, which a sweep removes; never a version without bytes.
    while True:
        number = await _next_number(tenant, kind, item["_id"], ordinal)
        version = _version(item, kind, number, ordinal or str(number), head, blob, upload.description, caller)
        try:
            await tenant.versions.insert(version)  # the unique index decides, not a look beforehand
            break
        except Duplicate:
            if ordinal:
                raise _taken(ordinal) from None

    # Whoever removes the item removes its versions next. If that went by between our look and our write,
    # this version is what it missed.
    updated: Raw | None = await tenant.items(kind).raw.find_one({"_id": item["_id"]})
    if updated is None:
        await tenant.versions.raw.delete_one({"_id": version.id})
        raise Refused(NOT_FOUND, key)
    return updated


async def read(tenant: Tenant, kind: Kind, key: str, which: str, caller: Caller) -> Raw:
    """The version of an item whose ordinal is `which`, else the newest whose file is named so.

    Raises Refused: NOT_FOUND, CANNOT_READ.
    """
    item = await items.read(tenant, kind, key, caller)
    return await _find(tenant, item["_id"], which)


async def remove(tenant: Tenant, kind: Kind, key: str, which: str, caller: Caller) -> Raw:
    """Remove a version, and return its item. The bytes are left to the sweep: others may name them too.

    Raises Refused: NOT_FOUND, CANNOT_MODIFY.
    """
    item = await items.changeable(tenant, kind, key, caller)
    version = await _find(tenant, item["_id"], which)
    removed = await tenant.versions.raw.delete_one({"_id": version["_id"]})
    if not removed.deleted_count:
        raise Refused(NOT_FOUND, which)
    touched: Raw | None = await tenant.items(kind).raw.find_one_and_update(
        {"_id": item["_id"]}, _touch(), return_document=ReturnDocument.AFTER
    )
    return touched or item


async def _kept(upload: Upload, blobs: Blobs) -> Blob:
    try:
        blob = await blobs.put(upload.chunks())
    except FileNotFoundError:
        raise Refused(NOT_FOUND, "the tenant was removed meanwhile") from None
    except OSError as failure:
        if failure.errno in FULL:
            raise Refused(STORAGE_FULL) from failure
        raise
    if upload.digest and upload.digest != blob.digest:
        raise Refused(DIGEST_MISMATCH, f"announced {upload.digest}, received {blob.digest}")
    return blob


async def _find(tenant: Tenant, item: ObjectId, which: str) -> Raw:
    collection = tenant.versions.raw
    found: Raw | None = await collection.find_one({"item": item, "ordinal_key": which.casefold()})
    if found is None:
        found = await collection.find_one({"item": item, "files.original": which}, sort=[("number", DESCENDING)])
    if found is None:
        raise Refused(NOT_FOUND, which)
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


async def _next_number(tenant: Tenant, kind: Kind, item: ObjectId, ordinal: str) -> int:
    """A number that no version of the item had before. An ordinal that is a higher number is taken at its word."""
    collection = tenant.items(kind).raw
    if ordinal.isascii() and ordinal.isdigit() and len(ordinal) <= LONGEST_NUMBER:
        number = int(ordinal)
        leap = {**_touch(), "$set": {"last_version": number, "lastmod": now()}}
        if (await collection.update_one({"_id": item, "last_version": {"$lt": number}}, leap)).matched_count:
            return number
    counted: Raw | None = await collection.find_one_and_update(
        {"_id": item}, _touch(last_version=1), return_document=ReturnDocument.AFTER
    )
    if counted is None:
        raise Refused(NOT_FOUND, str(item))
    return int(counted["last_version"])


def _touch(**counts: int) -> dict[str, Any]:
    """What a change of its versions does to an item: what was seen before is stale."""
    return {"$inc": {"revision": 1, **counts}, "$set": {"lastmod": now()}}


def _version(
    item: Raw, kind: Kind, number: int, ordinal: str, head: FileHead, blob: Blob, description: str, caller: Caller
) -> Version:
    file = File(
        original=head.name,
        digest=blob.digest,
        size=blob.size,
        mimetype=head.mimetype,
        encoding=head.encoding,
        path=head.name,
    )
    return Version(
        item=item["_id"],
        kind=kind,
        number=number,
        ordinal=ordinal,
        ordinal_key=ordinal.casefold(),
        files=[file],
        description=description,
        owner=caller.user,
    )

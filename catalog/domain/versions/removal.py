"""Removing a version, and the aliases that point to it. No alias ever points to a version that is gone.

Pointing an alias to a version has these steps: read the item; raise the version's `pins`; write on the item if its
revision is still the same. Removing a version has these: read the version; write on the item, which raises its
revision, if no alias points to the version; delete the version if its `pins` are still the same. Of the two one always
sees the other, and tries again: either the write of the alias fails, or the deletion.
"""

from collections.abc import Awaitable, Callable

from bson import ObjectId

from catalog.domain.access import Caller
from catalog.domain.tracking.removal import forget_version, refuse_served
from catalog.domain.versions.aliases import history, moves
from catalog.domain.versions.files import version_files
from catalog.errors import ALIASED, BUSY, NOT_FOUND, Refused
from catalog.store.clock import now
from catalog.store.concurrency.optimistic import ATTEMPTS, pause, revise
from catalog.store.records import Changes, ItemRecord, Query, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

ReadItem = Callable[[], Awaitable[ItemRecord | None]]


async def pin(tenant: Tenant, version: ObjectId, name: str) -> None:
    """Make a removal that is under way look again at what points to the version.

    Raises Refused: NOT_FOUND, with `name`, when the version is gone.
    """
    pinned = await tenant.versions.records.update_one({"_id": version}, {"$inc": {"pins": 1}})
    if not pinned.matched_count:
        raise Refused(NOT_FOUND, name)


async def drop(
    caller: Caller, version: VersionRecord, read: ReadItem, *, force: bool, with_aliases: bool = False
) -> None:
    """Remove a version: `with_aliases` also one that aliases point to, with `force` also one that a service serves.

    `read` reads its item. A service that comes to serve the version meanwhile raises its `pins`, so that the deletion
    fails and the services are asked again.

    Raises Refused: ALIASED, DEPLOYED, NOT_FOUND, BUSY; RecordGoneError when the item is gone.
    """
    found: VersionRecord | None = version
    for _ in range(ATTEMPTS):
        if found is None:
            raise Refused(NOT_FOUND, version["ordinal"])
        if not force:
            await refuse_served(caller.tenant, found)
        await _drop_aliases(caller, found, read, force=force or with_aliases)
        if await _delete(caller.tenant, found, {}):
            return
        await pause()
        found = await caller.tenant.versions.records.find_one({"_id": version["_id"]})
    raise Refused(BUSY, version["ordinal"])


async def drop_unless(
    tenant: Tenant, version: VersionRecord, read: ReadItem, is_needed: Callable[[VersionRecord], Awaitable[bool]]
) -> bool:
    """Remove a version that no alias points to, unless it is needed. False when it is kept, or gone already.

    `is_needed` is asked after `version` was read. What makes a version needed after that raises its `pins` or its
    revision, so that the deletion fails and `is_needed` is asked again.

    Raises Refused: BUSY; RecordGoneError when the item is gone.
    """

    async def untouched(item: ItemRecord) -> Changes:
        if moves.names_of(item, version["number"]):
            raise Refused(ALIASED, version["ordinal"])
        return {"lastmod": now(), **_removed(item, version)}

    found: VersionRecord | None = version
    for _ in range(ATTEMPTS):
        if found is None or await is_needed(found):
            return False
        try:
            await revise(tenant.items(Kind(version["kind"])).records, read, untouched)
        except Refused as refused:
            if refused.fault is ALIASED:
                return False
            raise
        if await _delete(tenant, found, {"revision": found["revision"]}):
            return True
        await pause()
        found = await tenant.versions.records.find_one({"_id": version["_id"]})
    raise Refused(BUSY, version["ordinal"])


async def _delete(tenant: Tenant, version: VersionRecord, same: Query) -> bool:
    """Remove the record of a version that nothing has pinned since it was read, and what belongs to it."""
    mine = {"_id": version["_id"], "pins": version.get("pins"), **same}
    if not (await tenant.versions.records.delete_one(mine)).deleted_count:
        return False
    await forget_version(tenant, version)
    if version["folder"]:
        await version_files.remove(tenant, [version["_id"]])
    return True


def _removed(item: ItemRecord, version: VersionRecord) -> Changes:
    """The fields of an item that keep the number of a removed version from being used again."""
    return {"last_removed": max(version["number"], item.get("last_removed") or 0)}


async def _drop_aliases(caller: Caller, version: VersionRecord, read: ReadItem, *, force: bool) -> None:
    """Raise the revision of the item, without aliases of the version. Raises Refused: ALIASED; RecordGoneError."""

    async def changes(item: ItemRecord) -> Changes:
        aliases = moves.names_of(item, version["number"])
        if aliases and not force:
            raise Refused(ALIASED, f"{version['ordinal']}: {', '.join(aliases)}")
        dropped = moves.dropped(item, aliases, caller.user) if aliases else {"lastmod": now()}
        return {**dropped, **_removed(item, version)}

    kind = Kind(version["kind"])
    changed = await revise(caller.tenant.items(kind).records, read, changes)
    await history.complete(caller, kind, changed.after)

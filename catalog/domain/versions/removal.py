"""Removing a version, and the aliases that point to it. No alias ever points to a version that is gone.

Pointing an alias to a version has these steps: read the item; raise the version's `pins`; write on the item if its
revision is still the same. Removing a version has these: read the version; write on the item, which raises its
revision, if no alias points to the version; delete the version if its `pins` are still the same. Of the two one always
sees the other, and tries again: either the write of the alias fails, or the deletion.
"""

from collections.abc import Awaitable, Callable

from catalog.domain.access import Caller
from catalog.domain.tracking.removal import forget_version
from catalog.domain.versions.aliases import history, moves
from catalog.domain.versions.files import version_files
from catalog.errors import ALIASED, BUSY, NOT_FOUND, Refused
from catalog.store.clock import now
from catalog.store.concurrency.optimistic import ATTEMPTS, pause, revise
from catalog.store.records import Changes, ItemRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

ReadItem = Callable[[], Awaitable[ItemRecord | None]]


async def pin(tenant: Tenant, version: VersionRecord) -> None:
    """Make a removal that is under way look at the aliases again. Raises Refused: NOT_FOUND when it is over."""
    pinned = await tenant.versions.records.update_one({"_id": version["_id"]}, {"$inc": {"pins": 1}})
    if not pinned.matched_count:
        raise Refused(NOT_FOUND, version["ordinal"])


async def drop(caller: Caller, version: VersionRecord, read: ReadItem, *, force: bool) -> None:
    """Remove a version; with `force` the aliases that point to it as well. `read` reads its item.

    Raises Refused: ALIASED without `force`, NOT_FOUND, BUSY; RecordGoneError when the item is gone.
    """
    records = caller.tenant.versions.records
    found: VersionRecord | None = version
    for _ in range(ATTEMPTS):
        if found is None:
            raise Refused(NOT_FOUND, version["ordinal"])
        await _drop_aliases(caller, found, read, force=force)
        if (await records.delete_one({"_id": found["_id"], "pins": found.get("pins")})).deleted_count:
            await forget_version(caller.tenant, found)
            if found["folder"]:
                await version_files.remove(caller.tenant, [found["_id"]])
            return
        await pause()
        found = await records.find_one({"_id": version["_id"]})
    raise Refused(BUSY, version["ordinal"])


async def _drop_aliases(caller: Caller, version: VersionRecord, read: ReadItem, *, force: bool) -> None:
    """Raise the revision of the item, without aliases of the version. Raises Refused: ALIASED; RecordGoneError."""

    async def changes(item: ItemRecord) -> Changes:
        aliases = moves.names_of(item, version["number"])
        if aliases and not force:
            raise Refused(ALIASED, f"{version['ordinal']}: {', '.join(aliases)}")
        return moves.dropped(item, aliases, caller.user) if aliases else {"lastmod": now()}

    kind = Kind(version["kind"])
    changed = await revise(caller.tenant.items(kind).records, read, changes)
    await history.complete(caller, kind, changed.after)

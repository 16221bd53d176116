"""What follows a change of a version on its item: a new revision, and a new summary of the versions.

The change of the version is written first. Then the item is read, then its versions, and the summary is written if the
item still has the revision that was read: of two changes the one that writes last has read what both changed. Changes
of one item that wait at the same time in a server share these commands.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, cast
from weakref import WeakValueDictionary

from bson import ObjectId

from catalog.store.clock import now
from catalog.store.concurrency.batches import Batches, Outcomes
from catalog.store.concurrency.optimistic import ATTEMPTS, pause
from catalog.store.derived import version_summaries
from catalog.store.derived.version_summaries import is_live
from catalog.store.documents.versions import VersionDocument
from catalog.store.records import Changes, ItemRecord, Query, SummaryRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import record_of
from catalog.vocabulary import Kind

READ = {"revision": 1, "last_version": 1}

SUMMARIZED = ("metadata", "stage", "archived", "state")
"""Fields of a version that the summary of its item is made of."""


class Addition(NamedTuple):
    version: VersionRecord
    item: ItemRecord  # when the version got its number


class ItemTouch(NamedTuple):
    number: int = 0  # a number that was used
    is_summarized: bool = True  # whether the summary may change
    addition: Addition | None = None


_batches: WeakValueDictionary[tuple[str, ObjectId], Batches[ItemTouch, ItemRecord | None]] = WeakValueDictionary()
"""Those that are written, by tenant and item."""


async def touch(tenant: Tenant, kind: Kind, item: ObjectId, *, is_summarized: bool = True) -> ItemRecord | None:
    """Follow a change of a version of an item, and return the item. None when it is gone."""
    return await _follow(tenant, kind, item, ItemTouch(is_summarized=is_summarized))


async def touch_added(tenant: Tenant, version: VersionDocument, item: ItemRecord) -> ItemRecord | None:
    """Follow the addition of a version, and return its item. `item` was read when the version got its number."""
    added = cast("VersionRecord", record_of(version))
    change = ItemTouch(version.number, is_live(added), Addition(added, item))
    return await _follow(tenant, version.kind, version.item, change)


async def _follow(tenant: Tenant, kind: Kind, item: ObjectId, change: ItemTouch) -> ItemRecord | None:
    key = (tenant.generation or tenant.name, item)
    batches = _batches.get(key)
    if batches is None:
        batches = _batches[key] = Batches(partial(_write_all, tenant.base, kind, item))
    return await batches.write(change)


async def _write_all(
    tenant: Tenant, kind: Kind, item: ObjectId, changes: Sequence[ItemTouch]
) -> Outcomes[ItemRecord | None]:
    number = max(change.number for change in changes)
    written: ItemRecord | None = None
    if not any(change.is_summarized for change in changes):
        written = await _raise_revision(tenant, kind, item, number)
    else:
        if len(changes) == 1 and (addition := changes[0].addition):
            # As long as this revision stands, the version is the newest one, and no version needs to be read.
            summary = version_summaries.with_newest(addition.item, addition.version)
            written = await _write(tenant, kind, item, number, summary, revision=addition.item["revision"])
        written = written or await _summarize(tenant, kind, item, number)
    return [written] * len(changes)


async def _summarize(tenant: Tenant, kind: Kind, item: ObjectId, number: int) -> ItemRecord | None:
    for _ in range(ATTEMPTS):
        found = await tenant.items(kind).records.find_one({"_id": item}, READ)
        if found is None:
            return None
        found["last_version"] = max(number, found.get("last_version", 0))
        summary = await version_summaries.of_item(tenant, found)
        if written := await _write(tenant, kind, item, number, summary, revision=found["revision"]):
            return written
        await pause()
    # Each of those who overtook the later attempts has read these changes, too.
    return await _raise_revision(tenant, kind, item, number)


async def summarize(tenant: Tenant, kind: Kind, item: ObjectId) -> None:
    """Write the summary of an item again if it is not right. Its revision stays."""
    for _ in range(ATTEMPTS):
        found = await tenant.items(kind).records.find_one({"_id": item})
        if found is None:
            return
        summary = await version_summaries.of_item(tenant, found)
        same: Query = {"_id": item, "revision": found["revision"]}
        if summary == version_summaries.summary_in(found) or await tenant.items(kind).modify(same, {"$set": summary}):
            return
        await pause()


async def _raise_revision(tenant: Tenant, kind: Kind, item: ObjectId, number: int) -> ItemRecord | None:
    return await tenant.items(kind).modify({"_id": item}, _raised(number))


async def _write(
    tenant: Tenant, kind: Kind, item: ObjectId, number: int, summary: SummaryRecord, *, revision: int
) -> ItemRecord | None:
    change = _raised(number)
    return await tenant.items(kind).modify(
        {"_id": item, "revision": revision}, change | {"$set": {**change["$set"], **summary}}
    )


def _raised(number: int) -> Changes:
    return {"$inc": {"revision": 1}, "$set": {"lastmod": now()}, "$max": {"last_version": number}}

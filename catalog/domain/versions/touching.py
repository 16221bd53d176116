"""Updates of an item after a change of one of its versions: a new revision, and a new summary of the versions.

The change of the version is written first. Then the item is read, then its versions, and the summary is written if the
item still has the revision that was read: of two changes the one that writes last has read what both changed. Changes
of one item that wait at the same time in a server share these commands.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

from bson import ObjectId

from catalog.domain.versions import numbering
from catalog.domain.versions.numbering import Used
from catalog.store.clock import now
from catalog.store.concurrency.batches import Batches, BatchesByKey, Outcomes
from catalog.store.concurrency.optimistic import ATTEMPTS, pause
from catalog.store.derived import version_summaries
from catalog.store.derived.version_summaries import is_live
from catalog.store.documents.versions import VersionDocument
from catalog.store.records import Changes, ItemRecord, Query, SummaryRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import record_of
from catalog.vocabulary import Kind

SUMMARIZED = ("metadata", "stage", "archived", "state")
"""Fields of a version that the summary of its item is made of."""


class Addition(NamedTuple):
    version: VersionRecord
    item: ItemRecord  # when the version got its number


class ItemTouch(NamedTuple):
    number: int = 0  # a number that was used
    is_summarized: bool = True  # whether the summary may change
    addition: Addition | None = None
    assumed: Used | None = None  # what the version took without being counted


Touches = Batches[ItemTouch, ItemRecord | None]

_batches = BatchesByKey[ItemTouch, ItemRecord | None]()


async def touch(tenant: Tenant, kind: Kind, item: ObjectId, *, is_summarized: bool = True) -> ItemRecord | None:
    """Follow a change of a version of an item, and return the item. None when it is gone, or was not summarized."""
    return await of_item(tenant, kind, item).write(ItemTouch(is_summarized=is_summarized))


async def touch_added(
    touches: Touches, version: VersionDocument, item: ItemRecord | None, assumed: Used | None = None
) -> ItemRecord | None:
    """Follow the addition of a version, and return its item. `item` was read when the version got its number.

    `touches` are those of the item, held since before that. Without the item its versions are read. `assumed` is what
    the version took without being counted.
    """
    added = cast("VersionRecord", record_of(version))
    addition = Addition(added, item) if item else None
    return await touches.write(ItemTouch(version.number, is_live(added), addition, assumed))


def of_item(tenant: Tenant, kind: Kind, item: ObjectId) -> Touches:
    """The touches of an item. As long as something holds them, they remember how additions have changed the item."""
    return _batches.of((tenant.identity, item), _ItemTouches(tenant.base, kind, item).write_all)


def are_held(tenant: Tenant, item: ObjectId) -> bool:
    """Whether this server is changing the versions of an item."""
    return (tenant.identity, item) in _batches


class _ItemTouches:
    """The touches of one item, while some are being written."""

    def __init__(self, tenant: Tenant, kind: Kind, item: ObjectId) -> None:
        self._tenant = tenant
        self._kind = kind
        self._item = item
        self._known: ItemRecord | None = None
        """The item as the last additions left it."""
        self._since = 0
        """The revision from which on these additions alone have changed the item."""

    async def write_all(self, changes: Sequence[ItemTouch]) -> Outcomes[ItemRecord | None]:
        number = max(change.number for change in changes)
        assumed = [change.assumed for change in changes if change.assumed]
        summarized = [change for change in changes if change.is_summarized]
        additions = [change.addition for change in summarized if change.addition]
        are_additions = len(additions) == len(summarized) and (not assumed or len(changes) == 1)
        self._known = await self._add(additions, number, assumed) if are_additions else None
        written = self._known
        if written is None and (summarized or assumed):
            written = self._known = await _summarize(self._tenant, self._kind, self._item, number, assumed)
            if written:  # what was numbered before other changes than additions may be among them
                self._since = written["revision"] - are_additions
        elif written is None:
            is_returned = any(change.addition for change in changes)
            written = await _raise_revision(self._tenant, self._kind, self._item, number, is_returned=is_returned)
        return [written] * len(changes)

    async def _add(self, additions: Sequence[Addition], number: int, assumed: Sequence[Used]) -> ItemRecord | None:
        """Write what new versions make of the summary, without reading a version. None when something else changed.

        As long as the item has the revision at which they got their numbers, or one that only additions have made of
        it, they are its newest versions.
        """
        if not additions:
            return None
        items = sorted((addition.item for addition in additions), key=lambda item: item["revision"])
        oldest, item = items[0]["revision"], items[-1]
        if self._known and self._since <= oldest and item["revision"] <= self._known["revision"]:
            item = self._known
        elif oldest == item["revision"]:
            self._since = oldest
        else:
            return None
        summary = version_summaries.with_added(item, [addition.version for addition in additions])
        return await _write(self._tenant, self._kind, item, number, summary, assumed)


async def _summarize(
    tenant: Tenant, kind: Kind, item: ObjectId, number: int, assumed: Sequence[Used]
) -> ItemRecord | None:
    for _ in range(ATTEMPTS):
        found: ItemRecord | None = await tenant.items(kind).records.find_one({"_id": item})
        if found is None:
            return None
        highest = cast("ItemRecord", {**found, "last_version": max(number, found.get("last_version", 0))})
        summary = await version_summaries.of_item(tenant, highest)
        if written := await _write(tenant, kind, found, number, summary, assumed):
            return written
        await pause()
    # The changes that overtook the later attempts came after this one: each has read it.
    return await _raise_revision(tenant, kind, item, number)


async def summarize(tenant: Tenant, kind: Kind, item: ObjectId) -> None:
    """Write the summary of an item again if it is not right. Its revision stays."""
    for _ in range(ATTEMPTS):
        found = await tenant.items(kind).records.find_one({"_id": item})
        if found is None:
            return
        summary = await version_summaries.of_item(tenant, found)
        if summary == version_summaries.summary_in(found):
            return
        same: Query = {"_id": item, "revision": found["revision"]}
        if (await tenant.items(kind).records.update_one(same, {"$set": summary})).matched_count:
            return
        await pause()


async def _raise_revision(
    tenant: Tenant, kind: Kind, item: ObjectId, number: int, *, is_returned: bool = True
) -> ItemRecord | None:
    if is_returned:
        return await tenant.items(kind).modify({"_id": item}, _raised(number))
    await tenant.items(kind).records.update_one({"_id": item}, _raised(number))
    return None


async def _write(
    tenant: Tenant, kind: Kind, item: ItemRecord, number: int, summary: SummaryRecord, assumed: Sequence[Used]
) -> ItemRecord | None:
    """Write a summary if the item is as it was read. The item as it is then, or None.

    Numbers are counted without a new revision: where some were assumed, none must have been counted since.
    """
    change = _raised(number)
    same: Query = {"_id": item["_id"], "revision": item["revision"]}
    counted = numbering.with_used(item, assumed) if assumed else {}
    if counted:
        same |= {field: item.get(field) for field in numbering.COUNTED}
        change = {**change, **counted, "$set": {**change["$set"], **counted["$set"]}}
        del change["$max"]
    change = {**change, "$set": {**change["$set"], **summary}}
    if not (await tenant.items(kind).records.update_one(same, change)).matched_count:
        return None
    highest = {"last_version": max(number, item.get("last_version", 0)), "revision": item["revision"] + 1}
    written = {**item, **highest, **change["$set"]}
    for field in change.get("$unset", ()):
        del written[field]
    return cast("ItemRecord", written)


def _raised(number: int) -> Changes:
    return {"$inc": {"revision": 1}, "$set": {"lastmod": now()}, "$max": {"last_version": number}}

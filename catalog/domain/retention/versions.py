"""Old versions of an item: the newest N stay, and every version that is needed.

The newest N are counted among versions that are neither drafts nor archived. Needed is a version

- to which an alias points,
- that a service serves whose desired state is deployed, or has deployed (a service without a version serves the
  newest one),
- that is pinned, or whose stage is `staging` or `production`,
- that another version names among its inputs, if the item of that version exists or is in the trash.

Drafts are left to the sweep. The bytes of a removed version are left to the sweep, too.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from math import inf
from time import monotonic

from catalog.domain.access import Caller, may_manage
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.retention import policies
from catalog.domain.tracking.removal import service_of
from catalog.domain.versions import removal
from catalog.domain.versions.touching import touch
from catalog.errors import CANNOT_MODIFY, Refused
from catalog.store.concurrency.optimistic import RecordGoneError
from catalog.store.query.paging.cursors import ASCENDING, DESCENDING
from catalog.store.records import ItemRecord, Query, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind, Stage, VersionState

MOST = 1000
"""How many versions one request removes or lists."""

SECONDS = 30.0
"""For how long one request looks for what it may remove."""

BATCH = 200
"""Versions that are read at once."""

COUNTED: Query = {"state": {"$ne": VersionState.DRAFT.value}, "archived": {"$ne": True}}

NEEDED_STAGES = (Stage.STAGING.value, Stage.PRODUCTION.value)

BRIEF = {"metadata": 0, "inspection": 0, "files": 0, "description": 0}


@dataclass(slots=True)
class PrunedItem:
    """The versions of an item that were removed, or would be, at most MOST. `is_cut`: there may be more."""

    item: ItemRecord
    keep: int  # 0: all
    versions: list[VersionRecord] = field(default_factory=list)
    is_cut: bool = False

    @property
    def size(self) -> int:
        """Bytes; the sweep frees those that no other version has."""
        return sum(version["size"] for version in self.versions)


async def prune(
    caller: Caller, kind: Kind, reference: Reference, *, keep: int | None = None, dry_run: bool = False
) -> PrunedItem:
    """Remove old versions of an item, at most MOST. Without `keep` the policy says how many of the newest are kept.

    Raises Refused: NOT_FOUND, AMBIGUOUS, CANNOT_MODIFY, BUSY.
    """
    item = await items.manageable(caller, kind, reference)
    number = await policies.kept_versions(caller.tenant, item["_id"]) if keep is None else keep
    until = monotonic() + SECONDS
    return await prune_item(caller.tenant, kind, item, number, manager=caller, until=until, dry_run=dry_run)


async def prune_item(
    tenant: Tenant,
    kind: Kind,
    item: ItemRecord,
    keep: int,
    *,
    manager: Caller | None = None,
    most: int = MOST,
    until: float = inf,
    dry_run: bool = False,
) -> PrunedItem:
    """Remove old versions of an item: at most `most`, and until that moment of the monotonic clock.

    A `manager` must still manage the item at each removal.

    Raises Refused: BUSY, CANNOT_MODIFY.
    """
    pruned = PrunedItem(item, keep)

    async def read() -> ItemRecord | None:
        found = await tenant.items(kind).records.find_one({"_id": item["_id"]})
        if found and manager and not may_manage(manager, found):
            raise Refused(CANNOT_MODIFY, item["name"])
        return found

    async def needed(version: VersionRecord) -> bool:
        return await is_needed(tenant, version)

    async for version in _old(tenant, item, keep):
        if len(pruned.versions) >= most or monotonic() >= until:
            pruned.is_cut = True
            break
        if dry_run:
            is_aliased = version["number"] in {alias["number"] for alias in item.get("aliases", ())}
            removed = not is_aliased and not await needed(version)
        else:
            try:
                removed = await removal.drop_unless(tenant, version, read, needed)
            except RecordGoneError:
                break
        if removed:
            pruned.versions.append(version)
    if pruned.versions and not dry_run:
        await touch(tenant, kind, item["_id"])
    return pruned


async def is_needed(tenant: Tenant, version: VersionRecord) -> bool:
    """Whether a version is needed for another reason than an alias."""
    if version.get("pinned") or version.get("stage") in NEEDED_STAGES:
        return True
    if await service_of(tenant, version):
        return True
    same = {"item": version["item"], "number": version["number"]}
    query: Query = {"inputs.item": version["item"], "inputs": {"$elemMatch": same}, "_id": {"$ne": version["_id"]}}
    return await tenant.versions.records.find_one(query, {"_id": 1}) is not None


async def _old(tenant: Tenant, item: ItemRecord, keep: int) -> AsyncIterator[VersionRecord]:
    """The versions that are older than the newest `keep`, the oldest first, in steps: a cursor ends while they go."""
    if not keep:
        return
    versions = tenant.versions.records
    counted = versions.find({"item": item["_id"], **COUNTED}, {"number": 1}).sort("number", DESCENDING)
    newest = await counted.skip(keep - 1).limit(1).to_list(1)
    if not newest:
        return
    last, below = 0, newest[0]["number"]
    while True:
        old: Query = {"item": item["_id"], "number": {"$gt": last, "$lt": below}}
        batch = await versions.find(old, BRIEF).sort("number", ASCENDING).limit(BATCH).to_list(BATCH)
        for version in batch:
            if version["state"] != VersionState.DRAFT:
                yield version
        if len(batch) < BATCH:
            return
        last = batch[-1]["number"]

"""Applying the policies of a tenant: to versions, trash, journal and terms. The sweep does so, under its lease."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from time import monotonic
from typing import NamedTuple

from bson import ObjectId

from catalog.domain import audit
from catalog.domain.access import Caller
from catalog.domain.items import trash
from catalog.domain.retention import policies
from catalog.domain.retention.policies import OF_TENANT, RetentionPolicy
from catalog.domain.retention.versions import MOST, SECONDS, PrunedItem, prune_item
from catalog.domain.terms import terms
from catalog.errors import ADMINISTRATORS_ONLY, Refused
from catalog.store.clock import now
from catalog.store.query.paging.cursors import ASCENDING, DESCENDING
from catalog.store.records import ItemRecord, Query, TrashRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind

BATCH = 500
"""Items that are read at once."""


class OldTrash(NamedTuple):
    """An item that leaves the trash for good."""

    entry: TrashRecord
    size: int  # bytes of its versions


@dataclass(slots=True)
class Applied:
    """What policies removed of a tenant, or would remove. Lists have at most MOST elements, counts have all."""

    pruned: list[PrunedItem] = field(default_factory=list)
    trash: list[OldTrash] = field(default_factory=list)
    versions: int = 0
    purged: int = 0
    entries: int = 0  # of the journal
    terms: int = 0  # unused ones, beyond those that the sweep removes anyway
    is_cut: bool = False  # the lists are not complete, or not everything was looked at


async def apply_for(caller: Caller, *, dry_run: bool) -> Applied:
    """Apply the policies of the caller's tenant now. Raises Refused: ADMINISTRATORS_ONLY."""
    if not caller.is_admin:
        raise Refused(ADMINISTRATORS_ONLY)
    return await apply(caller.tenant, dry_run=dry_run, most=MOST, until=monotonic() + SECONDS)


async def apply(tenant: Tenant, *, dry_run: bool = False, most: int | None = None, until: float = inf) -> Applied:
    """Apply all policies of a tenant. With `most`, at most so many versions and so many items of the trash.

    Work that remains at `until` (of the monotonic clock) is left to the sweep, which visits every item.

    Work that is interrupted is continued by the next run.
    """
    policy, applied = await policies.of_tenant(tenant), Applied()
    async for kind, item, keep in _items(tenant, policy):
        room = MOST if most is None else most - applied.versions
        pruned = await prune_item(tenant, kind, item, keep, most=room, until=until, dry_run=dry_run)
        while most is None and pruned.is_cut and not dry_run:
            _add(applied, pruned)
            pruned = await prune_item(tenant, kind, item, keep, most=room)
        _add(applied, pruned)
        if (most is not None and applied.versions >= most) or monotonic() >= until:
            applied.is_cut = True
            break
    await _purge(tenant, policy, applied, most, until, dry_run=dry_run)
    applied.entries = await _shorten_journal(tenant, policy, dry_run=dry_run)
    if policy.terms_days is not None:
        before = now() - timedelta(days=policy.terms_days)
        applied.terms = await terms.remove_unused(tenant, before, dry_run=dry_run)
    return applied


def _add(applied: Applied, pruned: PrunedItem) -> None:
    applied.versions += len(pruned.versions)
    if pruned.versions and sum(len(each.versions) for each in applied.pruned) < MOST:
        applied.pruned.append(pruned)
    applied.is_cut = applied.is_cut or pruned.is_cut


async def _items(tenant: Tenant, policy: RetentionPolicy) -> AsyncIterator[tuple[Kind, ItemRecord, int]]:
    """The items that may have too many versions, and how many each keeps."""
    own: dict[ObjectId, int] = {}
    async for record in tenant.retention.records.find({"_id": {"$ne": OF_TENANT}}):
        keep, kind = record.get("keep_versions"), record.get("kind")
        if keep is None or kind is None:
            continue
        item = ObjectId(record["_id"])
        own[item] = keep
        if keep and (found := await tenant.items(Kind(kind)).records.find_one({"_id": item})):
            yield Kind(kind), found, keep
    if not policy.keep_versions:
        return
    for kind in Kind:
        last: ObjectId | None = None
        while True:
            many: Query = {"last_version": {"$gt": policy.keep_versions}, **({"_id": {"$gt": last}} if last else {})}
            found_ = tenant.items(kind).records.find(many, {"metadata": 0}).sort("_id", ASCENDING).limit(BATCH)
            batch = await found_.to_list(BATCH)
            for each in batch:
                if each["_id"] not in own:
                    yield kind, each, policy.keep_versions
            if len(batch) < BATCH:
                break
            last = batch[-1]["_id"]


async def _purge(
    tenant: Tenant, policy: RetentionPolicy, applied: Applied, most: int | None, until: float, *, dry_run: bool
) -> None:
    """Purge what is in the trash for too long, and then the oldest until the rest is small enough."""
    if policy.trash_days is None and policy.trash_bytes is None:
        return
    old = await _old_trash(tenant, policy, applied, until)
    for each in old if most is None else old[-most:]:
        if monotonic() >= until:
            applied.is_cut = True
            break
        if not dry_run:
            await trash.purge_item(tenant, each.entry["_id"], each.entry["removal"])
        applied.purged += 1
        if len(applied.trash) < MOST:
            applied.trash.append(each)
    applied.is_cut = applied.is_cut or (most is not None and len(old) > most)


async def _old_trash(tenant: Tenant, policy: RetentionPolicy, applied: Applied, until: float) -> list[OldTrash]:
    """The entries of the trash that the policy does not keep, the newest first: the newest that fit together stay.

    It ends at `until`, and says in `applied` that it is cut.
    """
    before = None if policy.trash_days is None else now() - timedelta(days=policy.trash_days)
    left = 0
    entries = tenant.trash.records.find(trash.restorable(), {"kind": 1, "name": 1, "removed": 1, "removal": 1}).sort(
        [("removed", DESCENDING), ("_id", DESCENDING)]
    )
    old: list[OldTrash] = []
    for entry in await entries.to_list(None):
        if monotonic() >= until:
            applied.is_cut = True
            break
        size = await tenant.versions.total("size", {"item": entry["_id"]})
        left += size
        is_old = before is not None and entry["removed"] < before
        if is_old or (policy.trash_bytes is not None and left > policy.trash_bytes):
            old.append(OldTrash(entry, size))
    return old


async def _shorten_journal(tenant: Tenant, policy: RetentionPolicy, *, dry_run: bool) -> int:
    days = None if policy.log_days is None else timedelta(days=policy.log_days)
    if dry_run:
        return await audit.count_old(tenant, days, policy.log_bytes)
    removed = 0 if days is None else await audit.expire(tenant, days)
    return removed + (0 if policy.log_bytes is None else await audit.shrink(tenant, policy.log_bytes))

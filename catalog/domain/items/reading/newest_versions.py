"""The newest versions of items, and how many there are, at the same cost for ten versions and for 10 000.

The versions of an item that has many are read in windows of numbers, from the highest down, with no other condition:
the embedded engine reads all versions that an index does not exclude, and ignores the window beside other conditions.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from bson import ObjectId

from catalog.store.derived.version_summaries import highest_number
from catalog.store.query.paging.cursors import ASCENDING, DESCENDING
from catalog.store.records import ItemRecord, Query, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import VersionState

NEWEST = 100
"""How many versions an item shows. The rest is in the list of its versions."""

MOST_COUNTED = 400
"""Older versions than the newest are counted up to this number; of more their highest number is an estimate."""

AT_ONCE = 500
"""Versions of one query."""

SHOWN: Query = {"state": {"$ne": VersionState.DRAFT.value}}
"""Drafts are shown in the list of versions only, to users who may change the item."""

BRIEF = {"files": {"$slice": 1}, "inspection": 0}
"""An inspection may be long."""

STATES = {"number": 1, "state": 1}


class NewestVersions(NamedTuple):
    versions: Sequence[VersionRecord]  # oldest first
    total: int  # drafts aside
    is_exact: bool = True


def has_many(item: ItemRecord) -> bool:
    return item.get("last_version", 0) > NEWEST


async def of_items(tenant: Tenant, shown: Sequence[ItemRecord]) -> dict[ObjectId, NewestVersions]:
    few = [item["_id"] for item in shown if 0 < item["last_version"] <= NEWEST]
    versions: dict[ObjectId, list[VersionRecord]] = {item["_id"]: [] for item in shown}
    if few:
        found = tenant.versions.records.find({"item": {"$in": few}, **SHOWN}, BRIEF)
        async for version in found.sort([("item", ASCENDING), ("number", ASCENDING)]):
            versions[version["item"]].append(version)
    newest = {item: NewestVersions(found, len(found)) for item, found in versions.items()}
    for item in shown:
        if has_many(item):
            newest[item["_id"]] = await of_item(tenant, item)
    return newest


async def of_item(tenant: Tenant, item: ItemRecord) -> NewestVersions:
    """The newest versions of an item that has many."""
    found: list[VersionRecord] = []
    following = highest_number(item)  # after the loop the next lower number, 0 when all versions were read
    async for version in _walk(tenant, item["_id"], following, NEWEST, BRIEF):
        if version["state"] != VersionState.DRAFT:
            found.append(version)
        following = version["number"] - 1
        if len(found) == NEWEST:
            break
    else:
        following = 0
    total = len(found)
    if following > MOST_COUNTED:
        return NewestVersions(found[::-1], total + following, is_exact=False)
    if total == NEWEST:
        async for version in _walk(tenant, item["_id"], following, MOST_COUNTED, STATES):
            total += version["state"] != VersionState.DRAFT
    return NewestVersions(found[::-1], total)


async def _walk(
    tenant: Tenant, item: ObjectId, stop: int, width: int, fields: Mapping[str, object]
) -> AsyncIterator[VersionRecord]:
    """The versions up to the number `stop`, newest first. An ordinal such as 2026 makes a gap in the numbers."""
    while stop > 0:
        window: Query = {"item": item, "number": {"$gt": stop - width, "$lte": stop}}
        cursor = tenant.versions.records.find(window, fields).sort("number", DESCENDING).limit(AT_ONCE)
        found = await cursor.to_list(AT_ONCE)
        for version in found:
            yield version
        stop = found[-1]["number"] - 1 if len(found) == AT_ONCE else stop - width
        width *= 2

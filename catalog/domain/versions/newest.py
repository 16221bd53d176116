"""The newest version of each stage of an item. Drafts and archived versions do not count.

Most items have few versions, or a newest one without a stage. So the last WINDOW numbers are read first, of many items
in one command; only for a stage that is not among them an index is asked for its highest number.
"""

from collections.abc import Mapping, Sequence

from bson import ObjectId

from catalog.store.ids import any_of
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.query.totals import highest_number
from catalog.store.records import ItemRecord, Query, VersionRecord
from catalog.store.tenant import Tenant
from catalog.vocabulary import Stage, VersionState

WINDOW = 16

SHOWN: Query = {"state": {"$ne": VersionState.DRAFT.value}, "archived": {"$ne": True}}
BRIEF = {"inspection": 0}
PLACE = {"item": 1, "number": 1, "stage": 1, "state": 1, "archived": 1}
"""What says which version is the newest. The metadata of a version may have megabytes."""

NewestVersions = Mapping[ObjectId, Sequence[VersionRecord]]
"""By the id of the item: at most one version of each stage, by number, the highest first."""


async def newest_of_stages(tenant: Tenant, items: Sequence[ItemRecord]) -> NewestVersions:
    """The newest version of each stage, of each of the items."""
    few = [item for item in items if 0 < item.get("last_version", 0) <= WINDOW]
    found: dict[ObjectId, dict[str, VersionRecord]] = {item["_id"]: {} for item in items}
    if few:
        _add(found, await _read(tenant, {"item": any_of([item["_id"] for item in few])}))
    for item in items:
        last = item.get("last_version", 0)
        if last > WINDOW:
            _add(found, await _read(tenant, {"item": item["_id"], "number": {"$gt": last - WINDOW}}))
            _add(found, await _older(tenant, item["_id"], found[item["_id"]]))
    newest = [version["_id"] for of in found.values() for version in of.values()]
    whole = {version["_id"]: version for version in await _whole(tenant, newest)}
    return {
        item: [whole[each["_id"]] for each in sorted(of.values(), key=_highest_first) if each["_id"] in whole]
        for item, of in found.items()
    }


async def _read(tenant: Tenant, query: Query) -> list[VersionRecord]:
    found = await tenant.versions.records.find(query, PLACE).to_list(None)
    is_shown = [version for version in found if not version.get("archived") and version["state"] != VersionState.DRAFT]
    return sorted(is_shown, key=_highest_first)


async def _whole(tenant: Tenant, identities: Sequence[ObjectId]) -> list[VersionRecord]:
    if not identities:
        return []
    return await tenant.versions.records.find({"_id": any_of(identities)}, BRIEF).to_list(None)


def _highest_first(version: VersionRecord) -> int:
    return -version["number"]


def _add(found: dict[ObjectId, dict[str, VersionRecord]], versions: Sequence[VersionRecord]) -> None:
    for version in versions:  # the highest number first
        found[version["item"]].setdefault(version.get("stage", Stage.NONE), version)


async def _older(tenant: Tenant, item: ObjectId, known: Mapping[str, VersionRecord]) -> list[VersionRecord]:
    """The newest versions of the stages that are not known yet."""
    missing = [stage.value for stage in Stage if stage not in known]
    numbers: list[int] = []
    staged = [stage for stage in missing if stage != Stage.NONE]
    for stage in staged:
        number = await highest_number(tenant, {"item": item, "stage": stage}, SHOWN)
        numbers += [] if number is None else [number]
    if Stage.NONE.value in missing:
        found = tenant.versions.records.find({"item": item, "stage": Stage.NONE.value, **SHOWN}, {"number": 1})
        numbers += [each["number"] for each in await found.sort("number", DESCENDING).limit(1).to_list(1)]
    return await _read(tenant, {"item": item, "number": {"$in": numbers}}) if numbers else []

"""The newest version of each stage of an item. Drafts and archived versions do not count.

Most items have no version in a stage. Then the newest one is read at once, by the number that the item says. Of the
others the last WINDOW numbers are read first, of many items in one command; an index is asked for the highest number of
a stage only if the item says that a live version has it, and none of these does. (A version in quarantine is not live:
it counts if it is among the last WINDOW.)
"""

from collections.abc import Mapping, Sequence

from bson import ObjectId

from catalog.store.derived.version_summaries import is_live
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
    some = [item for item in items if item.get("last_version", 0)]
    if not some:
        return _Newest()
    newest = await _newest_alone(tenant, [item for item in some if _is_newest_alone(item)])
    rest = [item for item in some if item["_id"] not in newest]
    staged = await _of_stages(tenant, rest) if rest else {}
    return _Newest({**staged, **newest})


class _Newest(dict[ObjectId, Sequence[VersionRecord]]):
    def __missing__(self, _: ObjectId) -> Sequence[VersionRecord]:
        return ()


def _is_newest_alone(item: ItemRecord) -> bool:
    """Whether the highest number is that of a live version, and no live version has a stage."""
    latest = item.get("latest")
    return latest is not None and latest["number"] == item["last_version"] and not item.get("stages")


async def _newest_alone(tenant: Tenant, items: Sequence[ItemRecord]) -> NewestVersions:
    """The version of the highest number, of each item where it is the newest without a stage.

    It may be higher than the item says: a crash, or another server that is adding it, has not told the item yet.
    """
    records = tenant.versions.records
    if len(items) == 1:
        place: Query = {"item": items[0]["_id"]}
        one = await tenant.known.reads.find_highest(records, place, "number", items[0]["last_version"], BRIEF)
        found = [one] if one else []
    elif items:
        places: list[Query] = [{"item": each["_id"], "number": {"$gte": each["last_version"]}} for each in items]
        found = sorted(await records.find({"$or": places}, BRIEF).to_list(None), key=_highest_first, reverse=True)
    else:
        found = []
    highest = {version["item"]: version for version in found}
    return {
        item: [version]
        for item, version in highest.items()
        if is_live(version) and version.get("stage", Stage.NONE) == Stage.NONE
    }


async def _of_stages(tenant: Tenant, items: Sequence[ItemRecord]) -> NewestVersions:
    few = [item for item in items if item["last_version"] <= WINDOW]
    found: dict[ObjectId, dict[str, VersionRecord]] = {item["_id"]: {} for item in items}
    if few:
        _add(found, await _read(tenant, {"item": any_of([item["_id"] for item in few])}))
    for item in items:
        last = item["last_version"]
        if last > WINDOW:
            _add(found, await _read(tenant, {"item": item["_id"], "number": {"$gt": last - WINDOW}}))
            _add(found, await _older(tenant, item, found[item["_id"]]))
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


async def _older(tenant: Tenant, of: ItemRecord, known: Mapping[str, VersionRecord]) -> list[VersionRecord]:
    """The newest versions of the stages that are not known yet."""
    item = of["_id"]
    numbers: list[int] = []
    for stage in of.get("stages", ()):
        if stage not in known:
            number = await highest_number(tenant, {"item": item, "stage": stage}, SHOWN)
            numbers += [] if number is None else [number]
    if Stage.NONE not in known:
        found = tenant.versions.records.find({"item": item, "stage": Stage.NONE.value, **SHOWN}, {"number": 1})
        numbers += [each["number"] for each in await found.sort("number", DESCENDING).limit(1).to_list(1)]
    return await _read(tenant, {"item": item, "number": {"$in": numbers}}) if numbers else []

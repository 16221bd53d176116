"""The summary of its live versions in an item, by which lists of items filter and sort: `latest`, the metadata of the
newest one, and `stages`, the stages of all of them.

A version is live unless it is a draft, archived, or in quarantine. The summary is derived: a change of a version
writes it again on the revision of the item that was read before the versions were (see `domain.versions.touching`). A
crash between the two leaves an old one, which a repair writes again once a day.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from bson import ObjectId

from catalog.store.ids import any_of, in_parts
from catalog.store.migrations.walk import batches
from catalog.store.query.conditions import find_all
from catalog.store.query.paging.cursors import DESCENDING
from catalog.store.records import ItemRecord, LatestRecord, PairRecord, Query, SummaryRecord, VersionRecord
from catalog.store.tenant import Tenant
from catalog.store.tenant_documents import Update
from catalog.vocabulary import Kind, Stage, VersionState

FEW = 16
"""Versions of an item that are read at once with those of other items."""

AT_ONCE = 1000

LEFT = 1
"""By how much the number of a version that a crash has left may exceed the highest one that its item says (see
`domain.versions.numbering`)."""

LONGEST_TEXT = 256
"""Characters of a text of the metadata that the summary has: an item must fit into the database with its own."""

PLACE = {"item": 1, "number": 1, "stage": 1, "state": 1, "archived": 1}
LIVE: Query = {"state": VersionState.LIVE.value, "archived": {"$ne": True}}


def highest_number(item: ItemRecord) -> int:
    """The highest number that a version of an item may have; 0 for an item without versions."""
    last = item.get("last_version", 0)
    return last + LEFT if last else 0


def is_live(version: Mapping[str, object]) -> bool:
    return version["state"] == VersionState.LIVE and not version.get("archived")


def with_added(item: ItemRecord, versions: Sequence[VersionRecord]) -> SummaryRecord:
    """The summary of an item after versions were added, which are live."""
    newest = max(versions, key=lambda version: version["number"])
    latest = item.get("latest")
    is_newer = latest is None or newest["number"] > latest["number"]
    added = [version.get("stage", "") for version in versions]
    return {"latest": _latest(newest) if is_newer else latest, "stages": _stages([*item.get("stages", ()), *added])}


def summary_in(item: ItemRecord) -> SummaryRecord:
    """The summary that an item has."""
    return {"latest": item.get("latest"), "stages": item.get("stages", [])}


async def of_item(tenant: Tenant, item: ItemRecord) -> SummaryRecord:
    """The summary as the versions say."""
    return (await of_items(tenant, [item]))[item["_id"]]


async def of_items(tenant: Tenant, items: Sequence[ItemRecord]) -> dict[ObjectId, SummaryRecord]:
    """The summaries as the versions say. Of an item `last_version` is read."""
    stages: dict[ObjectId, Iterable[str]] = {}
    numbers: dict[ObjectId, int] = {}
    few = [item["_id"] for item in items if 0 < item.get("last_version", 0) <= FEW]
    for version in await _live(tenant, {"item": few[0] if len(few) == 1 else {"$in": few}}) if few else ():
        item = version["item"]
        stages[item] = [*stages.get(item, ()), version.get("stage", "")]
        numbers[item] = max(numbers.get(item, 0), version["number"])
    for each in items:
        if each.get("last_version", 0) > FEW:
            stages[each["_id"]] = await _stages_of_many(tenant, each["_id"])
            numbers[each["_id"]] = await newest_live(tenant, each)
    latest = {item: await _read_latest(tenant, item, number) for item, number in numbers.items() if number}
    return {
        each["_id"]: {"latest": latest.get(each["_id"]), "stages": _stages(stages.get(each["_id"], ()))}
        for each in items
    }


async def newest_live(tenant: Tenant, item: ItemRecord) -> int:
    """The number of the newest live version of an item; 0 when there is none.

    Numbers are searched in windows from the highest: the embedded engine reads all that it sorts. A number may be
    missing, and an ordinal such as 2026 makes a gap.
    """
    stop, width = highest_number(item), 2
    while stop > 0:
        window: Query = {"item": item["_id"], "number": {"$gt": stop - width, "$lte": stop}}
        cursor = tenant.versions.records.find(window, PLACE).sort("number", DESCENDING).limit(AT_ONCE)
        found = await cursor.to_list(AT_ONCE)
        if newest := next((version["number"] for version in found if is_live(version)), 0):
            return newest
        stop = found[-1]["number"] - 1 if len(found) == AT_ONCE else stop - width
        width *= 2
    return 0


async def repair(tenant: Tenant) -> int:
    """Write the summaries that are missing or wrong, and return how many there were.

    They are written on the revision that was read, and do not raise it: a change of a version meanwhile raises it,
    or writes the summary later.
    """
    repaired = 0
    fields = {"revision": 1, "last_version": 1, "latest": 1, "stages": 1}
    for kind in Kind:
        async for items in batches(tenant.items(kind), fields):
            await _count(tenant, kind, items)
            summaries = await of_items(tenant, items)
            wrong = [item for item in items if summary_in(item) != summaries[item["_id"]]]
            await tenant.items(kind).modify_all(
                Update({"_id": item["_id"], "revision": item["revision"]}, {"$set": summaries[item["_id"]]})
                for item in wrong
            )
            repaired += len(wrong)
    return repaired


async def _count(tenant: Tenant, kind: Kind, items: Sequence[ItemRecord]) -> None:
    """Raise the highest version number in items: a crash may have left a version that its item does not count."""
    by_number: dict[int, list[ItemRecord]] = {}
    for item in items:
        by_number.setdefault(item.get("last_version", 0), []).append(item)
    higher: dict[ObjectId, int] = {}
    for number, same in by_number.items():
        for some in in_parts([item["_id"] for item in same]):
            query: Query = {"item": any_of(some), "number": {"$gt": number}}
            async for version in tenant.versions.records.find(query, {"item": 1, "number": 1}):
                higher[version["item"]] = max(version["number"], higher.get(version["item"], 0))
    for item in items:
        if number := higher.get(item["_id"], 0):
            item["last_version"] = number
            await tenant.items(kind).records.update_one({"_id": item["_id"]}, {"$max": {"last_version": number}})


async def _live(tenant: Tenant, query: Query) -> list[VersionRecord]:
    return [version for version in await tenant.versions.records.find(query, PLACE).to_list(None) if is_live(version)]


async def _stages_of_many(tenant: Tenant, item: ObjectId) -> list[str]:
    return [
        stage.value
        for stage in Stage
        if stage is not Stage.NONE
        and await find_all(tenant.versions.records, [{"item": item, "stage": stage.value}, LIVE], 1, {"_id": 1})
    ]


async def _read_latest(tenant: Tenant, item: ObjectId, number: int) -> LatestRecord | None:
    version = await tenant.versions.records.find_one({"item": item, "number": number}, {"number": 1, "metadata": 1})
    return _latest(version) if version else None


def _latest(version: VersionRecord) -> LatestRecord:
    return {"number": version["number"], "metadata": [_brief(pair) for pair in version["metadata"]]}


def _brief(pair: PairRecord) -> PairRecord:
    value = pair["value"]
    return {"name": pair["name"], "value": value[:LONGEST_TEXT] if isinstance(value, str) else value}


def _stages(stages: Iterable[str]) -> list[str]:
    return cast("list[str]", sorted({str(stage) for stage in stages} - {"", Stage.NONE.value}))

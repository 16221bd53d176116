"""Items say of their live versions what the newest one measured, and in which stages they are."""

import asyncio

import pytest

from catalog.domain.items import items, trash
from catalog.domain.items.inputs import ListChange, MetadataPair
from catalog.domain.items.references import Reference
from catalog.domain.versions import touching, version_changes, versions
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.drafts import drafts
from catalog.domain.versions.version_changes import VersionChange
from catalog.store.concurrency.batches import Batches, BatchesByKey
from catalog.store.derived import version_summaries
from catalog.store.derived.version_summaries import FEW, LONGEST_TEXT
from catalog.vocabulary import Kind, Stage
from tests.domain.versions.test_version_races import meeting
from tests.support.inputs import new_item
from tests.support.tenants import somebody


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


@pytest.fixture
async def iris(tenant, ada):
    """Adds versions to a model, changes and removes them."""
    item = await items.create(ada, Kind.MODEL, new_item(name="iris"))
    return Iris(tenant, ada, item["_id"])


class Apart(BatchesByKey):
    """Each writer has batches of its own, as those of several servers."""

    def of(self, _key, write_all):
        return Batches(write_all)


class Iris:
    def __init__(self, tenant, ada, key):
        self.tenant, self.ada, self.key = tenant, ada, key

    async def add(self, accuracy, stage=Stage.NONE, **details):
        metadata = [MetadataPair("accuracy", accuracy)]
        wanted = VersionDetails(metadata=metadata, stage=stage, uri="s3://bucket/x", **details)
        _, version = await versions.register(self.ada, Kind.MODEL, Reference(str(self.key)), wanted)
        return version

    async def change(self, which, **wanted):
        reference = Reference(str(self.key), which)
        return await version_changes.change(self.ada, Kind.MODEL, reference, VersionChange(**wanted))

    async def remove(self, which):
        return await versions.remove(self.ada, Kind.MODEL, Reference(str(self.key), which))

    async def summary(self):
        item = await self.tenant.models.records.find_one({"_id": self.key})
        latest = item.get("latest")
        pairs = {pair["name"]: pair["value"] for pair in latest["metadata"]} if latest else {}
        return latest and latest["number"], pairs.get("accuracy"), item.get("stages", [])


@pytest.mark.parametrize("older", [0, FEW], ids=["few", "many"])
async def test_the_summary_follows_each_change_of_a_version(iris, ada, tenant, older):
    for _ in range(older):
        await iris.add(0)
    first, second = str(older + 1), str(older + 2)

    await iris.add(0.25, Stage.PRODUCTION)
    await iris.add(0.5, Stage.STAGING)
    assert await iris.summary() == (older + 2, 0.5, ["production", "staging"])

    await iris.add(1, archived=True)
    await drafts.begin(ada, Kind.MODEL, Reference(str(iris.key)), VersionDetails())
    assert await iris.summary() == (older + 2, 0.5, ["production", "staging"])

    await iris.change(second, metadata=ListChange([], [MetadataPair("accuracy", 0.75)]), stage=Stage.NONE)
    assert await iris.summary() == (older + 2, 0.75, ["production"])

    await iris.change(second, archived=True)
    assert await iris.summary() == (older + 1, 0.25, ["production"])

    await iris.change(second, archived=False)
    await iris.remove(first)
    assert await iris.summary() == (older + 2, 0.75, [])

    await iris.remove(second)
    assert await iris.summary() == ((older, 0, []) if older else (None, None, []))


async def test_a_change_while_the_item_is_in_the_trash_shows_when_it_is_restored(iris, ada, tenant):
    added = await iris.add(0.25)
    await items.remove(ada, Kind.MODEL, Reference(str(iris.key)), days=1)
    await tenant.versions.records.update_one({"_id": added["_id"]}, {"$set": {"stage": "staging"}})

    await trash.restore(ada, str(iris.key))

    assert await iris.summary() == (1, 0.25, ["staging"])


async def test_of_changes_that_meet_the_summary_has_all(iris, monkeypatch):
    await iris.add(0)
    meeting(monkeypatch, version_summaries, "of_item", 2)
    monkeypatch.setattr(touching, "_batches", Apart())

    await asyncio.gather(
        iris.change("1", stage=Stage.STAGING), iris.change("1", metadata=ListChange([], [MetadataPair("accuracy", 1)]))
    )

    assert await iris.summary() == (1, 1, ["staging"])


async def test_versions_that_are_added_at_once_leave_the_newest(iris, tenant, monkeypatch):
    meeting(monkeypatch, touching, "touch_added", 4)
    monkeypatch.setattr(touching, "_batches", Apart())

    await asyncio.gather(*(iris.add(number, Stage.STAGING) for number in range(4)))

    newest = await tenant.versions.records.find_one({"number": 4})
    assert await iris.summary() == (4, newest["metadata"][0]["value"], ["staging"])


async def test_additions_after_a_change_by_another_server_read_the_versions_once(iris, tenant, monkeypatch):
    read: list[object] = []
    summarize, follow = version_summaries.of_item, touching.touch_added
    followed = {number: asyncio.Event() for number in range(1, 5)}
    waiting = {number: asyncio.Event() for number in followed}

    async def counting(*given):
        read.append(given)
        return await summarize(*given)

    async def late(touches, version, *given):
        waiting[version.number].set()
        await followed[version.number].wait()
        return await follow(touches, version, *given)

    async def adding(number):
        task = asyncio.create_task(iris.add(number))
        task.add_done_callback(lambda _: waiting[number].set())  # a failure is raised where the task is awaited
        await waiting[number].wait()
        return task

    async def follow_both(*numbers):
        for number in numbers:
            followed[number].set()
        await asyncio.gather(*(tasks[number] for number in numbers))

    monkeypatch.setattr(version_summaries, "of_item", counting)
    monkeypatch.setattr(touching, "touch_added", late)
    tasks = {1: await adding(1)}
    await tenant.models.records.update_one({"_id": iris.key}, {"$inc": {"revision": 1}})  # the other server
    tasks |= {2: await adding(2), 3: await adding(3)}

    await follow_both(1, 2)
    tasks[4] = await adding(4)
    await follow_both(3, 4)

    assert len(read) == 1
    assert await iris.summary() == (4, 4, [])


async def test_a_version_that_is_removed_before_its_item_follows_stays_removed(iris, tenant, monkeypatch):
    held = touching.of_item(tenant, Kind.MODEL, iris.key)
    await iris.add(0.25)
    follow = touching.touch_added

    async def late(*given):
        monkeypatch.setattr(touching, "touch_added", follow)
        await iris.remove("2")
        return await follow(*given)

    monkeypatch.setattr(touching, "touch_added", late)

    await iris.add(0.5)

    assert held
    assert await iris.summary() == (1, 0.25, [])


async def test_what_a_crash_leaves_is_repaired_and_what_is_right_stays(iris, tenant):
    added = await iris.add(0.25)
    await tenant.versions.records.update_one({"_id": added["_id"]}, {"$set": {"stage": "staging"}})
    before = await tenant.models.records.find_one({"_id": iris.key})

    assert [await version_summaries.repair(tenant), await version_summaries.repair(tenant)] == [1, 0]

    assert await iris.summary() == (1, 0.25, ["staging"])
    assert (await tenant.models.records.find_one({"_id": iris.key}))["revision"] == before["revision"]


async def test_long_texts_are_in_the_summary_as_far_as_lists_compare_them(iris):
    await iris.add("x" * (LONGEST_TEXT + 1))

    assert await iris.summary() == (1, "x" * LONGEST_TEXT, [])

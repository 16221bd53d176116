"""A version that is added alone assumes its number: it takes two writes, and no number is used twice even so."""

import asyncio

import pytest

from catalog.domain.access import Caller
from catalog.domain.items import items
from catalog.domain.items.inputs import ItemChange, ListChange
from catalog.domain.items.reading import newest_versions
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes
from catalog.domain.versions import lookup, versions
from catalog.domain.versions.across.newest import newest_of_stages
from catalog.domain.versions.details import VersionDetails
from catalog.errors import CANNOT_MODIFY, NOT_FOUND, Refused
from catalog.store.concurrency import shared_writes
from catalog.store.derived import version_summaries
from catalog.store.tenant import Tenant
from catalog.vocabulary import Kind, Stage
from tests.support.heard import Heard, tenant_heard_by
from tests.support.inputs import new_item
from tests.support.tenants import somebody

IRIS = Reference("iris")


@pytest.fixture
async def ada(tenant):
    """A user with a model that has one version: the first one is counted."""
    ada = await somebody(tenant)
    await items.create(ada, Kind.MODEL, new_item(name="iris"))
    await add(ada)
    return ada


@pytest.fixture
def elsewhere(tenant, ada) -> Caller:
    """The same user, on another server: it shares nothing in memory."""
    return ada.through(Tenant(tenant.name, tenant.database, "elsewhere", policy=tenant.policy))


@pytest.fixture
def meanwhile(monkeypatch):
    """Lets something happen before, or after, the next version is written, but not before its item is read."""
    insert = shared_writes.insert

    def happen(before=None, after=None):
        async def interrupted(tenant, document):
            monkeypatch.setattr(shared_writes, "insert", insert)
            if before:
                await before()
            await insert(tenant, document)
            if after:
                await after()

        monkeypatch.setattr(shared_writes, "insert", interrupted)

    return happen


class KilledError(Exception):
    """Takes the place of a kill -9."""


async def killed():
    raise KilledError


async def add(caller, ordinal="", reference=IRIS, **fields):
    details = VersionDetails(ordinal=ordinal, uri="s3://bucket/x", **fields)
    _, version = await versions.register(caller, Kind.MODEL, reference, details)
    return version["number"], version["ordinal"]


async def stored(tenant):
    return [(each["number"], each["ordinal"]) async for each in tenant.versions.records.find({}).sort("number")]


async def summary(caller):
    item = await items.read(caller, Kind.MODEL, IRIS)
    return item["last_version"], item["latest"] and item["latest"]["number"], item["stages"]


async def test_a_lone_version_takes_four_commands(mongo, storage):
    heard = Heard()
    async with tenant_heard_by(heard, mongo, storage) as tenant:
        ada = await somebody(tenant)
        await items.create(ada, Kind.MODEL, new_item(name="iris"))
        await add(ada)
        heard.commands.clear()

        made = [await add(ada), await add(ada, "blue")]
        commands = sorted(heard.commands)

    assert made == [(2, "2"), (3, "blue")]
    assert commands == sorted(["find", "findAndModify", "insert", "update"] * 2)


async def test_ordinals_that_are_numbers_labels_and_neither_follow_one_another(ada):
    made = [await add(ada, ordinal) for ordinal in ("", "blue", "", "7", "", "green", "")]

    assert made == [(2, "2"), (3, "blue"), (4, "3"), (7, "7"), (8, "8"), (9, "green"), (10, "9")]


async def test_a_kill_after_the_version_is_written_leaves_one_whose_number_is_not_used_again(ada, tenant, meanwhile):
    meanwhile(after=killed)
    with pytest.raises(KilledError):
        await add(ada, stage=Stage.STAGING)

    assert await add(ada) == (3, "3")
    assert await summary(ada) == (3, 3, ["staging"])


async def test_what_a_kill_leaves_is_shown_and_counted_by_the_repair(ada, tenant, meanwhile):
    meanwhile(after=killed)
    with pytest.raises(KilledError):
        await add(ada, stage=Stage.STAGING)
    item = await items.read(ada, Kind.MODEL, IRIS)
    shown = await newest_versions.of_items(tenant, [item])
    latest = await lookup.latest(tenant, item)
    walked = await newest_versions.of_item(tenant, item)

    assert [version["number"] for version in shown[item["_id"]].versions] == [1, 2]
    assert [version["number"] for version in walked.versions] == [1, 2]
    assert latest["number"] == 2
    assert [await version_summaries.repair(tenant), await version_summaries.repair(tenant)] == [1, 0]
    assert await summary(ada) == (2, 2, ["staging"])


@pytest.mark.parametrize("stage", [Stage.NONE, Stage.STAGING])
async def test_what_a_kill_leaves_is_the_newest_version_of_its_stage(ada, tenant, meanwhile, stage):
    other = await items.create(ada, Kind.MODEL, new_item(name="rose"))
    await add(ada, reference=Reference("rose"))
    meanwhile(after=killed)
    with pytest.raises(KilledError):
        await add(ada, stage=stage)
    iris = await items.read(ada, Kind.MODEL, IRIS)
    rose = await items.read(ada, Kind.MODEL, Reference("rose"))

    alone = await newest_of_stages(tenant, [iris])
    beside = await newest_of_stages(tenant, [rose, iris])

    numbers = [2] if stage is Stage.NONE else [2, 1]
    assert [version["number"] for version in alone[iris["_id"]]] == numbers
    assert [version["number"] for version in beside[iris["_id"]]] == numbers
    assert [version["number"] for version in beside[other["_id"]]] == [1]


async def test_what_a_kill_leaves_is_removed_and_its_number_is_not_used_again(ada, tenant, meanwhile):
    meanwhile(after=killed)
    with pytest.raises(KilledError):
        await add(ada)

    await versions.remove(ada, Kind.MODEL, Reference("iris", "2"))

    assert await add(ada) == (3, "2")
    assert await stored(tenant) == [(1, "1"), (3, "2")]


async def test_a_kill_before_the_version_is_written_leaves_nothing(ada, tenant, meanwhile):
    meanwhile(before=killed)
    with pytest.raises(KilledError):
        await add(ada)

    assert await stored(tenant) == [(1, "1")]
    assert await add(ada) == (2, "2")


async def test_two_servers_that_assume_one_number_get_two(ada, elsewhere, tenant, meanwhile):
    made = []
    meanwhile(before=lambda: adding(elsewhere, made))

    made.append(await add(ada))

    assert made == [(2, "2"), (3, "3")] == (await stored(tenant))[1:]
    assert await summary(ada) == (3, 3, [])


async def test_a_version_that_another_server_adds_after_it_keeps_both_counted(ada, elsewhere, tenant, meanwhile):
    made = []
    meanwhile(after=lambda: adding(elsewhere, made))

    made.append(await add(ada, "blue"))

    assert sorted(made) == [(2, "blue"), (3, "3")]
    assert await summary(ada) == (3, 3, [])
    assert await add(ada) == (4, "4")


async def test_a_number_that_another_server_used_and_removed_in_between_is_not_used_again(
    ada, elsewhere, tenant, meanwhile
):
    async def added_and_removed():
        await add(elsewhere)
        await versions.remove(elsewhere, Kind.MODEL, Reference("iris", "2"))

    meanwhile(before=added_and_removed)

    assert await add(ada) == (3, "3")
    assert await stored(tenant) == [(1, "1"), (3, "3")]


async def test_a_user_who_may_no_longer_change_the_item_leaves_no_version(ada, tenant, meanwhile):
    grace = await somebody(tenant, "grace")
    await changes.change(ada, Kind.MODEL, IRIS, ItemChange(editors=ListChange(add=[str(grace.user)])))

    async def dismissed():
        await changes.change(ada, Kind.MODEL, IRIS, ItemChange(editors=ListChange(remove=[str(grace.user)])))

    meanwhile(before=dismissed)
    with pytest.raises(Refused) as refusal:
        await add(grace, reference=Reference("ada/iris"))

    assert refusal.value.fault is CANNOT_MODIFY
    assert await stored(tenant) == [(1, "1")]


async def test_an_item_that_is_removed_meanwhile_gets_no_version(ada, tenant, meanwhile):
    meanwhile(before=lambda: items.remove(ada, Kind.MODEL, IRIS))

    with pytest.raises(Refused) as refusal:
        await add(ada)

    assert refusal.value.fault is NOT_FOUND
    assert await stored(tenant) == []


async def test_versions_that_come_while_a_lone_one_is_written_count_after_it(ada, tenant, meanwhile):
    others = []

    async def come():
        others.extend(asyncio.ensure_future(add(ada)) for _ in range(3))
        await items.read(ada, Kind.MODEL, IRIS)  # the others get as far as they can meanwhile

    meanwhile(before=come)

    made = [await add(ada), *await asyncio.gather(*others)]

    assert sorted(made) == [(number, str(number)) for number in range(2, 6)] == (await stored(tenant))[1:]
    assert await summary(ada) == (5, 5, [])


async def adding(caller, made):
    made.append(await add(caller))

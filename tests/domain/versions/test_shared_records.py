"""Versions that are recorded at the same time share their commands, and each has its own end."""

import asyncio

import pytest

from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.versions import versions
from catalog.domain.versions.details import VersionDetails
from catalog.errors import AUTHENTICATION, NOT_CREATED, Refused
from catalog.store.concurrency.fence import Fence
from catalog.vocabulary import Kind
from tests.support.heard import Heard, tenant_heard_by
from tests.support.inputs import new_item
from tests.support.tenants import somebody

MANY = 12


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
async def tenant(mongo, storage, heard):
    async with tenant_heard_by(heard, mongo, storage) as tenant:
        yield tenant


@pytest.fixture
async def ada(tenant):
    ada = await somebody(tenant)
    for name in ("iris", "rose"):
        await items.create(ada, Kind.MODEL, new_item(name=name))
    return ada


async def register(caller, name, ordinal=""):
    details = VersionDetails(ordinal=ordinal, uri="https://example.org/weights.bin")
    _, version = await versions.register(caller, Kind.MODEL, Reference(name), details)
    return version


async def ends(*attempts):
    return await asyncio.gather(*attempts, return_exceptions=True)


async def stored(tenant):
    return [version async for version in tenant.versions.records.find({}).sort("serial")]


async def test_versions_that_wait_together_share_their_inserts_and_serials(tenant, ada, heard):
    heard.commands.clear()

    made = await asyncio.gather(*(register(ada, ("iris", "rose")[n % 2]) for n in range(MANY)))

    assert heard.commands.count("insert") < MANY
    assert heard.commands.count("findAndModify") < 3 * MANY
    assert sorted(version["serial"] for version in made) == list(range(1, MANY + 1))
    assert {version["_id"] for version in made} == {version["_id"] for version in await stored(tenant)}
    for name in ("iris", "rose"):
        item = await items.read(ada, Kind.MODEL, Reference(name))
        numbers = [version["number"] for version in made if version["item"] == item["_id"]]
        assert sorted(numbers) == list(range(1, MANY // 2 + 1))
        assert item["last_version"] == MANY // 2


async def test_of_equal_ordinals_at_once_one_wins_and_the_others_are_recorded(tenant, ada):
    ended = await ends(*(register(ada, "iris", ordinal) for ordinal in ("final", "final", "beta", "final")))

    refused = [end for end in ended if isinstance(end, Exception)]
    assert [end.fault for end in refused] == [NOT_CREATED, NOT_CREATED]
    assert sorted(version["ordinal"] for version in await stored(tenant)) == ["beta", "final"]


async def test_a_caller_who_is_removed_meanwhile_records_nothing_and_stops_no_other(tenant, ada):
    async def removed(_age: float) -> None:
        raise Refused(AUTHENTICATION, "removed")

    gone = ada.through(tenant.of_caller(Fence(removed)))

    ended = await ends(register(ada, "iris"), register(gone, "rose"), register(ada, "rose"))

    assert [getattr(end, "fault", None) for end in ended] == [None, AUTHENTICATION, None]
    assert len(await stored(tenant)) == 2

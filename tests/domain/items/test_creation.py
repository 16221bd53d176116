"""Items that are created at the same time share their commands, and each has its own end."""

import asyncio
from collections import Counter

import pytest

from catalog.domain.items import items
from catalog.domain.items.writing import creation
from catalog.errors import AUTHENTICATION, NAME_TAKEN, NOT_CREATED, Refused
from catalog.store.concurrency.fence import Fence
from catalog.store.database import Database
from catalog.store.documents.items import ITEMS
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.tenant_documents import record_of
from catalog.vocabulary import Kind, Visibility
from tests.support.heard import Heard, tenant_heard_by
from tests.support.inputs import new_item
from tests.support.tenants import somebody

AS_OTHERS = {
    "tags": ["vision", "iris"],
    "metadata": [{"name": "accuracy", "value": 0.98}, {"name": "layers", "value": 4}, {"name": "by", "value": "ada"}],
}
MANY = 24


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
    await items.create(ada, Kind.MODEL, new_item(name="first", **AS_OTHERS))  # its vocabularies were measured
    return ada


def model(name, tags=()):
    return new_item(name=name, metadata=AS_OTHERS["metadata"], tags=[*AS_OTHERS["tags"], *tags])


async def ends(*attempts):
    return await asyncio.gather(*attempts, return_exceptions=True)


async def uses(terms) -> dict[str, int]:
    return {term["_id"]: term["uses"] async for term in terms.records.find({})}


async def test_a_lone_creation_is_two_commands_and_then_three_at_once(ada, heard):
    heard.commands.clear()

    await items.create(ada, Kind.MODEL, model("iris", ["run-1"]))

    assert heard.commands[:2] == ["findAndModify", "insert"]
    assert sorted(heard.commands[2:]) == ["insert", "update", "update"]  # of the search, and of the terms


async def test_creations_that_wait_together_share_their_commands(tenant, ada, heard):
    heard.commands.clear()

    made = await asyncio.gather(*(items.create(ada, Kind.MODEL, model(f"m{n}", [f"run-{n}"])) for n in range(MANY)))

    assert Counter(heard.commands).keys() == {"findAndModify", "insert", "update"}
    assert len(heard.commands) <= 7  # of terms the new ones are inserted, and the others updated
    assert sorted(item["serial"] for item in made) == list(range(2, MANY + 2))
    assert [item async for item in tenant.models.records.find({}).sort("serial").skip(1)] == made
    assert await uses(tenant.tags) == {"vision": 25, "iris": 25, **{f"run-{n}": 1 for n in range(MANY)}}
    assert await uses(tenant.metadata) == {"accuracy": 25, "layers": 25, "by": 25}


async def test_of_equal_names_in_one_batch_one_wins_and_the_rest_is_created(tenant, ada):
    names = ["iris", "iris", "rose", "iris", "tulip"]

    ended = await ends(*(items.create(ada, Kind.MODEL, model(name)) for name in names))

    refused = [end for end in ended if isinstance(end, Exception)]
    assert [end.fault for end in refused] == [NOT_CREATED, NOT_CREATED]
    assert {item["name"] async for item in tenant.models.records.find({})} == {"first", "iris", "rose", "tulip"}
    assert await uses(tenant.tags) == {"vision": 4, "iris": 4}


@pytest.mark.parametrize("most", [1000, 2], ids=["asked-together", "of-too-many-namesakes"])
async def test_an_unambiguous_name_is_one_that_the_caller_reads_nowhere(tenant, ada, monkeypatch, most):
    monkeypatch.setattr(creation, "MOST_NAMESAKES", most)
    for name, visibility in (("shown", Visibility.PUBLIC), ("hidden", Visibility.PRIVATE)):
        bob = await somebody(tenant, name)
        await items.create(bob, Kind.MODEL, new_item(name=name, visibility=visibility))

    names = ["shown", "hidden", "iris", "iris", "first"]
    ended = await ends(*(items.create(ada, Kind.MODEL, model(name), is_unambiguous=True) for name in names))

    faults = [getattr(end, "fault", None) for end in ended]
    assert faults == [NAME_TAKEN, None, None, NAME_TAKEN, NAME_TAKEN]
    assert str(ended[3]).endswith("model iris already exists)")


async def test_a_caller_who_is_removed_while_a_batch_waits_is_refused_alone(tenant, ada):
    async def removed(_age: float) -> None:
        raise Refused(AUTHENTICATION, "removed")

    gone = ada.through(tenant.of_caller(Fence(removed)))
    callers = [ada, gone, ada]

    ended = await ends(*(items.create(caller, Kind.MODEL, model(f"m{n}")) for n, caller in enumerate(callers)))

    assert [getattr(end, "fault", None) for end in ended] == [None, AUTHENTICATION, None]
    assert {item["name"] async for item in tenant.models.records.find({})} == {"first", "m0", "m2"}
    assert await uses(tenant.tags) == {"vision": 3, "iris": 3}


async def test_a_client_that_goes_does_not_take_the_others_along(tenant, ada, heard):
    def creating(*numbers):
        return [asyncio.create_task(items.create(ada, Kind.MODEL, model(f"m{n}"))) for n in numbers]

    being_written = heard.next_command()
    first = creating(0, 1)
    await being_written
    second = creating(2, 3, 4)
    await asyncio.sleep(0)

    first[0].cancel()
    second[0].cancel()
    ended = await ends(*first, *second)

    assert [isinstance(end, asyncio.CancelledError) for end in ended] == [True, False, True, False, False]
    stored = {item["name"] async for item in tenant.models.records.find({})}
    assert stored == {"first", "m0", "m1", "m3", "m4"}  # the batch of m0 had begun
    assert (await uses(tenant.tags))["iris"] == 5


async def test_two_kinds_and_two_tenants_have_batches_of_their_own(tenant, ada):
    other = tenant.name + "-other"
    there = ada.through(Database(tenant.database.client, other).tenant(RegisteredTenant(id=other, database=other)))

    made = await asyncio.gather(
        *(items.create(who, kind, new_item(name="iris")) for who in (ada, there) for kind in Kind)
    )
    counts = [await each.items(kind).records.count_documents({}) for each in (tenant, there.tenant) for kind in Kind]
    await tenant.database.client.drop_database(other)

    assert len({item["_id"] for item in made}) == 2 * len(Kind)
    assert sum(counts) == 2 * len(Kind) + 1


@pytest.mark.parametrize("kind", Kind)
async def test_what_is_written_is_what_the_document_declares(tenant, ada, kind):
    created = await items.create(ada, kind, new_item(name="Iris", users=["ada"], visibility="public", **AS_OTHERS))

    [stored] = await tenant.items(kind).records.find({"name": "Iris"}).to_list(1)
    document = record_of(ITEMS[kind].model_validate(stored))
    defaults = {name: value for name, value in document.items() if name not in stored}
    assert stored == created == {name: document[name] for name in stored}
    assert all(value in ([], "", False) for value in defaults.values())

"""The demo: the same each time, completed after an interruption, and taken away without touching anything else."""

import asyncio

import pytest

from catalog.domain.access import Caller
from catalog.domain.cards import cards
from catalog.domain.demo import content, filling, removal
from catalog.domain.demo.content import FALLING
from catalog.domain.demo.marks import Sort, identity, marked
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes, renaming
from catalog.domain.people import usernames
from catalog.errors import READ_ONLY_TOKEN, Refused
from catalog.vocabulary import Kind, Role, Scope
from tests.support.inputs import item_change, new_item
from tests.support.tenants import somebody

MODELS = 1
on_the_wire_too = pytest.mark.parametrize("database", ["mock", "wire"], indirect=True)
on_the_mock = pytest.mark.parametrize("database", ["mock"], indirect=True)
FIRST, DATA = identity(Sort.MODEL, 0), identity(Sort.DATASET, 0)


@pytest.fixture
async def admin(tenant) -> Caller:
    return await somebody(tenant, "admin", Role.ADMIN)


async def everything(tenant, query=None):
    """The ids and revisions of what the tenant has."""
    collections = [*(tenant.items(kind) for kind in Kind), tenant.versions, tenant.users, tenant.groups, tenant.trash]
    collections += [tenant.cards, tenant.tags, tenant.metadata]
    return {
        (each.records.name, str(record["_id"]), record.get("revision"))
        for each in collections
        async for record in each.records.find(query or {})
    }


def test_the_content_is_the_same_each_time_and_a_small_demo_is_the_beginning_of_a_large_one():
    small, large = content.items(2), content.items(60)

    assert content.items(60) == large
    assert all(item in large for item in small)
    assert sum(item.kind is Kind.MODEL for item in large) == 60


def test_every_model_has_another_name_and_metrics_that_improve():
    models = [item for item in content.items(content.MOST_MODELS) if item.kind is Kind.MODEL]

    assert len({model.new.name for model in models}) == content.MOST_MODELS
    for model in models:
        [metric] = [pair.value for pair in model.new.metadata if pair.name == "metric"]
        scores = [pair.value for version in model.versions for pair in version.metadata if pair.name == metric]
        assert len(scores) >= 2
        assert scores == sorted(set(scores), reverse=metric in FALLING)


@on_the_wire_too
async def test_the_demo_fills_a_tenant_with_readable_models(tenant, admin):
    filled = await filling.fill(admin, MODELS)

    assert (filled.people, filled.items, filled.skipped) == (len(content.PEOPLE), 3 * MODELS, [])
    model = await items.read(admin, Kind.MODEL, Reference(str(FIRST)))
    versions = await tenant.versions.records.find({"item": FIRST}).sort("number", 1).to_list(None)
    assert [version["ordinal"] for version in versions] == [str(n) for n in range(1, len(versions) + 1)]
    assert {version["inspection"]["format"] for version in versions} == {"safetensors"}
    assert {given["item"] for given in versions[0]["inputs"]} == {DATA, identity(Sort.ALGORITHM, 0)}
    assert [alias["name"] for alias in model["aliases"]] == ["champion"]
    assert (await cards.read(admin, Kind.MODEL, Reference(str(FIRST)))).text.startswith("# leaf-disease-base")
    assert await tenant.users.records.count_documents({"groups": identity(Sort.GROUP, 0)}) == 2


@on_the_mock
async def test_a_second_run_changes_nothing(tenant, admin):
    await filling.fill(admin, MODELS)
    before = await everything(tenant)

    again = await filling.fill(admin, MODELS)

    assert again == (0, 0, 0, [])
    assert await everything(tenant) == before


@pytest.mark.parametrize("database", ["wire"], indirect=True)
async def test_two_runs_at_once_make_one_demo(tenant, admin):
    await asyncio.gather(filling.fill(admin, MODELS), filling.fill(admin, MODELS))

    planned = content.items(MODELS)
    assert {each["_id"] for kind in Kind for each in await tenant.items(kind).records.find({}).to_list(None)} == {
        item.id for item in planned
    }
    made = [each["_id"] async for each in tenant.versions.records.find({})]
    assert sorted(made) == sorted(version.id for item in planned for version in item.versions)
    assert await tenant.users.records.count_documents({}) == len(content.PEOPLE) + 1
    assert await tenant.users.records.count_documents({"groups": {"$ne": []}}) == len(content.PEOPLE)


@on_the_mock
async def test_an_interrupted_run_is_completed_by_the_next_one(tenant, admin):
    def interrupt(line):
        if line.startswith("algorithm"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await filling.fill(admin, MODELS, interrupt)
    await tenant.versions.records.delete_one({"_id": identity(Sort.DATASET, 0, 2)})
    await tenant.users.records.update_many({}, {"$set": {"groups": []}})

    completed = await filling.fill(admin, MODELS)

    assert completed.items == 2 * MODELS - 1
    assert await tenant.users.records.count_documents({"groups": identity(Sort.GROUP, 1)}) == 2
    planned = {version.id for item in content.items(MODELS) for version in item.versions}
    assert {each["_id"] async for each in tenant.versions.records.find({})} == planned


@on_the_wire_too
async def test_the_removal_leaves_the_tenant_as_it_was(tenant, admin):
    ada = await somebody(tenant, "ada.rossi")
    await items.create(ada, Kind.MODEL, new_item("leaf-disease-base", tags=["vision", "mine"]))
    before = await everything(tenant)
    await filling.fill(admin, MODELS)
    assert await tenant.users.records.count_documents({"username": "ada.rossi-demo-2"}) == 1

    emptied = await removal.remove(admin)

    assert (emptied.items, emptied.people, emptied.kept) == (3 * MODELS, len(content.PEOPLE), [])
    assert await everything(tenant) == before


@on_the_mock
async def test_what_was_renamed_given_away_or_put_into_the_trash_is_removed_too(tenant, admin):
    ada = await somebody(tenant)
    await filling.fill(admin, MODELS)
    await renaming.rename(admin, Kind.MODEL, Reference(str(FIRST)), "mine")
    await changes.change(admin, Kind.MODEL, Reference(str(FIRST)), item_change(owner=ada.username))
    await items.remove(admin, Kind.ALGORITHM, Reference(str(identity(Sort.ALGORITHM, 0))), days=7)

    emptied = await removal.remove(admin)

    assert (emptied.items, emptied.kept) == (3 * MODELS, [])
    assert await everything(tenant, marked()) == set()


@on_the_mock
async def test_what_was_put_into_the_trash_comes_back_with_the_next_run(tenant, admin):
    await filling.fill(admin, 1)
    before = await tenant.versions.records.count_documents({"item": FIRST})
    await items.remove(admin, Kind.MODEL, Reference(str(FIRST)), days=7)

    again = await filling.fill(admin, 1)

    assert (again.items, again.versions) == (1, 0)
    assert await tenant.versions.records.count_documents({"item": FIRST}) == before
    assert await tenant.trash.records.count_documents({}) == 0


@on_the_mock
async def test_what_others_have_built_on_the_demo_stays_with_what_it_uses(tenant, admin):
    await filling.fill(admin, 1)
    ada = await somebody(tenant)
    built = await items.create(ada, Kind.MODEL, new_item("built", datasets=[str(DATA)]))
    person = await usernames.find(tenant, str(identity(Sort.PERSON, 3)))
    owned = await items.create(Caller.of(tenant, person), Kind.MODEL, new_item("owned"))

    emptied = await removal.remove(admin)

    assert {line.partition(":")[0] for line in emptied.kept} == {
        "dataset vineyard-leaves",
        "user david.lind",
        "user ada.rossi",
    }
    assert {each["_id"] async for each in tenant.models.records.find({})} == {built["_id"], owned["_id"]}


@on_the_mock
async def test_a_personal_access_token_makes_and_removes_no_demo(tenant, admin):
    reader = Caller(tenant, admin.user, "admin", Role.ADMIN, Scope.READ)

    for refused in (filling.fill(reader, 1), removal.remove(reader)):
        with pytest.raises(Refused) as refusal:
            await refused
        assert refusal.value.fault is READ_ONLY_TOKEN

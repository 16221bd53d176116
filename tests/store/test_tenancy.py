"""Tenants never meet: in the store, where fifty interleave, and at the door, where every route is tried."""

import asyncio
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.domain.items import items
from catalog.store.documents.items import ModelDocument
from catalog.store.documents.people import UserDocument
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.documents.terms import TagDocument
from catalog.store.tenant_collections import OF_A_TENANT
from catalog.store.tenant_documents import SEALED_DATABASE, SealedDocument, Unbound
from catalog.vocabulary import Kind
from tests.support.app import OURS
from tests.support.inputs import new_item
from tests.support.tenants import somebody

A_TAG = {"id": "steel", "usage": "folk"}


def a_tag() -> TagDocument:
    return TagDocument(**A_TAG)


DIRECT_OPERATIONS = {
    "insert": lambda: a_tag().insert(),
    "replace": lambda: a_tag().replace(),
    "save": lambda: a_tag().save(),
    "set": lambda: a_tag().set({"uses": 1}),
    "delete": lambda: a_tag().delete(),
    "sync": lambda: a_tag().sync(),
    "find": lambda: TagDocument.find({}).to_list(),
    "find_one": lambda: TagDocument.find_one({}),
    "find_all": lambda: TagDocument.find_all().to_list(),
    "get": lambda: TagDocument.get("steel"),
    "aggregate": lambda: TagDocument.aggregate([]).to_list(),
    "count": TagDocument.count,
    "delete_all": TagDocument.delete_all,
    "insert_many": lambda: TagDocument.insert_many([a_tag()]),
    "distinct": lambda: TagDocument.distinct("usage"),
}


@pytest.mark.parametrize("operation", DIRECT_OPERATIONS.values(), ids=DIRECT_OPERATIONS)
async def test_a_document_can_do_nothing_without_a_tenant(database, operation):
    with pytest.raises(Unbound):
        await operation()


@pytest.mark.parametrize("document", OF_A_TENANT)
async def test_not_even_the_settings_of_a_document_lead_to_a_database(database, document: type[SealedDocument]):
    with pytest.raises(Unbound):
        await document.get_settings().motor_collection.find_one({})
    with pytest.raises(Unbound):
        document.get_settings().motor_db.command("ping")


async def test_beanie_keeps_no_cache_that_tenants_would_share(database):
    assert not any(document.get_settings().use_cache for document in OF_A_TENANT)


async def test_fifty_tenants_interleaved_each_keep_to_their_own_database(database):
    names = [f"{OURS}-{uuid.uuid4().hex[:8]}" for _ in range(50)]
    tenants = [database.tenant(RegisteredTenant(id=name, database=name)) for name in names]
    all_have_begun = asyncio.Barrier(len(tenants))

    async def live(tenant):
        query = tenant.tags.find({})  # built before the others begin, awaited among them
        await all_have_begun.wait()
        await tenant.tags.insert(TagDocument(id=tenant.name, uses=1))
        await tenant.tags.find_one({"_id": tenant.name}).update({"$inc": {"uses": 1}})
        found = await tenant.tags.get(tenant.name)
        return [tag.id for tag in await query.to_list()], found.uses, await tenant.next("serial")

    lives = await asyncio.gather(*map(live, tenants))

    assert lives == [([name], 2, 1) for name in names]
    for name in names:  # an audit by the driver alone
        assert [tag["_id"] async for tag in database.client[name]["tags"].find()] == [name]
    assert SEALED_DATABASE not in await database.client.list_database_names()
    for name in names:
        await database.drop(name)


STEPS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["add", "remove", "count", "list"])), max_size=25)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
async def test_whatever_the_order_of_steps_a_tenant_sees_its_own_alone(database, steps):
    names = [f"{OURS}-{uuid.uuid4().hex[:8]}" for _ in range(3)]
    tenants = [database.tenant(RegisteredTenant(id=name, database=name)) for name in names]
    expected: list[set[str]] = [set(), set(), set()]

    for number, (which, step) in enumerate(steps):
        tenant, mine = tenants[which], expected[which]
        if step == "add":
            await tenant.tags.insert(TagDocument(id=str(number)))
            mine.add(str(number))
        elif step == "remove" and mine:
            await tenant.tags.find_one({"_id": mine.pop()}).delete()
        elif step == "count":
            assert await tenant.tags.find({}).count() == len(mine)
        else:
            assert {tag.id for tag in await tenant.tags.find({}).to_list()} == mine


async def test_a_handle_forgotten_and_made_again_is_the_same_tenant(database):
    record = RegisteredTenant(id="again", database=f"{OURS}-again")
    await database.tenant(record).tags.insert(TagDocument(id="kept"))

    for number in range(300):  # more than are remembered
        database.tenant(RegisteredTenant(id=f"t{number}", database=f"{OURS}-t{number}"))

    assert await database.tenant(record).tags.get("kept") is not None
    await database.drop(record.database)


async def test_a_document_of_one_tenant_cannot_be_written_by_its_own_means(database, tenant):
    ada = await somebody(tenant)
    item = await items.create(ada, Kind.MODEL, new_item(name="iris"))

    kept = await tenant.models.get(item["_id"])

    assert isinstance(kept, ModelDocument)
    with pytest.raises(Unbound):
        await kept.save()
    with pytest.raises(Unbound):
        await (await tenant.users.get(ada.user)).delete()
    assert await tenant.users.find_one({"username": "ada"}) == UserDocument.model_validate(
        await tenant.users.records.find_one({"username": "ada"})
    )

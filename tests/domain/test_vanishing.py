"""What is in the way of a write may be gone when one looks for it: the write is tried again, and no reason made up."""

import pytest

from catalog.domain.artifacts import tree
from catalog.domain.items import items, trash
from catalog.domain.items.inputs import ItemChange
from catalog.domain.items.references import Reference
from catalog.domain.items.writing import changes, creation
from catalog.domain.limits import LIMITS
from catalog.domain.people import users
from catalog.domain.terms import terms
from catalog.domain.terms.terms import NewTerm, Vocabulary
from catalog.domain.tracking import experiments, external_ids, records
from catalog.domain.tracking.experiments import ExperimentChange, NewExperiment
from catalog.domain.tracking.records import Details, DetailsChange
from catalog.errors import BUSY, NOT_FOUND, Refused
from catalog.store.concurrency import unique_writes
from catalog.store.documents.terms import TagDocument
from catalog.vocabulary import Kind, Role, Usage, Visibility
from tests.domain.test_races import Upload, nothing
from tests.support.app import PASSWORD
from tests.support.inputs import new_item
from tests.support.tenants import somebody

pytestmark = pytest.mark.parametrize("database", ["wire"], indirect=True)

ONE = "one"


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


@pytest.fixture
def vanishes(monkeypatch):
    """Let all records of a collection vanish when a module looks for what is in the way of its write."""

    def vanishes(module, collection):
        write_unless_taken = unique_writes.write_unless_taken

        async def watched(write, refusal):
            async def looked_for_too_late():
                await collection.records.delete_many({})
                return await refusal()

            return await write_unless_taken(write, looked_for_too_late)

        monkeypatch.setattr(module, "write_unless_taken", watched)

    return vanishes


@pytest.fixture
def not_there_yet(monkeypatch):
    """A look before the write finds nothing: what is in its way comes between the two."""

    async def nothing_is_taken(*_):
        pass

    monkeypatch.setattr(external_ids, "refuse_taken", nothing_is_taken)
    monkeypatch.setattr(records, "refuse_name", nothing_is_taken)


@pytest.mark.parametrize("email", [None, "bob@example.org"])
async def test_a_user(tenant, vanishes, email):
    await users.add(tenant, "bob", PASSWORD, Role.REGULAR, email=email, days=0)
    vanishes(users, tenant.users)

    added = await users.add(tenant, "Bob", PASSWORD, Role.REGULAR, email=email, days=0)

    assert [user["_id"] async for user in tenant.users.records.find({})] == [added.id]


async def test_an_item(ada, tenant, not_there_yet, monkeypatch):
    await items.create(ada, Kind.MODEL, new_item(name="iris", external_id=ONE))
    taken = creation.taken

    async def looked_for_too_late(*args):
        await tenant.models.records.delete_many({})
        return await taken(*args)

    monkeypatch.setattr(creation, "taken", looked_for_too_late)

    made = await items.create(ada, Kind.MODEL, new_item(name="iris", external_id=ONE))

    assert [item["_id"] async for item in tenant.models.records.find({})] == [made["_id"]]


async def test_an_external_id(ada, tenant, not_there_yet, monkeypatch):
    await items.create(ada, Kind.MODEL, new_item(name="iris", external_id=ONE))
    await items.create(ada, Kind.MODEL, new_item(name="rose"))
    taken = changes.taken

    async def looked_for_too_late(*args):
        await tenant.models.records.delete_one({"name": "iris"})
        return await taken(*args)

    monkeypatch.setattr(changes, "taken", looked_for_too_late)

    changed = await changes.change(ada, Kind.MODEL, Reference("rose"), ItemChange(external_id=ONE))

    assert changed["external_id"] == ONE


async def test_a_namesake_of_a_restored_item(ada, tenant, vanishes):
    first = await items.create(ada, Kind.MODEL, new_item(name="iris"))
    await items.remove(ada, Kind.MODEL, Reference("iris"), days=1)
    await items.create(ada, Kind.MODEL, new_item(name="iris"))
    vanishes(trash, tenant.models)

    restored = await trash.restore(ada, str(first["_id"]))

    assert restored["_id"] == first["_id"]
    assert [item["_id"] async for item in tenant.models.records.find({})] == [first["_id"]]


async def test_a_trashed_item_that_another_request_purges_is_not_found(ada, tenant, monkeypatch):
    item = await items.create(ada, Kind.MODEL, new_item(name="iris"))
    await items.remove(ada, Kind.MODEL, Reference("iris"), days=1)
    find = trash._find

    async def found_and_purged(*args):
        record = await find(*args)
        await tenant.trash.records.delete_many({})
        return record

    monkeypatch.setattr(trash, "_find", found_and_purged)

    with pytest.raises(Refused) as refusal:
        await trash.purge_now(ada, str(item["_id"]))

    assert refusal.value.fault is NOT_FOUND


@pytest.mark.parametrize("name", ["first", "second"])
async def test_an_experiment(ada, tenant, not_there_yet, vanishes, name):
    await experiments.create(ada, NewExperiment(details=Details(name="first", external_id=ONE)), LIMITS)
    vanishes(records, tenant.experiments)

    made = await experiments.create(ada, NewExperiment(details=Details(name=name, external_id=ONE)), LIMITS)

    assert [each["_id"] async for each in tenant.experiments.records.find({})] == [made["_id"]]


async def test_an_external_id_of_an_experiment(ada, tenant, not_there_yet, monkeypatch):
    first = await experiments.create(ada, NewExperiment(details=Details(name="first", external_id=ONE)), LIMITS)
    second = await experiments.create(ada, NewExperiment(details=Details(name="second")), LIMITS)
    taken = records.taken

    async def looked_for_too_late(*args):
        await tenant.experiments.records.delete_one({"_id": first["_id"]})
        return await taken(*args)

    monkeypatch.setattr(records, "taken", looked_for_too_late)

    wanted = ExperimentChange(details=DetailsChange(external_id=ONE))
    changed = await experiments.change(ada, second["serial"], wanted, LIMITS)

    assert changed["external_id"] == ONE


@pytest.mark.parametrize("usage", Usage)
async def test_a_term(ada, tenant, vanishes, usage):
    await tenant.tags.insert(TagDocument(id="rose", usage=Usage.DEFAULT))
    vanishes(terms, tenant.tags)

    made = await terms.create(ada, Vocabulary.TAGS, NewTerm("rose", usage))

    assert made["usage"] == usage


async def test_a_file_of_another_user(ada, tenant, vanishes):
    bob = await somebody(tenant, "bob")
    await tree.put(bob, "runs/1", Upload(nothing))
    stored = await tree.find(bob, "runs/1")
    vanishes(tree, tenant.artifact_files)
    upload = Upload(nothing, b"of ada")
    received = await tree.intake.receive(ada, upload, "runs/1")

    put = await tree.record(ada, received, Visibility.PRIVATE)

    assert (put["owner"], put["digest"]) == (ada.user, received.blob.digest)
    assert stored["digest"] != received.blob.digest


async def test_what_comes_and_goes_for_ever_is_given_up(tenant, monkeypatch):
    await users.add(tenant, "bob", PASSWORD, Role.REGULAR, email=None, days=0)

    async def nothing_is_in_the_way(*_):
        return None

    monkeypatch.setattr(users, "_taken", nothing_is_in_the_way)

    with pytest.raises(Refused) as refusal:
        await users.add(tenant, "bob", PASSWORD, Role.REGULAR, email=None, days=0)

    assert refusal.value.fault is BUSY

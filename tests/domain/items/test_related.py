"""What is shown with an item: the same, whether it is asked for together with the item or for a whole page."""

import pytest

from catalog.blobs.protocol import Blob
from catalog.domain.items import items
from catalog.domain.items.reading.related import load_related, read_with_related
from catalog.domain.items.references import Reference
from catalog.errors import CANNOT_READ, NOT_FOUND, Refused
from catalog.store.connection import connect
from catalog.store.documents.tenants import RegisteredTenant
from catalog.store.documents.versions import FileSubdocument, VersionDocument
from catalog.vocabulary import Kind, Role
from tests.support.app import OURS, in_database
from tests.support.inputs import new_item
from tests.support.tenants import somebody


@pytest.fixture
async def tenant(mongo):
    """On the wire alone: the mock knows no `$lookup` with a pipeline."""
    name = f"{OURS}-related"
    database = connect(in_database(mongo, name))
    await database.drop(name)
    await database.open()
    made = database.tenant(RegisteredTenant(id=name, database=name))
    await made.prepare()
    yield made
    database.close()


async def with_versions(tenant, kind, item, caller, *numbers):
    blob = Blob("0" * 64, 1)
    for number in numbers:
        file = FileSubdocument(original=f"{number}.bin", **blob._asdict(), mimetype="a/b", encoding="7bit", path="")
        version = {"number": number, "ordinal": str(number), "ordinal_key": str(number), "files": [file]}
        await tenant.versions.insert(VersionDocument(item=item["_id"], kind=kind, owner=caller.user, **version))
    await tenant.items(kind).records.update_one({"_id": item["_id"]}, {"$set": {"last_version": max(numbers)}})


async def test_one_question_answers_what_several_do(tenant):
    ada, bob = await somebody(tenant, "ada"), await somebody(tenant, "bob")
    shared = await items.create(ada, Kind.DATASET, new_item(name="shared", users=["bob"]))
    hidden = await items.create(ada, Kind.DATASET, new_item(name="hidden"))
    model = {"name": "iris", "users": ["bob"], "datasets": ["shared", "hidden"]}
    made = await items.create(ada, Kind.MODEL, new_item(**model))
    await with_versions(tenant, Kind.MODEL, made, ada, 1, 3, 2)
    await with_versions(tenant, Kind.DATASET, shared, ada, 1)
    key = str(made["_id"])

    item, with_it = await read_with_related(bob, Kind.MODEL, Reference(key))

    assert item == await items.read(bob, Kind.MODEL, Reference(key))
    assert with_it == await load_related(bob, [item])
    assert [version["number"] for version in with_it.newest[made["_id"]].versions] == [1, 2, 3]
    assert with_it.datasets.keys() == {shared["_id"]}
    assert hidden["_id"] in item["datasets"]


async def test_a_dataset_has_no_datasets(tenant):
    ada = await somebody(tenant)
    made = await items.create(ada, Kind.DATASET, new_item(name="flowers", users=["ada"]))

    item, with_it = await read_with_related(ada, Kind.DATASET, Reference(str(made["_id"])))

    assert item == await items.read(ada, Kind.DATASET, Reference(str(made["_id"])))
    assert with_it == await load_related(ada, [item])


async def test_a_name_may_look_like_an_id(tenant):
    ada = await somebody(tenant)
    made = await items.create(ada, Kind.MODEL, new_item(name="0123456789abcdef01234567"))

    item, _ = await read_with_related(ada, Kind.MODEL, Reference("0123456789abcdef01234567"))

    assert item["_id"] == made["_id"]


async def test_it_is_refused_like_any_other_question(tenant):
    ada, bob, admin = (
        await somebody(tenant, "ada"),
        await somebody(tenant, "bob"),
        await somebody(tenant, "x", Role.ADMIN),
    )
    made = await items.create(ada, Kind.MODEL, new_item(name="iris"))
    key = str(made["_id"])

    with pytest.raises(Refused) as forbidden:
        await read_with_related(bob, Kind.MODEL, Reference(key))
    with pytest.raises(Refused) as unknown:
        await read_with_related(admin, Kind.MODEL, Reference("f" * 24))

    assert (forbidden.value.fault, unknown.value.fault) == (CANNOT_READ, NOT_FOUND)


@pytest.mark.parametrize(
    ("numbers", "shown", "total", "is_exact"),
    [
        (range(1, 151), range(51, 151), 150, True),
        ([*range(1, 61), *range(2026, 2080)], [*range(15, 61), *range(2026, 2080)], 114, True),
        ([3, 9_000_000], [3, 9_000_000], 2, True),
        ([1, *range(900, 1001)], range(901, 1001), 1000, False),
    ],
)
async def test_of_many_versions_the_newest_are_shown_and_counted(tenant, numbers, shown, total, is_exact):
    ada = await somebody(tenant, f"ada-{total}")
    made = await items.create(ada, Kind.MODEL, new_item(name="many"))
    common = {"item": made["_id"], "kind": "models", "files": [], "folder": False, "state": "LIVE"}
    versions = [common | {"number": number, "ordinal_key": str(number)} for number in numbers]
    await tenant.versions.records.insert_many([*versions, common | {"number": 0, "ordinal_key": "d", "state": "DRAFT"}])
    await tenant.models.records.update_one({"_id": made["_id"]}, {"$set": {"last_version": max(numbers)}})

    item, with_it = await read_with_related(ada, Kind.MODEL, Reference(str(made["_id"])))

    found = with_it.newest[made["_id"]]
    assert with_it == await load_related(ada, [item])
    assert [version["number"] for version in found.versions] == list(shown)
    assert (found.total, found.is_exact) == (total, is_exact)

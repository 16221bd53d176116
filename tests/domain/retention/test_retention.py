"""Retention: what old versions, old trash and old entries go, and what stays."""

from datetime import timedelta
from time import monotonic

import pytest

from catalog.domain.cleanup.sweep import sweep
from catalog.domain.items import items, trash
from catalog.domain.items.references import Reference
from catalog.domain.limits import LIMITS
from catalog.domain.lineage.inputs import InputReference
from catalog.domain.people import ownership_transfer
from catalog.domain.retention import applying, policies
from catalog.domain.retention import versions as retention
from catalog.domain.serving import environments, services
from catalog.domain.serving.services import NewService
from catalog.domain.tracking.records import Details
from catalog.domain.versions import removal, version_changes, versions
from catalog.domain.versions.aliases import aliases
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.version_changes import VersionChange
from catalog.errors import CANNOT_MODIFY, NOT_FOUND, Refused
from catalog.store.clock import now
from catalog.vocabulary import Kind, Role, Stage
from tests.domain.test_races import Upload, nothing
from tests.support.inputs import new_item
from tests.support.tenants import somebody

MODEL = Kind.MODEL
DAY = timedelta(days=1)


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


async def model(caller, name="iris", count=0):
    item = await items.create(caller, MODEL, new_item(name=name, visibility="public"))
    for number in range(count):
        await versions.add(caller, MODEL, Reference(name), Upload(nothing, b"%d" % number))
    return item


async def numbers(tenant, item):
    found = tenant.versions.records.find({"item": item["_id"]}, {"number": 1})
    return sorted([version["number"] async for version in found])


async def test_the_newest_stay_and_every_version_that_is_needed(tenant, ada):
    iris = await model(ada, count=9)
    await aliases.point(ada, MODEL, Reference("iris", "1"), "champion")
    await version_changes.change(ada, MODEL, Reference("iris", "2"), VersionChange(pinned=True))
    await version_changes.change(ada, MODEL, Reference("iris", "3"), VersionChange(stage=Stage.PRODUCTION))
    await version_changes.change(ada, MODEL, Reference("iris", "8"), VersionChange(archived=True))
    made_from = VersionDetails(uri="s3://bucket/x", made_from=[InputReference("iris@4", MODEL)])
    await model(ada, "student")
    await versions.register(ada, MODEL, Reference("student"), made_from)
    served = await tenant.versions.records.find_one({"item": iris["_id"], "number": 5})
    place = await environments.create(ada, Details(name="production"), LIMITS)
    new = NewService(details=Details(name="s"), model=iris["serial"], version=served["serial"])
    await services.create(ada, place["serial"], new, LIMITS)

    listed = await retention.prune(ada, MODEL, Reference("iris"), keep=2, dry_run=True)
    before = await numbers(tenant, iris)
    pruned = await retention.prune(ada, MODEL, Reference("iris"), keep=2)

    assert before == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [version["number"] for version in listed.versions] == [6]
    assert [version["number"] for version in pruned.versions] == [6]
    assert await numbers(tenant, iris) == [1, 2, 3, 4, 5, 7, 8, 9]  # 8 is archived, and newer than the second newest


async def test_what_is_needed_while_a_removal_runs_stays(tenant, ada):
    iris = await model(ada, count=3)
    version = await tenant.versions.records.find_one({"item": iris["_id"], "number": 1})

    async def read():
        return await tenant.models.records.find_one({"_id": iris["_id"]})

    async def needed_by_an_alias_a_moment_later(_):
        await aliases.point(ada, MODEL, Reference("iris", "1"), "champion")
        return False

    asked = []

    async def pinned_a_moment_later(found):
        if not asked:
            await version_changes.change(ada, MODEL, Reference("iris", "2"), VersionChange(pinned=True))
        asked.append(found["number"])
        return found.get("pinned", False)

    by_alias = await removal.drop_unless(tenant, version, read, needed_by_an_alias_a_moment_later)
    second = await tenant.versions.records.find_one({"item": iris["_id"], "number": 2})
    by_pin = await removal.drop_unless(tenant, second, read, pinned_a_moment_later)

    assert (by_alias, by_pin, asked) == (False, False, [2, 2])
    assert await numbers(tenant, iris) == [1, 2, 3]


async def test_a_service_is_not_created_on_a_version_that_is_removed_meanwhile(tenant, ada, monkeypatch):
    iris = await model(ada, count=2)
    version = await tenant.versions.records.find_one({"item": iris["_id"], "number": 1})
    place = await environments.create(ada, Details(name="production"), LIMITS)
    new = NewService(details=Details(name="s"), model=iris["serial"], version=version["serial"])
    insert = services.records.insert

    async def inserted_late(bound, document):
        await retention.prune(ada, MODEL, Reference("iris"), keep=1)
        return await insert(bound, document)

    monkeypatch.setattr(services.records, "insert", inserted_late)
    with pytest.raises(Refused) as refused:
        await services.create(ada, place["serial"], new, LIMITS)

    assert refused.value.fault is NOT_FOUND
    assert await tenant.services.records.count_documents({}) == 0


async def test_only_who_manages_an_item_prunes_it(tenant, ada):
    await model(ada, count=2)
    bob = await somebody(tenant, "bob")

    with pytest.raises(Refused) as refused:
        await retention.prune(bob, MODEL, Reference("iris"), keep=1)

    assert refused.value.fault is CANNOT_MODIFY


async def test_who_loses_an_item_while_it_is_pruned_removes_no_more(tenant, ada, monkeypatch):
    iris = await model(ada, count=4)
    bob = await somebody(tenant, "bob")
    is_needed = retention.is_needed

    async def given_away_after_the_first(of_tenant, version):
        if version["number"] == 2:
            await ownership_transfer.transfer(tenant, {"_id": ada.user, "username": "ada"}, {"_id": bob.user})
        return await is_needed(of_tenant, version)

    monkeypatch.setattr(retention, "is_needed", given_away_after_the_first)
    with pytest.raises(Refused) as refused:
        await retention.prune(ada, MODEL, Reference("iris"), keep=1)

    assert refused.value.fault is CANNOT_MODIFY
    assert await numbers(tenant, iris) == [2, 3, 4]


async def test_an_item_has_its_own_number_or_that_of_the_tenant(tenant, ada):
    admin = await somebody(tenant, "admin", Role.ADMIN)
    kept = {name: await model(ada, name, 4) for name in ("all", "three", "two")}
    await policies.change_tenant(admin, {"keep_versions": 2})
    await policies.change_item(ada, MODEL, Reference("three"), 3)
    await policies.change_item(ada, MODEL, Reference("all"), 0)

    result = await sweep(tenant, grace=DAY)

    assert result.versions == 3
    assert {name: await numbers(tenant, item) for name, item in kept.items()} == {
        "all": [1, 2, 3, 4],
        "three": [2, 3, 4],
        "two": [3, 4],
    }


async def test_what_is_not_looked_at_in_time_is_left_to_the_sweep(tenant, ada):
    admin = await somebody(tenant, "admin", Role.ADMIN)
    iris = await model(ada, count=3)
    await model(ada, "gone")
    await items.remove(ada, MODEL, Reference("gone"), days=30)
    await policies.change_tenant(admin, {"keep_versions": 1, "trash_days": 0})

    cut = await applying.apply(tenant, most=retention.MOST, until=monotonic())
    left = await numbers(tenant, iris), await tenant.trash.records.count_documents({})
    whole = await applying.apply_for(admin, dry_run=False)

    assert (cut.is_cut, left) == (True, ([1, 2, 3], 1))
    assert (whole.is_cut, whole.versions, whole.purged) == (False, 2, 1)


async def test_the_trash_goes_by_age_and_then_by_size_the_oldest_first(tenant, ada):
    admin = await somebody(tenant, "admin", Role.ADMIN)
    for age, name in enumerate(("new", "middle", "older", "ancient")):
        item = await model(ada, name, 2)
        await items.remove(ada, MODEL, Reference(name), days=30)
        removed = {"$set": {"removed": now() - age * timedelta(days=3)}}
        await tenant.trash.records.update_one({"_id": item["_id"]}, removed)
    await policies.change_tenant(admin, {"trash_days": 8, "trash_bytes": 4})

    listed = await applying.apply_for(admin, dry_run=True)
    left = await tenant.trash.records.count_documents({})
    await applying.apply_for(admin, dry_run=False)

    assert ([old.entry["name"] for old in listed.trash], left) == (["older", "ancient"], 4)
    assert sorted([entry["name"] async for entry in tenant.trash.records.find(trash.restorable())]) == ["middle", "new"]


async def test_an_item_that_is_removed_again_begins_a_new_stay_in_the_trash(tenant, ada):
    item = await model(ada, count=1)
    await items.remove(ada, MODEL, Reference("iris"), days=30)
    first = await tenant.trash.records.find_one({"_id": item["_id"]})
    await trash.restore(ada, str(item["_id"]))
    await items.remove(ada, MODEL, Reference("iris"), days=30)

    await trash.purge_item(tenant, item["_id"], first["removal"])

    assert await tenant.trash.records.count_documents({"purging": False}) == 1


async def test_the_policy_of_an_item_goes_with_the_item(tenant, ada):
    await model(ada, count=1)
    await policies.change_item(ada, MODEL, Reference("iris"), 3)

    await items.remove(ada, MODEL, Reference("iris"))

    assert await tenant.retention.records.count_documents({}) == 0

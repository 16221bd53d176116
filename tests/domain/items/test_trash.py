"""The trash: removed items come back as they were, or go for good."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given

from catalog.domain.access import manageable_by, may_manage
from catalog.domain.items import items, trash
from catalog.domain.items.references import Reference
from catalog.domain.people import users
from catalog.domain.versions import reading, versions
from catalog.errors import BUSY, CANNOT_DELETE, CANNOT_MODIFY, INVALID_TRANSFER, NOT_CREATED, NOT_FOUND, Refused
from catalog.store.clock import now
from catalog.store.documents.tenants import RegisteredTenant
from catalog.vocabulary import Kind, Role
from tests.domain.test_access import callers
from tests.domain.test_access import items as some_items
from tests.domain.test_races import Upload, nothing, outcomes
from tests.support.inputs import new_item
from tests.support.tenants import somebody

DAYS = 7
IRIS = {"name": "iris", "tags": ["flowers"], "metadata": [{"name": "accuracy", "value": 1}]}


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


@pytest.fixture
async def iris(tenant, ada):
    """A model of ada's with a version, as it is kept."""
    made = await items.create(ada, Kind.MODEL, new_item(**IRIS))
    return await versions.add(ada, Kind.MODEL, Reference(str(made["_id"])), Upload(nothing))


async def remove(tenant, item, caller, kind=Kind.MODEL):
    return await items.remove(caller, kind, Reference(str(item["_id"])), days=DAYS)


async def restore(tenant, item, caller):
    return await trash.restore(caller, str(item["_id"]))


async def in_trash(tenant, caller):
    found = await tenant.trash.records.find(trash.visible_to(caller)).to_list(None)
    return [record["_id"] for record in await trash.without_restored(caller, found)]


async def uses(tenant):
    return [(await tenant.tags.get("flowers")).uses, (await tenant.metadata.get("accuracy")).uses]


async def count(bound, **query):
    return await bound.records.count_documents(query)


async def time_passes(tenant, record, **fields):
    await tenant.trash.records.update_one({"_id": record["_id"]}, {"$set": fields})


async def test_a_restored_item_is_as_it_was_and_its_revision_is_new(tenant, ada, iris):
    await remove(tenant, iris, ada)
    assert (await count(tenant.models), await in_trash(tenant, ada)) == (0, [iris["_id"]])

    restored = await restore(tenant, iris, ada)

    assert restored == iris | {"revision": iris["revision"] + 1}
    assert await tenant.models.records.find_one({}) == restored
    assert (await in_trash(tenant, ada), await count(tenant.trash)) == ([], 0)
    assert (await reading.read(ada, Kind.MODEL, Reference("iris", "1")))["number"] == 1


async def test_its_versions_cannot_be_reached_meanwhile_and_its_words_do_not_count(tenant, ada, iris):
    await remove(tenant, iris, ada)

    with pytest.raises(Refused) as refusal:
        await reading.read(ada, Kind.MODEL, Reference(str(iris["_id"]), "1"))
    assert refusal.value.fault is NOT_FOUND
    assert (await count(tenant.versions), await uses(tenant)) == (1, [0, 0])

    await restore(tenant, iris, ada)
    assert await uses(tenant) == [1, 1]


async def test_numbers_of_versions_go_on_where_they_were(tenant, ada, iris):
    await remove(tenant, iris, ada)
    await restore(tenant, iris, ada)

    item = await versions.add(ada, Kind.MODEL, Reference("iris"), Upload(nothing))

    assert item["last_version"] == 2


async def test_without_days_nothing_is_kept(tenant, ada, iris):
    await items.remove(ada, Kind.MODEL, Reference("iris"))

    assert [await count(bound) for bound in (tenant.models, tenant.versions, tenant.trash)] == [0, 0, 0]


async def test_without_days_a_removal_that_was_cut_off_is_finished_by_a_sweep(tenant, ada, iris, monkeypatch):
    async def cut_off(*args):
        raise ConnectionError

    with monkeypatch.context() as crash:
        crash.setattr(trash, "_purge", cut_off)
        with pytest.raises(ConnectionError):
            await items.remove(ada, Kind.MODEL, Reference(str(iris["_id"])))
    assert await in_trash(tenant, ada) == []

    await trash.purge(tenant)

    assert [await count(bound) for bound in (tenant.models, tenant.versions, tenant.trash)] == [0, 0, 0]
    assert await uses(tenant) == [0, 0]


async def test_a_name_in_the_trash_is_free_and_then_stands_in_the_way_of_restoring(tenant, ada, iris):
    await remove(tenant, iris, ada)
    other = await items.create(ada, Kind.MODEL, new_item(**IRIS))

    with pytest.raises(Refused) as refusal:
        await restore(tenant, iris, ada)
    assert (refusal.value.fault, refusal.value.details) == (
        NOT_CREATED,
        "A model with the same name already exists for this user",
    )
    assert await uses(tenant) == [1, 1]

    await items.remove(ada, Kind.MODEL, Reference(str(other["_id"])))
    assert (await restore(tenant, iris, ada))["_id"] == iris["_id"]


async def test_only_the_owner_and_administrators_find_it_in_the_trash(tenant, ada, iris):
    bob, boss = await somebody(tenant, "bob"), await somebody(tenant, "boss", Role.ADMIN)
    await remove(tenant, iris, ada)

    assert [await in_trash(tenant, who) for who in (ada, bob, boss)] == [[iris["_id"]], [], [iris["_id"]]]
    for attempt, fault in ((trash.restore, CANNOT_MODIFY), (trash.purge_now, CANNOT_DELETE)):
        with pytest.raises(Refused) as refusal:
            await attempt(bob, str(iris["_id"]))
        assert refusal.value.fault is fault
    assert (await restore(tenant, iris, boss))["owner"] == ada.user


@given(callers, some_items())
def test_the_filter_and_the_question_agree(caller, item):
    assert all(item[field] == value for field, value in manageable_by(caller).items()) == may_manage(caller, item)


async def test_when_its_time_is_over_it_goes_with_its_versions(tenant, ada, iris):
    kept = await items.create(ada, Kind.MODEL, new_item(name="kept"))
    await versions.add(ada, Kind.MODEL, Reference("kept"), Upload(nothing))
    await remove(tenant, iris, ada)
    await remove(tenant, kept, ada)
    await time_passes(tenant, iris, until=now())

    with pytest.raises(Refused) as refusal:
        await restore(tenant, iris, ada)
    await trash.purge(tenant)

    assert refusal.value.fault is NOT_FOUND
    assert (await in_trash(tenant, ada), await count(tenant.trash)) == ([kept["_id"]], 1)
    assert (await count(tenant.versions, item=iris["_id"]), await count(tenant.versions)) == (0, 1)


async def test_the_trash_of_every_tenant_is_purged(tenant, ada, iris, database):
    await database.tenants.insert(RegisteredTenant(id=tenant.name, database=tenant.database.name, state="ready"))
    await remove(tenant, iris, ada)
    await time_passes(tenant, iris, until=now())

    await trash.purge_all(database)

    assert await count(tenant.trash) == 0


async def test_it_is_purged_at_once_when_asked(tenant, ada, iris):
    await remove(tenant, iris, ada)

    await trash.purge_now(ada, str(iris["_id"]))

    assert (await count(tenant.trash), await count(tenant.versions)) == (0, 0)


async def test_a_purge_that_was_cut_off_leaves_nothing_to_restore_and_is_finished_later(tenant, ada, iris):
    await remove(tenant, iris, ada)
    await time_passes(tenant, iris, purging=True, until=iris["timestamp"])  # as it stands when its versions go

    with pytest.raises(Refused) as refusal:
        await restore(tenant, iris, ada)
    await trash.purge(tenant)

    assert refusal.value.fault is NOT_FOUND
    assert (await count(tenant.trash), await count(tenant.versions)) == (0, 0)


@pytest.fixture
async def half_removed(tenant, ada, iris):
    """What a crash leaves after the first step of a removal, an hour ago: an item that is in both places."""
    record = trash._record(ada, Kind.MODEL, iris, DAYS)
    await tenant.trash.records.insert_one(record | {"lease_until": now() - timedelta(hours=1)})
    return iris


async def test_an_item_in_both_places_is_not_shown_as_removed(tenant, ada, half_removed):
    assert await in_trash(tenant, ada) == []


async def test_restoring_an_item_in_both_places_leaves_it_and_empties_the_trash(tenant, ada, half_removed):
    assert await restore(tenant, half_removed, ada) == half_removed

    assert (await count(tenant.trash), await uses(tenant)) == (0, [1, 1])


async def test_purging_an_item_in_both_places_leaves_it_with_its_versions(tenant, ada, half_removed):
    await trash.purge_now(ada, str(half_removed["_id"]))

    assert [await count(bound) for bound in (tenant.models, tenant.versions, tenant.trash)] == [1, 1, 0]


async def test_an_item_in_both_places_is_removed_as_it_is_by_then(tenant, ada, half_removed):
    again = await versions.add(ada, Kind.MODEL, Reference("iris"), Upload(nothing))

    await remove(tenant, half_removed, ada)

    assert await restore(tenant, half_removed, ada) == again | {"revision": again["revision"] + 1}


async def test_what_is_removed_for_good_cannot_be_restored_from_an_older_crash(tenant, ada, half_removed):
    await items.remove(ada, Kind.MODEL, Reference("iris"))

    assert await count(tenant.trash) == 0


async def test_an_item_that_changes_while_it_is_removed_is_kept_as_it_was_last(tenant, ada, iris, monkeypatch):
    take = trash.take

    async def changed_first(*args):
        monkeypatch.setattr(trash, "take", take)
        await versions.add(ada, Kind.MODEL, Reference("iris"), Upload(nothing))
        return await take(*args)

    monkeypatch.setattr(trash, "take", changed_first)

    await remove(tenant, iris, ada)

    assert (await restore(tenant, iris, ada))["last_version"] == 2


async def test_a_removal_that_comes_too_late_leaves_nothing_in_the_trash(tenant, ada, iris):
    await items.remove(ada, Kind.MODEL, Reference("iris"))

    assert not await trash.take(ada, Kind.MODEL, iris, DAYS)

    assert await count(tenant.trash) == 0


async def test_an_item_that_two_requests_remove_at_once_is_restored_at_once(tenant, ada, iris):
    moved = [await trash.take(ada, Kind.MODEL, iris, DAYS) for _ in range(2)]

    assert moved == [True, False]
    assert (await restore(tenant, iris, ada))["_id"] == iris["_id"]


async def test_an_item_that_somebody_is_moving_is_left_to_him(tenant, ada, iris):
    await remove(tenant, iris, ada)
    await time_passes(tenant, iris, lease_until=now() + trash.LEASE)

    for attempt in (trash.restore, trash.purge_now):
        with pytest.raises(Refused) as refusal:
            await attempt(ada, str(iris["_id"]))
        assert refusal.value.fault is BUSY
    assert (await count(tenant.trash), await count(tenant.versions)) == (1, 1)


async def test_a_removed_dataset_comes_back_to_the_models_that_name_it(tenant, ada):
    petals = await items.create(ada, Kind.DATASET, new_item(name="petals"))
    model = await items.create(ada, Kind.MODEL, new_item(name="m", datasets=["petals"]))
    await remove(tenant, model, ada)
    await remove(tenant, petals, ada, Kind.DATASET)  # no model uses it now

    assert (await restore(tenant, model, ada))["datasets"] == [petals["_id"]]
    await restore(tenant, petals, ada)

    assert (await items.read(ada, Kind.DATASET, Reference("petals")))["_id"] == petals["_id"]


async def test_the_trash_of_a_user_who_is_removed_goes_to_the_administrator_who_does_it(tenant, ada, iris):
    admin = await somebody(tenant, "boss", Role.ADMIN)
    await remove(tenant, iris, ada)

    await users.remove(admin, "ada")

    restored = await restore(tenant, iris, admin)
    assert (restored["owner"], restored["readers"]) == (admin.user, [admin.user])


async def test_an_administrator_who_goes_alone_says_who_gets_the_trash(tenant, ada, iris):
    boss, other = [await somebody(tenant, name, Role.ADMIN) for name in ("boss", "other")]
    mine = await items.create(boss, Kind.MODEL, new_item(name="mine"))
    await remove(tenant, mine, boss)

    with pytest.raises(Refused) as refusal:
        await users.remove(boss, "boss")
    await users.remove(boss, "boss", "other")

    assert refusal.value.fault is INVALID_TRANSFER
    assert (await restore(tenant, mine, other))["owner"] == other.user


async def test_what_was_shared_with_a_user_who_has_left_comes_back_without_him(tenant, ada):
    bob = await somebody(tenant, "bob")
    shared = await items.create(ada, Kind.MODEL, new_item(name="m", users=["bob"]))
    await remove(tenant, shared, ada)
    await users.remove(await somebody(tenant, "boss", Role.ADMIN), "bob")

    restored = await restore(tenant, shared, ada)

    assert (restored["users"], restored["readers"]) == ([], [ada.user])
    assert bob.user in shared["users"]


# Requests at the same time, on the real wire.


on_the_wire = pytest.mark.parametrize("database", ["wire"], indirect=True)


@on_the_wire
async def test_of_two_who_restore_at_once_one_wins(tenant, ada, iris, monkeypatch):
    await remove(tenant, iris, ada)
    both_have_looked, held = asyncio.Barrier(2), trash._acquire

    async def held_together(*args):
        await both_have_looked.wait()
        return await held(*args)

    monkeypatch.setattr(trash, "_acquire", held_together)

    won, refused = await outcomes(restore(tenant, iris, ada), restore(tenant, iris, ada))

    assert (len(won), refused[0].fault in {BUSY, NOT_FOUND}) == (1, True)
    assert [await count(tenant.models), await count(tenant.trash), await uses(tenant)] == [1, 0, [1, 1]]


@on_the_wire
async def test_of_a_restoration_and_a_creation_of_one_name_one_wins(tenant, ada, iris):
    await remove(tenant, iris, ada)

    won, refused = await outcomes(restore(tenant, iris, ada), items.create(ada, Kind.MODEL, new_item(**IRIS)))

    assert (len(won), [refusal.fault for refusal in refused]) == (1, [NOT_CREATED])
    assert [model["_id"] async for model in tenant.models.records.find({})] == [won[0]["_id"]]
    assert await uses(tenant) == [1, 1]


@on_the_wire
async def test_of_a_restoration_and_a_purge_one_wins_and_nothing_is_without_its_versions(tenant, ada, iris):
    await remove(tenant, iris, ada)

    won, _ = await outcomes(restore(tenant, iris, ada), trash.purge_now(ada, str(iris["_id"])))

    assert len(won) == 1
    assert await count(tenant.models) == await count(tenant.versions)
    assert await count(tenant.trash) == 0


@on_the_wire
async def test_of_two_who_remove_at_once_one_wins_and_the_item_can_be_restored(tenant, ada, iris, monkeypatch):
    both_have_read, take = asyncio.Barrier(2), trash.take

    async def taken_together(*args):
        await both_have_read.wait()
        return await take(*args)

    monkeypatch.setattr(trash, "take", taken_together)

    won, refused = await outcomes(remove(tenant, iris, ada), remove(tenant, iris, ada))

    assert (len(won), [refusal.fault for refusal in refused], await uses(tenant)) == (1, [NOT_FOUND], [0, 0])
    assert await in_trash(tenant, ada) == [iris["_id"]]


# Over HTTP


@pytest.fixture
async def removed(client, org):
    """A model of ada's that is in the trash, as it was shown before."""
    (await client.post("/v1/models", json=IRIS, headers=org.as_("ada"))).raise_for_status()
    url = "/v1/models/iris/versions?name=m.onnx"
    made = (await client.post(url, content=b"data", headers=org.as_("ada"))).raise_for_status().json()
    (await client.delete(f"/v1/models/{made['_id']}", headers=org.as_("ada"))).raise_for_status()
    return made


async def listed(client, org, who, **query):
    answer = await client.get("/v1/trash", params=query, headers=org.as_(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_trash_is_listed_newest_removal_first(client, org, removed):
    (await client.post("/v1/datasets", json={"name": "petals"}, headers=org.as_("ada"))).raise_for_status()
    (await client.delete("/v1/datasets/petals", headers=org.as_("admin"))).raise_for_status()

    trashed = await listed(client, org, "ada")

    assert [(each["kind"], each["name"]) for each in trashed["docs"]] == [("datasets", "petals"), ("models", "iris")]
    assert trashed["docs"][0].keys() == {"_id", "kind", "name", "owner", "removed_by", "removed", "until"}
    assert [each["removed_by"] for each in trashed["docs"]] == [org.ids["admin"], org.ids["ada"]]
    assert trashed["totalDocs"] == 2
    assert (await listed(client, org, "admin"))["docs"] == trashed["docs"]
    assert (await listed(client, org, "bob"))["docs"] == []


async def test_the_trash_is_filtered(client, org, removed):
    for wanted in ({"kind": "models"}, {"name": "iris"}, {"owner": org.ids["ada"]}):
        assert (await listed(client, org, "admin", filter=str(wanted).replace("'", '"')))["totalDocs"] == 1
    assert (await listed(client, org, "ada", filter='{"kind":"datasets"}'))["docs"] == []
    hidden = await client.get('/v1/trash?filter={"item.name":"iris"}', headers=org.as_("admin"))
    assert (hidden.status_code, hidden.json()["value"]) == (400, 6)


async def test_a_removed_item_is_restored_over_http(client, org, removed):
    url = f"/v1/trash/{removed['_id']}/restore"
    before = await client.get(f"/v1/models/{removed['_id']}", headers=org.as_("ada"))

    by_another = await client.post(url, headers=org.as_("bob"))
    answer = await client.post(url, headers=org.as_("ada"))
    again = await client.post(url, headers=org.as_("ada"))

    assert before.status_code == 404
    assert (by_another.status_code, by_another.json()["value"]) == (403, 12)
    assert (answer.status_code, answer.json()) == (200, removed)
    assert answer.headers["ETag"]
    assert (again.status_code, again.json()["value"]) == (404, 9)
    shown = await client.get(f"/v1/models/{removed['_id']}", headers=org.as_("ada"))
    assert (shown.json(), shown.headers["ETag"]) == (removed, answer.headers["ETag"])
    assert (await client.get("/v1/models/iris/versions/1", headers=org.as_("ada"))).content == b"data"


async def test_a_removed_item_is_purged_over_http(client, org, removed):
    url = f"/v1/trash/{removed['_id']}"

    by_another = await client.delete(url, headers=org.as_("bob"))
    answer = await client.delete(url, headers=org.as_("ada"))
    again = await client.delete(url, headers=org.as_("ada"))

    assert (by_another.status_code, by_another.json()["value"]) == (403, 13)
    assert (answer.status_code, answer.json()["_id"]) == (200, removed["_id"])
    assert (again.status_code, again.json()["value"]) == (404, 9)
    assert (await listed(client, org, "ada"))["docs"] == []


@pytest.mark.parametrize("key", ["iris", "5f" * 12])
async def test_what_is_not_in_the_trash_is_not_found(client, org, removed, key):
    for method, url in (("POST", f"/v1/trash/{key}/restore"), ("DELETE", f"/v1/trash/{key}")):
        answer = await client.request(method, url, headers=org.as_("admin"))
        assert (answer.status_code, answer.json()["value"], answer.json()["details"]) == (404, 9, key)


async def test_the_trash_of_one_tenant_is_not_anothers(client, org, other_org, removed):
    answer = await client.post(f"/v1/trash/{removed['_id']}/restore", headers=other_org.as_("admin"))

    assert answer.status_code == 404
    assert (await listed(client, other_org, "admin"))["docs"] == []

"""Users who leave: to whom their things go, and that an administrator is always left."""

import asyncio

import pytest

from catalog.domain.access import Caller
from catalog.domain.items import trash
from catalog.domain.people import last_admin, ownership_transfer, users
from catalog.domain.people.authentication.credentials import PasswordPolicy
from catalog.domain.people.users import UserChange
from catalog.errors import BUSY, LAST_ADMIN, Refused
from catalog.vocabulary import Role
from tests.support.tenants import somebody

ANY = PasswordPolicy(strength=0, days=0)


async def admins(tenant):
    return {user["username"] async for user in tenant.users.records.find({"role": "admin"})}


async def demote(tenant, whom, caller: Caller):
    return await users.change(caller, whom, UserChange(role=Role.REGULAR), ANY)


async def ends(*attempts):
    """The refusals among what became of them all."""
    return [end for end in await asyncio.gather(*attempts, return_exceptions=True) if isinstance(end, BaseException)]


@pytest.fixture
def together(monkeypatch):
    """No request looks for another administrator before all have begun."""

    def together(number):
        barrier, others, late = asyncio.Barrier(number), last_admin._others, iter(range(number))

        async def others_when_all_are_here(*args):
            if next(late, None) is not None:
                await barrier.wait()
            return await others(*args)

        monkeypatch.setattr(last_admin, "_others", others_when_all_are_here)

    return together


async def test_of_two_administrators_who_demote_each_other_one_is_left(tenant, together):
    ada, bob = [await somebody(tenant, name, Role.ADMIN) for name in ("ada", "bob")]
    together(2)

    refused = await ends(demote(tenant, "bob", ada), demote(tenant, "ada", bob))

    assert [refusal.fault for refusal in refused] == [LAST_ADMIN]
    assert len(await admins(tenant)) == 1
    assert await tenant.users.records.count_documents({"demotion_token": {"$exists": True, "$ne": None}}) == 0


async def test_of_a_removal_and_a_demotion_at_once_one_is_left(tenant, together):
    ada, _ = [await somebody(tenant, name, Role.ADMIN) for name in ("ada", "bob")]
    together(2)

    refused = await ends(demote(tenant, "ada", ada), users.remove(ada, "bob"))

    assert len(refused) == 1
    assert len(await admins(tenant)) == 1


async def test_of_five_administrators_who_all_leave_at_once_one_is_left(tenant, together):
    callers = [await somebody(tenant, f"admin-{number}", Role.ADMIN) for number in range(5)]
    together(5)

    refused = await ends(*(demote(tenant, caller.username, caller) for caller in callers))

    assert {refusal.fault for refusal in refused} == {LAST_ADMIN}
    assert len(await admins(tenant)) >= 1
    assert len(await admins(tenant)) == len(refused)


async def test_an_administrator_whose_server_died_during_a_demotion_counts_again_after_a_while(tenant, monkeypatch):
    ada, bob = [await somebody(tenant, name, Role.ADMIN) for name in ("ada", "bob")]
    leaving = last_admin.demotion(tenant, bob.user, is_admin=True)
    condition = await leaving.__aenter__()  # and never leaves again
    monkeypatch.setattr(last_admin, "LONGEST_DEMOTION", -last_admin.LONGEST_DEMOTION)  # as if it were long ago

    await demote(tenant, "ada", ada)

    assert await admins(tenant) == {"bob"}
    assert await tenant.users.records.find_one({"_id": bob.user, **condition}) is None


async def test_a_user_who_becomes_administrator_during_the_removal_stays(tenant, monkeypatch):
    ada = await somebody(tenant, "ada", Role.ADMIN)
    await somebody(tenant, "bob")
    pass_on = ownership_transfer.transfer_trash

    async def and_meanwhile(*args):
        await pass_on(*args)
        await tenant.users.records.update_one({"username": "bob"}, {"$set": {"role": "admin"}})

    monkeypatch.setattr(ownership_transfer, "transfer_trash", and_meanwhile)

    with pytest.raises(Refused) as refusal:
        await users.remove(ada, "bob")

    assert refusal.value.fault is BUSY
    assert await admins(tenant) == {"ada", "bob"}


async def own(client, org, who, *names, kind="models", **fields):
    for name in names:
        body = {"name": name, **fields}
        (await client.post(f"/v1/{kind}", json=body, headers=org.as_(who))).raise_for_status()


async def leave(client, org, who, **query):
    return await client.delete(f"/v1/users/{who}", params=query, headers=org.as_("admin"))


async def test_a_user_who_leaves_gives_everything_to_another(client, org):
    await own(client, org, "ada", "iris", "rose", users=["bob", "eve"])
    await own(client, org, "ada", "petals", kind="datasets")
    await own(client, org, "ada", "thrown")
    await client.post("/v1/models/iris/versions?name=m.bin", content=b"bytes", headers=org.as_("ada"))
    await client.delete("/v1/models/thrown", headers=org.as_("ada"))

    gone = await leave(client, org, "ada", transfer="bob")

    assert (gone.status_code, gone.json()["username"]) == (200, "ada")
    iris = (await client.get("/v1/models/iris", headers=org.as_("bob"))).json()
    assert iris["owner"] == org.ids["bob"]
    assert [user["username"] for user in iris["users"]] == ["eve"]
    assert (await client.get("/v1/models/iris/versions/1", headers=org.as_("eve"))).content == b"bytes"
    assert (await client.get("/v1/datasets/petals", headers=org.as_("bob"))).status_code == 200
    [thrown] = (await client.get("/v1/trash", headers=org.as_("bob"))).json()["docs"]
    restored = await client.post(f"/v1/trash/{thrown['_id']}/restore", headers=org.as_("bob"))
    assert restored.json()["owner"] == org.ids["bob"]
    assert (await client.get("/v1/users/ada", headers=org.as_("admin"))).status_code == 404


async def test_names_that_collide_are_named_before_anything_moves(client, org):
    await own(client, org, "ada", "iris", "rose", "zinnia")
    await own(client, org, "bob", "zinnia", "rose")

    refused = await leave(client, org, "ada", transfer="bob")

    assert (refused.status_code, refused.json()["value"]) == (400, 7)
    assert refused.json()["details"] == ("transfer: bob has items of these names already: models/rose, models/zinnia")
    mine = await client.get("/v1/models", params={"filter": f'{{"owner":"{org.ids["ada"]}"}}'}, headers=org.as_("ada"))
    assert mine.json()["totalDocs"] == 3


@pytest.mark.parametrize(("heir", "status"), [("nobody", 404), ("ada", 400)])
async def test_a_wrong_heir_is_refused(client, org, heir, status):
    await own(client, org, "ada", "iris")

    assert (await leave(client, org, "ada", transfer=heir)).status_code == status
    assert (await client.get("/v1/models/iris", headers=org.as_("ada"))).status_code == 200


async def test_the_last_administrator_gives_nothing_away(client, org):
    await own(client, org, "admin", "iris")

    refused = await leave(client, org, "admin", transfer="ada")

    assert (refused.status_code, refused.json()["value"]) == (400, 7)
    assert (await client.get("/v1/models/iris", headers=org.as_("admin"))).json()["owner"] == org.ids["admin"]


async def test_a_departure_that_was_interrupted_goes_on(client, org, monkeypatch):
    await own(client, org, "ada", "iris", "rose", "zinnia")
    give, given = ownership_transfer._transfer_item, []

    async def die_at_the_second(tenant, kind, item, user, heir):
        if given:
            raise RuntimeError("the server was killed here")
        given.append(item)
        await give(tenant, kind, item, user, heir)

    monkeypatch.setattr(ownership_transfer, "_transfer_item", die_at_the_second)
    interrupted = await leave(client, org, "ada", transfer="bob")
    monkeypatch.setattr(ownership_transfer, "_transfer_item", give)

    again = await leave(client, org, "ada", transfer="bob")

    assert (interrupted.status_code, again.status_code) == (500, 200)
    assert (await client.get("/v1/models", headers=org.as_("bob"))).json()["totalDocs"] == 3


async def test_a_change_to_an_item_that_is_given_away_is_not_lost(client, org, monkeypatch):
    await own(client, org, "ada", "iris")
    owned_by, changed = ownership_transfer._owned_by, []

    def when_somebody_was_first(heir, item):
        changed.append(item["revision"])
        return owned_by(heir, item)

    monkeypatch.setattr(ownership_transfer, "_owned_by", when_somebody_was_first)

    await asyncio.gather(
        leave(client, org, "ada", transfer="bob"),
        client.put("/v1/models/iris", json={"description": "changed"}, headers=org.as_("admin")),
    )

    iris = (await client.get("/v1/models/iris", headers=org.as_("bob"))).json()
    assert (iris["description"], iris["owner"]) == ("changed", org.ids["bob"])
    assert changed


async def test_what_is_being_restored_holds_a_departure_up(tenant):
    ada, bob = await somebody(tenant, "ada"), await somebody(tenant, "bob")
    await tenant.trash.records.insert_one(
        {
            "_id": ada.user,
            "kind": "models",
            "name": "iris",
            "owner": ada.user,
            "item": {"users": [], "visibility": "private"},
            "removal": ada.user,
            "lease_until": ownership_transfer.now() + trash.LEASE,
            "until": ownership_transfer.now() + trash.LEASE,
            "purging": False,
        }
    )

    with pytest.raises(Refused) as refusal:
        await users.remove(bob, "ada", "bob")

    assert refusal.value.fault is BUSY
    assert bob.user
    with pytest.raises(Refused) as refusal:
        await users.remove(bob, "ada")
    assert refusal.value.fault is BUSY

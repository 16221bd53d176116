"""The clock of a server jumps: forward, so that everything looks old, and back, so that much is from the future."""

from datetime import datetime, timedelta

import pytest

from catalog.domain.files import upload_lease
from catalog.store import clock as store_clock
from catalog.store.documents.tenants import RegisteredTenant
from tests.dialects.v1.test_tus import Tus
from tests.domain.files.test_blob_records import OPERATOR
from tests.support.app import PASSWORD

A_DAY, A_YEAR = timedelta(days=1), timedelta(days=365)
NEW_PASSWORD = "Engine-No-2"


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def jump(self, by):
        self.ahead += by


@pytest.fixture
def clock(monkeypatch):
    """What `store.clock` reads, and every other part through it."""
    clock = Clock()

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + clock.ahead

    monkeypatch.setattr(store_clock, "datetime", Shifted)
    return clock


async def sweep(client, org):
    [swept] = (await client.post(f"/v1/sweep?grace=10m&tenant={org.name}", headers=OPERATOR)).json()["tenants"]
    assert "refused" not in swept
    return swept


async def a_model(client, org, name="iris"):
    answer = await client.post("/v1/models", json={"name": name, "tags": ["flowers"]}, headers=org.as_("ada"))
    return f"/v1/models/{answer.json()['_id']}"


async def test_after_a_jump_forward_people_sign_in_again_and_find_everything(client, org, clock):
    model = await a_model(client, org)
    before = (await client.get(model, headers=org.as_("ada"))).json()

    clock.jump(A_DAY)

    late = await client.get(model, headers=org.as_("ada"))
    after = (await client.get(model, headers=await org.sign_in("ada"))).json()
    assert (late.status_code, late.json()["value"]) == (401, 3)
    assert after == before


async def test_an_upload_under_way_at_a_jump_forward_ends_well_though_a_sweep_comes_by(client, org, clock):
    model = await a_model(client, org)
    swept = []

    async def content():
        yield b"petals" * 300_000
        clock.jump(A_DAY)
        swept.append(await sweep(client, org))
        yield b"sepals"

    sent = await client.post(f"{model}/versions?name=iris.bin", content=content(), headers=org.as_("ada"))
    came_back = await client.get(f"{model}/versions/1", headers=await org.sign_in("ada"))

    assert sent.status_code == 200, sent.text
    assert came_back.content == b"petals" * 300_000 + b"sepals"
    assert swept[0]["leftovers"] == 0


async def test_what_has_a_version_stays_however_old_it_looks(client, org, clock):
    model = await a_model(client, org)
    await client.post(f"{model}/versions?name=iris.bin", content=b"petals", headers=org.as_("ada"))

    clock.jump(A_YEAR)
    swept = await sweep(client, org)

    assert not any(value for name, value in swept.items() if name != "_id")
    came_back = await client.get(f"{model}/versions/1", headers=await org.sign_in("ada"))
    assert came_back.content == b"petals"


async def test_a_password_that_was_changed_in_the_future_lets_its_owner_in(client, org, clock):
    old = org.as_("ada")
    clock.jump(A_YEAR)
    changed = {"password": NEW_PASSWORD}
    await client.put(f"/v1/users/{org.ids['ada']}", json=changed, headers=await org.sign_in("ada"))
    clock.jump(-A_YEAR)
    body = {"username": "ada", "password": NEW_PASSWORD, "tenant": org.name}

    before = await client.get("/v1/models", headers=old)
    new = {"Authorization": (await client.post("/v1/login", json=body)).json()["token"]}
    after = [await client.get("/v1/models", headers=headers) for headers in (old, new)]

    assert before.status_code == 401
    assert [answer.status_code for answer in after] == [401, 200]


async def test_failures_of_the_future_delay_nobody(client, org, clock):
    clock.jump(A_YEAR)
    wrong = {"username": "ada", "password": "wrong", "tenant": org.name}
    answers = [(await client.post("/v1/login", json=wrong)).status_code for _ in range(7)]
    clock.jump(-A_YEAR)

    right = await client.post("/v1/login", json=wrong | {"password": PASSWORD})

    assert answers[-1] == 429
    assert right.status_code == 200


async def test_what_was_removed_in_the_future_is_restored_today(client, org, clock):
    model = await a_model(client, org)
    clock.jump(A_YEAR)
    await client.delete(model, headers=await org.sign_in("ada"))
    clock.jump(-A_YEAR)

    key = model.rpartition("/")[2]
    restored = await client.post(f"/v1/trash/{key}/restore", headers=await org.sign_in("ada"))

    assert restored.status_code == 200, restored.text


async def test_an_upload_in_parts_whose_server_died_in_the_future_goes_on_today(client, org, clock):
    await a_model(client, org)
    where = (await Tus(org).begin(size=12)).headers["Location"]
    clock.jump(A_YEAR)
    await org.sign_in("ada")
    died = {"$set": {"lease_until": store_clock.now() + upload_lease.LEASE}}
    tenant = client._transport.app.state.database.tenant(RegisteredTenant(id=org.name, database=org.database))
    await tenant.uploads.records.update_many({}, died)
    clock.jump(-A_YEAR)
    await org.sign_in("ada")

    added = await Tus(org).append(where, 0, b"petalssepals")

    assert added.status_code == 204, added.text


async def test_a_server_that_is_a_little_ahead_signs_people_in_for_all(client, org, clock):
    clock.jump(timedelta(minutes=5))
    token = await org.sign_in("ada")
    clock.jump(timedelta(minutes=-5))

    assert (await client.get("/v1/models", headers=token)).status_code == 200

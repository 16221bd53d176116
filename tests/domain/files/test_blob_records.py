"""The bytes that a tenant keeps: held against the sweep, counted once, and within the quota."""

import asyncio
from datetime import timedelta
from hashlib import sha256

import pytest

from catalog.blobs.memory import MemoryBlobs
from catalog.blobs.protocol import Blob
from catalog.domain.files import blob_records, quota
from catalog.errors import BUSY, QUOTA_EXCEEDED, Refused
from catalog.store.clock import now
from tests.domain.test_races import outcomes
from tests.support.app import API_TOKEN

LONG_AGO = now() - timedelta(days=30)
OPERATOR = {"Authorization": API_TOKEN}

on_the_wire = pytest.mark.parametrize("database", ["wire"], indirect=True)


@pytest.fixture
def blobs(tenant):
    return tenant.blobs


async def chunks(*pieces):
    for piece in pieces:
        yield piece


async def put(blobs, data=b"data"):
    return await blobs.put(chunks(data))


async def record(tenant, blob):
    return await tenant.blob_records.records.find_one({"_id": blob.digest})


async def received(tenant, pieces, announced=0):
    return b"".join([chunk async for chunk in quota.limit(tenant, chunks(*pieces), announced)])


async def test_bytes_that_are_held_are_counted_once(tenant, blobs):
    for data in (b"data", b"other data", b"data", b""):
        await blob_records.hold(tenant, await put(blobs, data))

    assert await quota.usage(tenant) == len(b"data") + len(b"other data")
    assert await tenant.blob_records.records.count_documents({}) == 3


async def test_holding_bytes_again_makes_them_young_again(tenant, blobs):
    blob = await put(blobs)
    await blob_records.hold(tenant, blob)
    await tenant.blob_records.records.update_one({"_id": blob.digest}, {"$set": {"touched": LONG_AGO}})

    await blob_records.hold(tenant, blob)

    assert not await blob_records.remove_unused(tenant, blob, now() - timedelta(minutes=1))
    assert await record(tenant, blob)


async def test_bytes_above_four_gigabytes_are_counted_exactly(tenant):
    class Huge(MemoryBlobs):
        async def size(self, digest):
            return 5 * 2**40

    tenant.blobs = Huge()
    for name in (b"one", b"two"):
        await blob_records.hold(tenant, Blob(sha256(name).hexdigest(), 5 * 2**40))

    assert await quota.usage(tenant) == 10 * 2**40


async def test_bytes_that_are_not_there_are_not_held(tenant, blobs):
    blob = await put(blobs)
    await blobs.drop(blob.digest)

    with pytest.raises(Refused) as refusal:
        await blob_records.hold(tenant, blob)

    assert refusal.value.fault is BUSY
    assert (await record(tenant, blob), await quota.usage(tenant)) == (None, 0)


# Quota


async def test_without_a_quota_any_size_passes(tenant):
    assert await received(tenant, [b"abc", b"def"], 10**15) == b"abcdef"


async def test_what_exceeds_the_quota_is_refused_before_its_first_byte_when_it_says_so(tenant, blobs):
    tenant.policy = tenant.policy._replace(quota=10)
    await blob_records.hold(tenant, await put(blobs, b"1234"))
    came = []

    async def watched():
        came.append("a chunk")
        yield b""

    with pytest.raises(Refused) as refusal:
        await anext(quota.limit(tenant, watched(), 7))

    assert (refusal.value.fault, came) == (QUOTA_EXCEEDED, [])
    assert refusal.value.details == f"the files of {tenant.name} may weigh 10 bytes together"
    assert await received(tenant, [b"123456"], 6) == b"123456"


async def test_what_exceeds_the_quota_unannounced_is_refused_on_its_way(tenant, blobs):
    tenant.policy = tenant.policy._replace(quota=10)
    passing = quota.limit(tenant, chunks(b"12345", b"67890", b"1", b"2"))

    assert [await anext(passing), await anext(passing)] == [b"12345", b"67890"]
    with pytest.raises(Refused) as refusal:
        await anext(passing)

    assert refusal.value.fault is QUOTA_EXCEEDED


async def test_uploads_that_come_at_once_see_each_other(tenant):
    tenant.policy = tenant.policy._replace(quota=10)
    first = quota.limit(tenant, chunks(b"123", b"456"), 6)
    await anext(first)

    with pytest.raises(Refused) as refusal:
        await received(tenant, [b"12345"])
    await first.aclose()

    assert refusal.value.fault is QUOTA_EXCEEDED
    assert tenant.arriving == 0
    assert await received(tenant, [b"1234567890"]) == b"1234567890"


async def test_a_quota_below_what_is_there_refuses_everything_and_removes_nothing(tenant, blobs):
    blob = await put(blobs, b"123456")
    await blob_records.hold(tenant, blob)
    tenant.policy = tenant.policy._replace(quota=3)

    with pytest.raises(Refused):
        await received(tenant, [b""])

    await blob_records.hold(tenant, blob)
    assert await quota.usage(tenant) == 6


async def test_new_bytes_that_exceed_the_quota_when_they_are_whole_are_dropped(tenant, blobs):
    tenant.policy = tenant.policy._replace(quota=10)
    first, second = await put(blobs, b"123456"), await put(blobs, b"654321")
    await blob_records.hold(tenant, first)

    with pytest.raises(Refused) as refusal:
        await blob_records.hold(tenant, second)

    assert refusal.value.fault is QUOTA_EXCEEDED
    assert await quota.usage(tenant) == 6
    assert [await blobs.size(blob.digest) for blob in (first, second)] == [6, None]
    assert await tenant.blob_records.records.count_documents({}) == 1


@on_the_wire
async def test_of_uploads_that_end_at_once_so_many_are_kept_as_the_quota_allows(tenant, blobs):
    tenant.policy = tenant.policy._replace(quota=35)
    all_blobs = [await put(blobs, b"%010d" % number) for number in range(8)]
    assert [await received(tenant, [b"ten bytes."]) for _ in all_blobs] == [b"ten bytes."] * 8

    held, refused = await outcomes(*(blob_records.hold(tenant, blob) for blob in all_blobs))

    assert (len(held), {refusal.fault for refusal in refused}) == (3, {QUOTA_EXCEEDED})
    assert await quota.usage(tenant) == 30
    assert await tenant.blob_records.records.count_documents({}) == 3


@on_the_wire
async def test_equal_bytes_that_end_at_once_are_counted_once(tenant, blobs):
    blob = await put(blobs)

    await asyncio.gather(*(blob_records.hold(tenant, blob) for _ in range(8)))

    assert await quota.usage(tenant) == blob.size


# Letting go


async def test_a_blob_that_nothing_names_goes_with_its_record_and_is_not_counted_any_more(tenant, blobs):
    blob = await put(blobs)
    await blob_records.hold(tenant, blob)

    assert await blob_records.remove_unused(tenant, blob, now())

    assert (await blobs.size(blob.digest), await record(tenant, blob), await quota.usage(tenant)) == (
        None,
        None,
        0,
    )


async def test_bytes_without_a_record_go_too(tenant, blobs):
    blob = await put(blobs)

    assert await blob_records.remove_unused(tenant, blob, now())

    assert (await blobs.size(blob.digest), await record(tenant, blob), await quota.usage(tenant)) == (
        None,
        None,
        0,
    )


async def test_a_blob_that_a_version_names_stays(tenant, blobs):
    blob = await put(blobs)
    await blob_records.hold(tenant, blob)
    await tenant.versions.records.insert_one({"files": [{"digest": blob.digest}]})

    assert not await blob_records.remove_unused(tenant, blob, now())

    assert (await blobs.size(blob.digest), await quota.usage(tenant)) == (4, 4)
    assert "deleting_since" not in await record(tenant, blob)


class Slow(MemoryBlobs):
    """Bytes that go when they are allowed to, and `then` something happens before their record goes, too."""

    def __init__(self, then=None):
        super().__init__()
        self.asked, self.allowed, self.then = asyncio.Event(), asyncio.Event(), then

    async def drop(self, digest):
        self.asked.set()
        await self.allowed.wait()
        await super().drop(digest)
        if self.then:
            await self.then(self)


async def test_bytes_that_are_being_removed_are_sent_again_after_a_wait(tenant):
    blobs = tenant.blobs = Slow()
    blob = await put(blobs)
    going = asyncio.create_task(blob_records.remove_unused(tenant, blob, now()))
    await blobs.asked.wait()

    holding = asyncio.create_task(blob_records.hold(tenant, blob))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(holding), blob_records.PAUSES[0])
    blobs.allowed.set()
    assert await going
    with pytest.raises(Refused) as refusal:
        await holding

    assert refusal.value.fault is BUSY
    assert (await record(tenant, blob), await quota.usage(tenant)) == (None, 0)


async def test_bytes_that_are_sent_after_their_removal_stay(tenant):
    blobs = tenant.blobs = Slow(then=put)
    blob = await put(blobs)
    going = asyncio.create_task(blob_records.remove_unused(tenant, blob, now()))
    await blobs.asked.wait()
    holding = asyncio.create_task(blob_records.hold(tenant, blob))

    blobs.allowed.set()
    await asyncio.gather(going, holding)

    assert (await blobs.size(blob.digest), await quota.usage(tenant)) == (4, 4)


class HeldBack:
    """A collection whose first insertion waits until it is released."""

    def __init__(self, inner):
        self._inner, self.asked, self.released = inner, asyncio.Event(), asyncio.Event()

    def __getattr__(self, name):
        return getattr(self._inner, name)

    async def insert_one(self, record):
        if not self.asked.is_set():
            self.asked.set()
            await self.released.wait()
        return await self._inner.insert_one(record)


async def test_bytes_that_another_request_began_to_hold_before_outlive_a_refused_upload(tenant, blobs):
    blob = await put(blobs)
    collection = tenant.blob_records.records = HeldBack(tenant.blob_records.records)
    other = asyncio.create_task(blob_records.hold(tenant, blob))
    await collection.asked.wait()
    refused = await blob_records.hold(tenant, blob)
    # The clock of this server is ahead of that of the other one.
    await tenant.blob_records.records.update_one(
        {"_id": blob.digest}, {"$set": {"touched": now() + timedelta(minutes=1)}}
    )
    collection.released.set()
    await other

    assert not await blob_records.release(tenant, blob, refused)
    assert await blobs.size(blob.digest) == 4


async def test_bytes_that_nothing_else_holds_go_with_a_refused_upload(tenant, blobs):
    blob = await put(blobs)
    refused = await blob_records.hold(tenant, blob)

    assert await blob_records.release(tenant, blob, refused)
    assert (await record(tenant, blob), await quota.usage(tenant)) == (None, 0)


async def test_bytes_that_go_for_too_long_are_not_waited_for(tenant, monkeypatch):
    monkeypatch.setattr(blob_records, "PAUSES", (0.001,) * 3)
    blobs = tenant.blobs = Slow()
    blob = await put(blobs)
    going = asyncio.create_task(blob_records.remove_unused(tenant, blob, now()))
    await blobs.asked.wait()

    with pytest.raises(Refused) as refusal:
        await blob_records.hold(tenant, blob)
    assert not await blob_records.remove_unused(tenant, blob, now())

    assert refusal.value.fault is BUSY
    blobs.allowed.set()
    await going


@pytest.mark.parametrize("the_bytes_are", ["there", "gone"])
async def test_a_blob_whose_sweep_died_is_held_again_or_removed_by_the_next(tenant, blobs, monkeypatch, the_bytes_are):
    monkeypatch.setattr(blob_records, "PAUSES", (0.001,))
    blob = await put(blobs)
    await blob_records.hold(tenant, blob)
    left = {"touched": LONG_AGO, "deleting_since": LONG_AGO + timedelta(days=1)}
    await tenant.blob_records.records.update_one({"_id": blob.digest}, {"$set": left})

    if the_bytes_are == "there":
        await blob_records.hold(tenant, blob)
        assert "deleting_since" not in await record(tenant, blob)
        assert await quota.usage(tenant) == 4
    else:
        await blobs.drop(blob.digest)
        assert not await blob_records.remove_unused(tenant, blob, now())
        assert (await record(tenant, blob), await quota.usage(tenant)) == (None, 0)


# Over HTTP


async def upload(client, org, data, **headers):
    made = await client.post("/v1/models", json={"name": "iris"}, headers=org.as_("ada"))
    assert made.status_code in {200, 400}
    url = "/v1/models/iris/versions?name=weights.bin"
    return await client.post(url, content=data, headers=org.as_("ada") | headers)


async def set_quota(client, org, quota):
    return await client.put(f"/v1/tenants/{org.name}", json={"quota_bytes": quota}, headers=OPERATOR)


async def test_the_operator_sets_a_quota_and_lifts_it(client, org):
    answer = await set_quota(client, org, 1000)
    assert (answer.status_code, answer.json()["quota_bytes"]) == (200, 1000)
    assert (await upload(client, org, b"x" * 600)).status_code == 200

    refused = await upload(client, org, b"y" * 600)

    assert (refused.status_code, refused.json()["value"]) == (507, 111)
    assert refused.json()["details"] == f"the files of {org.name} may weigh 1000 bytes together"
    assert len((await client.get("/v1/models/iris", headers=org.as_("ada"))).json()["versions"]) == 1
    await set_quota(client, org, 0)
    assert (await upload(client, org, b"y" * 600)).status_code == 200


async def test_an_upload_that_does_not_say_how_long_it_is_stays_within_the_quota_too(client, org):
    await set_quota(client, org, 1000)

    async def unannounced():
        for _ in range(100):
            yield b"x" * 100

    refused = await upload(client, org, unannounced(), **{"Content-Type": "application/octet-stream"})

    assert (refused.status_code, refused.json()["value"]) == (507, 111)


@pytest.mark.parametrize(
    ("quota", "why"),
    [
        (-1, "it must be at least 0"),
        (1.5, "a whole number is needed"),
        ("10", "a whole number is needed"),
        (True, "a whole number is needed"),
        (2**63, "the number does not fit into 64 bits"),
    ],
)
async def test_a_quota_is_a_number_of_bytes(client, org, quota, why):
    answer = await set_quota(client, org, quota)

    assert (answer.status_code, answer.json()["value"]) == (400, 8)
    assert answer.json()["details"] == f"quota_bytes: {why}"


async def test_administrators_and_the_operator_see_what_is_used(client, org, other_org):
    await upload(client, org, b"12345")
    await upload(client, org, b"12345")
    await set_quota(client, org, 99)

    seen = await client.get("/v1/usage", headers=org.as_("admin"))

    assert seen.json() == {
        "bytes": 5,
        "unfinished_bytes": 0,
        "quota_bytes": 99,
        "near_quota": False,
        "blobs": 1,
        "versions": 2,
        "datasets": 0,
        "models": 1,
        "algorithms": 0,
        "trash": 0,
        "users": 4,
    }
    assert (await client.get(f"/v1/tenants/{org.name}/usage", headers=OPERATOR)).json() == seen.json()
    assert (await client.get("/v1/usage", headers=other_org.as_("admin"))).json()["bytes"] == 0
    [largest] = (await client.get("/v1/usage/items?limit=1", headers=org.as_("admin"))).json()["docs"]
    assert (largest["name"], largest["versions"], largest["bytes"], largest["removed"]) == ("iris", 2, 10, False)
    assert (await client.get("/v1/usage", headers=org.as_("ada"))).status_code == 403
    assert (await client.get("/v1/tenants/nobody/usage", headers=OPERATOR)).status_code == 404
    assert (await client.get(f"/v1/tenants/{org.name}/usage", headers=org.as_("admin"))).status_code == 401

"""The sweep under any order of steps: no version is ever without its bytes, and in the end nothing is left over."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from inspect import iscoroutinefunction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mongomock_motor import AsyncMongoMockClient

from catalog.blobs.memory import MemoryBlobs
from catalog.domain.cleanup import sweep
from catalog.domain.files import blob_records, quota
from catalog.errors import Refused
from catalog.store.database import Database
from catalog.store.tenant import Tenant
from tests.domain.cleanup.test_sweep import NONE, held, readable
from tests.domain.files.test_blob_records import chunks
from tests.support.app import OURS


@pytest.fixture(scope="module", autouse=True)
async def sealed():
    """The tests make their tenants by themselves."""
    await Database(AsyncMongoMockClient(tz_aware=True), OURS).open()


ROUND = timedelta(hours=1)


class Interleaved:
    """A collection, or blobs, whose every answer lets others go first."""

    def __init__(self, inner, chance):
        self._inner, self._chance = inner, chance

    def __getattr__(self, name):
        method = getattr(self._inner, name)

        @wraps(method)
        async def later(*args, **kwargs):
            for _ in range(self._chance.randrange(6)):
                await asyncio.sleep(0)
            return await method(*args, **kwargs)

        return later if iscoroutinefunction(method) else method


async def grow_older(tenant, blobs):
    """Everything that is stored is two rounds older."""
    for field in ("touched", "deleting_since"):
        async for record in tenant.blob_records.records.find({field: {"$ne": None}}):
            earlier = record[field] - 2 * ROUND
            await tenant.blob_records.records.update_one({"_id": record["_id"]}, {"$set": {field: earlier}})
    blobs.modified = {name: moment - 2 * ROUND for name, moment in blobs.modified.items()}


DATA = st.sampled_from([b"a", b"bb"])
STEPS = st.one_of(st.tuples(st.sampled_from(["add", "refuse", "remove"]), DATA), st.just(("sweep", b"")))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(STEPS, min_size=2, max_size=6), min_size=1, max_size=3), st.randoms(use_true_random=False))
async def test_whatever_the_order_of_steps_no_version_is_without_its_bytes(history, chance):
    blobs = MemoryBlobs()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blob_records, "PAUSES", (0,) * 50)
        patch.setattr(sweep, "SETTLED", 0)
        tenant = interleaved_tenant(chance)
        tenant.blobs = Interleaved(blobs, chance)

        async def step(what, data):
            if what == "sweep":
                await sweep.sweep(tenant, grace=ROUND)
            elif what == "remove":
                await tenant.versions.records.delete_one({"files.digest": sha256(data).hexdigest()})
            else:
                blob = await Interleaved(blobs, chance).put(chunks(data))
                with suppress(Refused):
                    hold_id = await blob_records.hold(tenant, blob)
                    if what == "refuse":
                        if hold_id:
                            await blob_records.release(tenant, blob, hold_id)
                        return
                    await tenant.versions.records.insert_one({"files": [{"digest": blob.digest}]})

        for data in (b"a", b"bb"):  # from long ago, and nothing names them any more
            await held(tenant, blobs, data)
        await grow_older(tenant, blobs)
        for steps in history:
            await asyncio.gather(*(step(*each) for each in steps))
            assert await readable(tenant, blobs)
            await grow_older(tenant, blobs)

        await sweep.sweep(tenant, grace=NONE)
        named = {file["digest"] async for version in tenant.versions.records.find({}) for file in version["files"]}
        assert set(blobs.contents) == named
        assert await quota.usage(tenant) == sum(map(len, blobs.contents.values()))


def interleaved_tenant(chance):
    name = f"t{chance.getrandbits(64):x}"
    tenant = Tenant(name, AsyncMongoMockClient(tz_aware=True)[name])
    for bound in (tenant.blob_records, tenant.versions):
        bound.records = Interleaved(bound.records, chance)
    return tenant

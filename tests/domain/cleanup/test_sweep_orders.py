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
from tests.domain.files.test_blob_records import LONG_AGO, chunks
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


class Clock:
    """A time of its own, in which every look takes a millisecond."""

    def __init__(self):
        self.time = LONG_AGO

    def now(self):
        self.time += timedelta(milliseconds=1)
        return self.time


class Dated(MemoryBlobs):
    def __init__(self, clock):
        super().__init__()
        self._clock = clock

    def _store(self, content):
        blob = super()._store(content)
        self.modified[blob.digest] = self._clock.now()
        return blob


DATA = st.sampled_from([b"a", b"bb"])
STEPS = st.one_of(st.tuples(st.just("add"), DATA), st.tuples(st.just("remove"), DATA), st.just(("sweep", b"")))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(STEPS, min_size=2, max_size=6), min_size=1, max_size=3), st.randoms(use_true_random=False))
async def test_whatever_the_order_of_steps_no_version_is_without_its_bytes(history, chance):
    clock = Clock()
    blobs = Dated(clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blob_records, "now", clock.now)
        patch.setattr(sweep, "now", clock.now)
        patch.setattr(blob_records, "PAUSES", (0,) * 50)
        patch.setattr(sweep, "SETTLED", 0)
        tenant = interleaved_tenant(chance)
        tenant.blobs = Interleaved(blobs, chance)

        async def step(what, data):
            if what == "sweep":
                await sweep.sweep(tenant, grace=ROUND)
            elif what == "remove":
                await tenant.versions.raw.delete_one({"files.digest": sha256(data).hexdigest()})
            else:
                blob = await Interleaved(blobs, chance).put(chunks(data))
                with suppress(Refused):
                    await blob_records.hold(tenant, blob)
                    await tenant.versions.raw.insert_one({"files": [{"digest": blob.digest}]})

        for data in (b"a", b"bb"):  # from long ago, and nothing names them any more
            await held(tenant, blobs, data)
        clock.time += 2 * ROUND
        for steps in history:
            await asyncio.gather(*(step(*each) for each in steps))
            assert await readable(tenant, blobs)
            clock.time += 2 * ROUND

        await sweep.sweep(tenant, grace=NONE)
        named = {file["digest"] async for version in tenant.versions.raw.find({}) for file in version["files"]}
        assert set(blobs.contents) == named
        assert await quota.usage(tenant) == sum(map(len, blobs.contents.values()))


def interleaved_tenant(chance):
    name = f"t{chance.getrandbits(64):x}"
    tenant = Tenant(name, AsyncMongoMockClient(tz_aware=True)[name])
    for bound in (tenant.blob_records, tenant.versions):
        bound.raw = bound.records = Interleaved(bound.raw, chance)
    return tenant

"""Uploads in parts, without a server around them: leases, ends that are repeated, and nothing lost or doubled."""

import asyncio
import hashlib
import time
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

import pytest
from bson import ObjectId
from hypothesis import given, settings
from hypothesis import strategies as st
from mongomock_motor import AsyncMongoMockClient

from catalog.blobs.memory import MemoryStorage
from catalog.blobs.protocol import FileHead
from catalog.domain.access import Caller
from catalog.domain.cleanup import sweep
from catalog.domain.files import blob_records, completion, quota, resumable, upload_lease, uploads
from catalog.domain.files.quota import Reservation
from catalog.domain.files.uploads import UploadRequest
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.tenants import usage
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.drafts import closing, drafts
from catalog.errors import (
    OFFSET_CONFLICT,
    QUOTA_EXCEEDED,
    TOO_MANY_UPLOADS,
    UPLOAD_BUSY,
    UPLOAD_CUT_OFF,
    Refused,
)
from catalog.store.clock import now
from catalog.store.database import Database
from catalog.store.documents.tenants import RegisteredTenant
from catalog.vocabulary import Kind, Role
from tests.support.inputs import new_item
from tests.support.tenants import somebody

CONTENT = bytes(range(256)) * 40
SIZE = len(CONTENT)
LIFE = timedelta(days=1)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """The times of the lease are a tenth."""
    for name in ("RENEWED_EVERY", "DEAD_AFTER", "SILENT_AFTER", "ASKS_EVERY"):
        monkeypatch.setattr(upload_lease, name, getattr(upload_lease, name) / 10)


async def an_upload(tenant, size=SIZE):
    ada = await somebody(tenant)
    await items.create(ada, Kind.MODEL, new_item(name="iris"))
    wanted = UploadRequest(head=FileHead("iris.onnx", "a/b", "binary"), size=size)
    return await uploads.begin(ada, Kind.MODEL, Reference("iris"), wanted, LIFE), ada


async def of(*chunks):
    for chunk in chunks:
        yield chunk


async def test_two_at_once_do_not_mix_their_bytes(tenant):
    upload, ada = await an_upload(tenant)
    first_is_in, second_is_out = asyncio.Event(), asyncio.Event()

    async def slowly():
        """A client that sends little by little, until the other was refused."""
        for at in range(SIZE):
            first_is_in.set()
            if not second_is_out.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(second_is_out.wait(), upload_lease.SILENT_AFTER / 4)
            yield CONTENT[at : at + 1]

    async def second():
        await first_is_in.wait()
        # The server is suspended while this request waits: neither the other one nor its client is blamed for it.
        asyncio.get_running_loop().call_later(upload_lease.ASKS_EVERY / 2, time.sleep, upload_lease.DEAD_AFTER)
        with pytest.raises(Refused) as refused:
            await resumable.append(ada, upload, 0, of(CONTENT))
        second_is_out.set()
        return refused.value.fault

    done, fault = await asyncio.gather(resumable.append(ada, upload, 0, slowly()), second())

    assert (done.ordinal, fault) == ("1", UPLOAD_BUSY)
    [version] = await tenant.versions.records.find().to_list(None)
    assert version["digest"] == hashlib.sha256(CONTENT).hexdigest()


async def test_whose_line_broke_goes_on_before_the_server_has_noticed(tenant):
    upload, ada = await an_upload(tenant)
    has_begun = asyncio.Event()

    async def broken():
        yield CONTENT[:100]
        has_begun.set()
        await asyncio.Event().wait()  # for ever
        yield b"never"

    first = asyncio.create_task(resumable.append(ada, upload, 0, broken()))
    await has_begun.wait()
    with pytest.raises(Refused) as too_early:
        await resumable.append(ada, upload, 0, of(CONTENT))
    with pytest.raises(Refused) as cut_off:
        await first
    done = await resumable.append(ada, upload, 100, of(CONTENT[100:]))

    assert (too_early.value.fault, cut_off.value.fault, done.ordinal) == (OFFSET_CONFLICT, UPLOAD_CUT_OFF, "1")


async def test_a_server_that_was_taken_for_dead_adds_no_more(tenant, storage):
    upload, ada = await an_upload(tenant)
    blobs = storage.of(tenant.name)

    async def slowly():
        yield CONTENT[:100]
        await tenant.uploads.records.update_one({"_id": upload["_id"]}, {"$set": {"lease_owner": None}})
        await asyncio.Event().wait()

    with pytest.raises(Refused) as refused:
        await resumable.append(ada, upload, 0, slowly())

    assert refused.value.fault is UPLOAD_CUT_OFF
    assert await blobs.length(upload["_id"]) == 100


async def test_an_end_that_is_repeated_makes_no_second_version(tenant, storage):
    upload, ada = await an_upload(tenant)
    blobs = storage.of(tenant.name)
    await blobs.append(upload["_id"], 0, of(CONTENT))
    # The server dies before it records what became of the upload.
    await completion.into_version(ada, upload, Reservation(tenant, upload["_id"], upload["reserved"]))

    again = await resumable.append(ada, upload, len(CONTENT), of())
    asked = await resumable.progress_of(ada, upload)

    assert again == asked == (SIZE, "1")
    assert await tenant.versions.records.count_documents({}) == 1


async def test_who_asks_how_far_it_is_learns_of_the_version_when_a_server_died_before_making_it(tenant, storage):
    upload, ada = await an_upload(tenant)
    blobs = storage.of(tenant.name)
    await blobs.append(upload["_id"], 0, of(CONTENT))

    assert await resumable.progress_of(ada, upload) == (SIZE, "1")
    assert await tenant.versions.records.count_documents({}) == 1


async def test_bytes_that_a_server_counted_before_it_died_fit_the_quota_still(tenant, storage):
    upload, ada = await an_upload(tenant)
    tenant.policy, blobs = tenant.policy._replace(quota=SIZE), storage.of(tenant.name)
    await blobs.append(upload["_id"], 0, of(CONTENT))
    await blob_records.hold(tenant, await blobs.finish(upload["_id"]), is_reserved=True)

    assert await resumable.progress_of(ada, upload) == (SIZE, "1")
    assert (await quota.usage(tenant), await quota.reserved(tenant)) == (SIZE, 0)
    assert await sweep.recount(tenant) == 0


async def begun(tenant, ada, size=SIZE, most=100):
    wanted = UploadRequest(head=FileHead("iris.onnx", "a/b", "binary"), size=size)
    return await uploads.begin(ada, Kind.MODEL, Reference("iris"), wanted, LIFE, most)


async def test_an_announced_size_counts_against_the_quota_until_the_upload_is_removed(tenant):
    upload, ada = await an_upload(tenant)
    tenant.policy = tenant.policy._replace(quota=2 * SIZE)
    await begun(tenant, ada)

    with pytest.raises(Refused) as refused:
        await begun(tenant, ada, size=1)
    used = await usage.read(tenant)
    await resumable.terminate(ada, upload)

    assert refused.value.fault is QUOTA_EXCEEDED
    assert (used["bytes"], used["unfinished_bytes"], used["quota_bytes"]) == (2 * SIZE, 2 * SIZE, 2 * SIZE)
    assert await quota.usage(tenant) == SIZE
    assert await begun(tenant, ada)


async def test_uploads_that_begin_at_once_do_not_exceed_the_quota_together(tenant, storage):
    upload, ada = await an_upload(tenant)
    await resumable.terminate(ada, upload)
    tenant.policy = tenant.policy._replace(quota=3 * SIZE)

    outcomes = await asyncio.gather(*(begun(tenant, ada) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 3
    assert await quota.usage(tenant) == 3 * SIZE


async def test_an_upload_that_did_not_say_its_size_counts_by_what_came(tenant, storage):
    upload, ada = await an_upload(tenant, size=None)
    tenant.policy, blobs = tenant.policy._replace(quota=500), storage.of(tenant.name)

    await resumable.append(ada, upload, 0, of(CONTENT[:200], CONTENT[200:400]))
    after_the_first = await quota.usage(tenant)
    with pytest.raises(Refused) as refused:
        await resumable.append(ada, upload, 400, of(CONTENT[400:450], CONTENT[450:600]))

    assert (after_the_first, refused.value.fault) == (400, QUOTA_EXCEEDED)
    assert await quota.usage(tenant) == await blobs.length(upload["_id"]) <= 500


async def test_an_upload_that_expires_gives_its_room_back_and_a_recount_finds_nothing_wrong(tenant, storage):
    upload, _ = await an_upload(tenant)
    await tenant.uploads.records.update_one({"_id": upload["_id"]}, {"$set": {"expires": now() - LIFE}})

    await uploads.expire(tenant)

    assert await quota.usage(tenant) == 0
    assert await sweep.recount(tenant) == 0


async def test_who_removes_an_upload_while_it_grows_and_shrinks_gives_back_its_room_once(tenant):
    upload, _ = await an_upload(tenant)
    reservations = [Reservation(tenant, upload["_id"], SIZE) for _ in range(8)]

    changes = [each.cover(SIZE + number + 1) for number, each in enumerate(reservations)]
    shrinks = [each.shrink(SIZE // 2) for each in reservations]
    removed = await asyncio.gather(*changes, *shrinks, *(uploads.remove(tenant, upload["_id"]) for _ in range(16)))

    assert removed[-16:].count(True) == 1
    assert await quota.usage(tenant) == 0


async def test_a_user_has_so_many_unfinished_uploads_and_not_one_more(tenant):
    upload, ada = await an_upload(tenant)
    bob = await somebody(tenant, "bob", Role.ADMIN)

    outcomes = await asyncio.gather(*(begun(tenant, ada, most=3) for _ in range(8)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    of_another = await begun(tenant, bob, most=3)
    await resumable.append(ada, upload, 0, of(CONTENT))

    assert {refusal.fault for refusal in refused} == {TOO_MANY_UPLOADS}
    open_ones = await tenant.uploads.records.count_documents({"user": ada.user, "became": ""})
    assert len(refused) >= 6
    assert open_ones == 8 - len(refused)
    assert await quota.reserved(tenant) == (open_ones + 1) * SIZE
    assert of_another
    assert await begun(tenant, ada, most=3)


async def test_many_who_end_it_at_once_make_one_version(tenant, storage):
    upload, ada = await an_upload(tenant)
    blobs = storage.of(tenant.name)
    await blobs.append(upload["_id"], 0, of(CONTENT))

    told = await asyncio.gather(*(resumable.progress_of(ada, upload) for _ in range(4)))

    assert told == [(SIZE, "1")] * 4
    assert await tenant.versions.records.count_documents({}) == 1


async def test_a_file_of_a_draft_that_was_closed_before_the_server_noted_it_is_found(tenant, storage):
    ada = await somebody(tenant)
    await items.create(ada, Kind.MODEL, new_item(name="iris"))
    draft = await drafts.begin(ada, Kind.MODEL, Reference("iris"))
    details = VersionDetails(ordinal=draft["ordinal"])
    wanted = UploadRequest(head=FileHead("a.bin", "a/b", "binary"), size=SIZE, details=details, path="a.bin")
    upload = await uploads.begin(ada, Kind.MODEL, Reference("iris"), wanted, LIFE)
    blobs = storage.of(tenant.name)
    await blobs.append(upload["_id"], 0, of(CONTENT))
    await completion.into_draft(ada, upload, Reservation(tenant, upload["_id"], upload["reserved"]))
    await closing.close(ada, Kind.MODEL, Reference("iris", draft["ordinal"]))

    assert await resumable.progress_of(ada, upload) == (SIZE, draft["ordinal"])


async def test_a_lease_of_a_dead_server_ends(tenant, storage):
    upload, ada = await an_upload(tenant)
    moment = now()
    await tenant.uploads.records.update_one(
        {"_id": upload["_id"]}, {"$set": {"lease_until": moment + upload_lease.LEASE}}
    )
    done = await resumable.append(ada, upload, 0, of(CONTENT))

    assert done.ordinal == "1"


async def test_what_nobody_goes_on_with_is_forgotten(tenant, storage):
    upload, ada = await an_upload(tenant)
    blobs = storage.of(tenant.name)
    await resumable.append(ada, upload, 0, of(CONTENT[:10]))
    assert await uploads.expire(tenant) == 0
    await tenant.uploads.records.update_one({"_id": upload["_id"]}, {"$set": {"expires": now()}})

    assert await uploads.expire(tenant) == 1

    assert await tenant.uploads.records.count_documents({}) == 0
    assert [left async for left in blobs.leftovers()] == []


async def cut_off(part):
    yield part
    raise ConnectionError


class Cut(NamedTuple):
    """What becomes of the next bytes of a file."""

    size: int
    vanishes: bool  # the client, before it has heard how many arrived
    is_elsewhere: bool  # the client believes


cuts = st.builds(Cut, st.integers(0, 60), st.booleans(), st.booleans())


# Some of the contents look like pickles, which a process of their own scans.
@pytest.mark.process
@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.lists(cuts, max_size=12))
def test_however_it_is_cut_the_version_has_the_same_bytes(content, cuts):
    async def run():
        database = Database(AsyncMongoMockClient(tz_aware=True), "catalogue", MemoryStorage())
        tenant = database.tenant(RegisteredTenant(id="acme", database="acme"))
        ada = Caller(tenant, ObjectId(), "ada", Role.REGULAR)
        await items.create(ada, Kind.MODEL, new_item(name="iris"))
        wanted = UploadRequest(head=FileHead("iris.onnx", "a/b", "binary"), size=len(content))
        upload = await uploads.begin(ada, Kind.MODEL, Reference("iris"), wanted, LIFE)
        for cut in [*cuts, Cut(len(content), vanishes=False, is_elsewhere=False)]:
            at = (await resumable.progress_of(ada, upload)).offset
            part = content[at : at + cut.size]
            with suppress(ConnectionError, Refused):
                where = at + 1 if cut.is_elsewhere else at
                await resumable.append(ada, upload, where, cut_off(part) if cut.vanishes else of(part))
        return await resumable.progress_of(ada, upload), await tenant.versions.records.find().to_list(None)

    told, [version] = asyncio.run(run())

    assert told == (len(content), "1")
    assert (version["digest"], version["size"]) == (hashlib.sha256(content).hexdigest(), len(content))

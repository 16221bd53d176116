"""The sweep: removes what nothing names, and nothing else, also beside other requests."""

import asyncio
import os
from datetime import timedelta

import pytest

from catalog.blobs.files import FileStorage
from catalog.domain.cleanup import sweep
from catalog.domain.cleanup.sweep import SweepResult
from catalog.domain.files import blob_records, quota
from catalog.domain.items import items
from catalog.domain.items.references import Reference
from catalog.domain.terms import terms
from catalog.domain.versions import versions
from catalog.domain.versions.drafts import drafts
from catalog.errors import BUSY
from catalog.store.clock import now
from catalog.vocabulary import Kind
from tests.domain.files.test_blob_records import LONG_AGO, chunks, on_the_wire, record
from tests.domain.test_races import Upload, nothing, outcomes
from tests.support.inputs import new_item
from tests.support.tenants import somebody

NONE = timedelta()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def storage(tmp_path):
    return FileStorage(tmp_path)


@pytest.fixture
def blobs(tenant):
    return tenant.blobs


@pytest.fixture(autouse=True)
def settled_at_once(monkeypatch):
    monkeypatch.setattr(sweep, "SETTLED", 0.001)


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


@pytest.fixture
async def iris(tenant, ada):
    await items.create(ada, Kind.MODEL, new_item(name="iris"))
    return "iris"


async def add(tenant, blobs, ada, data):
    """A version with these bytes, as a client adds it."""
    await versions.add(ada, Kind.MODEL, Reference("iris"), Upload(nothing, data))


async def remove(tenant, ada, ordinal):
    await versions.remove(ada, Kind.MODEL, Reference("iris", ordinal))


async def held(tenant, blobs, data=b"data"):
    """Bytes whose version was removed, or never written."""
    blob = await blobs.put(chunks(data))
    await blob_records.hold(tenant, blob)
    return blob


async def grow_old(tenant, tmp_path):
    """Whatever is kept was put and touched long ago."""
    await tenant.blob_records.records.update_many({}, {"$set": {"touched": LONG_AGO}})
    for file in tmp_path.rglob("*"):
        if file.is_file():
            os.utime(file, (LONG_AGO.timestamp(),) * 2)


async def there(blobs):
    return {listed.digest async for listed in blobs.listing()}


async def swept(tenant, blobs, grace=DAY, **how):
    return await sweep.sweep(tenant, grace=grace, **how)


async def test_what_no_version_names_any_more_goes_and_the_rest_stays(tenant, blobs, ada, iris, tmp_path):
    for data in (b"first", b"second", b"second"):
        await add(tenant, blobs, ada, data)
    await remove(tenant, ada, "1")
    await remove(tenant, ada, "2")
    await grow_old(tenant, tmp_path)

    assert await swept(tenant, blobs) == SweepResult(blobs=1, bytes=5)

    [version] = await tenant.versions.records.find({}).to_list(None)
    assert await there(blobs) == {version["files"][0]["digest"]}
    assert await quota.usage(tenant) == len(b"second")
    assert await swept(tenant, blobs) == SweepResult()


async def test_what_was_put_or_touched_lately_stays(tenant, blobs, tmp_path):
    unrecorded = await blobs.put(chunks(b"no record yet"))
    touched = await held(tenant, blobs)
    os.utime(tmp_path / tenant.name / touched.digest[:2] / touched.digest, (0, 0))

    assert await swept(tenant, blobs) == SweepResult()

    assert await there(blobs) == {unrecorded.digest, touched.digest}


async def test_bytes_whose_server_died_before_their_record_go(tenant, blobs, tmp_path):
    await blobs.put(chunks(b"no record"))
    await grow_old(tenant, tmp_path)

    assert await swept(tenant, blobs) == SweepResult(blobs=1, bytes=9)

    assert (await there(blobs), await quota.usage(tenant)) == (set(), 0)


async def test_a_dry_run_counts_and_removes_nothing(tenant, blobs, ada, iris, tmp_path):
    await add(tenant, blobs, ada, b"named")
    await held(tenant, blobs, b"12")
    await held(tenant, blobs, b"345")
    cut_off(tmp_path / tenant.name, b"6789")
    await grow_old(tenant, tmp_path)
    before = sorted(tmp_path.rglob("*"))

    dry = await swept(tenant, blobs, dry_run=True)

    assert dry == SweepResult(blobs=2, bytes=5, leftovers=1, leftover_bytes=4)
    assert sorted(tmp_path.rglob("*")) == before
    assert await swept(tenant, blobs) == dry


def cut_off(folder, data):
    """What a killed upload leaves."""
    file = folder / "incoming" / ("0123456789abcdef" * 2)
    file.write_bytes(data)
    return file


async def test_what_killed_uploads_left_goes_when_it_is_old(tenant, blobs, tmp_path):
    await blobs.put(chunks(b""))
    left = cut_off(tmp_path / tenant.name, b"half of")
    assert (await swept(tenant, blobs)).leftovers == 0
    assert left.exists()

    os.utime(left, (0, 0))
    assert await swept(tenant, blobs) == SweepResult(leftovers=1, leftover_bytes=7)
    assert not left.exists()


async def test_a_resumable_upload_stays_until_its_time_is_over(tenant, blobs, tmp_path):
    upload, orphan = 32 * "a", 32 * "b"
    await tenant.uploads.records.insert_one({"_id": upload, "expires": now() + DAY, "lease_until": LONG_AGO})
    for name in (upload, orphan):
        await blobs.append(name, 0, chunks(b"data"))
    await grow_old(tenant, tmp_path)

    assert await swept(tenant, blobs) == SweepResult(leftovers=1, leftover_bytes=4)
    assert [await blobs.length(name) for name in (upload, orphan)] == [4, 0]

    await tenant.uploads.records.update_one({}, {"$set": {"expires": LONG_AGO}})
    assert await swept(tenant, blobs) == SweepResult(uploads=1)
    assert await blobs.length(upload) == 0


async def test_what_is_in_the_trash_keeps_its_bytes_until_it_is_purged(tenant, blobs, ada, iris, tmp_path):
    await add(tenant, blobs, ada, b"data")
    await items.remove(ada, Kind.MODEL, Reference(iris), days=7)
    await grow_old(tenant, tmp_path)
    assert await swept(tenant, blobs) == SweepResult()

    await tenant.trash.records.update_one({}, {"$set": {"until": LONG_AGO, "lease_until": LONG_AGO}})
    assert await swept(tenant, blobs) == SweepResult(blobs=1, bytes=4)
    assert await tenant.trash.records.count_documents({}) == 0


async def test_a_draft_that_nobody_goes_on_with_is_removed(tenant, blobs, ada, iris):
    for age in (sweep.DRAFT_LIFE + HOUR, sweep.DRAFT_LIFE - HOUR):
        draft = await drafts.begin(ada, Kind.MODEL, Reference(iris))
        await tenant.versions.records.update_one({"_id": draft["_id"]}, {"$set": {"lastmod": now() - age}})
    await add(tenant, blobs, ada, b"a version of long ago")
    await tenant.versions.records.update_one({"number": 3}, {"$set": {"lastmod": LONG_AGO}})

    assert await swept(tenant, blobs, dry_run=True) == SweepResult(drafts=1)
    assert await swept(tenant, blobs) == SweepResult(drafts=1)

    assert [version["number"] async for version in tenant.versions.records.find({}).sort("number")] == [2, 3]


async def test_more_blobs_than_a_batch_are_all_looked_at(tenant, blobs, ada, iris, tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "BATCH", 2)
    for number in range(3):
        await add(tenant, blobs, ada, b"named %d" % number)
        await held(tenant, blobs, b"%d" % number)
    await grow_old(tenant, tmp_path)

    assert await swept(tenant, blobs) == SweepResult(blobs=3, bytes=3)

    assert len(await there(blobs)) == 3


async def test_a_sweep_that_died_between_the_bytes_and_their_record_is_finished(tenant, blobs, tmp_path):
    blob = await held(tenant, blobs)
    await blobs.drop(blob.digest)
    await tenant.blob_records.records.update_one({}, {"$set": {"touched": LONG_AGO, "deleting_since": LONG_AGO}})

    await swept(tenant, blobs)

    assert (await record(tenant, blob), await quota.usage(tenant)) == (None, 0)


async def test_named_bytes_without_a_record_get_one_and_are_counted(tenant, blobs, ada, iris, tmp_path):
    await add(tenant, blobs, ada, b"data")
    await tenant.blob_records.records.delete_many({})
    await tenant.database["counters"].delete_one({"_id": quota.BYTES})
    await grow_old(tenant, tmp_path)

    assert await swept(tenant, blobs) == SweepResult()

    assert await quota.usage(tenant) == 4


async def test_of_a_damaged_file_that_nothing_names_as_much_is_given_back_as_was_counted(tenant, blobs, tmp_path):
    blob = await held(tenant, blobs, b"0123456789")
    os.truncate(tmp_path / tenant.name / blob.digest[:2] / blob.digest, 3)
    await grow_old(tenant, tmp_path)

    await swept(tenant, blobs)

    assert await quota.usage(tenant) == 0


@pytest.mark.parametrize("wrong", [-3, 5])
async def test_a_count_that_a_crash_left_wrong_is_mended(tenant, blobs, wrong):
    await held(tenant, blobs)
    await tenant.add(quota.BYTES, wrong)

    await swept(tenant, blobs)

    assert await quota.usage(tenant) == 4


async def test_a_user_who_has_not_been_counted_yet_is_not_counted_twice(tenant, blobs):
    await held(tenant, blobs)
    await tenant.blob_records.records.insert_one({"_id": "another", "size": 10, "touched": now()})

    async def counted_meanwhile(_):
        await tenant.add(quota.BYTES, 10)

    await sweep.recount(tenant, counted_meanwhile)

    assert await quota.usage(tenant) == 14


# Requests at the same time, on the real wire.


async def readable(tenant, blobs):
    """Whether the bytes of every version are there."""
    digests = [file["digest"] async for version in tenant.versions.records.find({}) for file in version["files"]]
    return all([await blobs.size(digest) is not None for digest in digests])


@on_the_wire
async def test_equal_bytes_sent_while_a_sweep_is_about_to_drop_them_are_kept_or_refused(
    tenant, blobs, ada, iris, tmp_path, monkeypatch
):
    await held(tenant, blobs, b"data")
    await grow_old(tenant, tmp_path)
    about_to_drop, sent, drop, put = asyncio.Event(), asyncio.Event(), blobs.drop, blobs.put

    async def dropped_when_they_are_sent_again(digest):
        about_to_drop.set()
        await sent.wait()
        await drop(digest)

    async def put_and_told(content, announced=None):
        blob = await put(content, announced)
        sent.set()
        return blob

    monkeypatch.setattr(blobs, "drop", dropped_when_they_are_sent_again)
    monkeypatch.setattr(blobs, "put", put_and_told)
    sweeping = asyncio.create_task(swept(tenant, blobs))
    await about_to_drop.wait()

    _, refused = await outcomes(add(tenant, blobs, ada, b"data"))
    await sweeping

    assert [refusal.fault for refusal in refused] == [BUSY]
    assert await tenant.versions.records.count_documents({}) == 0
    await add(tenant, blobs, ada, b"data")
    assert await readable(tenant, blobs)
    assert await quota.usage(tenant) == 4


@on_the_wire
async def test_bytes_held_after_a_sweep_has_looked_are_let_be(tenant, blobs, ada, iris, tmp_path, monkeypatch):
    blob = await held(tenant, blobs, b"data")
    await grow_old(tenant, tmp_path)
    let_go = blob_records.remove_unused

    async def added_first(*args):
        await add(tenant, blobs, ada, b"data")
        return await let_go(*args)

    monkeypatch.setattr(blob_records, "remove_unused", added_first)

    assert await swept(tenant, blobs) == SweepResult()

    assert await there(blobs) == {blob.digest}
    assert await quota.usage(tenant) == 4


@on_the_wire
async def test_two_sweeps_at_once_remove_each_blob_once(tenant, blobs, ada, iris, tmp_path, monkeypatch):
    for number in range(8):
        await held(tenant, blobs, b"%d" % number)
    await add(tenant, blobs, ada, b"named")
    await grow_old(tenant, tmp_path)
    both_have_looked, let_go, first = asyncio.Barrier(2), blob_records.remove_unused, iter(range(2))

    async def let_go_together(*args):
        if next(first, None) is not None:
            await both_have_looked.wait()
        return await let_go(*args)

    monkeypatch.setattr(blob_records, "remove_unused", let_go_together)

    one, other = await asyncio.gather(swept(tenant, blobs), swept(tenant, blobs))

    assert one.blobs + other.blobs == 8
    assert await quota.usage(tenant) == len(b"named")
    assert len(await there(blobs)) == 1


@on_the_wire
async def test_a_version_removed_during_a_sweep_takes_its_bytes_along_in_the_next(
    tenant, blobs, ada, iris, tmp_path, monkeypatch
):
    await add(tenant, blobs, ada, b"data")
    await grow_old(tenant, tmp_path)
    named = sweep.named

    async def removed_then(*args):
        found = await named(*args)
        await remove(tenant, ada, "1")
        return found

    monkeypatch.setattr(sweep, "named", removed_then)
    assert await swept(tenant, blobs) == SweepResult()

    monkeypatch.setattr(sweep, "named", named)
    assert await swept(tenant, blobs) == SweepResult(blobs=1, bytes=4)


async def test_folk_words_that_nothing_uses_are_removed_and_all_others_stay(tenant, blobs, ada):
    await items.create(ada, Kind.MODEL, new_item(name="iris", tags=["used"]))
    gone = {"name": "gone", "tags": ["used", "unused"], "metadata": [{"name": "unused", "value": 1}]}
    await items.create(ada, Kind.MODEL, new_item(**gone))
    await items.remove(ada, Kind.MODEL, Reference("gone"))
    await terms.create(ada, terms.Vocabulary.TAGS, terms.NewTerm("chosen"))

    spared = await sweep.sweep(tenant, grace=DAY)
    looked_at = await sweep.sweep(tenant, grace=NONE, dry_run=True)
    swept = await sweep.sweep(tenant, grace=NONE)

    assert (spared.unused_words, looked_at.unused_words, swept.unused_words) == (0, 2, 2)
    assert {word["_id"] async for word in tenant.tags.records.find({})} == {"used", "chosen"}
    assert await tenant.metadata.records.count_documents({}) == 0

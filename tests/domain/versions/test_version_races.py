"""Two of anything at once, on versions: one wins or both hold. Barriers make sure that they do meet."""

import asyncio
from datetime import UTC, datetime

import pytest
from bson import ObjectId

from catalog.domain.items import items
from catalog.domain.items.inputs import ListChange, MetadataPair
from catalog.domain.items.references import Reference
from catalog.domain.versions import numbering, version_changes, versions
from catalog.domain.versions.details import VersionDetails
from catalog.domain.versions.drafts import closing, drafts
from catalog.domain.versions.files import folders, version_files
from catalog.domain.versions.version_changes import VersionChange
from catalog.errors import BUSY, NOT_CHANGED, NOT_FOUND, STALE, VERSION_CLOSED, Refused
from catalog.store.concurrency import shared_writes
from catalog.vocabulary import Kind
from tests.domain.test_races import Upload, nothing, outcomes
from tests.support.inputs import new_item
from tests.support.serving import SOON
from tests.support.tenants import somebody


@pytest.fixture
async def ada(tenant):
    return await somebody(tenant)


@pytest.fixture
async def iris(tenant, ada) -> str:
    return str((await items.create(ada, Kind.MODEL, new_item(name="iris")))["_id"])


@pytest.fixture
async def draft(tenant, ada, iris) -> str:
    return (await drafts.begin(ada, Kind.MODEL, Reference(iris)))["ordinal"]


@pytest.fixture
def put(ada, iris, draft):
    async def putting(path, data=b"data", moment=nothing):
        return await drafts.put(ada, Kind.MODEL, Reference(iris, draft), path, Upload(moment, data))

    return putting


@pytest.fixture
def close(ada, iris, draft):
    return lambda: closing.close(ada, Kind.MODEL, Reference(iris, draft))


async def kept(tenant) -> dict:
    [version] = await tenant.versions.records.find({}).to_list(None)
    return version


async def paths_of(tenant) -> list[str]:
    return [file["path"] for file in await version_files.all_of(tenant, await kept(tenant))]


def meeting(monkeypatch, module, name, parties, times=1):
    """Let `parties` that call a function wait for one another, for as long as there are as many."""
    function, barrier, left = getattr(module, name), asyncio.Barrier(parties), parties * times

    async def met(*args, **kwargs):
        nonlocal left
        left -= 1
        if left >= 0:
            await barrier.wait()
        return await function(*args, **kwargs)

    monkeypatch.setattr(module, name, met)


async def test_files_that_come_at_once_are_all_there(tenant, put, close):
    all_have_begun = asyncio.Barrier(8)

    await asyncio.gather(*(put(f"part-{number}", bytes([number]), all_have_begun.wait) for number in range(8)))

    version = await close()
    assert await paths_of(tenant) == [f"part-{number}" for number in range(8)]
    assert (version["file_count"], version["size"]) == (8, 8)


async def test_of_files_that_come_at_once_under_one_path_one_stays(tenant, put, close):
    all_have_begun = asyncio.Barrier(4)

    await asyncio.gather(*(put("part", bytes(size), all_have_begun.wait) for size in (1, 2, 3, 4)))

    version = await close()
    [file] = await version_files.all_of(tenant, version)
    assert (version["file_count"], version["size"]) == (1, file["size"])


async def test_of_two_that_replace_a_file_at_once_one_stays(tenant, put, close, monkeypatch):
    await put("part", b"before")
    meeting(monkeypatch, version_files, "current_at", 2)

    await asyncio.gather(put("part", b"a"), put("part", b"bb"))

    version = await close()
    [file] = await version_files.all_of(tenant, version)
    assert (version["file_count"], version["size"]) == (1, file["size"])


async def test_of_two_closes_at_once_one_wins(tenant, put, close, monkeypatch):
    await put("part")
    meeting(monkeypatch, drafts, "find", 2)

    won, refused = await outcomes(close(), close())

    assert (len(won), [refusal.fault for refusal in refused]) == (1, [VERSION_CLOSED])
    assert (await kept(tenant))["state"] == "LIVE"


async def test_a_file_that_comes_while_the_version_is_closed_is_refused(tenant, put, close):
    await put("first")

    async def closed_meanwhile():
        await close()

    with pytest.raises(Refused) as refusal:
        await put("second", moment=closed_meanwhile)

    assert refusal.value.fault is VERSION_CLOSED
    assert await paths_of(tenant) == ["first"]


async def test_a_file_that_comes_while_the_version_is_being_closed_waits_and_is_refused(
    tenant, put, close, monkeypatch
):
    await put("first")
    settled, coming, arrivals = closing._settled, asyncio.Event(), []

    async def while_closing(*args):
        arrivals.append(asyncio.ensure_future(put("second", moment=nothing)))
        await asyncio.wait_for(coming.wait(), SOON)
        return await settled(*args)

    async def waiting(*args):
        coming.set()
        return await when_open(*args)

    when_open = drafts.when_open
    monkeypatch.setattr(drafts, "when_open", waiting)
    monkeypatch.setattr(closing, "_settled", while_closing)

    version = await close()
    [refused] = await asyncio.gather(*arrivals, return_exceptions=True)

    files = await version_files.all_of(tenant, version)
    assert refused.fault is VERSION_CLOSED
    assert [file["path"] for file in files] == ["first"]
    assert version["digest"] == folders.digest_of(files) == (await kept(tenant))["digest"]


async def test_a_file_with_a_number_that_comes_after_the_close_is_in_no_version(tenant, put, close, monkeypatch):
    await put("first")
    insert, has_number, is_closed = drafts._insert, asyncio.Event(), asyncio.Event()

    async def late(*args):
        has_number.set()
        await is_closed.wait()
        return await insert(*args)

    monkeypatch.setattr(drafts, "_insert", late)
    putting = asyncio.ensure_future(put("second"))
    await has_number.wait()

    version = await close()
    is_closed.set()
    [refused] = await asyncio.gather(putting, return_exceptions=True)

    assert refused.fault is VERSION_CLOSED
    assert await paths_of(tenant) == ["first"]
    assert (version["file_count"], version["size"]) == (1, 4)


async def test_a_file_that_is_written_before_a_close_looks_is_in_its_version(tenant, put, close, monkeypatch):
    await put("first")
    settled, insert, has_number, may_write = closing._settled, drafts._insert, asyncio.Event(), asyncio.Event()

    async def after_the_number(*args):
        has_number.set()
        await may_write.wait()
        return await insert(*args)

    async def after_the_file(*args):
        may_write.set()
        await putting
        return await settled(*args)

    monkeypatch.setattr(drafts, "_insert", after_the_number)
    monkeypatch.setattr(closing, "_settled", after_the_file)
    putting = asyncio.ensure_future(put("second"))
    await has_number.wait()

    version = await close()

    assert await paths_of(tenant) == ["first", "second"]
    assert version["digest"] == folders.digest_of(await version_files.all_of(tenant, version))


async def test_a_draft_whose_close_died_takes_files_and_closes_later(tenant, put, close):
    await put("first")
    long_ago = ObjectId.from_datetime(datetime(2020, 1, 1, tzinfo=UTC))
    await tenant.versions.records.update_one({}, {"$set": {"closing": long_ago}})

    await put("second")
    await close()

    assert await paths_of(tenant) == ["first", "second"]


async def test_a_close_that_others_took_for_dead_closes_nothing(tenant, put, close, monkeypatch):
    await put("first")
    settled = closing._settled

    async def slowly(tenant, draft):
        files = await settled(tenant, draft)
        await drafts.reopen(tenant, draft["_id"], draft["closing"])
        await put("second")
        return files

    monkeypatch.setattr(closing, "_settled", slowly)

    with pytest.raises(Refused) as refusal:
        await close()

    assert (refusal.value.fault, (await kept(tenant))["state"]) == (BUSY, "DRAFT")
    assert await paths_of(tenant) == ["first", "second"]


async def test_a_close_that_fails_leaves_an_open_draft(tenant, put, close):
    for path in ("a", "a/b"):
        await put(path)

    with pytest.raises(Refused) as refusal:
        await close()
    await put("c")

    assert refusal.value.fault is NOT_CHANGED
    assert await paths_of(tenant) == ["a", "a/b", "c"]


async def test_of_two_that_remove_a_file_at_once_one_does(tenant, ada, iris, draft, put, monkeypatch):
    for path in ("first", "second"):
        await put(path)
    meeting(monkeypatch, version_files, "current_at", 2)

    def remove():
        return drafts.remove_file(ada, Kind.MODEL, Reference(iris, draft), "second")

    won, refused = await outcomes(remove(), remove())

    assert (len(won), [refusal.fault for refusal in refused]) == (1, [NOT_FOUND])
    assert ((await kept(tenant))["file_count"], await paths_of(tenant)) == (1, ["first"])


async def test_a_removed_file_may_come_again(tenant, ada, iris, draft, put, close):
    await put("first")
    await drafts.remove_file(ada, Kind.MODEL, Reference(iris, draft), "first")
    gone = await paths_of(tenant)
    await put("first", b"again")

    version = await close()

    assert (gone, await paths_of(tenant)) == ([], ["first"])
    assert (version["file_count"], version["size"]) == (1, 5)


async def test_a_draft_removed_meanwhile_takes_no_file(tenant, ada, iris, draft, put):
    async def removed():
        await versions.remove(ada, Kind.MODEL, Reference(iris, draft))

    with pytest.raises(Refused) as refusal:
        await put("part", moment=removed)

    assert refusal.value.fault is NOT_FOUND
    assert await tenant.versions.records.count_documents({}) == 0


async def test_one_file_too_many_is_refused(tenant, put, monkeypatch):
    monkeypatch.setattr(drafts, "MOST_FILES", 2)
    both_have_begun = asyncio.Barrier(2)
    await put("first")

    won, refused = await outcomes(*(put(path, moment=both_have_begun.wait) for path in ("second", "third")))

    assert (len(won), [refusal.details for refusal in refused]) == (1, ["a version has at most 2 files"])
    assert (await put("first", b"another"))["size"] == 7


async def test_of_two_changes_at_once_both_hold(tenant, ada, iris, monkeypatch):
    await versions.add(ada, Kind.MODEL, Reference(iris), Upload(nothing))
    meeting(monkeypatch, version_changes, "revise", 2)

    def change(name, **options):
        wanted = VersionChange(metadata=ListChange(add=[MetadataPair(name, 1)]))
        return version_changes.change(ada, Kind.MODEL, Reference(iris, "1"), wanted, **options)

    await asyncio.gather(change("a"), change("b"))

    assert {pair["name"] for pair in (await kept(tenant))["metadata"]} == {"a", "b"}


async def test_of_two_changes_at_once_of_what_both_saw_one_wins(tenant, ada, iris, monkeypatch):
    await versions.add(ada, Kind.MODEL, Reference(iris), Upload(nothing))
    meeting(monkeypatch, version_changes, "revise", 2)

    won, refused = await outcomes(*(
        version_changes.change(ada, Kind.MODEL, Reference(iris, "1"), VersionChange(description=text), revisions={1})
        for text in "ab"
    ))  # fmt: skip

    assert (len(won), [refusal.fault for refusal in refused]) == (1, [STALE])


async def test_a_reader_of_the_new_revision_of_an_item_sees_its_version(tenant, ada, iris, monkeypatch):
    """A reader who keeps answers by their ETag would else keep one without it."""
    before = await items.read(ada, Kind.MODEL, Reference(iris))
    insert, seen = shared_writes.insert, []

    async def watched(tenant, document):
        await insert(tenant, document)
        seen.append((await items.read(ada, Kind.MODEL, Reference(iris)))["revision"])

    monkeypatch.setattr(shared_writes, "insert", watched)

    after = await versions.add(ada, Kind.MODEL, Reference(iris), Upload(nothing))

    assert (seen, after["revision"]) == ([before["revision"]], before["revision"] + 1)


async def test_a_number_is_not_given_again_to_an_item_that_was_in_the_trash_meanwhile(tenant, ada, iris, monkeypatch):
    number_for = numbering.next_number

    async def numbered_then_as_before(*args):
        number = await number_for(*args)
        await tenant.models.records.update_one({}, {"$set": {"last_version": 0}})  # as the trash had it
        return number

    monkeypatch.setattr(numbering, "next_number", numbered_then_as_before)
    await versions.add(ada, Kind.MODEL, Reference(iris), Upload(nothing))
    await versions.remove(ada, Kind.MODEL, Reference(iris, "1"))
    monkeypatch.setattr(numbering, "next_number", number_for)

    await versions.add(ada, Kind.MODEL, Reference(iris), Upload(nothing))

    assert (await kept(tenant))["ordinal"] == "2"


async def test_drafts_that_were_given_up_are_found(tenant, put, close):
    await put("part")
    moment = (await kept(tenant))["lastmod"]

    async def found(before):
        return await tenant.versions.records.count_documents(drafts.abandoned(before))

    assert (await found(moment), await found(moment.replace(year=moment.year + 1))) == (0, 1)
    await close()
    assert await found(moment.replace(year=moment.year + 1)) == 0


async def test_the_number_of_a_version_that_is_refused_is_used_by_the_next(ada, iris):
    async def register(ordinal=""):
        details = VersionDetails(ordinal=ordinal, uri="s3://b/x")
        _, version = await versions.register(ada, Kind.MODEL, Reference(iris), details)
        return version

    async def is_refused(ordinal):
        with pytest.raises(Refused, match="Ordinal value duplicated"):
            await register(ordinal)

    first = await register("blue")
    await is_refused("Blue")
    second = await register()
    await is_refused("1")
    third = await register("green")

    assert [version["number"] for version in (first, second, third)] == [1, 2, 3]
    assert [version["ordinal"] for version in (first, second, third)] == ["blue", "1", "green"]

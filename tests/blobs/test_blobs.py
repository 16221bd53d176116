"""One suite for every kind of storage: what the protocols promise.

A storage is made twice over the same place, as two servers would: what one does, the other sees.
"""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.blobs.files import FileStorage
from catalog.blobs.memory import MemoryStorage
from catalog.blobs.protocol import (
    BLOCK,
    Blob,
    Blobs,
    SmallContent,
    Storage,
    UnknownBlobError,
    UploadBusyError,
    WrongDigestError,
    WrongOffsetError,
)
from catalog.blobs.selection import select_storage
from catalog.settings.loading import load
from tests.support.contents import broken_after, chunked, some_bytes, whole

SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7]
UNKNOWN = "0" * 64
NO_FILE = Path("no-such-file.env")
HOSTILE_NAMES = ["", ".", "..", "../other", "a/b", "/etc", "a\\b", ".forgotten", "a\0b", "a\nb"]
MOMENT = timedelta(seconds=2)
"""A store counts in seconds, and its clock is another."""


@pytest.fixture(scope="module", params=["files", "memory", "s3"])
def servers(request, tmp_path_factory) -> tuple[Storage, Storage]:
    match request.param:
        case "memory":
            storage = MemoryStorage()
            return storage, storage
        case "files":
            root = tmp_path_factory.mktemp("uploads")
            return FileStorage(root), FileStorage(root)
        case "s3":
            server = request.getfixturevalue("s3")
            values = server.settings(f"s3://{server.bucket()}/catalog")
            return select_storage(load(NO_FILE, values).storage_settings), select_storage(
                load(NO_FILE, values).storage_settings
            )


@pytest.fixture(scope="module")
def storage(servers) -> Storage:
    return servers[0]


@pytest.fixture
def tenant() -> str:
    return uuid4().hex


@pytest.fixture
def blobs(storage, tenant) -> Blobs:
    return storage.of(tenant)


@pytest.fixture
def elsewhere(servers, tenant) -> Blobs:
    """The same tenant's, on another server."""
    return servers[1].of(tenant)


@pytest.fixture
def upload() -> str:
    return uuid4().hex


async def listed(blobs: Blobs) -> dict[str, int]:
    return {kept.digest: kept.size async for kept in blobs.listing()}


async def left(blobs: Blobs) -> dict[str, int]:
    return {leftover.name: leftover.size async for leftover in blobs.leftovers()}


def test_the_drivers_are_what_the_protocols_ask(storage, blobs):
    assert isinstance(storage, Storage)
    assert isinstance(blobs, Blobs)


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_put_is_read_back_under_its_digest(blobs, size):
    data = some_bytes(size)

    kept = await blobs.put(chunked(data, by=99_991))

    assert kept == Blob(sha256(data).hexdigest(), size)
    assert await whole(blobs, kept.digest) == data


async def test_one_enormous_chunk_and_empty_ones_are_content_too(blobs):
    data = some_bytes(5 * BLOCK + 3)

    async def oddly():
        for chunk in (b"", data[:1], b"", data[1:], b""):
            yield chunk

    kept = await blobs.put(oddly())

    assert await whole(blobs, kept.digest) == data


async def test_reading_hands_out_no_more_than_a_block_at_a_time(blobs):
    kept = await blobs.put(chunked(some_bytes(2 * BLOCK + 1)))

    assert [len(chunk) async for chunk in blobs.read(kept.digest)] == [BLOCK, BLOCK, 1]


@pytest.mark.parametrize("size", SIZES)
async def test_content_that_breaks_keeps_nothing_and_its_error_passes_through(blobs, size):
    data = some_bytes(size)

    with pytest.raises(ConnectionError, match="unplugged"):
        await blobs.put(broken_after(data, ConnectionError("unplugged")))

    with pytest.raises(UnknownBlobError):
        await whole(blobs, sha256(data).hexdigest())


@pytest.mark.parametrize("size", SIZES)
async def test_an_upload_cancelled_part_way_keeps_nothing(blobs, size):
    data = some_bytes(size)
    stuck = asyncio.Event()

    async def never_ending():
        async for chunk in chunked(data):
            yield chunk
        stuck.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(blobs.put(never_ending()))
    await stuck.wait()
    upload.cancel()

    with pytest.raises(asyncio.CancelledError):
        await upload
    with pytest.raises(UnknownBlobError):
        await whole(blobs, sha256(data).hexdigest())


async def test_the_same_bytes_put_twice_are_a_success(blobs):
    first = await blobs.put(chunked(b"twice"))

    assert await blobs.put(chunked(b"twice")) == first
    assert await whole(blobs, first.digest) == b"twice"


async def test_the_same_bytes_put_at_once_are_whole_for_everybody(blobs):
    data = some_bytes(2 * BLOCK)
    all_have_begun = asyncio.Barrier(8)

    async def together():
        yield data[:BLOCK]
        await all_have_begun.wait()
        yield data[BLOCK:]

    kept = await asyncio.gather(*(blobs.put(together()) for _ in range(8)))

    assert set(kept) == {Blob(sha256(data).hexdigest(), len(data))}
    assert await whole(blobs, kept[0].digest) == data


@settings(max_examples=60, deadline=None)
@given(
    data=st.integers(0, 2 * BLOCK + 5).map(some_bytes),
    start=st.integers(0, 2 * BLOCK + 9),
    stop=st.none() | st.integers(0, 2 * BLOCK + 9),
)
async def test_a_range_is_a_slice(storage, data, start, stop):
    kept = await storage.of("ranges").put(chunked(data))

    assert await whole(storage.of("ranges"), kept.digest, start, stop) == data[start:stop]


async def test_reading_an_unknown_digest_fails_before_the_first_chunk(blobs):
    reading = blobs.read(UNKNOWN)

    with pytest.raises(UnknownBlobError):
        await anext(reading)


async def test_reading_may_stop_early(blobs):
    kept = await blobs.put(chunked(some_bytes(3 * BLOCK)))

    async with aclosing(blobs.read(kept.digest)) as reading:
        assert len(await anext(reading)) == BLOCK


async def test_a_dropped_blob_is_unknown_and_can_be_put_again(blobs):
    kept = await blobs.put(chunked(b"gone"))

    await blobs.drop(kept.digest)

    with pytest.raises(UnknownBlobError):
        await whole(blobs, kept.digest)
    assert await blobs.put(chunked(b"gone")) == kept


@pytest.mark.parametrize("digest", [UNKNOWN, "", "../../etc/passwd"])
async def test_dropping_what_is_not_there_is_not_an_error(blobs, digest):
    kept = await blobs.put(chunked(b"stays"))

    await blobs.drop(digest)

    assert await whole(blobs, kept.digest) == b"stays"


async def test_tenants_never_share(storage):
    ours, theirs = storage.of("ours"), storage.of("theirs")
    kept = await ours.put(chunked(b"secret"))

    with pytest.raises(UnknownBlobError):
        await whole(theirs, kept.digest)
    await theirs.put(chunked(b"secret"))
    await theirs.drop(kept.digest)

    assert await whole(ours, kept.digest) == b"secret"


async def test_two_handles_of_one_tenant_see_the_same_bytes(storage):
    kept = await storage.of("one").put(chunked(b"mine"))

    assert await whole(storage.of("one"), kept.digest) == b"mine"


async def test_a_forgotten_tenant_has_nothing_and_its_neighbour_has_all(storage):
    leaving, staying = storage.of("leaving"), storage.of("staying")
    kept = await leaving.put(chunked(b"mine"))
    await staying.put(chunked(b"mine"))

    await storage.forget("leaving")

    with pytest.raises(UnknownBlobError):
        await whole(leaving, kept.digest)
    with pytest.raises(UnknownBlobError):
        await whole(storage.of("leaving"), kept.digest)
    assert await whole(staying, kept.digest) == b"mine"


async def test_forgetting_a_tenant_that_kept_nothing_is_not_an_error(storage):
    await storage.forget("nobody")

    kept = await storage.of("nobody").put(chunked(b"somebody"))
    assert await whole(storage.of("nobody"), kept.digest) == b"somebody"


async def test_nothing_is_left_behind_by_success_or_failure(blobs):
    kept = await blobs.put(chunked(some_bytes(3 * BLOCK)))
    with pytest.raises(ConnectionError):
        await blobs.put(broken_after(some_bytes(2 * BLOCK), ConnectionError("unplugged")))

    assert await listed(blobs) == {kept.digest: kept.size}
    assert await left(blobs) == {}


async def test_a_blob_that_is_dropped_while_it_is_read_is_read_to_its_end(blobs):
    data = some_bytes(6 * BLOCK)
    kept = await blobs.put(chunked(data))

    async with aclosing(blobs.read(kept.digest)) as reading:
        first = await anext(reading)
        await blobs.drop(kept.digest)
        rest = b"".join([block async for block in reading])

    assert first + rest == data
    assert await blobs.size(kept.digest) is None


@pytest.mark.parametrize("size", SIZES)
async def test_the_size_of_a_blob_is_known_without_reading_it(blobs, size):
    kept = await blobs.put(chunked(some_bytes(size)))

    assert await blobs.size(kept.digest) == size


@pytest.mark.parametrize("digest", [UNKNOWN, "", "../../etc/passwd"])
async def test_what_is_not_there_has_no_size(blobs, digest):
    assert await blobs.size(digest) is None


async def test_a_listing_has_every_blob_with_its_size_and_age(blobs):
    before = datetime.now(UTC)
    sizes = {(await blobs.put(chunked(some_bytes(size)))).digest: size for size in SIZES}

    found = [kept async for kept in blobs.listing()]

    assert {kept.digest: kept.size for kept in found} == sizes
    assert all(before - MOMENT <= kept.modified <= datetime.now(UTC) + MOMENT for kept in found)


async def test_a_listing_is_of_one_tenant_and_may_be_empty(storage, blobs, tenant):
    await storage.of(f"{tenant}x").put(chunked(b"a neighbour whose name begins alike"))

    assert await listed(blobs) == {}


async def test_blobs_may_be_dropped_while_they_are_listed(blobs):
    for number in range(20):
        await blobs.put(chunked(b"%d" % number))

    async for kept in blobs.listing():
        await blobs.drop(kept.digest)

    assert await listed(blobs) == {}


async def test_an_upload_grows_part_by_part_and_becomes_a_blob(blobs, upload):
    data = some_bytes(2 * BLOCK + 5)

    lengths = [
        await blobs.append(upload, 0, chunked(data[: BLOCK + 1])),
        await blobs.append(upload, BLOCK + 1, chunked(data[BLOCK + 1 :])),
    ]
    kept = await blobs.finish(upload)

    assert lengths == [BLOCK + 1, len(data)]
    assert kept == Blob(sha256(data).hexdigest(), len(data))
    assert await whole(blobs, kept.digest) == data


@settings(max_examples=25, deadline=None)
@given(parts=st.lists(st.integers(0, BLOCK + 3), max_size=5))
async def test_however_an_upload_is_cut_it_is_the_same_blob(storage, parts):
    blobs, upload, data = storage.of("cut"), uuid4().hex, some_bytes(sum(parts))

    at = 0
    for size in parts:
        at = await blobs.append(upload, at, chunked(data[at : at + size]))

    assert await blobs.finish(upload) == Blob(sha256(data).hexdigest(), len(data))
    await blobs.abandon(upload)


async def test_an_upload_without_any_part_is_a_file_of_no_bytes(blobs, upload):
    assert await blobs.length(upload) == 0
    assert await blobs.finish(upload) == Blob(sha256(b"").hexdigest(), 0)


async def test_the_length_is_what_has_come_in(blobs, upload):
    await blobs.append(upload, 0, chunked(some_bytes(BLOCK + 9)))

    assert await blobs.length(upload) == BLOCK + 9


@pytest.mark.parametrize("offset", [0, 4, 6, 10**15])
async def test_an_upload_goes_on_at_its_length_and_nowhere_else(blobs, upload, offset):
    await blobs.append(upload, 0, chunked(b"12345"))

    with pytest.raises(WrongOffsetError) as wrong:
        await blobs.append(upload, offset, chunked(b"other"))

    assert wrong.value.length == await blobs.length(upload) == 5
    assert (await blobs.finish(upload)).digest == sha256(b"12345").hexdigest()


async def test_what_came_before_a_broken_connection_is_kept(blobs, upload):
    data = some_bytes(3 * BLOCK + 7)

    with pytest.raises(ConnectionError, match="unplugged"):
        await blobs.append(upload, 0, broken_after(data[: 2 * BLOCK + 9], ConnectionError("unplugged")))
    length = await blobs.length(upload)
    await blobs.append(upload, length, chunked(data[length:]))

    assert length == 2 * BLOCK + 9
    assert (await blobs.finish(upload)).digest == sha256(data).hexdigest()


async def test_what_came_before_a_cancellation_is_kept_and_the_upload_is_free(blobs, upload):
    data, stuck = some_bytes(2 * BLOCK + 3), asyncio.Event()

    async def never_ending():
        async for chunk in chunked(data[: BLOCK + 1]):
            yield chunk
        stuck.set()
        await asyncio.Event().wait()

    adding = asyncio.create_task(blobs.append(upload, 0, never_ending()))
    await stuck.wait()
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    length = await blobs.length(upload)
    await blobs.append(upload, length, chunked(data[length:]))

    assert length == BLOCK + 1
    assert (await blobs.finish(upload)).digest == sha256(data).hexdigest()


async def test_of_two_who_add_at_once_the_bytes_of_one_are_kept(blobs, elsewhere, upload):
    both_have_begun = asyncio.Barrier(2)

    async def add(to: Blobs, data: bytes) -> bytes | None:
        waited = False

        async def together():
            nonlocal waited
            yield data[:1]
            waited = True
            await both_have_begun.wait()
            yield data[1:]

        try:
            await to.append(upload, 0, together())
        except (WrongOffsetError, UploadBusyError):
            if not waited:  # refused before it could wait: the other shall not wait for it
                await both_have_begun.wait()
            return None
        return data

    ends = await asyncio.gather(add(blobs, some_bytes(BLOCK + 1)), add(elsewhere, b"b" * 2 * BLOCK))

    [winner] = [end for end in ends if end]
    assert (await blobs.finish(upload)).digest == sha256(winner).hexdigest()


async def test_finishing_again_is_the_same_answer(blobs, elsewhere, upload):
    await blobs.append(upload, 0, chunked(b"whole"))
    first = await blobs.finish(upload)

    assert await blobs.finish(upload) == await elsewhere.finish(upload) == first
    assert await blobs.length(upload) == 5
    assert await whole(blobs, first.digest) == b"whole"


async def test_a_finished_upload_takes_nothing_more(blobs, upload):
    await blobs.append(upload, 0, chunked(b"whole"))
    kept = await blobs.finish(upload)

    assert await blobs.append(upload, 5, chunked(b"")) == 5
    for offset in (0, 5):
        with pytest.raises(WrongOffsetError):
            await blobs.append(upload, offset, chunked(b"more"))

    assert await blobs.finish(upload) == kept
    assert await whole(blobs, kept.digest) == b"whole"


async def test_finishing_again_what_was_dropped_since_says_that_it_is_gone(blobs, upload):
    await blobs.append(upload, 0, chunked(b"whole"))
    await blobs.drop((await blobs.finish(upload)).digest)

    with pytest.raises(UnknownBlobError):
        await blobs.finish(upload)


async def test_an_upload_of_bytes_that_are_here_already_is_kept_once(blobs, upload):
    kept = await blobs.put(chunked(b"twice"))
    await blobs.append(upload, 0, chunked(b"twice"))

    assert await blobs.finish(upload) == kept
    assert await listed(blobs) == {kept.digest: 5}


async def test_an_abandoned_upload_begins_at_its_beginning(blobs, upload):
    await blobs.append(upload, 0, chunked(b"half"))

    await blobs.abandon(upload)

    assert await blobs.length(upload) == 0
    assert await left(blobs) == {}
    await blobs.append(upload, 0, chunked(b"another"))
    assert (await blobs.finish(upload)).digest == sha256(b"another").hexdigest()


async def test_abandoning_a_finished_upload_leaves_its_blob_and_nothing_else(blobs, upload):
    await blobs.append(upload, 0, chunked(b"whole"))
    kept = await blobs.finish(upload)

    await blobs.abandon(upload)
    await blobs.abandon(upload)

    assert await listed(blobs) == {kept.digest: 5}
    assert await left(blobs) == {}
    assert await blobs.length(upload) == 0


async def test_what_is_in_progress_is_a_leftover_and_no_blob(blobs, upload):
    before = datetime.now(UTC)
    await blobs.append(upload, 0, chunked(some_bytes(BLOCK)))
    await blobs.append(upload, BLOCK, chunked(b"more"))

    [leftover] = [each async for each in blobs.leftovers()]

    assert leftover[:2] == (f"uploads/{upload}", BLOCK + 4)
    assert before - MOMENT <= leftover.modified <= datetime.now(UTC) + MOMENT
    assert await listed(blobs) == {}


async def test_a_finished_upload_leaves_a_mark_that_can_be_discarded(blobs, upload):
    await blobs.append(upload, 0, chunked(b"whole"))
    kept = await blobs.finish(upload)

    [mark] = await left(blobs)
    await blobs.discard(mark)

    assert mark == f"uploads/{upload}"
    assert await left(blobs) == {}
    assert await whole(blobs, kept.digest) == b"whole"


async def test_a_leftover_is_discarded_alone(blobs, upload):
    other = uuid4().hex
    await blobs.append(upload, 0, chunked(b"old"))
    await blobs.append(other, 0, chunked(b"new"))

    await blobs.discard(f"uploads/{upload}")
    await blobs.discard(f"uploads/{upload}")

    assert await left(blobs) == {f"uploads/{other}": 3}


@pytest.mark.parametrize("name", ["", "uploads/", "uploads/..", "../x", "aa/" + "0" * 64, "incoming/../uploads", "x"])
async def test_only_what_is_left_over_can_be_discarded(blobs, name):
    with pytest.raises(ValueError, match="leftover"):
        await blobs.discard(name)


@pytest.mark.parametrize("upload", ["", "..", "A" * 32, "0" * 31, "0" * 33, "0" * 31 + "/", "0" * 32 + "\n"])
async def test_an_upload_cannot_be_named_out_of_its_place(blobs, upload):
    for asked in (
        blobs.append(upload, 0, chunked(b"x")),
        blobs.length(upload),
        blobs.finish(upload),
        blobs.abandon(upload),
    ):
        with pytest.raises(ValueError, match="upload"):
            await asked


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_a_tenant_cannot_be_named_out_of_its_place(storage, name):
    with pytest.raises(ValueError, match="tenant"):
        storage.of(name)
    with pytest.raises(ValueError, match="tenant"):
        await storage.forget(name)


async def test_what_one_server_does_another_sees(blobs, elsewhere, upload):
    kept = await blobs.put(chunked(b"seen"))
    await blobs.append(upload, 0, chunked(b"12345"))
    length = await elsewhere.append(upload, 5, chunked(b"67890"))

    assert await whole(elsewhere, kept.digest) == b"seen"
    assert length == await blobs.length(upload) == 10
    assert await left(elsewhere) == {f"uploads/{upload}": 10}
    assert (await elsewhere.finish(upload)).digest == sha256(b"1234567890").hexdigest()
    assert await blobs.size(sha256(b"1234567890").hexdigest()) == 10


async def test_a_forgotten_tenant_has_no_uploads_either(storage, blobs, tenant, upload):
    await blobs.append(upload, 0, chunked(b"half"))
    other = uuid4().hex
    await blobs.append(other, 0, chunked(b"whole"))
    await blobs.finish(other)

    await storage.forget(tenant)

    assert await left(storage.of(tenant)) == {}
    assert await listed(storage.of(tenant)) == {}
    assert await storage.of(tenant).length(upload) == 0


async def test_a_storage_that_works_passes_its_check_and_keeps_nothing_of_it(storage, blobs):
    await storage.check()

    assert await listed(blobs) == {}


@pytest.mark.parametrize("size", [0, 7, 9 * BLOCK])
@pytest.mark.parametrize("is_size_known", [True, False])
async def test_bytes_of_an_announced_digest_are_kept_and_others_leave_nothing(blobs, size, is_size_known):
    data = some_bytes(size)
    digest, known = sha256(data).hexdigest(), size if is_size_known else 0

    kept = await blobs.put(chunked(data), Blob(digest, known))
    with pytest.raises(WrongDigestError) as wrong:
        await blobs.put(chunked(data + b"!"), Blob(digest, known))
    with pytest.raises(WrongDigestError):
        await blobs.put(chunked(data), Blob("0" * 64, known))

    assert kept == Blob(digest, size)
    assert wrong.value.received == sha256(data + b"!").hexdigest()
    assert await listed(blobs) == {digest: size}
    assert await whole(blobs, digest) == data
    assert [leftover async for leftover in blobs.leftovers()] == []


async def test_many_small_contents_are_stored_at_once_and_wrong_ones_are_not(blobs, elsewhere):
    contents = [f"small {number}".encode() for number in range(40)]
    wrong = SmallContent(b"damaged", sha256(b"whole").hexdigest())
    sent = [SmallContent(each, sha256(each).hexdigest() if at % 2 else "") for at, each in enumerate(contents)]

    ends = await blobs.put_small([*sent, wrong, SmallContent(contents[0])])

    digests = [sha256(each).hexdigest() for each in contents]
    assert [end.digest for end in ends[:40]] == digests
    assert (ends[40].received, ends[41]) == (sha256(b"damaged").hexdigest(), ends[0])
    assert await elsewhere.sizes([*digests, ends[40].received, "no digest"]) == [*map(len, contents), None, None]
    assert b"".join([block async for block in elsewhere.read(digests[7])]) == contents[7]
    assert await left(blobs) == {}

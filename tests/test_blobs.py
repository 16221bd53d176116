"""One suite over every place where bytes are kept, then what is particular to files."""

import asyncio
import errno
import os
import resource
import shutil
import subprocess
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.blobs import BLOCK, Blob, Blobs, BlobUnknown, Storage
from catalog.blobs import files as files_module
from catalog.blobs.files import FileBlobs, FileStorage
from catalog.blobs.memory import MemoryStorage

SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7]
UNKNOWN = "0" * 64
HOSTILE_NAMES = ["", ".", "..", "../other", "a/b", "/etc", "a\\b", ".forgotten", "a\0b", "a\nb"]


@pytest.fixture(scope="module", params=["files", "memory"])
def storage(request, tmp_path_factory) -> Storage:
    return MemoryStorage() if request.param == "memory" else FileStorage(tmp_path_factory.mktemp("uploads"))


@pytest.fixture
def blobs(storage) -> Blobs:
    return storage.of(uuid4().hex)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "uploads" / "ada"


@pytest.fixture
def on_disk(folder) -> FileBlobs:
    return FileStorage(folder.parent).of("ada")


@pytest.fixture
def small_disk(tmp_path):
    """A folder with room for 2 MiB: a file system of its own where we may mount one, else a limit on each file."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "small", folder]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if not mounted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 2**20, hard))
    yield folder
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    if mounted:
        subprocess.run(["umount", folder], check=True)


def some_bytes(size: int) -> bytes:
    return (b"catalog" * (size // 7 + 1))[:size]


async def chunked(data: bytes, by: int = 65_536):
    for at in range(0, len(data), by):
        yield data[at : at + by]


async def broken_after(data: bytes, error: BaseException):
    async for chunk in chunked(data):
        yield chunk
    raise error


async def whole(blobs: Blobs, digest: str, *bounds) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(digest, *bounds)])


def files_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


# Every driver


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

    with pytest.raises(BlobUnknown):
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
    with pytest.raises(BlobUnknown):
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

    with pytest.raises(BlobUnknown):
        await anext(reading)


async def test_reading_may_stop_early(blobs):
    kept = await blobs.put(chunked(some_bytes(3 * BLOCK)))

    async with aclosing(blobs.read(kept.digest)) as reading:
        assert len(await anext(reading)) == BLOCK


async def test_a_dropped_blob_is_unknown_and_can_be_put_again(blobs):
    kept = await blobs.put(chunked(b"gone"))

    await blobs.drop(kept.digest)

    with pytest.raises(BlobUnknown):
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

    with pytest.raises(BlobUnknown):
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

    with pytest.raises(BlobUnknown):
        await whole(leaving, kept.digest)
    with pytest.raises(BlobUnknown):
        await whole(storage.of("leaving"), kept.digest)
    assert await whole(staying, kept.digest) == b"mine"


async def test_forgetting_a_tenant_that_kept_nothing_is_not_an_error(storage):
    await storage.forget("nobody")

    kept = await storage.of("nobody").put(chunked(b"somebody"))
    assert await whole(storage.of("nobody"), kept.digest) == b"somebody"


# Files


async def test_a_file_stands_under_its_tenant_and_the_first_two_letters_of_its_digest(on_disk, folder):
    kept = await on_disk.put(chunked(b"iris"))

    assert files_under(folder) == [f"{kept.digest[:2]}/{kept.digest}"]


async def test_equal_bytes_are_one_file_and_its_age_begins_anew(on_disk, folder):
    kept = await on_disk.put(chunked(b"iris"))
    path = folder / kept.digest[:2] / kept.digest
    os.utime(path, (1, 1))

    await on_disk.put(chunked(b"iris"))

    assert files_under(folder) == [f"{kept.digest[:2]}/{kept.digest}"]
    assert path.stat().st_mtime > 1


@pytest.mark.parametrize("size", SIZES)
async def test_a_broken_upload_leaves_no_file(on_disk, folder, size):
    with pytest.raises(ConnectionError):
        await on_disk.put(broken_after(some_bytes(size), ConnectionError("unplugged")))

    assert files_under(folder) == []


async def test_an_upload_cancelled_while_a_thread_writes_leaves_no_file(on_disk, folder, monkeypatch):
    loop, writing, go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    write = files_module.Arriving.write

    def slowly(self, block):
        loop.call_soon_threadsafe(writing.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        write(self, block)

    monkeypatch.setattr(files_module.Arriving, "write", slowly)
    upload = asyncio.create_task(on_disk.put(chunked(some_bytes(2 * BLOCK))))
    await writing.wait()
    in_progress = files_under(folder)
    upload.cancel()
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await upload
    assert len(in_progress) == 1
    assert files_under(folder) == []


def test_a_thread_that_comes_after_the_end_makes_no_file(folder):
    arriving = files_module.Arriving(folder)
    arriving.give_up()

    arriving.begin()

    assert files_under(folder) == []


async def test_a_full_disk_says_so_and_keeps_nothing(small_disk):
    tenant = FileStorage(small_disk).of("ada")

    with pytest.raises(OSError, match=r"No space left|quota|too large") as full:
        await tenant.put(chunked(some_bytes(4 * BLOCK)))

    assert full.value.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    assert files_under(small_disk) == []
    assert (await tenant.put(chunked(b"a little"))).size == 8


async def test_what_a_killed_process_left_behind_does_not_matter(on_disk, folder):
    (folder / "incoming").mkdir(parents=True)
    (folder / "incoming" / "leftover").write_bytes(b"half")

    kept = await on_disk.put(chunked(b"half"))

    assert await whole(on_disk, kept.digest) == b"half"
    assert files_under(folder) == [f"{kept.digest[:2]}/{kept.digest}", "incoming/leftover"]


async def test_the_bytes_are_flushed_before_they_get_their_name_and_the_name_before_success(
    on_disk, folder, monkeypatch
):
    done = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(descriptor):
        done.append(("fsync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        fsync(descriptor)

    def recorded_replace(source, target):
        done.append(("replace", str(source), str(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    kept = await on_disk.put(chunked(b"iris"))

    path = folder / kept.digest[:2] / kept.digest
    temporary = next(step[1] for step in done if step[0] == "replace")
    assert done == [
        ("fsync", str(folder.parent.parent)),  # the new folder `uploads`
        ("fsync", str(folder.parent)),  # the new folder `ada`
        ("fsync", str(folder)),  # the new folder `incoming`
        ("fsync", temporary),
        ("fsync", str(folder)),  # the new folder of two letters
        ("replace", temporary, str(path)),
        ("fsync", str(path.parent)),
    ]


async def test_a_long_upload_is_flushed_as_it_grows(on_disk, monkeypatch):
    flushed, fdatasync = [], os.fdatasync
    monkeypatch.setattr(files_module, "FLUSH_EVERY", 2 * BLOCK)

    def recorded(descriptor):
        flushed.append(os.fstat(descriptor).st_size)
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", recorded)

    await on_disk.put(chunked(some_bytes(5 * BLOCK)))

    assert flushed == [2 * BLOCK, 4 * BLOCK]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
async def test_a_tenant_cannot_be_named_out_of_its_folder(tmp_path, name):
    storage = FileStorage(tmp_path)

    with pytest.raises(ValueError, match="tenant"):
        storage.of(name)
    with pytest.raises(ValueError, match="tenant"):
        await storage.forget(name)


@pytest.mark.parametrize("digest", ["", "..", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
async def test_what_is_not_a_digest_never_reaches_the_disk(on_disk, digest):
    with pytest.raises(BlobUnknown):
        await whole(on_disk, digest)


async def test_forgetting_clears_what_an_interrupted_forgetting_left(tmp_path):
    storage = FileStorage(tmp_path)
    (tmp_path / ".forgotten" / "interrupted").mkdir(parents=True)
    (tmp_path / ".forgotten" / "interrupted" / "blob").write_bytes(b"private")

    await storage.forget("ada")

    assert files_under(tmp_path) == []


async def test_a_forgotten_tenant_is_out_of_sight_even_when_its_files_cannot_be_removed(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(path)

    storage = FileStorage(tmp_path)
    kept = await storage.of("ada").put(chunked(b"private"))
    monkeypatch.setattr(shutil, "rmtree", refuse)

    with pytest.raises(PermissionError):
        await storage.forget("ada")

    with pytest.raises(BlobUnknown):
        await whole(storage.of("ada"), kept.digest)


async def test_no_descriptor_is_left_open(on_disk):
    before = open_descriptors()

    kept = await on_disk.put(chunked(some_bytes(3 * BLOCK)))
    await whole(on_disk, kept.digest)
    async with aclosing(on_disk.read(kept.digest)) as reading:
        await anext(reading)
    with pytest.raises(ConnectionError):
        await on_disk.put(broken_after(b"half", ConnectionError("unplugged")))

    assert open_descriptors() == before

"""What is particular to blobs that are files."""

import asyncio
import errno
import os
import resource
import shutil
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from catalog.blobs import files as files_module
from catalog.blobs import incoming_files, partial_files
from catalog.blobs.files import FileBlobs, FileStorage
from catalog.blobs.protocol import BLOCK, StorageSetupError, UnknownBlobError, UploadBusyError, WrongOffsetError
from tests.support.contents import broken_after, chunked, files_under, open_descriptors, some_bytes, whole
from tests.support.serving import serve

SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7]
UPLOAD = "f" * 32


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
    write = incoming_files.BlobFileWriter.write

    def slowly(self, block):
        loop.call_soon_threadsafe(writing.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        write(self, block)

    monkeypatch.setattr(incoming_files.BlobFileWriter, "write", slowly)
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
    incoming = incoming_files.BlobFileWriter(folder)
    incoming.discard()

    incoming.begin()

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
    monkeypatch.setattr(incoming_files, "FLUSH_EVERY", 2 * BLOCK)

    def recorded(descriptor):
        flushed.append(os.fstat(descriptor).st_size)
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", recorded)

    await on_disk.put(chunked(some_bytes(5 * BLOCK)))

    assert flushed == [2 * BLOCK, 4 * BLOCK]


@pytest.mark.parametrize("digest", ["", "..", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
async def test_what_is_not_a_digest_never_reaches_the_disk(on_disk, digest):
    with pytest.raises(UnknownBlobError):
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

    with pytest.raises(UnknownBlobError):
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


# Uploads in parts


@pytest.fixture
def parts(folder) -> Path:
    return folder / "uploads"


async def test_an_upload_grows_in_a_file_of_its_name_and_becomes_the_blob(on_disk, folder):
    await on_disk.append(UPLOAD, 0, chunked(b"iris"))
    growing = files_under(folder)
    kept = await on_disk.finish(UPLOAD)
    finished = files_under(folder)
    await on_disk.abandon(UPLOAD)

    assert growing == [f"uploads/{UPLOAD}"]
    assert finished == sorted([f"{kept.digest[:2]}/{kept.digest}", f"uploads/{UPLOAD}.kept"])
    assert files_under(folder) == [f"{kept.digest[:2]}/{kept.digest}"]


async def test_what_append_says_is_flushed_before_it_says_so(on_disk, parts, monkeypatch):
    flushed, fsync = [], os.fsync

    def recorded(descriptor):
        flushed.append((Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor).st_size))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)

    await on_disk.append(UPLOAD, 0, chunked(some_bytes(BLOCK + 1)))

    assert flushed[-1] == (parts / UPLOAD, BLOCK + 1)
    assert parts in [path for path, _ in flushed]


async def test_a_long_part_is_flushed_as_it_grows(on_disk, monkeypatch):
    flushed, fdatasync = [], os.fdatasync
    monkeypatch.setattr(partial_files, "FLUSH_EVERY", 2 * BLOCK)

    def recorded(descriptor):
        flushed.append(os.fstat(descriptor).st_size)
        fdatasync(descriptor)

    monkeypatch.setattr(os, "fdatasync", recorded)

    await on_disk.append(UPLOAD, 0, chunked(some_bytes(5 * BLOCK)))

    assert flushed == [2 * BLOCK, 4 * BLOCK]


async def test_an_upload_that_another_process_adds_to_is_busy(on_disk, parts):
    await on_disk.append(UPLOAD, 0, chunked(b"half"))
    hold = (
        "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", hold, parts / UPLOAD, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    await other.stdout.readline()

    with pytest.raises(UploadBusyError):
        await on_disk.append(UPLOAD, 4, chunked(b"more"))
    with pytest.raises(UploadBusyError):
        await on_disk.finish(UPLOAD)
    await other.communicate(b"let go")

    assert await on_disk.append(UPLOAD, 4, chunked(b"more")) == 8


async def test_a_finish_that_was_cut_off_after_its_mark_is_carried_out(on_disk, folder, parts, monkeypatch):
    await on_disk.append(UPLOAD, 0, chunked(b"whole"))

    def cut_off(source, path):
        raise ConnectionError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(partial_files, "rename_whole", cut_off)
        with pytest.raises(ConnectionError):
            await on_disk.finish(UPLOAD)
    half_way = files_under(parts)
    kept = await on_disk.finish(UPLOAD)

    assert half_way == [UPLOAD, f"{UPLOAD}.kept"]
    assert await whole(on_disk, kept.digest) == b"whole"
    assert files_under(parts) == [f"{UPLOAD}.kept"]


async def test_a_stray_file_beside_a_mark_is_never_taken_for_the_upload(on_disk, parts):
    await on_disk.append(UPLOAD, 0, chunked(b"whole"))
    kept = await on_disk.finish(UPLOAD)
    await on_disk.drop(kept.digest)
    (parts / UPLOAD).touch()

    with pytest.raises(UnknownBlobError):
        await on_disk.finish(UPLOAD)

    assert files_under(parts) == [f"{UPLOAD}.kept"]


async def test_a_disk_that_fills_up_keeps_what_came_before(small_disk):
    tenant = FileStorage(small_disk).of("ada")
    data = some_bytes(4 * BLOCK)

    with pytest.raises(OSError, match=r"No space left|quota|too large"):
        await tenant.append(UPLOAD, 0, chunked(data))
    length = await tenant.length(UPLOAD)

    assert 0 < length < len(data)
    assert (small_disk / "ada" / "uploads" / UPLOAD).read_bytes() == data[:length]
    await tenant.abandon(UPLOAD)
    assert (await tenant.put(chunked(b"a little"))).size == 8


async def test_adding_leaves_no_descriptor_open(on_disk):
    before = open_descriptors()

    await on_disk.append(UPLOAD, 0, chunked(some_bytes(3 * BLOCK)))
    with pytest.raises(WrongOffsetError):
        await on_disk.append(UPLOAD, 0, chunked(b"again"))
    with pytest.raises(ConnectionError):
        await on_disk.append(UPLOAD, 3 * BLOCK, broken_after(b"half", ConnectionError("unplugged")))
    await on_disk.finish(UPLOAD)

    assert open_descriptors() == before


async def test_what_a_killed_put_left_is_a_leftover_that_can_be_discarded(on_disk, folder):
    (folder / "incoming").mkdir(parents=True)
    (folder / "incoming" / UPLOAD).write_bytes(b"half")

    [left] = [leftover async for leftover in on_disk.leftovers()]
    await on_disk.discard(left.name)

    assert left[:2] == (f"incoming/{UPLOAD}", 4)
    assert files_under(folder) == []


# At the start


async def test_a_folder_that_is_not_there_yet_is_made(tmp_path):
    await FileStorage(tmp_path / "new" / "uploads").check()

    assert list((tmp_path / "new").rglob("*")) == [tmp_path / "new" / "uploads"]


async def test_a_file_in_the_way_of_the_folder_is_told(tmp_path):
    (tmp_path / "file").touch()

    for root in (tmp_path / "file", tmp_path / "file" / "uploads"):
        with pytest.raises(
            StorageSetupError, match=r"^UPLOAD_PATH .* cannot be written to: there is a file in its way$"
        ):
            await FileStorage(root).check()


async def test_a_folder_without_right_is_told(tmp_path, monkeypatch):
    def refuse(path, flags):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files_module, "open_private", refuse)

    with pytest.raises(StorageSetupError, match=r"cannot be written to: read-only file system$"):
        await FileStorage(tmp_path).check()


def test_a_server_whose_upload_path_is_a_file_does_not_start_and_says_so(tmp_path):
    (tmp_path / "uploads").touch()

    ended = serve(tmp_path, PROTOCOL="http")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "UPLOAD_PATH uploads cannot be written to: there is a file in its way"
    assert "Traceback" not in ended.stderr

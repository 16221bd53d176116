"""Archives: what tar and unzip make of them, and that their length is known beforehand."""

import asyncio
import hashlib
import io
import shutil
import struct
import tarfile
import zipfile
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.blobs.memory import MemoryBlobs
from catalog.blobs.protocol import BLOCK
from catalog.dialects.http.transfers.archives import FORMATS, ArchivedFile
from catalog.dialects.http.transfers.zips import Stored, directory, local_header
from catalog.domain.files.checksums import Checksums
from catalog.errors import DOWNLOAD, Refused

MODIFIED = datetime(2026, 1, 2, 3, 4, 6, 789000, tzinfo=UTC)
FILES = {
    "MLmodel": b"flavors: {}\n",
    "empty": b"",
    "data/weights.bin": bytes(range(256)) * 5000,
    "data/più 🌸.txt": b"x",
    f"deep/{'d' * 120}/{'e' * 120}/{'f' * 120}": b"long",
}


def entries(files: dict[str, bytes]) -> tuple[MemoryBlobs, list[ArchivedFile]]:
    blobs = MemoryBlobs()
    made = [ArchivedFile(path, hashlib.sha256(data).hexdigest(), len(data)) for path, data in files.items()]
    blobs.contents = {entry.digest: data for entry, data in zip(made, files.values(), strict=True)}
    return blobs, made


class Known:
    """The checksums of a tenant that remembers all of them."""

    def __init__(self, kept):
        self.kept = kept

    async def recall(self, digests):
        pass

    async def remember(self):
        pass

    async def of(self, digest):
        return zlib.crc32(self.kept[digest])


async def written(suffix: str, files: dict[str, bytes]) -> bytes:
    blobs, made = entries(files)
    blocks = [block async for block in FORMATS[suffix].write(blobs, made, MODIFIED, Known(blobs.contents))]
    assert all(blocks)
    return b"".join(blocks)


def unzipped(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def untarred(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {member.name: opened.extractfile(member).read() for member in opened}


OPENED = {"zip": unzipped, "tar": untarred}


@pytest.mark.parametrize("suffix", FORMATS)
async def test_an_archive_holds_what_went_in(suffix):
    assert OPENED[suffix](await written(suffix, FILES)) == FILES


@pytest.mark.parametrize("suffix", FORMATS)
async def test_an_archive_is_as_long_as_it_said(suffix):
    for count in range(len(FILES) + 1):
        files = dict(list(FILES.items())[:count])

        said = FORMATS[suffix].length(entries(files)[1], MODIFIED)

        assert len(await written(suffix, files)) == said


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text("aà/🌸", min_size=1, max_size=150), st.binary(max_size=2000), max_size=6))
@pytest.mark.parametrize("suffix", FORMATS)
async def test_whatever_the_names_are(suffix, files):
    said = FORMATS[suffix].length(entries(files)[1], MODIFIED)

    assert len(await written(suffix, files)) == said


class Zeros:
    """As many bytes as are asked for."""

    async def read(self, digest, start=0, stop=0):
        while start < stop:
            block = bytes(min(16 * BLOCK, stop - start))
            start += len(block)
            yield block


@pytest.mark.parametrize("suffix", FORMATS)
async def test_files_over_two_gibibytes_are_counted_right(suffix):
    files = [ArchivedFile("large", "0" * 64, 2**31 + 5), ArchivedFile("after", "0" * 64, 3)]

    length, end = 0, b""
    async for block in FORMATS[suffix].write(Zeros(), files, MODIFIED, Known({"0" * 64: b""})):
        length, end = length + len(block), (end + block)[-400:]

    assert length == FORMATS[suffix].length(files, MODIFIED)
    assert suffix == "tar" or (b"large" in end and b"after" in end)


@pytest.mark.parametrize(("suffix", "program"), [("zip", ["unzip", "-q"]), ("tar", ["tar", "-xf"])])
async def test_the_usual_programs_read_it(suffix, program, tmp_path):
    archive = tmp_path / f"all.{suffix}"
    archive.write_bytes(await written(suffix, FILES))
    if not shutil.which(program[0]):
        pytest.skip(f"{program[0]} is not here")

    process = await asyncio.create_subprocess_exec(*program, archive, cwd=tmp_path)

    assert await process.wait() == 0
    assert {path: (tmp_path / path).read_bytes() for path in FILES} == FILES


@pytest.mark.parametrize("suffix", FORMATS)
async def test_the_bytes_go_out_as_they_are_read(suffix):
    blobs, made = entries({"a": bytes(8 * BLOCK), "b": bytes(8 * BLOCK)})

    sizes = [len(block) async for block in FORMATS[suffix].write(blobs, made, MODIFIED, Known(blobs.contents))]

    assert max(sizes) < 3 * BLOCK


# Of a zip


def streamed(archive: bytes) -> dict[str, bytes]:
    """What a reader finds that never sees the end first: each file by what stands before it."""
    found, at = {}, 0
    while archive[at : at + 4] == b"PK\3\4":
        _, _, flags, method, _, _, crc, packed, size, named, extra = struct.unpack_from("<4s5H3I2H", archive, at)
        assert (flags & 8, method, packed) == (0, 0, size)  # no data descriptor
        begin = at + 30 + named + extra
        data = archive[begin : begin + size]
        assert zlib.crc32(data) == crc
        found[archive[at + 30 : at + 30 + named].decode()] = data
        at = begin + size
    assert archive[at : at + 4] == b"PK\1\2"
    return found


async def test_a_zip_is_read_as_it_comes():
    assert streamed(await written("zip", FILES)) == FILES


JAVA = """
import java.io.*; import java.util.zip.*;
public class Read { public static void main(String[] names) throws IOException {
    ZipInputStream in = new ZipInputStream(System.in);
    for (ZipEntry entry; (entry = in.getNextEntry()) != null; )
        System.out.println(in.readAllBytes().length + " " + entry.getName()); } }
"""


async def test_java_reads_a_zip_as_it_comes(tmp_path):
    if not shutil.which("java"):
        pytest.skip("java is not here")
    (tmp_path / "Read.java").write_text(JAVA)
    command = ["java", "-Dstdout.encoding=UTF-8", "-Dfile.encoding=UTF-8", "Read.java"]

    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, stdin=pipe, stdout=pipe)
    said, _ = await process.communicate(await written("zip", FILES))

    assert said.decode().splitlines() == [f"{len(data)} {path}" for path, data in FILES.items()]


def test_more_files_than_sixteen_bits_count_are_all_there():
    files = [Stored(str(number), 0, 0, 0) for number in range(2**16 + 1)]

    lines = b"".join(directory(files, MODIFIED, 0))

    with zipfile.ZipFile(io.BytesIO(lines)) as opened:
        assert opened.namelist() == [file.path for file in files]


async def test_what_is_large_is_told_in_zip64():
    large = 2**32 + 5

    header = local_header("large", large, 7, MODIFIED)
    lines = b"".join(directory([Stored("large", large, 7, 0), Stored("far", 3, 9, large)], MODIFIED, large + 100))

    assert struct.unpack_from("<I2I", header, 14) == (7, 2**32 - 1, 2**32 - 1)
    assert struct.unpack_from("<2H2Q", header, 30 + 5) == (1, 16, large, large)
    with zipfile.ZipFile(AfterHole(large + 100, lines)) as opened:
        assert [(entry.file_size, entry.header_offset) for entry in opened.filelist] == [(large, 0), (3, large)]


class AfterHole(io.RawIOBase):
    """A file whose first bytes were never written: only what is read of its end is there."""

    def __init__(self, hole, end):
        self.hole, self.end, self.at = hole, end, 0

    def seekable(self):
        return True

    def tell(self):
        return self.at

    def seek(self, offset, whence=0):
        self.at = offset + {0: 0, 1: self.at, 2: self.hole + len(self.end)}[whence]
        return self.at

    def read(self, size=-1):
        begin = self.at - self.hole
        data = self.end[begin:] if size < 0 else self.end[begin : begin + size]
        self.at += len(data)
        return data


@pytest.fixture
async def kept(tenant):
    """A blob of the tenant's with its record."""
    blobs = tenant.blobs
    digest = hashlib.sha256(b"kept").hexdigest()
    blobs.contents = {digest: b"kept"}
    await tenant.blob_records.records.insert_one({"_id": digest, "size": 4, "touched": MODIFIED})
    return blobs, digest


async def test_a_checksum_is_computed_once_and_remembered(tenant, kept):
    blobs, digest = kept
    first = Checksums(tenant)
    computed = await first.of(digest)
    await first.remember()

    blobs.contents = {}  # from here on nothing can be read
    later = Checksums(tenant)
    await later.recall([digest])

    assert (computed, await later.of(digest)) == (zlib.crc32(b"kept"), computed)


@pytest.mark.parametrize("there", [[], [b"other"]])
async def test_no_checksum_is_remembered_of_bytes_that_are_lost_or_damaged(tenant, kept, there):
    blobs, digest = kept
    blobs.contents = dict(zip([digest], there, strict=False))

    checksums = Checksums(tenant)
    with pytest.raises(Refused) as caught:
        await checksums.of(digest)
    await checksums.remember()

    assert caught.value.fault is DOWNLOAD
    assert "crc32" not in await tenant.blob_records.records.find_one({"_id": digest})

"""Archives: what tar and unzip make of them, and that their length is known beforehand."""

import asyncio
import hashlib
import io
import shutil
import tarfile
import zipfile
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.blobs import BLOCK
from catalog.blobs.memory import MemoryBlobs
from catalog.dialects.archives import FORMATS, Entry

MODIFIED = datetime(2026, 1, 2, 3, 4, 6, 789000, tzinfo=UTC)
FILES = {
    "MLmodel": b"flavors: {}\n",
    "empty": b"",
    "data/weights.bin": bytes(range(256)) * 5000,
    "data/più 🌸.txt": b"x",
    f"deep/{'d' * 120}/{'e' * 120}/{'f' * 120}": b"long",
}


def entries(files: dict[str, bytes]) -> tuple[MemoryBlobs, list[Entry]]:
    blobs = MemoryBlobs()
    made = [Entry(path, hashlib.sha256(data).hexdigest(), len(data)) for path, data in files.items()]
    blobs.kept = {entry.digest: data for entry, data in zip(made, files.values(), strict=True)}
    return blobs, made


async def written(suffix: str, files: dict[str, bytes]) -> bytes:
    blobs, made = entries(files)
    blocks = [block async for block in FORMATS[suffix].write(blobs, made, MODIFIED)]
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
    """As many bytes as anybody asks for."""

    async def read(self, digest, start=0, stop=0):
        while start < stop:
            block = bytes(min(16 * BLOCK, stop - start))
            start += len(block)
            yield block


@pytest.mark.parametrize("suffix", FORMATS)
async def test_files_over_two_gibibytes_are_counted_right(suffix):
    files = [Entry("large", "0" * 64, 2**31 + 5), Entry("after", "0" * 64, 3)]

    length, end = 0, b""
    async for block in FORMATS[suffix].write(Zeros(), files, MODIFIED):
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

    sizes = [len(block) async for block in FORMATS[suffix].write(blobs, made, MODIFIED)]

    assert max(sizes) < 3 * BLOCK

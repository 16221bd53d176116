"""Archives: the files of a folder as one zip or tar, created while it is sent and never stored.

The files in it are not compressed: models hardly shrink, and without compression the length is known in advance.
"""

import tarfile
from asyncio import gather
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple

from catalog.blobs.protocol import BLOCK, Blobs
from catalog.dialects.http.requests.headers import attachment
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.http.transfers.downloads import Download, known, reading, validators
from catalog.dialects.http.transfers.zips import Stored, local_header
from catalog.dialects.http.transfers.zips import directory as directory_of
from catalog.domain.files.checksums import Checksums
from catalog.errors import REQUEST, Refused

OWNER_WRITES = 0o644

MOST_AT_ONCE = 64
"""Small files that are read at the same time: each costs a step in a thread, or a request to the storage."""

TAR_BLOCK = tarfile.BLOCKSIZE
"""Bytes. Headers and files are padded to a multiple of it."""


class ArchivedFile(NamedTuple):
    path: str
    digest: str
    size: int


class ArchiveFormat(NamedTuple):
    mimetype: str
    length: Callable[[Sequence[ArchivedFile], datetime], int]
    write: Callable[[Blobs, Sequence[ArchivedFile], datetime, Checksums], AsyncGenerator[bytes, None]]


def archived(
    request: AnyRequest,
    blobs: Blobs,
    suffix: str,
    *,
    name: str,
    digest: str,
    files: Sequence[ArchivedFile],
    modified: datetime,
    checksums: Checksums,
) -> Download:
    """The answer to GET or HEAD of a whole folder, as `name.zip` or `name.tar`. It has no ranges.

    Raises Refused: REQUEST for another suffix, STALE.
    """
    if suffix not in FORMATS:
        raise Refused(REQUEST, f"archive: {' or '.join(FORMATS)} is needed")
    format_ = FORMATS[suffix]
    headers = validators(f"{digest}.{suffix}", modified)
    if known(request, headers, modified):
        return Download(None, headers, status_code=304)
    headers |= {
        "content-type": format_.mimetype,
        "content-length": str(format_.length(files, modified)),
        "content-disposition": attachment(f"{name}.{suffix}"),
        "x-content-type-options": "nosniff",
        "accept-ranges": "none",
    }
    content = None if request.method == "HEAD" else format_.write(blobs, files, modified, checksums)
    return Download(content, headers, status_code=200)


async def zipped(
    blobs: Blobs, files: Sequence[ArchivedFile], modified: datetime, checksums: Checksums
) -> AsyncGenerator[bytes, None]:
    """A zip of any size. A file whose checksum is not stored yet is read once more before it is sent."""
    await checksums.recall([file.digest for file in files])
    buffer, offset = Output(), 0
    directory: list[Stored] = []
    for file in files:
        crc = await checksums.of(file.digest)
        directory.append(Stored(file.path, file.size, crc, offset))
        offset += buffer.write(local_header(file.path, file.size, crc, modified)) + file.size
        async with aclosing(reading(blobs, file.path, file.digest, 0, file.size)) as blocks:
            async for block in blocks:
                buffer.write(block)
                if buffer.size >= BLOCK:
                    yield buffer.taken()
    await checksums.remember()
    for entry in directory_of(directory, modified, offset):
        buffer.write(entry)
    yield buffer.taken()


def zip_length(files: Sequence[ArchivedFile], modified: datetime) -> int:
    """The length of what `zipped` yields, in bytes. It does not depend on the checksums."""
    directory, offset = [], 0
    for file in files:
        directory.append(Stored(file.path, file.size, 0, offset))
        offset += len(local_header(file.path, file.size, 0, modified)) + file.size
    return offset + sum(len(entry) for entry in directory_of(directory, modified, offset))


class Output:
    """A buffer: `write` appends, `taken` empties it."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts, self.size = self._parts, [], 0
        return b"".join(parts)


async def tarred(
    blobs: Blobs, files: Sequence[ArchivedFile], modified: datetime, _: Checksums
) -> AsyncGenerator[bytes, None]:
    """A tar of any size, in the format of POSIX (pax)."""
    buffer = Output()
    for group in read_together(files):
        contents = await gather(*(_whole(blobs, file) for file in group)) if len(group) > 1 else []
        for file, content in zip(group, contents, strict=False):
            buffer.write(_tar_header(file, modified))
            buffer.write(content)
            buffer.write(bytes(-file.size % TAR_BLOCK))
            if buffer.size >= BLOCK:
                yield buffer.taken()
        if contents:
            continue
        [file] = group
        buffer.write(_tar_header(file, modified))
        async with aclosing(reading(blobs, file.path, file.digest, 0, file.size)) as blocks:
            async for block in blocks:
                buffer.write(block)
                if buffer.size >= BLOCK:
                    yield buffer.taken()
        buffer.write(bytes(-file.size % TAR_BLOCK))
    buffer.write(bytes(2 * TAR_BLOCK))
    yield buffer.taken()


def read_together(files: Sequence[ArchivedFile]) -> Iterator[list[ArchivedFile]]:
    """Groups of small files, which are read at the same time, and large files, each alone."""
    group: list[ArchivedFile] = []
    size = 0
    for file in files:
        if group and (len(group) == MOST_AT_ONCE or size + file.size > BLOCK):
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield group


async def _whole(blobs: Blobs, file: ArchivedFile) -> bytes:
    async with aclosing(reading(blobs, file.path, file.digest, 0, file.size)) as blocks:
        return b"".join([block async for block in blocks])


def tar_length(files: Iterable[ArchivedFile], modified: datetime) -> int:
    each = (len(_tar_header(file, modified)) + file.size + -file.size % TAR_BLOCK for file in files)
    return sum(each) + 2 * TAR_BLOCK


def _tar_header(file: ArchivedFile, modified: datetime) -> bytes:
    entry = tarfile.TarInfo(file.path)
    entry.size = file.size
    entry.mtime = int(modified.timestamp())
    entry.mode = OWNER_WRITES
    return entry.tobuf(tarfile.PAX_FORMAT)


FORMATS = {
    "zip": ArchiveFormat("application/zip", zip_length, zipped),
    "tar": ArchiveFormat("application/x-tar", tar_length, tarred),
}

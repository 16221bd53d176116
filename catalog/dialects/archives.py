"""Archives: the files of a folder as one zip or tar, made while it is sent and never kept.

Files are stored, not compressed: models hardly shrink, and so the length is known beforehand.
"""

import tarfile
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple
from zipfile import ZIP64_LIMIT, ZIP_FILECOUNT_LIMIT, ZipFile, ZipInfo

from catalog.blobs import BLOCK, Blobs
from catalog.dialects.downloads import Download, known, reading, validators
from catalog.dialects.headers import AnyRequest, attachment
from catalog.errors import REQUEST, Refused

OWNER_WRITES = 0o644
REGULAR_FILE = 0o100000

TAR_BLOCK = tarfile.BLOCKSIZE
"""What a tar is made of: headers and files are filled up to it."""


class Entry(NamedTuple):
    path: str
    digest: str
    size: int


class Format(NamedTuple):
    mimetype: str
    length: Callable[[Sequence[Entry], datetime], int]
    write: Callable[[Blobs, Sequence[Entry], datetime], AsyncGenerator[bytes, None]]


def archived(
    request: AnyRequest,
    blobs: Blobs,
    suffix: str,
    *,
    name: str,
    digest: str,
    files: Sequence[Entry],
    modified: datetime,
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
    content = None if request.method == "HEAD" else format_.write(blobs, files, modified)
    return Download(content, headers, status_code=200)


async def zipped(blobs: Blobs, files: Sequence[Entry], modified: datetime) -> AsyncGenerator[bytes, None]:
    """A zip of any size. Its checksums come behind each file, so nothing is read twice."""
    output = Output()
    with ZipFile(output, "w") as archive:  # type: ignore[call-overload]  # all that it wants is `write` and `flush`
        for file in files:
            with archive.open(_zip_entry(file.path, modified), "w", force_zip64=True) as entry:
                async with aclosing(reading(blobs, file.path, file.digest, 0, file.size)) as blocks:
                    async for block in blocks:
                        entry.write(block)
                        if output.size >= BLOCK:
                            yield output.taken()
    yield output.taken()


def zip_length(files: Sequence[Entry], _: datetime) -> int:
    """What `zipped` comes to: per file a header, its bytes, its checksum, and a line of the directory at the end."""
    offset = directory = 0
    for file in files:
        name = len(file.path.encode())
        is_large = file.size > ZIP64_LIMIT
        large = 2 * is_large + (offset > ZIP64_LIMIT)  # numbers that need eight bytes in the directory
        directory += 46 + name + (4 + 8 * large if large else 0)
        offset += 30 + name + 20 + file.size + 24
    needs_zip64 = len(files) > ZIP_FILECOUNT_LIMIT or offset > ZIP64_LIMIT or directory > ZIP64_LIMIT
    return offset + directory + (56 + 20 if needs_zip64 else 0) + 22


def _zip_entry(path: str, modified: datetime) -> ZipInfo:
    entry = ZipInfo(path, modified.timetuple()[:6])
    entry.external_attr = (REGULAR_FILE | OWNER_WRITES) << 16
    entry.create_system = 3  # Unix, whose permissions these are
    return entry


class Output:
    """A file to write into, from which is taken what has been written."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        parts, self._parts, self.size = self._parts, [], 0
        return b"".join(parts)


async def tarred(blobs: Blobs, files: Sequence[Entry], modified: datetime) -> AsyncGenerator[bytes, None]:
    """A tar of any size, in the format of POSIX (pax)."""
    waiting = Output()
    for file in files:
        waiting.write(_tar_header(file, modified))
        async with aclosing(reading(blobs, file.path, file.digest, 0, file.size)) as blocks:
            async for block in blocks:
                waiting.write(block)
                if waiting.size >= BLOCK:
                    yield waiting.taken()
        waiting.write(bytes(-file.size % TAR_BLOCK))
    waiting.write(bytes(2 * TAR_BLOCK))
    yield waiting.taken()


def tar_length(files: Iterable[Entry], modified: datetime) -> int:
    each = (len(_tar_header(file, modified)) + file.size + -file.size % TAR_BLOCK for file in files)
    return sum(each) + 2 * TAR_BLOCK


def _tar_header(file: Entry, modified: datetime) -> bytes:
    entry = tarfile.TarInfo(file.path)
    entry.size = file.size
    entry.mtime = int(modified.timestamp())
    entry.mode = OWNER_WRITES
    return entry.tobuf(tarfile.PAX_FORMAT)


FORMATS = {
    "zip": Format("application/zip", zip_length, zipped),
    "tar": Format("application/x-tar", tar_length, tarred),
}

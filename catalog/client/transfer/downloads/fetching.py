"""Fetches files of a version from the server: large ones alone, small ones many at a time."""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from catalog.client.errors import Damaged
from catalog.client.results import File, Version
from catalog.client.session import PREFIX
from catalog.client.transfer.downloads.partial_downloads import ANSWER_TIMEOUT, fetch
from catalog.client.transfer.downloads.targets import PlacedFile, has_content
from catalog.client.transfer.progress import TotalProgress
from catalog.client.transfer.sources import naming
from catalog.client.transfer.uploads.uploads import TargetItem
from catalog.client.transport.effects import Operation, Request, in_parallel, in_thread

CONCURRENCY = 4
"""Requests at the same time."""

SMALL = 2**18
"""Files up to this size, in bytes, are fetched together."""

TOGETHER = 250
"""Files of one request."""

BATCH_SIZE = 4 * 2**20
"""Bytes of the files of one request."""

WORTH_BATCHING = 2

TAR_OVERHEAD = 4096
"""The most that a tar adds to a file, in bytes: headers, and padding."""

Stored = Callable[[str], None]
"""Called with the digest of each file that is complete and verified at its target."""


class NumberedFile(NamedTuple):
    number: int
    """The position of the file in its version, which is ordered by path."""

    placed: PlacedFile


def fetch_files(
    item: TargetItem,
    version: Version,
    files: Sequence[PlacedFile],
    total: TotalProgress,
    stored: Stored = lambda _: None,
) -> Operation[None]:
    """Download files to their targets, each verified before it appears. Raises CatalogError."""
    batches = list(batches_of(version, files)) if version.folder else []
    together = {each.placed.target for batch in batches for each in batch}
    fetching = [_fetch_batch(item, version, batch, total, stored) for batch in batches]
    fetching += [_fetch_one(item, version, placed, total, stored) for placed in files if placed.target not in together]
    yield from in_parallel(fetching, CONCURRENCY)


def batches_of(version: Version, files: Sequence[PlacedFile]) -> Iterator[list[NumberedFile]]:
    """Small files that follow each other in the version, in groups for one request each."""
    numbers = {file.path: number for number, file in enumerate(version.files)}
    small = [NumberedFile(numbers[each.file.path], each) for each in files if each.file.size <= SMALL]
    batch: list[NumberedFile] = []
    size = 0
    for each in sorted(small):
        follows = bool(batch) and each.number == batch[-1].number + 1
        if batch and (not follows or len(batch) == TOGETHER or size + each.placed.file.size > BATCH_SIZE):
            if len(batch) >= WORTH_BATCHING:
                yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.placed.file.size
    if len(batch) >= WORTH_BATCHING:
        yield batch


class BoundedBody:
    """A response body in memory, of bounded size."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.content = bytearray()

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        del headers
        self.content.clear()
        return status == 200  # noqa: PLR2004  OK

    def write(self, block: bytes) -> None:
        self.content += block
        if len(self.content) > self._most:
            raise Damaged("The server sends more than it was asked for")


def file_url(item: TargetItem, version: Version, file: File) -> str:
    return f"{PREFIX}{item.at(version.ordinal)}" + (f"/files/{quote(file.path)}" if version.folder else "")


def _fetch_one(
    item: TargetItem, version: Version, placed: PlacedFile, total: TotalProgress, stored: Stored
) -> Operation[None]:
    file, target = placed
    url, progress = file_url(item, version, file), total.of(file.path)
    yield from fetch(item.session, url, target, file, progress, lambda: has_content(target, file))
    yield from in_thread(stored, file.digest)


def _fetch_batch(
    item: TargetItem, version: Version, batch: Sequence[NumberedFile], total: TotalProgress, stored: Stored
) -> Operation[None]:
    """Fetch files in one archive. Those that are missing or damaged in it are fetched alone."""
    size = sum(each.placed.file.size for each in batch)
    body = BoundedBody(size + (len(batch) + 1) * TAR_OVERHEAD)
    request = Request(
        method="GET",
        path=f"{PREFIX}{item.at(version.ordinal)}",
        query={"archive": "tar", "skip": str(batch[0].number), "limit": str(len(batch))},
        headers={"Accept-Encoding": "identity"},
        sink=body,
        timeout=ANSWER_TIMEOUT,
    )
    wanted = {each.placed.file.path: each.placed for each in batch}
    try:
        yield from item.session.send(request)
        done = yield from in_thread(_unpack, bytes(body.content), wanted, total, stored)
    except Damaged:
        done = set()
    for each in batch:
        if each.placed.file.path not in done:
            yield from _fetch_one(item, version, each.placed, total, stored)


def _unpack(archive: bytes, wanted: Mapping[str, PlacedFile], total: TotalProgress, stored: Stored) -> set[str]:
    """Write the files of an archive that have the right digest; return their paths."""
    done = set()
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            for member in tar:
                placed = wanted.get(member.name)
                content = tar.extractfile(member) if placed and member.isreg() else None
                if placed is None or content is None:
                    continue
                data = content.read()
                if hashlib.sha256(data).hexdigest() == placed.file.digest:
                    _write(placed.target, data)
                    stored(placed.file.digest)
                    total.of(member.name)("downloading", len(data), len(data))
                    done.add(member.name)
    except tarfile.TarError as error:
        raise Damaged(f"The archive cannot be read ({error})") from None
    return done


def _write(target: Path, data: bytes) -> None:
    """Write a small file, which appears whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{os.getpid()}.{hashlib.sha256(target.name.encode()).hexdigest()[:16]}.partial")
    try:
        with naming(target):
            partial.write_bytes(data)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise

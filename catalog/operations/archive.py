"""The file of a backup: a tar that is written once from its beginning to its end, and read so.

catalog-backup.json               what made it, and when
<tenant>/tenant.bson              the tenant's record
<tenant>/records/<collection>/<n> documents, one after the other, as MongoDB's own tools dump them
<tenant>/blobs/<sha256>           bytes, under the name that proves them
<tenant>/end.json                 how much of each there was
end.json                          nothing was cut off
"""

import json
import stat
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple

from catalog.blobs.protocol import BLOCK

FORMAT = 1
BEGINNING = "catalog-backup.json"
END = "end.json"


MOST = 32 * 2**20
"""Bytes of a member that is read at once: one of records has 8 MiB, and as much again as one document may have."""


class BadArchive(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """The file is no backup, or not a whole one. Its text is one sentence for whoever runs the command."""


class NotRegular(Exception):  # noqa: N818
    """Something other than a regular file stands where a file was to be written. Its text is one sentence."""


class NotAnnounced(Exception):  # noqa: N818
    """Other bytes came than were announced. Its text says in some words what came."""


def refuse_irregular(file: Path) -> None:
    """Raises NotRegular for a device, a pipe, a folder and the like, which a rename would replace by a file."""
    with suppress(FileNotFoundError):
        mode = file.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise NotRegular(f"{file} is a symbolic link: name the file that it leads to")
        if not stat.S_ISREG(mode):
            raise NotRegular(f"{file} is not a regular file: name a file, which is made or replaced")


class Writer:
    """Writes into a file that is regular: what turns out to be wrong is taken back."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, name: str, content: bytes) -> None:
        self._file.write(_header(name, len(content)))
        self._file.write(content)
        self._pad(len(content))

    def tell(self, name: str, content: Any) -> None:
        self.add(name, json.dumps(content, indent=1).encode())

    async def stream(self, name: str, digest: str, size: int, chunks: AsyncIterator[bytes]) -> None:
        """Add a member of `size` bytes with this SHA-256, never held whole. When it fails, nothing was added.

        Raises NotAnnounced for other bytes, and what `chunks` raises.
        """
        begin = self._file.tell()
        try:
            self._file.write(_header(name, size))
            await self._copy(digest, size, chunks)
            self._pad(size)
        except BaseException:
            self._file.seek(begin)
            self._file.truncate()
            raise

    async def _copy(self, digest: str, size: int, chunks: AsyncIterator[bytes]) -> None:
        seen, written = sha256(), 0
        async for chunk in chunks:
            seen.update(chunk)
            written += self._file.write(chunk)
            if written > size:
                raise NotAnnounced(f"there are more than {size} bytes")
        if written < size:
            raise NotAnnounced(f"there are {written} bytes of {size}")
        if seen.hexdigest() != digest:
            raise NotAnnounced(f"their SHA-256 is {seen.hexdigest()}")

    def close(self) -> None:
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))

    def _pad(self, size: int) -> None:
        self._file.write(bytes(-size % tarfile.BLOCKSIZE))


def _header(name: str, size: int) -> bytes:
    described = tarfile.TarInfo(name)
    described.size, described.mode = size, 0o600
    return described.tobuf(tarfile.PAX_FORMAT)


class Member(NamedTuple):
    path: tuple[str, ...]
    content: IO[bytes]

    @property
    def name(self) -> str:
        return "/".join(self.path)

    def whole(self) -> bytes:
        """Raises BadArchive for more than MOST bytes."""
        content = self.content.read(MOST + 1)
        if len(content) > MOST:
            raise BadArchive(f"{self.name} in the backup is larger than {MOST} bytes")
        return content

    def told(self) -> dict[str, Any]:
        """Raises BadArchive for what is no JSON object."""
        try:
            told = json.loads(self.whole())
        except (ValueError, RecursionError) as wrong:
            raise BadArchive(f"{self.name} in the backup is damaged: it is not JSON") from wrong
        if not isinstance(told, dict):
            raise BadArchive(f"{self.name} in the backup is damaged: it is not an object")
        return told

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        while block := self.content.read(BLOCK):
            yield block


class Archive(NamedTuple):
    """A backup that is being read."""

    identity: str
    """Another one for each backup that was made, and the same for each copy of it."""

    members: Iterator[Member]
    """Each to be read before the next."""


@contextmanager
def read(file: Path) -> Generator[Archive]:
    """Raises BadArchive, also while the members are walked; OSError when the file cannot be read."""
    with file.open("rb") as raw:
        try:
            with tarfile.open(fileobj=raw, mode="r|") as tar:
                names = _described(tar, file)
                yield Archive(_identity(names, file), _members(names, file))
        except (tarfile.TarError, EOFError) as damage:
            raise BadArchive(f"{file} is damaged or cut off ({damage})") from damage


def _identity(names: Iterator[Member], file: Path) -> str:
    first = next(names, None)
    if first is None or first.path != (BEGINNING,):
        raise BadArchive(f"{file} is not a backup of a catalog")
    told = first.told()
    if told.get("format") != FORMAT:
        raise BadArchive(f"{file} is of another version: format {FORMAT} is read here")
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _members(names: Iterator[Member], file: Path) -> Iterator[Member]:
    for member in names:
        if member.path == (END,):
            return
        yield member
    raise BadArchive(f"{file} is cut off: its end is missing")


def _described(tar: tarfile.TarFile, file: Path) -> Iterator[Member]:
    while described := _next(tar, file):
        content = tar.extractfile(described)
        if content is None:
            raise BadArchive(f"{file} has {described.name}, which is not a file")
        yield Member(tuple(described.name.split("/")), content)


def _next(tar: tarfile.TarFile, file: Path) -> tarfile.TarInfo | None:
    try:
        return tar.next()
    except (ValueError, OverflowError) as damage:  # what the module lets through of a header that is nonsense
        raise BadArchive(f"{file} is damaged ({damage})") from damage

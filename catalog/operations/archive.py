"""The file of a backup: a tar archive that is written and read in one pass.

catalog-backup.json               what made it, and when
<tenant>/tenant.bson              the tenant's record
<tenant>/records/<collection>/<n> documents, one after the other, as MongoDB's own tools dump them
<tenant>/blobs/<sha256>           bytes, under the name that proves them
<tenant>/end.json                 the number of each
end.json                          shows that nothing is cut off
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


LARGEST_MEMBER = 32 * 2**20
"""Bytes of a member that is read at once: a member of records has 8 MiB, plus one document of at most 16 MiB."""


class ArchiveError(Exception):
    """The file is not a backup, or is incomplete. The message is one sentence for the operator."""


class NotRegularFileError(Exception):
    """The target of a backup is not a regular file. The message is one sentence."""


class ContentMismatchError(Exception):
    """The bytes differ from the expected ones. The message says how."""


def refuse_irregular(file: Path) -> None:
    """Raises NotRegularFileError for a device, a pipe, a folder and the like: a rename would replace it."""
    with suppress(FileNotFoundError):
        mode = file.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise NotRegularFileError(f"{file} is a symbolic link: name its target")
        if not stat.S_ISREG(mode):
            raise NotRegularFileError(f"{file} is not a regular file: name a file, which is created or replaced")


class Writer:
    """Writes into a regular file, so that a member which fails can be removed again."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, name: str, content: bytes) -> None:
        self._file.write(_header(name, len(content)))
        self._file.write(content)
        self._pad(len(content))

    def add_json(self, name: str, content: Any) -> None:
        self.add(name, json.dumps(content, indent=1).encode())

    async def stream(self, name: str, digest: str, size: int, chunks: AsyncIterator[bytes]) -> None:
        """Add a member of `size` bytes with this SHA-256, in constant memory. After an error nothing is added.

        Raises ContentMismatchError for other bytes, and any error of `chunks`.
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
                raise ContentMismatchError(f"there are more than {size} bytes")
        if written < size:
            raise ContentMismatchError(f"there are {written} bytes of {size}")
        if seen.hexdigest() != digest:
            raise ContentMismatchError(f"their SHA-256 is {seen.hexdigest()}")

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
        """Raises ArchiveError for more than LARGEST_MEMBER bytes."""
        content = self.content.read(LARGEST_MEMBER + 1)
        if len(content) > LARGEST_MEMBER:
            raise ArchiveError(f"{self.name} in the backup is larger than {LARGEST_MEMBER} bytes")
        return content

    def json(self) -> dict[str, Any]:
        """Raises ArchiveError for anything but a JSON object."""
        try:
            content = json.loads(self.whole())
        except (ValueError, RecursionError) as wrong:
            raise ArchiveError(f"{self.name} in the backup is damaged: it is not JSON") from wrong
        if not isinstance(content, dict):
            raise ArchiveError(f"{self.name} in the backup is damaged: it is not an object")
        return content

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        while block := self.content.read(BLOCK):
            yield block


class Archive(NamedTuple):
    """A backup that is being read."""

    identity: str
    """Differs between backups, and is the same for each copy of one."""

    members: Iterator[Member]
    """Each must be read before the next."""


@contextmanager
def read(file: Path) -> Generator[Archive]:
    """Raises ArchiveError, also while the members are walked; OSError when the file cannot be read."""
    with file.open("rb") as raw:
        try:
            with tarfile.open(fileobj=raw, mode="r|") as tar:
                names = _described(tar, file)
                yield Archive(_identity(names, file), _members(names, file))
        except (tarfile.TarError, EOFError) as damage:
            raise ArchiveError(f"{file} is damaged or cut off ({damage})") from damage


def _identity(names: Iterator[Member], file: Path) -> str:
    first = next(names, None)
    if first is None or first.path != (BEGINNING,):
        raise ArchiveError(f"{file} is not a backup of a catalog")
    beginning = first.json()
    if beginning.get("format") != FORMAT:
        raise ArchiveError(f"{file} is of another version: format {FORMAT} is read here")
    return sha256(json.dumps(beginning, sort_keys=True).encode()).hexdigest()


def _members(names: Iterator[Member], file: Path) -> Iterator[Member]:
    for member in names:
        if member.path == (END,):
            return
        yield member
    raise ArchiveError(f"{file} is cut off: its end is missing")


def _described(tar: tarfile.TarFile, file: Path) -> Iterator[Member]:
    while described := _next(tar, file):
        content = tar.extractfile(described)
        if content is None:
            raise ArchiveError(f"{file} has {described.name}, which is not a file")
        yield Member(tuple(described.name.split("/")), content)


def _next(tar: tarfile.TarFile, file: Path) -> tarfile.TarInfo | None:
    try:
        return tar.next()
    except (ValueError, OverflowError) as damage:  # tarfile raises them for malformed headers
        raise ArchiveError(f"{file} is damaged ({damage})") from damage

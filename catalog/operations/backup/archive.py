"""The file of a backup: a tar archive that is written and read in one pass.

catalog-backup.json               what made it, and when
<tenant>/tenant.bson              the tenant's record
<tenant>/records/<collection>/<n> documents, one after the other, as MongoDB's own tools dump them
<tenant>/blobs/<sha256>           bytes, under the name that proves them
<tenant>/lost/<sha256>            why the bytes are not there; a member `blobs` before it has others, and is skipped
<tenant>/end.json                 the number of each
end.json                          shows that nothing is cut off

After an interruption the archive goes on with another `catalog-backup.json`: the tenant that had not ended begins again
with its record and its documents, and the blobs that it has so far are not repeated.
"""

import json
import stat
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, NamedTuple, NotRequired, Self, TypedDict, TypeVar

import msgspec

from catalog.blobs.protocol import BLOCK
from catalog.operations.backup.sources import BackupSource

T = TypeVar("T")

FORMAT = 2
CONTINUED = 3
READABLE = (1, FORMAT)
"""Format 1 has no increments and no members `lost`. CONTINUED is that of a beginning after an interruption."""

BEGINNING = "catalog-backup.json"
END = "end.json"


LARGEST_MEMBER = 32 * 2**20
"""Bytes of a member that is read at once: a member of records has 8 MiB, plus one document of at most 16 MiB."""


EXTENSIONS = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}
LARGEST_EXTENSION = 64 * 2**10
"""Bytes of a header of these kinds: ours have a name or a size."""


class ArchiveBeginning(TypedDict, total=False):
    """What made an archive, and when."""

    format: int
    catalog: str
    made: str
    """ISO 8601."""

    tenants: list[str]
    base: str | None
    """The identity of the backup that this one continues as an increment."""

    since: str


class LostBlobSummary(TypedDict):
    digest: str
    why: str
    named: list[str]


class TenantSummary(TypedDict):
    """What an archive has of a tenant."""

    records: dict[str, int]
    """How many, by collection."""

    sha256: str
    """Of all records."""

    blobs: int
    bytes: int
    omitted: NotRequired[int]
    """Blobs that the backup has which this one continues as an increment."""

    held: NotRequired[int]
    """Blobs from before an interruption."""

    held_bytes: NotRequired[int]
    lost: NotRequired[list[LostBlobSummary]]


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


Emit = Callable[[bytes], Awaitable[None]]
"""Takes the bytes of an archive, in order."""


class Writer:
    """Writes an archive in one pass: nothing that was written is changed."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    async def add(self, name: str, content: bytes) -> None:
        await self._emit(_header(name, len(content)) + content + _padding(len(content)))

    async def add_json(self, name: str, content: object) -> None:
        await self.add(name, json.dumps(content, indent=1).encode())

    async def stream(self, name: str, digest: str, size: int, chunks: AsyncIterator[bytes]) -> None:
        """Add a member of `size` bytes with this SHA-256, in constant memory.

        Raises ContentMismatchError for other bytes, and any error of `chunks`. The member has `size` bytes also then,
        unless the error came before the first: the archive goes on with another member.
        """
        seen, written, has_begun = sha256(), 0, False
        try:
            async for chunk in chunks:
                if not has_begun:
                    await self._emit(_header(name, size))
                has_begun = True
                written += len(chunk)
                if written > size:
                    await self._emit(chunk[: size - written])
                    break
                seen.update(chunk)
                await self._emit(chunk)
        except Exception:
            if has_begun:
                await self._fill(min(written, size), size)
            raise
        if not has_begun:
            await self._emit(_header(name, size))
        await self._fill(written, size)
        if written > size:
            raise ContentMismatchError(f"there are more than {size} bytes")
        if written < size:
            raise ContentMismatchError(f"there are {written} bytes of {size}")
        if seen.hexdigest() != digest:
            raise ContentMismatchError(f"their SHA-256 is {seen.hexdigest()}")

    async def _fill(self, written: int, size: int) -> None:
        """Complete a member with zeros."""
        while written < size:
            block = min(BLOCK, size - written)
            await self._emit(bytes(block))
            written += block
        await self._emit(_padding(size))

    async def close(self) -> None:
        await self._emit(bytes(2 * tarfile.BLOCKSIZE))


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


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

    def json(self, shape: type[T]) -> T:
        """Raises ArchiveError for JSON of another shape."""
        try:
            return msgspec.json.decode(self.whole(), type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
            raise ArchiveError(f"{self.name} in the backup is damaged: {wrong}") from wrong

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        while block := self.content.read(BLOCK):
            yield block


class Archive(NamedTuple):
    """A backup that is being read."""

    identity: str
    """Differs between backups, and is the same for each copy of one."""

    made: str
    """When it was begun, as ISO 8601."""

    base: str
    """The identity of the backup that it continues; empty: it is complete by itself."""

    members: Iterator[Member]
    """Each must be read before the next."""


@contextmanager
def read(file: BackupSource) -> Generator[Archive]:
    """Raises ArchiveError, OSError and StorageUnavailableError, also while the members are walked."""
    with file.open("rb") as raw:
        try:
            with tarfile.open(fileobj=raw, mode="r|", tarinfo=BoundedHeader) as tar:
                names = _described(tar, file)
                beginning = _beginning(names, file)
                identity = sha256(json.dumps(beginning, sort_keys=True).encode()).hexdigest()
                made, base = str(beginning.get("made", "")), str(beginning.get("base") or "")
                yield Archive(identity, made, base, _members(names, file))
        except (tarfile.TarError, EOFError) as damage:
            raise ArchiveError(f"{file} is damaged or cut off ({damage})") from damage


class BoundedHeader(tarfile.TarInfo):
    """A header whose extensions are bounded: tarfile reads them at once."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Raises ArchiveError."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in EXTENSIONS and header.size > LARGEST_EXTENSION:
            raise ArchiveError(f"The backup is damaged: a header has {header.size} bytes")
        return header


def _beginning(names: Iterator[Member], file: BackupSource) -> dict[str, object]:
    first = next(names, None)
    if first is None or first.path != (BEGINNING,):
        raise ArchiveError(f"{file} is not a backup of a catalog")
    beginning = first.json(dict[str, object])
    if beginning.get("format") not in READABLE:
        raise ArchiveError(f"{file} is of another version: format {FORMAT} is read here")
    return beginning


def _members(names: Iterator[Member], file: BackupSource) -> Iterator[Member]:
    for member in names:
        if member.path == (END,):
            return
        yield member
    raise ArchiveError(f"{file} is cut off: its end is missing")


def _described(tar: tarfile.TarFile, file: BackupSource) -> Iterator[Member]:
    while described := _next(tar, file):
        content = tar.extractfile(described)
        if content is None or described.issparse():  # a sparse file of a few bytes can have any size
            raise ArchiveError(f"{file} has {described.name}, which is not a regular file")
        yield Member(tuple(described.name.split("/")), content)


def _next(tar: tarfile.TarFile, file: BackupSource) -> tarfile.TarInfo | None:
    try:
        return tar.next()
    except (ValueError, OverflowError) as damage:  # tarfile raises them for malformed headers
        raise ArchiveError(f"{file} is damaged ({damage})") from damage

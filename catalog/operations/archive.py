"""The file of a backup: a tar that is written once from its beginning to its end, and read so.

catalog-backup.json               what made it, and when
<tenant>/tenant.bson              the tenant's record
<tenant>/records/<collection>/<n> documents, one after the other, as MongoDB's own tools dump them
<tenant>/blobs/<sha256>           bytes, under the name that proves them
<tenant>/end.json                 how much of each there was
end.json                          nothing was cut off
"""

import json
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple

from catalog.blobs import BLOCK

FORMAT = 1
BEGINNING = "catalog-backup.json"
END = "end.json"


class BadArchive(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """The file is no backup, or not a whole one. Its text is one sentence for whoever runs the command."""


class Writer:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, name: str, content: bytes) -> None:
        self._file.write(_header(name, len(content)))
        self._file.write(content)
        self._pad(len(content))

    def tell(self, name: str, content: Any) -> None:
        self.add(name, json.dumps(content, indent=1).encode())

    async def stream(self, name: str, size: int, chunks: AsyncIterator[bytes]) -> str:
        """Add a member of `size` bytes, never held whole, and return its SHA-256.

        Raises ValueError when there are more or fewer bytes: the archive is of no use then.
        """
        self._file.write(_header(name, size))
        digest, written = sha256(), 0
        async for chunk in chunks:
            digest.update(chunk)
            written += self._file.write(chunk)
        if written != size:
            raise ValueError(f"{name}: {written} bytes where {size} were announced")
        self._pad(size)
        return digest.hexdigest()

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

    def whole(self) -> bytes:
        return self.content.read()

    def told(self) -> Any:
        return json.loads(self.whole())

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        while block := self.content.read(BLOCK):
            yield block


@contextmanager
def read(file: Path) -> Generator[Iterator[Member]]:
    """The members of a backup, each to be read before the next.

    Raises BadArchive, also while the members are walked; OSError when the file cannot be read.
    """
    with file.open("rb") as raw:
        try:
            with tarfile.open(fileobj=raw, mode="r|") as tar:
                yield _members(tar, file)
        except (tarfile.TarError, EOFError) as damage:
            raise BadArchive(f"{file} is damaged or cut off ({damage})") from damage


def _members(tar: tarfile.TarFile, file: Path) -> Iterator[Member]:
    names = _described(tar, file)
    first = next(names, None)
    if first is None or first.path != (BEGINNING,):
        raise BadArchive(f"{file} is not a backup of a catalog")
    if first.told().get("format") != FORMAT:
        raise BadArchive(f"{file} is of another version: format {FORMAT} is read here")
    for member in names:
        if member.path == (END,):
            return
        yield member
    raise BadArchive(f"{file} is cut off: its end is missing")


def _described(tar: tarfile.TarFile, file: Path) -> Iterator[Member]:
    for described in tar:
        content = tar.extractfile(described)
        if content is None:
            raise BadArchive(f"{file} has {described.name}, which is not a file")
        yield Member(tuple(described.name.split("/")), content)

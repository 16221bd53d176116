"""Reads the complete part of an interrupted backup, so that the same command continues it."""

import tarfile
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, NamedTuple

from catalog.blobs.protocol import BLOCK
from catalog.operations.backup.archive import (
    BEGINNING,
    END,
    READABLE,
    ArchiveBeginning,
    ArchiveError,
    BoundedHeader,
    Member,
    TenantSummary,
)
from catalog.operations.backup.writing import Increment, Resumption
from catalog.store import raw_documents
from catalog.store.clock import now
from catalog.store.raw_documents import InvalidRecord

CONTINUED_WITHIN = timedelta(days=1)
"""After this time a backup begins again: its first tenants would be much older than its last ones."""


CUT = (tarfile.TarError, ArchiveError, EOFError, ValueError, KeyError, TypeError, InvalidRecord)
"""What the end of a file that was cut off or damaged raises."""


class Interrupted(NamedTuple):
    """`length`: the bytes that stay. What comes after them is cut off."""

    length: int
    resumption: Resumption
    base: str
    """The identity of the backup that it continues as an increment, or nothing."""

    tenants: tuple[str, ...]
    """Those that were there, or selected, at its beginning."""


def examine(file: Path) -> Interrupted | None:
    """Read a file that an interrupted backup has left. None if it has nothing to go on with.

    Each digest is checked. Raises OSError.
    """
    part = _WholePart()
    with suppress(*CUT), tarfile.open(file, mode="r:", tarinfo=BoundedHeader) as tar:
        while part.takes(tar):
            pass
    return part.found()


class _WholePart:
    """Follows the members, and remembers where the last one ends that need not be written again."""

    def __init__(self) -> None:
        self._beginning = ArchiveBeginning()
        self._length = 0
        self._done: dict[str, str] = {}
        self._last = ("", "", "")  # a tenant that has not ended, its generation, and the last digest of its bytes
        self._current = ("", "")  # the tenant that is being read, and its generation
        self._records = sha256()
        self._is_whole = True  # no bytes of this tenant were lost

    def found(self) -> Interrupted | None:
        made, tenants = self._beginning.get("made"), self._beginning.get("tenants")
        if not self._length or made is None or tenants is None:
            return None
        began = Increment.of("", made)
        if now() - began.made > CONTINUED_WITHIN:
            return None
        base = self._beginning.get("base") or ""
        return Interrupted(self._length, Resumption(began, self._done, *self._last), base, tuple(tenants))

    def takes(self, tar: tarfile.TarFile) -> bool:
        """Look at the next member. False at the end."""
        header = tar.next()
        content = tar.extractfile(header) if header else None
        if header is None or content is None:
            return False
        member = Member(tuple(header.name.split("/")), content)
        end = header.offset_data + header.size + -header.size % tarfile.BLOCKSIZE
        match member.path:
            case (name,) if name == BEGINNING:
                self._begin(member)
            case (tenant, "tenant.bson"):
                record = raw_documents.decode(member.whole())
                self._current, self._records, self._is_whole = (tenant, record.get("generation") or ""), sha256(), True
            case (_, "records", _, _):
                self._records.update(member.whole())
            case (tenant, "blobs", digest) if tenant == self._current[0] and self._is_whole:
                self._is_whole = _digest(content) == digest
                if self._is_whole:
                    earlier = self._last[2] if self._last[:2] == self._current else ""
                    self._last, self._length = (*self._current, max(digest, earlier)), end
            case (_, "lost", _):
                self._is_whole = False
            case (tenant, name) if name == END and tenant == self._current[0]:
                if member.json(TenantSummary)["sha256"] != self._records.hexdigest():
                    return False
                self._done[tenant], self._last, self._length = self._current[1], ("", "", ""), end
            case _:
                return False
        return True

    def _begin(self, member: Member) -> None:
        beginning = member.json(ArchiveBeginning)
        if beginning.get("format") not in READABLE:
            raise ArchiveError("of another version")
        self._beginning = self._beginning or beginning
        self._current = "", ""


def _digest(content: IO[bytes]) -> str:
    seen = sha256()
    while block := content.read(BLOCK):
        seen.update(block)
    return seen.hexdigest()

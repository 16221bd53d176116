"""Reads the summaries of an archive while it is streamed, and whether it is complete."""

import json
import re
import tarfile

from catalog.operations.backup.archive import END, ArchiveError, TenantSummary

LARGEST_SUMMARY = 64 * 2**20
"""Bytes of the summary of a tenant, with each lost blob."""

SIZE = re.compile(rb"(?:^|\n)[0-9]+ size=([0-9]+)\n")


class ArchiveWatch:
    """Receives the bytes of an archive in blocks of any size. Memory is constant but for the summaries.

    `summaries` are those of the tenants, by name. `is_complete`: the end has come.
    """

    def __init__(self) -> None:
        self.summaries: dict[str, TenantSummary] = {}
        self.is_complete = False
        self._buffer = bytearray()
        self._skip = 0  # bytes of a member that are skipped
        self._wanted: tuple[str, int] | None = None  # a member that is read: its name, or "" for a header of pax
        self._size: int | None = None  # of the next member, by a header of pax

    def feed(self, data: bytes) -> None:
        """Raises ArchiveError for bytes that are not an archive."""
        if self._skip >= len(data):
            self._skip -= len(data)
            return
        self._buffer += memoryview(data)[self._skip :]
        self._skip = 0
        while self._step():
            pass

    def _step(self) -> bool:
        """Take one header or one member that is read. False when more bytes are needed."""
        if self._skip:
            taken = min(self._skip, len(self._buffer))
            del self._buffer[:taken]
            self._skip -= taken
            return not self._skip and bool(self._buffer)
        if self._wanted:
            return self._read(*self._wanted)
        if len(self._buffer) < tarfile.BLOCKSIZE:
            return False
        header = bytes(self._buffer[: tarfile.BLOCKSIZE])
        del self._buffer[: tarfile.BLOCKSIZE]
        if header.count(0) < tarfile.BLOCKSIZE:
            self._begin(header)
        return True

    def _begin(self, header: bytes) -> None:
        try:
            member = tarfile.TarInfo.frombuf(header, tarfile.ENCODING, "surrogateescape")
        except tarfile.TarError as damage:
            raise ArchiveError(f"This is no backup, or it is damaged ({damage})") from damage
        size = member.size if self._size is None or member.type == tarfile.XHDTYPE else self._size
        is_pax = member.type == tarfile.XHDTYPE
        if is_pax or member.name == END or member.name.endswith(f"/{END}"):
            if size > LARGEST_SUMMARY:
                raise ArchiveError(f"{member.name} in the backup is too large")
            self._wanted = ("" if is_pax else member.name), size
        else:
            self._skip = _padded(size)
        if not is_pax:
            self._size = None

    def _read(self, name: str, size: int) -> bool:
        if len(self._buffer) < _padded(size):
            return False
        content = bytes(self._buffer[:size])
        del self._buffer[: _padded(size)]
        self._wanted = None
        if not name:
            found = SIZE.search(content)
            self._size = int(found[1]) if found else None
        elif name == END:
            self.is_complete = True
        else:
            self.summaries[name.removesuffix(f"/{END}")] = json.loads(content)
        return True


def _padded(size: int) -> int:
    return size + -size % tarfile.BLOCKSIZE

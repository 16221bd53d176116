"""The entries of a zip archive, as all of its readers find them.

Python refuses a table for details that other readers ignore: a version, an extra field, a name that is not UTF-8. And
where bytes precede an archive, readers differ in where the table begins: Python looks in front of its end, and others
where the end says. A threat must not hide in what one of them does not see.
"""

import io
import struct
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

END, END_64, LOCATOR, RECORD = (struct.Struct(form) for form in ("<4s4H2LH", "<4sQ2H2L4Q", "<4sLQL", "<4s6H3L5H2L"))
END_MAGIC, END_64_MAGIC, LOCATOR_MAGIC, RECORD_MAGIC = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2"

FIELD = struct.Struct("<2H")

LONGEST_COMMENT = 2**16
UNKNOWN = 2**32 - 1
"""A number of 32 bits that is in the extra field, as 64 bits."""


class ZipEntry(NamedTuple):
    filename: str
    compress_type: int
    compress_size: int
    header_offset: int


class ZipTable(NamedTuple):
    """The entries without folders, and why Python does not read the table."""

    entries: list[ZipEntry]
    fault: str


class TablePlace(NamedTuple):
    start: int
    shift: int  # of the offsets in the table


def read_table(file: io.BufferedReader, most: int) -> ZipTable:
    """All entries that a reader may find; of a table that Python refuses, and of one at another place, `most` + 1."""
    fault, found = "", dict[ZipEntry, None]()
    try:
        with zipfile.ZipFile(file) as archive:
            found.update(dict.fromkeys(map(_entry, archive.infolist())))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as failure:
        fault = str(failure)
    places = _places(file)
    if fault or len(places) > 1:
        for place in places:
            found.update(dict.fromkeys(_records(file, place, most)))
    return ZipTable([entry for entry in found if not entry.filename.endswith("/")], fault)


def has_table(file: io.BufferedReader) -> bool:
    """Whether a file ends as a zip archive does. Its readers need no more."""
    return bool(_places(file))


def _entry(entry: zipfile.ZipInfo) -> ZipEntry:
    return ZipEntry(entry.filename, entry.compress_type, entry.compress_size, entry.header_offset)


def _places(file: io.BufferedReader) -> list[TablePlace]:
    """Where the table may begin, according to the record at the end of the archive."""
    size = file.seek(0, io.SEEK_END)
    begin = max(0, size - LONGEST_COMMENT - END.size)
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(END_MAGIC, 0, max(0, len(tail) - END.size + len(END_MAGIC)))
    if at < 0:
        return []
    *_, length, start, _ = END.unpack_from(tail, at)
    end = begin + at
    if at >= LOCATOR.size and tail.startswith(LOCATOR_MAGIC, at - LOCATOR.size):
        _, _, place, _ = LOCATOR.unpack_from(tail, at - LOCATOR.size)
        for record in {place, end - LOCATOR.size - END_64.size}:
            head = _read(file, record, END_64.size)
            if len(head) == END_64.size and head.startswith(END_64_MAGIC):
                *_, length, start = END_64.unpack(head)
                end = record
    in_front = end - length
    return list(dict.fromkeys((TablePlace(start, 0), TablePlace(in_front, in_front - start))))


def _records(file: io.BufferedReader, place: TablePlace, most: int) -> Iterator[ZipEntry]:
    at = place.start
    for _ in range(most + 1):
        head = _read(file, at, RECORD.size)
        if len(head) < RECORD.size or not head.startswith(RECORD_MAGIC):
            return
        _, _, _, _, method, _, _, _, packed, size, name, extra, comment, _, _, _, offset = RECORD.unpack(head)
        text = _read(file, at + RECORD.size, name + extra)
        large = _large_numbers(text[name:], [size, packed, offset])
        yield ZipEntry(text[:name].decode(errors="replace"), method, large[1], large[2] + place.shift)
        at += RECORD.size + name + extra + comment


def _large_numbers(extra: bytes, numbers: list[int]) -> list[int]:
    """The numbers, from the extra field where 32 bits are not enough."""
    while len(extra) >= FIELD.size:
        kind, length = FIELD.unpack_from(extra)
        if kind == 1:
            values = iter(struct.unpack_from(f"<{min(length, len(extra) - FIELD.size) // 8}Q", extra, FIELD.size))
            return [next(values, number) if number == UNKNOWN else number for number in numbers]
        extra = extra[FIELD.size + length :]
    return numbers


def _read(file: io.BufferedReader, start: int, length: int) -> bytes:
    if start < 0:
        return b""
    file.seek(start)
    return file.read(length)

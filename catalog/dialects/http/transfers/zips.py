"""The zip format for files that are stored as they are, whose size and CRC-32 are known before their bytes.

The header before each file has both, so that a reader of a stream knows where the file ends without the directory,
which comes last. A size, an offset or a count too large for its field is written as ZIP64 (APPNOTE 4.3 and 4.5.3).
"""

import struct
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

MOST_IN_16_BITS = 0xFFFF
MOST_IN_32_BITS = 0xFFFFFFFF

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
END_64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR_64 = struct.Struct("<4sIQI")

PLAIN, WITH_ZIP64 = 20, 45
"""Versions of the format that a reader needs."""

UNIX = 3 << 8
REGULAR_FILE = 0o100644 << 16
NAME_IS_UTF_8 = 1 << 11
ZIP64_EXTRA = 1
EARLIEST = 1980  # the first year that the format can express


class Stored(NamedTuple):
    """A file of an archive, and the offset of its header."""

    path: str
    size: int
    crc: int
    offset: int


def local_header(path: str, size: int, crc: int, modified: datetime) -> bytes:
    """The header before the bytes of a file."""
    name, extra = path.encode(), _extra(*([size, size] if size >= MOST_IN_32_BITS else []))
    size_field = min(size, MOST_IN_32_BITS)
    fixed = (_needed(extra), _flags(path), 0, *_moment(modified), crc, size_field, size_field, len(name), len(extra))
    return LOCAL.pack(b"PK\3\4", *fixed) + name + extra


def directory(files: Sequence[Stored], modified: datetime, offset: int) -> Iterator[bytes]:
    """The central directory, which begins at `offset` after the last file: an entry per file, and the end record."""
    size = 0
    for file in files:
        entry = _central_header(file, modified)
        size += len(entry)
        yield entry
    yield _end(len(files), size, offset)


def _central_header(file: Stored, modified: datetime) -> bytes:
    large = [file.size, file.size] if file.size >= MOST_IN_32_BITS else []
    far = [file.offset] if file.offset >= MOST_IN_32_BITS else []
    name, extra = file.path.encode(), _extra(*large, *far)
    size_field, needed = min(file.size, MOST_IN_32_BITS), _needed(extra)
    of_file = (UNIX | needed, needed, _flags(file.path), 0, *_moment(modified), file.crc, size_field, size_field)
    of_entry = (len(name), len(extra), 0, 0, 0, REGULAR_FILE, min(file.offset, MOST_IN_32_BITS))
    return CENTRAL.pack(b"PK\1\2", *of_file, *of_entry) + name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    counts = (min(count, MOST_IN_16_BITS), min(count, MOST_IN_16_BITS))
    places = (min(size, MOST_IN_32_BITS), min(offset, MOST_IN_32_BITS))
    end = END.pack(b"PK\5\6", 0, 0, *counts, *places, 0)
    if count < MOST_IN_16_BITS and size < MOST_IN_32_BITS and offset < MOST_IN_32_BITS:
        return end
    rest = END_64.size - 12  # what follows the signature and this number itself
    end_64 = END_64.pack(b"PK\6\6", rest, UNIX | WITH_ZIP64, WITH_ZIP64, 0, 0, count, count, size, offset)
    return end_64 + LOCATOR_64.pack(b"PK\6\7", 0, offset + size, 1) + end


def _extra(*numbers: int) -> bytes:
    return struct.pack(f"<2H{len(numbers)}Q", ZIP64_EXTRA, 8 * len(numbers), *numbers) if numbers else b""


def _needed(extra: bytes) -> int:
    return WITH_ZIP64 if extra else PLAIN


def _flags(path: str) -> int:
    return 0 if path.isascii() else NAME_IS_UTF_8


def _moment(when: datetime) -> tuple[int, int]:
    """Time and date in the format of MS-DOS, to two seconds."""
    time = when.hour << 11 | when.minute << 5 | when.second // 2
    return time, max(0, when.year - EARLIEST) << 9 | when.month << 5 | when.day

"""Recognise containers and compressions by their first bytes."""

import bz2
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from functools import partial

from catalog.inspection.sandbox.compressions import Lz4, ZipLzma
from catalog.inspection.sandbox.keras import HDF5
from catalog.inspection.sandbox.views import Decompressor

ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
PACKINGS = (
    *((0, magic, "zip") for magic in ZIP),
    (257, b"ustar", "tar"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x5d\x00", "lzma"),
    *((0, bytes((0x78, level)), "zlib") for level in (0x01, 0x5E, 0x9C, 0xDA)),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, HDF5, "hdf5"),
)
"""Offset and magic bytes of each container format."""

OLD_JOBLIB_HEADER = 21
OLD_JOBLIB = re.compile(rb"ZF[\s0-9a-fA-FxX_+]{19} ?x")
"""What joblib wrote before 0.10 and still reads: the length of the rest, which is compressed by zlib."""


def has_archive(head: bytes) -> bool:
    """Whether a zip archive may follow these bytes: its readers find the table at its end."""
    return ZIP[0] in head


def packing(head: bytes) -> str:
    """Return the container format of a file that begins with `head`, or nothing."""
    found = next((name for at, magic, name in PACKINGS if head.startswith(magic, at)), "")
    if found or not OLD_JOBLIB.match(head):
        return found or ("tar" if _is_old_tar(head) else "")
    return "joblib"


def _is_old_tar(head: bytes) -> bool:
    """Whether it begins with an entry of an old tar archive, which has no magic number."""
    try:
        checksum = int(head[148:156].strip(b" \0") or b"0", 8)
    except ValueError:
        return False
    return checksum > 0 and checksum == sum(head[:148]) + 8 * 0x20 + sum(head[156:512])


DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    "gzip": partial(zlib.decompressobj, 31),
    "zlib": zlib.decompressobj,
    "bzip2": bz2.BZ2Decompressor,
    "xz": partial(lzma.LZMADecompressor, lzma.FORMAT_AUTO, 2**27),
    "lzma": partial(lzma.LZMADecompressor, lzma.FORMAT_AUTO, 2**27),
    "lz4": Lz4,
    "joblib": zlib.decompressobj,
}
METHODS: dict[int, Callable[[], Decompressor]] = {
    zipfile.ZIP_DEFLATED: partial(zlib.decompressobj, -15),
    zipfile.ZIP_BZIP2: bz2.BZ2Decompressor,
    zipfile.ZIP_LZMA: ZipLzma,
}

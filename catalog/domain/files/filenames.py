"""Names of files, paths of files in a folder and media types: from the form in which clients send them to the form in
which the catalog stores them.
"""

import re
from pathlib import PurePosixPath
from unicodedata import category

from catalog.domain.files.media_types import type_of_name
from catalog.errors import NOT_CREATED, Refused

LONGEST_NAME = 255  # bytes, as file systems count
LONGEST_PATH = 512  # bytes
LONGEST_SUFFIX = 32
LONGEST_MEDIA_TYPE = 127
BIDI_OVERRIDES = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def file_name(text: str) -> str:
    """A name that is harmless in any folder and header: `../../etc/passwd` is kept as `passwd`.

    Raises Refused: NOT_CREATED when nothing is left of it.
    """
    last = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    name = cut("".join(sign for sign in last if harmless(sign)).strip())
    if name in {"", ".", ".."}:
        raise Refused(NOT_CREATED, f"{text[:LONGEST_NAME]!a} is not a file name" if text else "the file has no name")
    return name


def harmless(sign: str) -> bool:
    """False for control characters, surrogates and line breaks, and for those that show `exe.txt` as `txt.exe`."""
    return category(sign) not in {"Cc", "Cs", "Zl", "Zp"} and sign not in BIDI_OVERRIDES


def cut(name: str) -> str:
    """Shorten a name to LONGEST_NAME bytes and keep its suffix."""
    suffix = PurePosixPath(name).suffix
    suffix = suffix if len(suffix.encode()) <= LONGEST_SUFFIX else ""
    room = LONGEST_NAME - len(suffix.encode())
    return name.removesuffix(suffix).encode()[:room].decode(errors="ignore") + suffix


def file_path(path: str) -> str:
    """Check that a path stays within its folder on every system, and return it unchanged.

    Raises Refused: NOT_CREATED.
    """
    parts = path.split("/")
    sizes = [len(part.encode(errors="replace")) for part in parts]
    if sum(sizes) + len(parts) - 1 > LONGEST_PATH or max(sizes) > LONGEST_NAME:
        raise Refused(NOT_CREATED, f"path: at most {LONGEST_PATH} bytes, and {LONGEST_NAME} between two slashes")
    leads_out = any(part in {"", ".", ".."} for part in parts) or re.match("[A-Za-z]:", path)
    if leads_out or "\\" in path or not all(harmless(sign) for sign in path):
        raise Refused(NOT_CREATED, f"{path[:LONGEST_NAME]!a} is not a path like weights/part-1.bin")
    return path


def media_type(declared: str, name: str = "") -> str:
    """`type/subtype` and nothing else: as declared, else what the file's `name` stands for."""
    bare = declared.partition(";")[0].strip().lower()
    understood = len(bare) <= LONGEST_MEDIA_TYPE and re.fullmatch(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", bare, re.ASCII)
    return bare if understood else type_of_name(name)

"""NumPy's .npy: a header in Python's own spelling, then the numbers. It is matched, never evaluated."""

import re

from catalog.inspection.formats.json_text import LONGEST_INTEGER
from catalog.inspection.formats.summary import HeaderSummary
from catalog.inspection.formats.window import MalformedError, Window

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 2**16
DTYPE = re.compile(r"'descr': ('[^']{1,64}'|\[[^\n]{1,60000}?\]), '")
SHAPE = re.compile(r"'shape': \(([\d, L]{0,600})\)")
OBJECTS = re.compile(rb"'[<>|=]?O\d*'")
"""An element type of objects, as NumPy writes it."""

LITERAL = re.compile(rb"'([^']*)'")
COULD_BE_OBJECTS = re.compile(rb"[<>|=]?O\d*|object\w*|.*[,(].*O.*", re.DOTALL)
ESCAPED = b"\\"
UNUSUAL = re.compile(rb"[\"#]|'\s*[a-zA-Z]{0,2}'")
"""With each literal shortened to one quote: a spelling of a text that only Python can tell, such as `'|' 'O'`."""


def matches(head: bytes) -> bool:
    return head.startswith(MAGIC)


def may_hold_objects(header: bytes) -> bool:
    """Whether the values behind a header of this text could be pickled, also in a spelling that NumPy does not use."""
    literals = LITERAL.findall(header)
    unusual = ESCAPED in header or UNUSUAL.search(LITERAL.sub(b"'", header))
    return bool(unusual) or any(map(COULD_BE_OBJECTS.fullmatch, literals))


def header_size(begin: bytes) -> tuple[int, int]:
    """Where the header's text starts and ends in a file that begins so (at least 12 bytes, unless it is shorter)."""
    start = 10 if begin[6:7] == b"\x01" else 12
    return start, start + min(int.from_bytes(begin[8:start], "little"), LONGEST_HEADER)


def read(window: Window, summary: HeaderSummary) -> None:
    """Read the header of an array.

    Raises MalformedError.
    """
    window.skip(len(MAGIC))
    version = window.number(1)
    window.skip(1)
    size = window.number(2 if version == 1 else 4)
    if size > LONGEST_HEADER:
        raise MalformedError(f"a header of {size} bytes")
    header = window.take(size).decode("utf-8", "replace")
    dtype, shape = DTYPE.search(header), SHAPE.search(header)
    if not (dtype and shape):
        raise MalformedError("its header tells no dtype and shape")
    sides = re.findall(r"\d+", shape[1])
    if any(len(side) > LONGEST_INTEGER for side in sides):
        raise MalformedError("its header tells an impossible shape")
    summary.details["version"] = version
    summary.tensors.add("", dtype[1].strip("'"), [int(side) for side in sides])

"""safetensors: 8 bytes that say how long a JSON object is, then that object, then the numbers.

What the format's own library refuses is malformed, and so is what its specification forbids and that library forgives.
"""

import re
from typing import NamedTuple

from catalog.inspection.formats.json_text import Repeated, parsed
from catalog.inspection.formats.summary import HeaderSummary, elements
from catalog.inspection.formats.window import MalformedError, Window
from catalog.inspection.sandbox.views import LimitExceededError

SIZE = 8
MOST_ALLOWED = 2**40
LONGEST_HEADER = 8 * 2**20
"""Bytes. Fifty thousand tensors; the format itself allows 100 MB."""

OBJECT = re.compile(rb"[ \t\r\n]{0,64}\{")
BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F4": 4,
}
"""Of an element of each type."""


class Extent(NamedTuple):
    start: int
    stop: int
    tensor: str


def matches(head: bytes) -> bool:
    size = int.from_bytes(head[:SIZE], "little")
    return bool(OBJECT.match(head, SIZE)) and size < MOST_ALLOWED


def read(window: Window, summary: HeaderSummary) -> None:
    """Read a safetensors file.

    Raises MalformedError, LimitExceededError, SandboxNeededError.
    """
    size = window.number(SIZE)
    window.need(size)
    if size > LONGEST_HEADER:
        raise LimitExceededError(f"a header of {size} bytes; up to {LONGEST_HEADER} are read")
    text = window.take(size)
    if not text.startswith(b"{"):
        raise MalformedError("its header does not begin with {")
    header = parsed(text, window.bounds.values, window.bounds.over)
    if not isinstance(header, dict):
        raise MalformedError("its header is no JSON object")
    if isinstance(header, Repeated):
        raise MalformedError("its header has a name twice")
    _encoded("".join(header))
    _metadata(header.pop("__metadata__", None), summary)
    _covered([_added(summary, name, row) for name, row in header.items()], window.size - window.at)


def _metadata(pairs: object, summary: HeaderSummary) -> None:
    if not isinstance(pairs, dict | None) or not all(isinstance(value, str) for value in (pairs or {}).values()):
        raise MalformedError("its metadata is no object of texts")
    for name, value in (pairs or {}).items():
        _encoded(name + value)
        summary.add_metadata(name, value)


def _encoded(text: str) -> None:
    """Raises MalformedError for half of a surrogate pair, which JSON can spell and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedError("its header has a text that is no Unicode") from None


def _added(summary: HeaderSummary, name: str, row: object) -> Extent:
    if not isinstance(row, dict):
        row = {}
    try:
        dtype, shape, (start, stop) = row["dtype"], row["shape"], row["data_offsets"]
        plain = all(type(number) is int and number >= 0 for number in (*shape, start, stop)) and isinstance(dtype, str)
    except (TypeError, KeyError, ValueError):
        plain = False
    if not plain or isinstance(row, Repeated):
        raise MalformedError(f"{name[:80]} is not summary with a dtype, a shape and offsets, each once")
    if dtype not in BITS:
        raise MalformedError(f"{name[:80]} has the unknown dtype {dtype[:80]}")
    count = elements(shape)
    if count is None or count * BITS[dtype] != 8 * (stop - start):
        raise MalformedError(f"{name[:80]} has a shape that is not that of its {stop - start} bytes")
    summary.tensors.add(name, dtype, list(shape))
    return Extent(start, stop, name)


def _covered(extents: list[Extent], room: int) -> None:
    """Every byte belongs to one tensor, and none to two.

    Raises MalformedError.
    """
    end = 0
    for start, stop, tensor in sorted(extents):
        if start != end:
            raise MalformedError(f"{tensor[:80]} {'overlaps another' if start < end else 'follows a hole'}")
        end = stop
    if end != room:
        raise MalformedError(f"its tensors end at byte {end} of {room}")

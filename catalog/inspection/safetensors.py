"""safetensors: 8 bytes that say how long a JSON object is, then that object, then the numbers."""

import json
from typing import Any

from catalog.inspection.source import Malformed, TooMuch, Window
from catalog.inspection.told import Tensors, Told

SIZE = 8
MOST_ALLOWED = 2**40
LONGEST_HEADER = 8 * 2**20
"""Bytes. Fifty thousand tensors; the format itself allows 100 MB."""


def begins_so(head: bytes) -> bool:
    size = int.from_bytes(head[:SIZE], "little")
    return head[SIZE : SIZE + 1] == b"{" and size < MOST_ALLOWED


def read(window: Window, told: Told) -> None:
    """Read a safetensors file.

    Raises Malformed, TooMuch.
    """
    size = window.number(SIZE)
    window.need(size)
    if size > LONGEST_HEADER:
        raise TooMuch(f"a header of {size} bytes; up to {LONGEST_HEADER} are read")
    try:
        header = json.loads(window.take(size))
    except (ValueError, RecursionError) as failure:
        raise Malformed(f"its header is no JSON: {failure}") from None
    if not isinstance(header, dict):
        raise Malformed("its header is no JSON object")
    metadata = header.pop("__metadata__", {})
    if isinstance(metadata, dict):
        told.metadata.update((name, str(value)) for name, value in metadata.items())
    for name, row in header.items():
        _add(told.tensors, name, row, window.size - window.at)


def _add(tensors: Tensors, name: str, row: Any, room: int) -> None:
    try:
        dtype, shape, (start, stop) = row["dtype"], row["shape"], row["data_offsets"]
        plain = all(type(number) is int for number in (*shape, start, stop)) and isinstance(dtype, str)
    except (TypeError, KeyError, ValueError):
        plain = False
    if not plain:
        raise Malformed(f"{name[:80]} is not told with a dtype, a shape and offsets")
    if not 0 <= start <= stop <= room:
        raise Malformed(f"{name[:80]} lies outside of the file")
    tensors.add(name, dtype, list(shape))

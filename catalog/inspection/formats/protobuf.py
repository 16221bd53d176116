"""Messages of Protocol Buffers, walked through field by field, with what is not of interest left out."""

from collections.abc import Iterator
from typing import NamedTuple

from catalog.inspection.formats.window import MalformedError, Window

VARINT, EIGHT_BYTES, SIZED, FOUR_BYTES = 0, 1, 2, 5
LONGEST_VARINT = 10
CONTINUED = 0x80
LONGEST_TEXT = 4096


class WireField(NamedTuple):
    number: int
    wire: int
    value: int
    """A number; of a sized field, where it ends."""


def fields(window: Window, end: int) -> Iterator[WireField]:
    """The fields of a message, each at its beginning; bytes that the caller did not read are skipped.

    Raises MalformedError, LimitExceededError, SandboxNeededError.
    """
    while window.at < end:
        window.step()
        tag = varint(window)
        number, wire = tag >> 3, tag & 7
        if number == 0 or wire not in (VARINT, EIGHT_BYTES, SIZED, FOUR_BYTES):
            raise MalformedError("it is no protobuf message")
        if wire == VARINT:
            yield WireField(number, wire, varint(window))
            continue
        size = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(wire) or varint(window)
        stop = window.at + size
        if stop > end:
            raise MalformedError("a field that is longer than its message")
        yield WireField(number, wire, stop)
        window.skip(stop - window.at)


def varint(window: Window) -> int:
    value = 0
    for place in range(LONGEST_VARINT):
        byte = window.byte()
        value |= (byte & 0x7F) << (7 * place)
        if not byte & CONTINUED:
            return value
    raise MalformedError("a number that does not end")


def text(window: Window, stop: int) -> str:
    """The first `LONGEST_TEXT` bytes of a text that ends at `stop`."""
    return window.take(min(stop - window.at, LONGEST_TEXT)).decode(errors="replace")


def texts(window: Window, end: int, *numbers: int) -> list[str]:
    """The last text of each of these fields of a message, or nothing."""
    found = dict.fromkeys(numbers, "")
    for field in fields(window, end):
        if field.number in found and field.wire == SIZED:
            found[field.number] = text(window, field.value)
    return list(found.values())

"""ONNX: a protobuf message, walked through field by field, with the numbers left out."""

from collections.abc import Iterator
from typing import NamedTuple

from catalog.inspection.source import Malformed, Window
from catalog.inspection.told import LARGEST, MOST_DIMENSIONS, Told, brief

VARINT, EIGHT_BYTES, SIZED, FOUR_BYTES = 0, 1, 2, 5
LONGEST_VARINT = 10
CONTINUED = 0x80
LONGEST_TEXT = 4096
MOST_NAMES = 50
FIRST_FIELD, NEWEST = b"\x08", b"\x40"  # ir_version, which is small
SECOND_FIELDS = b"\x12\x1a\x22\x28\x32\x3a\x42"

DTYPES = [
    "UNDEFINED",
    "FLOAT",
    "UINT8",
    "INT8",
    "UINT16",
    "INT16",
    "INT32",
    "INT64",
    "STRING",
    "BOOL",
    "FLOAT16",
    "DOUBLE",
    "UINT32",
    "UINT64",
    "COMPLEX64",
    "COMPLEX128",
    "BFLOAT16",
    "FLOAT8E4M3FN",
    "FLOAT8E4M3FNUZ",
    "FLOAT8E5M2",
    "FLOAT8E5M2FNUZ",
    "UINT4",
    "INT4",
    "FLOAT4E2M1",
]


class Field(NamedTuple):
    number: int
    wire: int
    value: int
    """A number; of a sized field, where it ends."""


def begins_so(head: bytes) -> bool:
    first, version, second = head[:1], head[1:2], head[2:3]
    return first == FIRST_FIELD and b"\x00" < version < NEWEST and second != b"" and second in SECOND_FIELDS


def read(window: Window, told: Told) -> None:
    """Read a model.

    Raises Malformed, TooMuch.
    """
    told.more.update(opsets=[], inputs=[], outputs=[])
    graphs = 0
    for field in _fields(window, window.size):
        match field:
            case Field(1, 0, version):
                told.more["ir_version"] = min(version, LARGEST)
            case Field(2, 2, stop):
                told.metadata["producer"] = _text(window, stop)
            case Field(3, 2, stop):
                told.metadata["producer_version"] = _text(window, stop)
            case Field(7, 2, stop):
                graphs += 1
                _graph(window, stop, told)
            case Field(8, 2, stop):
                _opset(window, stop, told)
            case Field(14, 2, stop):
                name, value = _pair(window, stop)
                told.metadata[name] = value
    if not graphs:
        raise Malformed("it has no graph")


def _graph(window: Window, end: int, told: Told) -> None:
    for field in _fields(window, end):
        match field:
            case Field(5, 2, stop):
                _tensor(window, stop, told)
            case Field(11, 2, stop):
                _named(window, stop, told.more["inputs"])
            case Field(12, 2, stop):
                _named(window, stop, told.more["outputs"])


def _tensor(window: Window, end: int, told: Told) -> None:
    name, dtype, shape = "", 0, []
    for field in _fields(window, end):
        match field:
            case Field(1, 0, side):
                shape.append(side)
            case Field(1, 2, stop):
                while window.at < stop and len(shape) <= MOST_DIMENSIONS:
                    shape.append(_varint(window))
            case Field(2, 0, value):
                dtype = value
            case Field(8, 2, stop):
                name = _text(window, stop)
            case Field(13, 2, stop):
                _elsewhere(*_pair(window, stop), name, told)
    told.tensors.add(name, DTYPES[dtype] if dtype < len(DTYPES) else f"type {dtype}", shape)


def _elsewhere(key: str, value: str, tensor: str, told: Told) -> None:
    """Numbers may lie in another file. One outside of the model's folder is a way to read what is not the model's."""
    if key == "location" and (value.startswith(("/", "\\")) or ".." in value or ":" in value):
        told.suspect(f"takes its numbers from outside of its folder: {brief(value)}", tensor)


def _named(window: Window, end: int, names: list[str]) -> None:
    for field in _fields(window, end):
        if field[:2] == (1, SIZED) and len(names) < MOST_NAMES:
            names.append(brief(_text(window, field.value)))


def _opset(window: Window, end: int, told: Told) -> None:
    domain, version = "ai.onnx", 0
    for field in _fields(window, end):
        match field:
            case Field(1, 2, stop):
                domain = _text(window, stop) or domain
            case Field(2, 0, value):
                version = value
    if len(told.more["opsets"]) < MOST_NAMES:
        told.more["opsets"].append({"domain": brief(domain), "version": min(version, LARGEST)})


def _pair(window: Window, end: int) -> tuple[str, str]:
    parts = {1: "", 2: ""}
    for field in _fields(window, end):
        if field.number in parts and field.wire == SIZED:
            parts[field.number] = _text(window, field.value)
    return parts[1], parts[2]


def _fields(window: Window, end: int) -> Iterator[Field]:
    """The fields of a message, each at its beginning; whatever of it was not read is left out afterwards."""
    while window.at < end:
        tag = _varint(window)
        number, wire = tag >> 3, tag & 7
        if number == 0 or wire not in (VARINT, EIGHT_BYTES, SIZED, FOUR_BYTES):
            raise Malformed("it is no protobuf message")
        if wire == VARINT:
            yield Field(number, wire, _varint(window))
            continue
        size = {EIGHT_BYTES: 8, FOUR_BYTES: 4}.get(wire) or _varint(window)
        stop = window.at + size
        if stop > end:
            raise Malformed("a field that is longer than its message")
        yield Field(number, wire, stop)
        window.skip(stop - window.at)


def _varint(window: Window) -> int:
    value = 0
    for place in range(LONGEST_VARINT):
        byte = window.take(1)[0]
        value |= (byte & 0x7F) << (7 * place)
        if not byte & CONTINUED:
            return value
    raise Malformed("a number that does not end")


def _text(window: Window, stop: int) -> str:
    return window.take(min(stop - window.at, LONGEST_TEXT)).decode(errors="replace")

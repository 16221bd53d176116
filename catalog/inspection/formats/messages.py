"""Which of the formats that are protobuf messages a file has: they begin alike, and none has a magic number."""

from catalog.inspection.formats import coreml, tensorflow
from catalog.inspection.formats.protobuf import SIZED, VARINT, WireField, fields
from catalog.inspection.formats.window import MalformedError, Window

FIRST_FIELD, NEWEST = b"\x08", b"\x40"  # its version, which is small
SECOND_FIELDS = b"\x12\x1a\x22\x28\x32\x3a\x42"
ONNX_GRAPH = 7
MOST_FIELDS = 64
"""Of the outermost message, that are looked at: one of a small number decides."""


def matches(head: bytes) -> bool:
    first, version, second = head[:1], head[1:2], head[2:3]
    return first == FIRST_FIELD and b"\x00" < version < NEWEST and second != b"" and second in SECOND_FIELDS


def kind(window: Window, otherwise: str) -> str:
    """`onnx`, `saved_model` or `coreml`, by the numbers of the outermost fields; `otherwise` where none decides.

    Leaves the window at its beginning. Raises LimitExceededError, SandboxNeededError.
    """
    version = 0
    found = otherwise
    try:
        for _, field in zip(range(MOST_FIELDS), fields(window, window.size), strict=False):
            if field[:2] == (1, VARINT):
                version = field.value
            elif (summary := _decided(window, field, version)) or field[:2] == (ONNX_GRAPH, SIZED):
                found = summary or "onnx"
                break
    except MalformedError:
        pass  # its reader says so
    window.at = 0
    return found


def _decided(window: Window, field: WireField, version: int) -> str:
    if field.number >= coreml.KINDS_FROM and field.wire == SIZED and version:
        return "coreml"
    if field[:2] == (2, SIZED) and version == tensorflow.SCHEMA and tensorflow.is_graph(window, field.value):
        return "saved_model"
    return ""

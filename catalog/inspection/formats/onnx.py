"""ONNX: a protobuf message, with the numbers left out."""

from catalog.inspection.formats.protobuf import SIZED, Field, fields, text, texts, varint
from catalog.inspection.formats.told import LARGEST, MOST_DIMENSIONS, Told, brief
from catalog.inspection.formats.window import AHEAD, Malformed, Window
from catalog.inspection.sandbox.views import TooMuch

PRODUCER = {2: "producer", 3: "producer_version"}
MOST_NAMES = 50
LOCATION = b"location"
"""The key of a tensor's data that lies in another file."""

DEEPEST = 16
"""Graphs within the attributes of nodes within graphs..."""

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


def read(window: Window, told: Told) -> None:
    """Read a model.

    Raises Malformed, TooMuch, NeedsSandbox.
    """
    told.more.update(opsets=[], inputs=[], outputs=[])
    graphs = 0
    for field in fields(window, window.size):
        match field:
            case Field(1, 0, version):
                told.more["ir_version"] = min(version, LARGEST)
            case Field(2 | 3, 2, stop):
                told.tell(PRODUCER[field.number], text(window, stop))
            case Field(7, 2, stop):
                graphs += 1
                _model_graph(window, stop, told)
            case Field(8, 2, stop):
                _opset(window, stop, told)
            case Field(14, 2, stop):
                told.tell(*texts(window, stop, 1, 2))
            case Field(20, 2, stop):
                _training(window, stop, told)
            case Field(25, 2, stop):
                _function(window, stop, told)
    if not graphs:
        raise Malformed("it has no graph")


def _model_graph(window: Window, end: int, told: Told) -> None:
    for field in fields(window, end):
        match field:
            case Field(1, 2, stop):
                _node(window, stop, told, 0)
            case Field(5, 2, stop):
                told.tensors.add(*_tensor(window, stop, told))
            case Field(11, 2, stop):
                _named(window, stop, told.more["inputs"])
            case Field(12, 2, stop):
                _named(window, stop, told.more["outputs"])
            case Field(15, 2, stop):
                _sparse(window, stop, told)


def _subgraph(window: Window, end: int, told: Told, depth: int) -> None:
    """A body of If, Loop or Scan, or of a training step: of interest is only where its numbers lie."""
    if depth > DEEPEST:
        raise TooMuch(f"graphs within one another more than {DEEPEST} times")
    for field in fields(window, end):
        match field:
            case Field(1, 2, stop):
                _node(window, stop, told, depth)
            case Field(5, 2, stop):
                _tensor(window, stop, told)
            case Field(15, 2, stop):
                _sparse(window, stop, told)


def _node(window: Window, end: int, told: Told, depth: int) -> None:
    size = end - window.at
    if size <= AHEAD and LOCATION not in window.peek(size):
        return  # a model has tens of thousands of nodes, and hardly one has numbers elsewhere
    for field in fields(window, end):
        if field[:2] == (5, SIZED):
            _attribute(window, field.value, told, depth)


def _attribute(window: Window, end: int, told: Told, depth: int) -> None:
    for field in fields(window, end):
        match field:
            case Field(5 | 10, 2, stop):
                _tensor(window, stop, told)
            case Field(6 | 11, 2, stop):
                _subgraph(window, stop, told, depth + 1)
            case Field(22 | 23, 2, stop):
                _sparse(window, stop, told)


def _function(window: Window, end: int, told: Told) -> None:
    for field in fields(window, end):
        match field:
            case Field(7, 2, stop):
                _node(window, stop, told, 0)
            case Field(11, 2, stop):
                _attribute(window, stop, told, 0)


def _training(window: Window, end: int, told: Told) -> None:
    for field in fields(window, end):
        if field.number in (1, 2) and field.wire == SIZED:
            _subgraph(window, field.value, told, 0)


def _sparse(window: Window, end: int, told: Told) -> None:
    for field in fields(window, end):
        if field.number in (1, 2) and field.wire == SIZED:
            _tensor(window, field.value, told)


def _tensor(window: Window, end: int, told: Told) -> tuple[str, str, list[int]]:
    """Its name, dtype and shape."""
    name, dtype = "", 0
    shape: list[int] = []
    outside: list[str] = []
    for field in fields(window, end):
        match field:
            case Field(1, 0, side) if len(shape) <= MOST_DIMENSIONS:
                shape.append(side)
            case Field(1, 2, stop):
                while window.at < stop and len(shape) <= MOST_DIMENSIONS:
                    shape.append(varint(window))
            case Field(2, 0, value):
                dtype = value
            case Field(8, 2, stop):
                name = text(window, stop)
            case Field(13, 2, stop):
                key, location = texts(window, stop, 1, 2)
                if key == LOCATION.decode() and _is_outside(location) and len(outside) < MOST_NAMES:
                    outside.append(location)
    for location in outside:
        told.suspect(f"takes its numbers from outside of its folder: {brief(location)}", name)
    return name, DTYPES[dtype] if dtype < len(DTYPES) else f"type {dtype}", shape


def _is_outside(location: str) -> bool:
    """Numbers may lie in another file. One outside of the model's folder is a way to read what is not the model's."""
    return location.startswith(("/", "\\")) or ".." in location or ":" in location


def _named(window: Window, end: int, names: list[str]) -> None:
    for field in fields(window, end):
        if field[:2] == (1, SIZED) and len(names) < MOST_NAMES:
            names.append(brief(text(window, field.value)))


def _opset(window: Window, end: int, told: Told) -> None:
    domain, version = "ai.onnx", 0
    for field in fields(window, end):
        match field:
            case Field(1, 2, stop):
                domain = text(window, stop) or domain
            case Field(2, 0, value):
                version = value
    if len(told.more["opsets"]) < MOST_NAMES:
        told.more["opsets"].append({"domain": brief(domain), "version": min(version, LARGEST)})

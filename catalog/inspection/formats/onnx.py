"""ONNX: a protobuf message, with the numbers left out."""

from catalog.inspection.formats.protobuf import SIZED, WireField, fields, text, texts, varint
from catalog.inspection.formats.summary import LARGEST, MOST_DIMENSIONS, HeaderSummary, brief
from catalog.inspection.formats.window import AHEAD, MalformedError, Window
from catalog.inspection.sandbox.views import LimitExceededError

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


def read(window: Window, summary: HeaderSummary) -> None:
    """Read a model.

    Raises MalformedError, LimitExceededError, SandboxNeededError.
    """
    summary.details.update(opsets=[], inputs=[], outputs=[])
    graphs = 0
    for field in fields(window, window.size):
        match field:
            case WireField(1, 0, version):
                summary.details["ir_version"] = min(version, LARGEST)
            case WireField(2 | 3, 2, stop):
                summary.add_metadata(PRODUCER[field.number], text(window, stop))
            case WireField(7, 2, stop):
                graphs += 1
                _model_graph(window, stop, summary)
            case WireField(8, 2, stop):
                _opset(window, stop, summary)
            case WireField(14, 2, stop):
                summary.add_metadata(*texts(window, stop, 1, 2))
            case WireField(20, 2, stop):
                _training(window, stop, summary)
            case WireField(25, 2, stop):
                _function(window, stop, summary)
    if not graphs:
        raise MalformedError("it has no graph")


def _model_graph(window: Window, end: int, summary: HeaderSummary) -> None:
    for field in fields(window, end):
        match field:
            case WireField(1, 2, stop):
                _node(window, stop, summary, 0)
            case WireField(5, 2, stop):
                summary.tensors.add(*_tensor(window, stop, summary))
            case WireField(11, 2, stop):
                _named(window, stop, summary.details["inputs"])
            case WireField(12, 2, stop):
                _named(window, stop, summary.details["outputs"])
            case WireField(15, 2, stop):
                _sparse(window, stop, summary)


def _subgraph(window: Window, end: int, summary: HeaderSummary, depth: int) -> None:
    """A body of If, Loop or Scan, or of a training step: of interest is only where its numbers lie."""
    if depth > DEEPEST:
        raise LimitExceededError(f"graphs within one another more than {DEEPEST} times")
    for field in fields(window, end):
        match field:
            case WireField(1, 2, stop):
                _node(window, stop, summary, depth)
            case WireField(5, 2, stop):
                _tensor(window, stop, summary)
            case WireField(15, 2, stop):
                _sparse(window, stop, summary)


def _node(window: Window, end: int, summary: HeaderSummary, depth: int) -> None:
    size = end - window.at
    if size <= AHEAD and LOCATION not in window.peek(size):
        return  # a model has tens of thousands of nodes, and hardly one has numbers elsewhere
    for field in fields(window, end):
        if field[:2] == (5, SIZED):
            _attribute(window, field.value, summary, depth)


def _attribute(window: Window, end: int, summary: HeaderSummary, depth: int) -> None:
    for field in fields(window, end):
        match field:
            case WireField(5 | 10, 2, stop):
                _tensor(window, stop, summary)
            case WireField(6 | 11, 2, stop):
                _subgraph(window, stop, summary, depth + 1)
            case WireField(22 | 23, 2, stop):
                _sparse(window, stop, summary)


def _function(window: Window, end: int, summary: HeaderSummary) -> None:
    for field in fields(window, end):
        match field:
            case WireField(7, 2, stop):
                _node(window, stop, summary, 0)
            case WireField(11, 2, stop):
                _attribute(window, stop, summary, 0)


def _training(window: Window, end: int, summary: HeaderSummary) -> None:
    for field in fields(window, end):
        if field.number in (1, 2) and field.wire == SIZED:
            _subgraph(window, field.value, summary, 0)


def _sparse(window: Window, end: int, summary: HeaderSummary) -> None:
    for field in fields(window, end):
        if field.number in (1, 2) and field.wire == SIZED:
            _tensor(window, field.value, summary)


def _tensor(window: Window, end: int, summary: HeaderSummary) -> tuple[str, str, list[int]]:
    """Its name, dtype and shape."""
    name, dtype = "", 0
    shape: list[int] = []
    outside: list[str] = []
    for field in fields(window, end):
        match field:
            case WireField(1, 0, side) if len(shape) <= MOST_DIMENSIONS:
                shape.append(side)
            case WireField(1, 2, stop):
                while window.at < stop and len(shape) <= MOST_DIMENSIONS:
                    shape.append(varint(window))
            case WireField(2, 0, value):
                dtype = value
            case WireField(8, 2, stop):
                name = text(window, stop)
            case WireField(13, 2, stop):
                key, location = texts(window, stop, 1, 2)
                if key == LOCATION.decode() and _is_outside(location) and len(outside) < MOST_NAMES:
                    outside.append(location)
    for location in outside:
        summary.add_suspicious(f"takes its numbers from outside of its folder: {brief(location)}", name)
    return name, DTYPES[dtype] if dtype < len(DTYPES) else f"type {dtype}", shape


def _is_outside(location: str) -> bool:
    """Numbers may lie in another file. One outside of the model's folder is a way to read what is not the model's."""
    return location.startswith(("/", "\\")) or ".." in location or ":" in location


def _named(window: Window, end: int, names: list[str]) -> None:
    for field in fields(window, end):
        if field[:2] == (1, SIZED) and len(names) < MOST_NAMES:
            names.append(brief(text(window, field.value)))


def _opset(window: Window, end: int, summary: HeaderSummary) -> None:
    domain, version = "ai.onnx", 0
    for field in fields(window, end):
        match field:
            case WireField(1, 2, stop):
                domain = text(window, stop) or domain
            case WireField(2, 0, value):
                version = value
    if len(summary.details["opsets"]) < MOST_NAMES:
        summary.details["opsets"].append({"domain": brief(domain), "version": min(version, LARGEST)})

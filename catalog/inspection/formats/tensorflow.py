"""TensorFlow's SavedModel (`saved_model.pb`): a protobuf message of graphs, whose operations are listed."""

from catalog.inspection.formats.protobuf import SIZED, WireField, fields, text
from catalog.inspection.formats.summary import LARGEST, HeaderSummary, brief
from catalog.inspection.formats.window import MalformedError, Window

MOST_NAMES = 50
SCHEMA = 1
GRAPH_PARTS = range(1, 8)
DANGEROUS = {"ReadFile": "reads a file", "WriteFile": "writes a file"}
SUSPICIOUS = {
    "MatchingFiles": "lists files",
    "PyFunc": "calls Python",
    "PyFuncStateless": "calls Python",
    "EagerPyFunc": "calls Python",
}


def is_graph(window: Window, end: int) -> bool:
    """Whether the message up to `end` has the parts of a SavedModel's graph, and nothing else."""
    met = set()
    try:
        for field in fields(window, end):
            if field.wire != SIZED or field.number not in GRAPH_PARTS:
                return False
            met.add(field.number)
            if met >= {1, 2}:
                return True
    except MalformedError:
        return False
    return 2 in met  # noqa: PLR2004  graph_def


def read(window: Window, summary: HeaderSummary) -> None:
    """Read a SavedModel.

    Raises MalformedError, LimitExceededError, SandboxNeededError.
    """
    summary.details.update(operations=0, signatures=[])
    graphs = 0
    for field in fields(window, window.size):
        match field:
            case WireField(1, 0, version):
                summary.details["version"] = min(version, LARGEST)
            case WireField(2, 2, stop):
                graphs += 1
                _meta_graph(window, stop, summary)
    if not graphs:
        raise MalformedError("it has no graph")


def _meta_graph(window: Window, end: int, summary: HeaderSummary) -> None:
    for field in fields(window, end):
        match field:
            case WireField(1, 2, stop):
                _about(window, stop, summary)
            case WireField(2, 2, stop):
                _graph(window, stop, summary)
            case WireField(5, 2, stop):
                _signature(window, stop, summary)


def _about(window: Window, end: int, summary: HeaderSummary) -> None:
    for field in fields(window, end):
        if field[:2] == (5, SIZED):
            summary.add_metadata("tensorflow_version", text(window, field.value))


def _signature(window: Window, end: int, summary: HeaderSummary) -> None:
    for field in fields(window, end):
        if field[:2] == (1, SIZED) and len(summary.details["signatures"]) < MOST_NAMES:
            summary.details["signatures"].append(brief(text(window, field.value)))


def _graph(window: Window, end: int, summary: HeaderSummary) -> None:
    for field in fields(window, end):
        match field:
            case WireField(1, 2, stop):
                _operation(window, stop, summary)
            case WireField(2, 2, stop):
                _library(window, stop, summary)


def _library(window: Window, end: int, summary: HeaderSummary) -> None:
    for function in fields(window, end):
        if function[:2] == (1, SIZED):
            for field in fields(window, function.value):
                if field[:2] == (3, SIZED):
                    _operation(window, field.value, summary)


def _operation(window: Window, end: int, summary: HeaderSummary) -> None:
    name = operation = ""
    for field in fields(window, end):
        match field:
            case WireField(1, 2, stop):
                name = text(window, stop)
            case WireField(2, 2, stop):
                operation = text(window, stop)
    summary.details["operations"] += 1
    if operation in DANGEROUS:
        summary.add_dangerous(f"{DANGEROUS[operation]}: {operation}", name)
    elif operation in SUSPICIOUS:
        summary.add_suspicious(f"{SUSPICIOUS[operation]}: {operation}", name)

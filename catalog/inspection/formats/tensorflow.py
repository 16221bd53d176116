"""TensorFlow's SavedModel (`saved_model.pb`): a protobuf message of graphs, whose operations are listed."""

from catalog.inspection.formats.protobuf import SIZED, Field, fields, text
from catalog.inspection.formats.told import LARGEST, Told, brief
from catalog.inspection.formats.window import Malformed, Window

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
    except Malformed:
        return False
    return 2 in met  # noqa: PLR2004  graph_def


def read(window: Window, told: Told) -> None:
    """Read a SavedModel.

    Raises Malformed, TooMuch, NeedsSandbox.
    """
    told.more.update(operations=0, signatures=[])
    graphs = 0
    for field in fields(window, window.size):
        match field:
            case Field(1, 0, version):
                told.more["version"] = min(version, LARGEST)
            case Field(2, 2, stop):
                graphs += 1
                _meta_graph(window, stop, told)
    if not graphs:
        raise Malformed("it has no graph")


def _meta_graph(window: Window, end: int, told: Told) -> None:
    for field in fields(window, end):
        match field:
            case Field(1, 2, stop):
                _about(window, stop, told)
            case Field(2, 2, stop):
                _graph(window, stop, told)
            case Field(5, 2, stop):
                _signature(window, stop, told)


def _about(window: Window, end: int, told: Told) -> None:
    for field in fields(window, end):
        if field[:2] == (5, SIZED):
            told.tell("tensorflow_version", text(window, field.value))


def _signature(window: Window, end: int, told: Told) -> None:
    for field in fields(window, end):
        if field[:2] == (1, SIZED) and len(told.more["signatures"]) < MOST_NAMES:
            told.more["signatures"].append(brief(text(window, field.value)))


def _graph(window: Window, end: int, told: Told) -> None:
    for field in fields(window, end):
        match field:
            case Field(1, 2, stop):
                _operation(window, stop, told)
            case Field(2, 2, stop):
                _library(window, stop, told)


def _library(window: Window, end: int, told: Told) -> None:
    for function in fields(window, end):
        if function[:2] == (1, SIZED):
            for field in fields(window, function.value):
                if field[:2] == (3, SIZED):
                    _operation(window, field.value, told)


def _operation(window: Window, end: int, told: Told) -> None:
    name = operation = ""
    for field in fields(window, end):
        match field:
            case Field(1, 2, stop):
                name = text(window, stop)
            case Field(2, 2, stop):
                operation = text(window, stop)
    told.more["operations"] += 1
    if operation in DANGEROUS:
        told.accuse(f"{DANGEROUS[operation]}: {operation}", name)
    elif operation in SUSPICIOUS:
        told.suspect(f"{SUSPICIOUS[operation]}: {operation}", name)

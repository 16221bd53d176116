"""Read the headers of model files: in the server if they are small, else in the sandboxed process."""

from collections.abc import Callable
from typing import NamedTuple, TypedDict

from catalog.inspection.formats import coreml, gguf, messages, numpy_array, onnx, safetensors, tensorflow
from catalog.inspection.formats.summary import MOST_SHOWN, HeaderSummary, Tensors
from catalog.inspection.formats.window import MalformedError, Window
from catalog.inspection.sandbox.views import LimitExceededError


class FormatReader(NamedTuple):
    matches: Callable[[bytes], bool]
    read: Callable[[Window, HeaderSummary], None]


class HeaderReport(TypedDict):
    """As JSON takes it."""

    format: str
    summary: dict[str, object]
    findings: list[tuple[str, str, str]]  # kind, what, where


FORMATS = {
    "safetensors": FormatReader(safetensors.matches, safetensors.read),
    "gguf": FormatReader(gguf.matches, gguf.read),
    "numpy": FormatReader(numpy_array.matches, numpy_array.read),
    "onnx": FormatReader(messages.matches, onnx.read),
    "saved_model": FormatReader(lambda _: False, tensorflow.read),
    "coreml": FormatReader(lambda _: False, coreml.read),
}
MESSAGES = {"onnx", "saved_model", "coreml"}
ENDINGS = {
    ".safetensors": "safetensors",
    ".gguf": "gguf",
    ".npy": "numpy",
    ".onnx": "onnx",
    ".mlmodel": "coreml",
    "saved_model.pb": "saved_model",
}
RUN = {"saved_model"}
"""Formats that hold operations which may be a threat: one could stand where the reader gave up."""

TITLES = {"saved_model": "a SavedModel", "coreml": "Core ML"}


def format_of(head: bytes, name: str) -> str:
    """The format of a file that begins so, or that is called so where its bytes say nothing; nothing if unknown."""
    by_bytes = next((format_ for format_, reader in FORMATS.items() if reader.matches(head)), "")
    by_name = next((format_ for ending, format_ in ENDINGS.items() if name.lower().endswith(ending)), "")
    return by_name if by_bytes in MESSAGES and by_name in MESSAGES else by_bytes or by_name


def read(window: Window, format_: str, most_tensors: int = MOST_SHOWN) -> HeaderReport:
    """Read the header of a file that is probably of this format. The summary lists `most_tensors` at most.

    Raises SandboxNeededError where its window's bounds say so.
    """
    summary = HeaderSummary(Tensors(most_tensors))
    wrong = []
    try:
        if format_ in MESSAGES:
            format_ = messages.kind(window, otherwise=format_)
        FORMATS[format_].read(window, summary)
    except MalformedError as fault:
        wrong.append(("malformed", f"not {TITLES.get(format_, format_)} as it should be: {fault}", ""))
    except LimitExceededError as bound:
        wrong.append((abridged(format_), str(bound), ""))
    except MemoryError:
        wrong.append((abridged(format_), "a header that needs too much memory", ""))
    findings = [
        *(("dangerous", what, where) for what, where in summary.dangerous),
        *wrong,
        *(("suspicious", what, where) for what, where in summary.suspicious),
    ]
    return HeaderReport(format=format_, summary=summary.as_dict(), findings=findings)


def abridged(format_: str) -> str:
    """The kind of finding for a header that was not read whole."""
    return "unfinished" if format_ in RUN else "abridged"

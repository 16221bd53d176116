"""What the headers of model files tell: by the server itself where they are small, else by the sandboxed process."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict

from catalog.inspection.formats import coreml, gguf, messages, numpy_array, onnx, safetensors, tensorflow
from catalog.inspection.formats.told import Told
from catalog.inspection.formats.window import Malformed, Window
from catalog.inspection.sandbox.views import TooMuch


class Format(NamedTuple):
    begins_so: Callable[[bytes], bool]
    read: Callable[[Window, Told], None]


class Header(TypedDict):
    """As JSON takes it."""

    format: str
    summary: dict[str, Any]
    findings: list[tuple[str, str, str]]  # kind, what, where


FORMATS = {
    "safetensors": Format(safetensors.begins_so, safetensors.read),
    "gguf": Format(gguf.begins_so, gguf.read),
    "numpy": Format(numpy_array.begins_so, numpy_array.read),
    "onnx": Format(messages.begins_so, onnx.read),
    "saved_model": Format(lambda _: False, tensorflow.read),
    "coreml": Format(lambda _: False, coreml.read),
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

SPELT = {"saved_model": "a SavedModel", "coreml": "Core ML"}


def format_of(head: bytes, name: str) -> str:
    """The format of a file that begins so, or that is called so where its bytes say nothing; nothing if unknown."""
    by_bytes = next((format_ for format_, reader in FORMATS.items() if reader.begins_so(head)), "")
    by_name = next((format_ for ending, format_ in ENDINGS.items() if name.lower().endswith(ending)), "")
    return by_name if by_bytes in MESSAGES and by_name in MESSAGES else by_bytes or by_name


def read(window: Window, format_: str) -> Header:
    """What the header of a file tells, that is probably of this format.

    Raises NeedsSandbox where its window's bounds say so.
    """
    told = Told()
    wrong = []
    try:
        if format_ in MESSAGES:
            format_ = messages.kind(window, otherwise=format_)
        FORMATS[format_].read(window, told)
    except Malformed as fault:
        wrong.append(("malformed", f"not {SPELT.get(format_, format_)} as it should be: {fault}", ""))
    except TooMuch as bound:
        wrong.append((abridged(format_), str(bound), ""))
    except MemoryError:
        wrong.append((abridged(format_), "a header that needs too much memory", ""))
    findings = [
        *(("dangerous", what, where) for what, where in told.dangerous),
        *wrong,
        *(("suspicious", what, where) for what, where in told.suspicious),
    ]
    return Header(format=format_, summary=told.summary(), findings=findings)


def abridged(format_: str) -> str:
    """The kind of finding for a header that was not read whole."""
    return "unfinished" if format_ in RUN else "abridged"

"""The tensors of a file, and the answer to a comparison of versions."""

from typing import NotRequired, TypedDict

from catalog.client.results.result import Value
from catalog.client.results.shapes import Document


class TensorShape(TypedDict):
    """A tensor of a file: its name, type and shape."""

    name: str
    dtype: str
    shape: list[int]


class TensorList(TypedDict):
    """The tensors of a file, from its header. `isWhole`: these are all of them."""

    format: str
    """`safetensors`, `onnx` or `gguf`; empty for another one."""

    tensors: list[TensorShape]
    isWhole: bool


class MetadataDifference(TypedDict):
    """A metadata name in all versions, in their order."""

    name: str
    values: list[Value | None]
    differs: bool
    change: list[float | None]
    """Of numbers: how much more than in the first version."""


class FileOfOne(TypedDict):
    """A file that one of two versions lacks."""

    path: str
    size: int


class ChangedBytes(TypedDict):
    """A file whose bytes differ."""

    path: str
    size_before: int
    size: int


class DifferentFiles(TypedDict):
    added: list[FileOfOne]
    removed: list[FileOfOne]
    changed: list[ChangedBytes]


class ChangedShape(TypedDict):
    """A tensor of another type or shape."""

    name: str
    dtype_before: str
    dtype: str
    shape_before: list[int]
    shape: list[int]


class DifferentTensors(TypedDict):
    """The tensors of a file that differ. `complete`: all of them could be read."""

    path: str
    complete: bool
    added: list[TensorShape]
    removed: list[TensorShape]
    changed: list[ChangedShape]


class DifferenceToFirst(TypedDict):
    """How a version differs from the first one."""

    which: str
    files: DifferentFiles
    tensors: list[DifferentTensors]
    skipped: NotRequired[list[str]]
    """Model files that were not compared: there are too many."""


class ComparisonResult(TypedDict):
    """Versions side by side."""

    versions: list[Document]
    metadata: list[MetadataDifference]
    differences: list[DifferenceToFirst]
    """Of each version but the first."""

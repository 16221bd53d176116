"""Inspect a file without loading it: what its header says, and what its pickles would import.

A header of up to 256 KiB is read in ranges by a thread of the server. A longer one, and what may hold a pickle, is
read by a sandboxed process with limits (`process`). Any other file costs one read
of 64 KiB.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypedDict

from catalog.inspection import formats
from catalog.inspection.findings import InspectionFinding, finding, of_pickles, verdict
from catalog.inspection.formats import numpy_array
from catalog.inspection.formats.summary import MOST_SHOWN, brief
from catalog.inspection.formats.window import AHEAD, IN_SERVER, SandboxNeededError, Window
from catalog.inspection.process import read_header, scan_pickles
from catalog.inspection.sandbox.containers import PickleReport
from catalog.inspection.sandbox.packing import has_archive, packing
from catalog.inspection.sandbox.pickles import find_hidden, looks_like_pickle, may_go_on
from catalog.inspection.source import BoundedSource, ReadableBlobs

logger = logging.getLogger(__name__)

SECONDS = 10.0
"""For one file, including the wait for a slot."""

HOLDING = frozenset({"dangerous", "unfinished", "failed"})
"""Findings that `quarantine` and `reject` act on. A threat could be hidden behind a limit."""

MOST_IMPORTS = 100

KERAS = ".keras"
"""Keras opens a file of this name by the table at its end, behind any other bytes."""


class Inspection(TypedDict):
    """The result that is stored with a file, in types of JSON and of the database (`inspected` is a datetime)."""

    format: str  # safetensors, onnx, gguf, numpy, pickle, joblib, pytorch, zip, tar, gzip..., unknown
    summary: dict[str, Any]
    findings: list[InspectionFinding]
    verdict: str
    inspected: datetime


class FirstLook(NamedTuple):
    """What the first bytes and the name of a file reveal."""

    format: str  # of its header, or nothing
    has_pickles: bool  # perhaps


NOTHING_INSIDE = FirstLook("", has_pickles=False)


async def inspect(
    blobs: ReadableBlobs, digest: str, size: int, name: str, first: FirstLook | None = None
) -> Inspection:
    """Inspect a stored file of `size` bytes. Its `name` counts only where its bytes are not conclusive.

    `first` is what `first_looks` said of it. Raises nothing: failures are findings.
    """
    if first == NOTHING_INSIDE:
        return _inspection("unknown", {}, [])
    try:
        async with asyncio.timeout(SECONDS):
            return await _inspected(BoundedSource(blobs, digest, size), name, first)
    except TimeoutError:
        return _inspection("unknown", {}, [finding("failed", f"it takes more than {SECONDS:g} s")])
    except Exception as failure:
        logger.exception("%s could not be inspected", digest)
        return _inspection("unknown", {}, [finding("failed", f"{type(failure).__name__}: {failure}")])


async def first_looks(files: Sequence[tuple[bytes, str]]) -> list[FirstLook | None]:
    """What the first bytes and the names of files in memory say, in one call of a thread. None: it failed."""

    def look() -> list[FirstLook | None]:
        return [_first_look_or_none(content, name) for content, name in files]

    return await asyncio.to_thread(look)


def _first_look_or_none(content: bytes, name: str) -> FirstLook | None:
    try:
        return _first_look(content[:AHEAD], len(content), name)
    except Exception:  # noqa: BLE001  `inspect` tries again, and makes it a finding
        return None


def holds_back(inspection: Inspection) -> bool:
    """Whether the policies `quarantine` and `reject` act on this file."""
    return any(found["kind"] in HOLDING for found in inspection["findings"])


async def _inspected(source: BoundedSource, name: str, first: FirstLook | None) -> Inspection:
    head = await source.read(0, AHEAD)
    if first is None:
        first = await asyncio.to_thread(_first_look, head, source.size, name)
    header = await _header(source, head, first.format) if first.format else None
    if not first.has_pickles:
        return header or _inspection("unknown", {}, [])
    inside = await _pickles(source)
    if not header:
        return inside
    # A file can be valid in two formats. Errors of the other format do not matter then.
    threats = [found for found in inside["findings"] if found["kind"] not in {"malformed", "opaque"}]
    if not threats and not inside["summary"].get("pickles"):
        return header
    truncated = header["summary"].get("truncated", False) or inside["summary"].get("truncated", False)
    summary = header["summary"] | inside["summary"] | {"truncated": truncated}
    return _inspection(header["format"], summary, header["findings"] + threats)


def _first_look(head: bytes, size: int, name: str) -> FirstLook:
    if packing(head):
        return FirstLook("", has_pickles=True)
    format_ = formats.format_of(head, name)
    begin, end = numpy_array.header_size(head)
    objects = format_ == "numpy" and numpy_array.may_hold_objects(head[begin:end])
    behind = has_archive(head) or name.endswith(KERAS) or (not format_ and bool(find_hidden(head)))
    return FirstLook(
        format_, objects or behind or looks_like_pickle(head, whole=size <= AHEAD) or may_go_on(head, size)
    )


async def inspect_header(
    blobs: ReadableBlobs, digest: str, size: int, name: str, most_tensors: int
) -> Inspection | None:
    """Read the header of a stored file again, for more of its tensors; None for a file without one.

    Raises UnknownBlobError, OSError, TimeoutError.
    """
    async with asyncio.timeout(SECONDS):
        source = BoundedSource(blobs, digest, size)
        head = await source.read(0, AHEAD)
        first = await asyncio.to_thread(_first_look, head, source.size, name)
        return await _header(source, head, first.format, most_tensors) if first.format else None


async def _header(source: BoundedSource, head: bytes, format_: str, most_tensors: int = MOST_SHOWN) -> Inspection:
    loop = asyncio.get_running_loop()

    def read(start: int, stop: int) -> bytes:
        return asyncio.run_coroutine_threadsafe(source.read(start, stop), loop).result(SECONDS)

    window = Window(read, source.size, head, IN_SERVER)
    try:
        report: formats.HeaderReport | None = await asyncio.to_thread(formats.read, window, format_, most_tensors)
    except SandboxNeededError:
        report = await read_header(source, format_, most_tensors)
    finally:
        window.close()
    if report is None:
        return _inspection(
            format_, {}, [finding(formats.abridged(format_), "it needs more time or memory than allowed")]
        )
    return _inspection(report["format"], report["summary"], [finding(*found) for found in report["findings"]])


async def _pickles(source: BoundedSource) -> Inspection:
    report = await scan_pickles(source)
    if report is None:
        return _inspection("unknown", {}, [finding("unfinished", "it needs more time or memory than allowed")])
    return await asyncio.to_thread(_of_pickles, report)


def _of_pickles(report: PickleReport) -> Inspection:
    imports = list(dict.fromkeys(f"{module}.{name}" for _, module, name in report["imports"] if module and name))
    summary = {
        "pickles": report["pickles"],
        "entries": report["entries"],
        "imports": [brief(name) for name in imports[:MOST_IMPORTS]],
        "truncated": len(imports) > MOST_IMPORTS,
    }
    return _inspection(report["format"], summary, of_pickles(report))


def _inspection(format_: str, summary: dict[str, object], findings: list[InspectionFinding]) -> Inspection:
    moment = datetime.now(UTC)
    return Inspection(
        format=format_,
        summary=summary,
        findings=findings,
        verdict=verdict(findings),
        inspected=moment.replace(microsecond=moment.microsecond // 1000 * 1000),  # as the database keeps it
    )

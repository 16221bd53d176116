"""Look inside a file without ever loading it: what a header tells, and what a pickle would import.

A header of up to 256 KiB is read in ranges by a thread of the server. A longer one, and what may hold a pickle, is
looked at by a process of its own, which is given ranges and bounds (`process`). A file that is neither costs one read
of 64 KiB.
"""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypedDict

from catalog.blobs.protocol import Blobs
from catalog.inspection import formats
from catalog.inspection.findings import Finding, finding, of_pickles, verdict
from catalog.inspection.formats import numpy_array
from catalog.inspection.formats.told import brief
from catalog.inspection.formats.window import AHEAD, IN_SERVER, NeedsSandbox, Window
from catalog.inspection.process import Dissected, dissect
from catalog.inspection.sandbox.containers import has_archive, packing
from catalog.inspection.sandbox.pickles import hidden, looks_like_one
from catalog.inspection.source import Source

logger = logging.getLogger(__name__)

SECONDS = 10.0
"""For one file, with the wait for a turn."""

HOLDING = frozenset({"dangerous", "unfinished", "failed"})
"""Findings that a policy stricter than a warning acts on: who could hide behind a bound would hide there."""

MOST_IMPORTS = 100


class Inspection(TypedDict):
    """What is kept with a file. Everything in it is as JSON and the database take it, `inspected` as a datetime."""

    format: str  # safetensors, onnx, gguf, numpy, pickle, joblib, pytorch, zip, tar, gzip..., unknown
    summary: dict[str, Any]
    findings: list[Finding]
    verdict: str
    inspected: datetime


class FirstLook(NamedTuple):
    """What a file's first bytes and its name say."""

    format: str  # of its header, or nothing
    has_pickles: bool  # perhaps


async def inspect(blobs: Blobs, digest: str, size: int, name: str) -> Inspection:
    """Look inside a kept file of `size` bytes. Its `name` is believed only where its bytes say nothing.

    Raises nothing: what goes wrong is told in the findings.
    """
    try:
        async with asyncio.timeout(SECONDS):
            return await _inspected(Source(blobs, digest, size), name)
    except TimeoutError:
        return _inspection("unknown", {}, [finding("failed", f"it takes more than {SECONDS:g} s")])
    except Exception as failure:
        logger.exception("%s could not be inspected", digest)
        return _inspection("unknown", {}, [finding("failed", f"{type(failure).__name__}: {failure}")])


def holds_back(inspection: Inspection) -> bool:
    """Whether a policy of `quarantine` or `reject` is about this file."""
    return any(found["kind"] in HOLDING for found in inspection["findings"])


async def _inspected(source: Source, name: str) -> Inspection:
    head = await source.read(0, AHEAD)
    first = await asyncio.to_thread(_first_look, head, source.size, name)
    header = await _header(source, head, first.format) if first.format else None
    if not first.has_pickles:
        return header or _inspection("unknown", {}, [])
    inside = await _pickles(source)
    if not header:
        return inside
    # A file can be made to be read in two ways. What is wrong with the other one is no news then.
    threats = [found for found in inside["findings"] if found["kind"] not in {"malformed", "opaque"}]
    return _inspection(header["format"], header["summary"] | inside["summary"], header["findings"] + threats)


def _first_look(head: bytes, size: int, name: str) -> FirstLook:
    if packing(head):
        return FirstLook("", has_pickles=True)
    format_ = formats.format_of(head, name)
    begin, end = numpy_array.header_size(head)
    objects = format_ == "numpy" and numpy_array.may_hold_objects(head[begin:end])
    behind = not format_ and (has_archive(head) or bool(hidden(head)))
    return FirstLook(format_, objects or behind or looks_like_one(head, whole=size <= AHEAD))


async def _header(source: Source, head: bytes, format_: str) -> Inspection:
    loop = asyncio.get_running_loop()

    def read(start: int, stop: int) -> bytes:
        return asyncio.run_coroutine_threadsafe(source.read(start, stop), loop).result(SECONDS)

    window = Window(read, source.size, head, IN_SERVER)
    told: Any
    try:
        told = await asyncio.to_thread(formats.read, window, format_)
    except NeedsSandbox:
        told = await dissect(source, format_)
    finally:
        window.close()
    if told is None:
        return _inspection(
            format_, {}, [finding(formats.abridged(format_), "it wants more time or memory than is given")]
        )
    return _inspection(told["format"], told["summary"], [finding(*found) for found in told["findings"]])


async def _pickles(source: Source) -> Inspection:
    told = await dissect(source)
    if told is None:
        return _inspection("unknown", {}, [finding("unfinished", "it wants more time or memory than it is given")])
    return await asyncio.to_thread(_of_pickles, told)


def _of_pickles(told: Dissected) -> Inspection:
    imports = list(dict.fromkeys(f"{module}.{name}" for _, module, name in told["imports"] if module and name))
    summary = {
        "pickles": told["pickles"],
        "entries": told["entries"],
        "imports": [brief(name) for name in imports[:MOST_IMPORTS]],
        "truncated": len(imports) > MOST_IMPORTS,
    }
    return _inspection(told["format"], summary, of_pickles(told))


def _inspection(format_: str, summary: dict[str, Any], findings: list[Finding]) -> Inspection:
    moment = datetime.now(UTC)
    return Inspection(
        format=format_,
        summary=summary,
        findings=findings,
        verdict=verdict(findings),
        inspected=moment.replace(microsecond=moment.microsecond // 1000 * 1000),  # as the database keeps it
    )

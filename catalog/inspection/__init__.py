"""Look inside a file without ever loading it: what a header tells, and what a pickle would import.

A header is read in ranges by the server itself. What may hold a pickle is looked at by a process of its own, which is
given ranges and bounds (`process`). A file that is neither costs one read of 64 KiB.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypedDict

from catalog.blobs import Blobs
from catalog.dissection.containers import OBJECTS, packing
from catalog.dissection.pickles import looks_like_one
from catalog.inspection import gguf, numpy_array, onnx, safetensors
from catalog.inspection.findings import Finding, finding, of_pickles, verdict
from catalog.inspection.process import dissect
from catalog.inspection.source import AHEAD, Malformed, Source, TooMuch, Window
from catalog.inspection.told import Told, brief

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


class Format(NamedTuple):
    begins_so: Callable[[bytes], bool]
    read: Callable[[Window, Told], None]


FORMATS = {
    "safetensors": Format(safetensors.begins_so, safetensors.read),
    "gguf": Format(gguf.begins_so, gguf.read),
    "numpy": Format(numpy_array.begins_so, numpy_array.read),
    "onnx": Format(onnx.begins_so, onnx.read),
}
SUFFIXES = {".safetensors": "safetensors", ".gguf": "gguf", ".npy": "numpy", ".onnx": "onnx"}


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
    packed = packing(head)
    is_whole = source.size <= AHEAD
    format_ = "" if packed else _format(head, name)
    has_pickles = packed or looks_like_one(head, is_whole) or (format_ == "numpy" and OBJECTS.search(head))
    told = await _header(source, head, format_) if format_ else ({}, [])
    if not has_pickles:
        return _inspection(format_ or "unknown", *told)
    inside = await _pickles(source)
    if not format_:
        return inside
    # A file can be made to be read in two ways. What is wrong with the other one is no news then.
    threats = [found for found in inside["findings"] if found["kind"] not in {"malformed", "opaque"}]
    return _inspection(format_, told[0] | inside["summary"], told[1] + threats)


def _format(head: bytes, name: str) -> str:
    told = next((format_ for format_, reader in FORMATS.items() if reader.begins_so(head)), "")
    return told or next((format_ for suffix, format_ in SUFFIXES.items() if name.lower().endswith(suffix)), "")


async def _header(source: Source, head: bytes, format_: str) -> tuple[dict[str, Any], list[Finding]]:
    window, told = Window(source, head, asyncio.get_running_loop()), Told()
    findings = []
    try:
        await asyncio.to_thread(FORMATS[format_].read, window, told)
    except Malformed as fault:
        findings.append(finding("malformed", f"not {format_} as it should be: {fault}"))
    except TooMuch as bound:
        findings.append(finding("abridged", str(bound)))
    finally:
        window.close()
    findings += [finding("suspicious", what, where) for what, where in told.suspicious]
    return told.summary(), findings


async def _pickles(source: Source) -> Inspection:
    told = await dissect(source)
    if told is None:
        return _inspection("unknown", {}, [finding("unfinished", "it wants more time or memory than it is given")])
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

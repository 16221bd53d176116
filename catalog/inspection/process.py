"""Run the sandboxed process, which searches for pickles or reads a long header, and serve the ranges it requests."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path

import msgspec

from catalog.inspection import sandbox
from catalog.inspection.formats import HeaderReport
from catalog.inspection.formats.summary import MOST_SHOWN
from catalog.inspection.sandbox.containers import PickleReport
from catalog.inspection.sandbox.views import LimitExceededError
from catalog.inspection.source import BoundedSource

PROGRAM = (sys.executable, "-I", "-S", str(Path(sandbox.__file__).with_name("__main__.py")))
CONCURRENT = 2
LONGEST_LINE = 2**22
REFUSED = (2**64 - 1).to_bytes(8, "big")

slots = asyncio.Semaphore(CONCURRENT)


async def read_header(source: BoundedSource, format_: str, most_tensors: int = MOST_SHOWN) -> HeaderReport | None:
    """Return what the header of a file says; None when the process exceeded its limits."""
    answer = await _run(source, format_, str(most_tensors))
    return msgspec.json.decode(answer, type=HeaderReport) if answer else None


async def scan_pickles(source: BoundedSource) -> PickleReport | None:
    """Return what the pickles of a file would import; None when the process exceeded its limits."""
    answer = await _run(source)
    return msgspec.json.decode(answer, type=PickleReport) if answer else None


async def _run(source: BoundedSource, *arguments: str) -> bytes:
    """Return the JSON that the process writes, or nothing when it is killed by its limits."""
    async with slots:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            str(source.size),
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={},
            start_new_session=True,  # Ctrl-C is for the server
            limit=LONGEST_LINE,
        )
        try:
            return await _serve(process, source)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())


async def _serve(process: Process, source: BoundedSource) -> bytes:
    requests, answers = process.stdout, process.stdin
    assert requests is not None
    assert answers is not None
    with suppress(ConnectionError):
        while line := await requests.readline():
            if line.startswith(b"{"):
                return line
            start, _, stop = line.partition(b" ")
            try:
                data = await source.read(int(start), int(stop))
            except LimitExceededError:
                answers.write(REFUSED)
            else:
                answers.write(len(data).to_bytes(8, "big"))
                answers.write(data)
            await answers.drain()
    return b""

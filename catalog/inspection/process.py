"""Run the sandboxed process, which looks for pickles or reads a long header, and give it the ranges it asks for."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from catalog.inspection import sandbox
from catalog.inspection.sandbox.views import TooMuch
from catalog.inspection.source import Source

PROGRAM = (sys.executable, "-I", "-S", str(Path(sandbox.__file__).with_name("__main__.py")))
AT_ONCE = 2
LONGEST_LINE = 2**22
REFUSED = (2**64 - 1).to_bytes(8, "big")

turns = asyncio.Semaphore(AT_ONCE)

Dissected = dict[str, Any]


async def dissect(source: Source, header: str = "") -> Dissected | None:
    """What the process says of a file; None when it ended without a word, as one does that wants too much.

    With `header`, a format, it reads the file's header; without, it looks for pickles.
    """
    async with turns:
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            str(source.size),
            *([header] if header else []),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={},
            start_new_session=True,  # Ctrl-C is for the server
            limit=LONGEST_LINE,
        )
        try:
            return await _served(process, source)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await asyncio.shield(process.wait())


async def _served(process: Process, source: Source) -> Dissected | None:
    asked, answers = process.stdout, process.stdin
    assert asked is not None
    assert answers is not None
    with suppress(ConnectionError):
        while line := await asked.readline():
            if line.startswith(b"{"):
                told: Dissected = msgspec.json.decode(line)
                return told
            start, _, stop = line.partition(b" ")
            try:
                data = await source.read(int(start), int(stop))
            except TooMuch:
                answers.write(REFUSED)
            else:
                answers.write(len(data).to_bytes(8, "big"))
                answers.write(data)
            await answers.drain()
    return None

"""Cards as HTML, rendered by a process with limits, and remembered."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cachetools import LRUCache

from catalog.errors import CARD_NOT_RENDERED, Refused

PROGRAM = (sys.executable, "-I", str(Path(__file__).with_name("renderer.py")))

LONGEST_WAIT = 20.0
"""Seconds. The limit of the process is on its own CPU time; this one is for a machine that is busy."""

LARGEST = 8 * 2**20  # bytes of HTML
REMEMBERED = 16 * 2**20  # bytes of HTML

CONCURRENT = 2
slots = asyncio.Semaphore(CONCURRENT)

TOO_SLOW = b"\0"
"""Cached instead of HTML for a text that cannot be rendered within the limits."""

_known: LRUCache[bytes, bytes] = LRUCache(REMEMBERED, getsizeof=len)


async def rendered(body: str) -> bytes:
    """Sanitised HTML of Markdown. Raises Refused: CARD_NOT_RENDERED when that takes too long."""
    if not body.strip():
        return b""
    text = body.encode()
    key = sha256(text).digest()
    if (html := _known.get(key)) is None:
        async with slots:
            html = _known[key] = _known.get(key) or await _run(text)
    if html == TOO_SLOW:
        raise Refused(CARD_NOT_RENDERED)
    return html


async def _run(text: bytes) -> bytes:
    """The HTML, or TOO_SLOW."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={},
        start_new_session=True,  # Ctrl-C is for the server
    )
    try:
        async with asyncio.timeout(LONGEST_WAIT):
            html, _ = await process.communicate(text)
    except TimeoutError:
        return TOO_SLOW
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())
    return TOO_SLOW if process.returncode or len(html) > LARGEST else html

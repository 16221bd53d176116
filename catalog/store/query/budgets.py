"""What one request may cost where the server matches documents itself, in worker threads.

RE2 releases the interpreter's lock while it searches, so the event loop runs meanwhile. A thread cannot be ended from
outside: the budget is checked between two documents and between two texts, and after a short slice of time the thread
serves other requests.
"""

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, thread_time
from typing import Any, TypeVar

import msgspec
from motor.core import AgnosticBaseCursor

from catalog.errors import INVALID_QUERY, Refused

SECONDS = 2.0
"""Of CPU, so that a request is not refused because of the load of others."""

SIZE = 256 * 2**20
"""Bytes of text that patterns look into."""

SLICE = 0.05
"""Seconds after which other requests have their turn."""

NARROWER = "narrow it with a tag, an owner or a beginning of the name, or ask for a simpler pattern"

ROOM = 16 * 2**20
"""Bytes of documents that are read for one page: a record may have megabytes of metadata."""

READ = 16
"""Documents that are read at once from what the database has sent: one by one they cost the event loop more."""

_encoder = msgspec.msgpack.Encoder(enc_hook=str)

_THREADS = ThreadPoolExecutor(2, thread_name_prefix="matching")

T = TypeVar("T")
R = TypeVar("R", bound=Mapping[str, Any])


class Budget:
    """What one request may spend: `seconds` of CPU and `size` bytes of text. Only one thread works for it at a time."""

    def __init__(self, seconds: float = SECONDS, size: int = SIZE, clock: Callable[[], float] = thread_time) -> None:
        self._seconds = seconds
        self._size = size
        self._clock = clock
        self._began: float | None = None
        self._is_over = False

    def check(self, size: int = 0) -> None:
        """Take `size` bytes from the budget.

        Raises Refused: INVALID_QUERY, when more was used than there was, or when the request is over.
        """
        self._size -= size
        if self._is_over:
            raise Refused(INVALID_QUERY, "the client is gone")
        if self._size < 0:
            raise Refused(INVALID_QUERY, f"the filter looks into too much text: {NARROWER}")
        if self._began is not None and self._clock() - self._began > self._seconds:
            raise Refused(INVALID_QUERY, f"the filter takes too long: {NARROWER}")

    def end(self) -> None:
        """Let the thread that works for the request stop at its next check."""
        self._is_over = True

    @contextmanager
    def running(self) -> Generator[None]:
        """Count the time of this thread."""
        self._began = began = self._clock()
        try:
            yield
        finally:
            self._seconds -= self._clock() - began
            self._began = None


async def matching(test: Callable[[T], bool], documents: Sequence[T], budget: Budget) -> list[T]:
    """The documents that pass `test`, in their order, found in a worker thread.

    The thread stops soon after the caller is cancelled. Raises Refused: INVALID_QUERY when the budget is used up.
    """
    found: list[T] = []
    at = 0
    loop = asyncio.get_running_loop()
    try:
        while at < len(documents):
            at = await loop.run_in_executor(_THREADS, _slice, test, documents, at, found, budget)
    except asyncio.CancelledError:
        budget.end()
        raise
    return found


def _slice(test: Callable[[T], bool], documents: Sequence[T], start: int, found: list[T], budget: Budget) -> int:
    """Test documents from `start` on for a slice of time, and return where to go on."""
    ends = monotonic() + SLICE
    with budget.running():
        for at in range(start, len(documents)):
            budget.check()
            if test(documents[at]):
                found.append(documents[at])
            if monotonic() > ends:
                return at + 1
    return len(documents)


class Room:
    """Bytes that one request may still read, roughly. Reading ends with the document that fills the room."""

    def __init__(self, size: int = ROOM) -> None:
        self._left = size

    @property
    def is_full(self) -> bool:
        return self._left <= 0

    def take(self, document: Mapping[str, Any]) -> None:
        self._left -= rough_size(document)


async def taken(cursor: AgnosticBaseCursor[R], room: Room | None) -> list[R]:
    """The documents of a cursor of the driver, up to the one that fills the `room`.

    The database sends 16 MB at a time at most, so that what is not taken is hardly read: READ documents, and not more.
    """
    if room is None:
        return await cursor.to_list(None)
    found: list[R] = []
    while read := await cursor.to_list(READ):
        for document in read:
            found.append(document)
            room.take(document)
            if room.is_full:
                await cursor.close()
                return found
        if len(read) < READ:
            break
    return found


def rough_size(document: Mapping[str, Any]) -> int:
    """The bytes of a document, about."""
    return len(_encoder.encode(document))

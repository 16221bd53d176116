"""The effects of operations: requests, pauses, work in a thread, and operations in parallel.

An operation is a generator: it yields an effect, receives the response if that is a request, and returns a value. It
does no I/O itself, so the same operation runs in a blocking program and in an event loop, and a test feeds it prepared
responses. Drivers run operations (`sync_driver`, `async_driver`).
"""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeAlias, TypeVar, runtime_checkable

P = ParamSpec("P")
T = TypeVar("T")

BLOCK = 2**20
"""Bytes read, hashed or written at a time."""


class BodySink(Protocol):
    """Receives a response body that is not held in memory."""

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Prepare for the body. Returns False to leave it to the driver, for example if it is an error."""

    def write(self, block: bytes) -> None: ...


@runtime_checkable
class StreamedBody(Protocol):
    """A request body that is not held in memory and can be sent more than once."""

    @property
    def size(self) -> int: ...

    def blocks(self) -> Generator[bytes, None, None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    """Percent-encoded, relative to the server's address; or an absolute URL."""

    query: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | StreamedBody | None = None
    sink: BodySink | None = None
    timeout: float | None = None
    """Seconds to wait for the response; None: the client's default."""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""

    content: bytes = b""
    """Empty if a sink received the body."""

    @property
    def refused(self) -> bool:
        return self.status >= 400  # noqa: PLR2004  where HTTP's error statuses begin

    def json(self) -> object:
        """Raises ValueError."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class InThread:
    """A function that blocks. The asynchronous driver runs it in a thread."""

    function: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Operations to run concurrently, `at_most` at a time. If one fails, the others are stopped."""

    operations: Sequence["Operation[None]"]
    at_most: int


Effect: TypeAlias = Request | Pause | InThread | Parallel
Operation: TypeAlias = Generator[Effect, object, T]


def exchange(request: Request) -> Operation[Response]:
    """Raises Unavailable if there is no response."""
    response = yield request
    assert isinstance(response, Response)
    return response


def pause(seconds: float) -> Operation[None]:
    yield Pause(seconds)


def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Operation[T]:
    results: list[T] = []
    yield InThread(lambda: results.append(function(*args, **kwargs)))
    return results[0]


def in_parallel(operations: Sequence[Operation[T]], at_most: int) -> Operation[list[T]]:
    """Run operations concurrently; return their results in the same order."""
    results: dict[int, T] = {}

    def keep_result(number: int, operation: Operation[T]) -> Operation[None]:
        results[number] = yield from operation

    yield Parallel([keep_result(*each) for each in enumerate(operations)], at_most)
    return [results[number] for number in range(len(operations))]

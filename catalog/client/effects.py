"""What an operation asks of the world.

An operation is a generator: it yields an effect, is sent what came of it, and returns its result. It opens no
connection and never waits, so the same operation serves a blocking program and an asynchronous one, and a test hands it
plain answers. Whoever runs it is a driver (`blocking`, `awaiting`).
"""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, TypeVar

T = TypeVar("T")

BLOCK = 2**20
"""Bytes that are read, hashed or written at a time."""


class Sink(Protocol):
    """Where the body of an answer goes that is not held in memory."""

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether it takes this body; a refusal, say, is read by somebody else."""

    def write(self, block: bytes) -> None: ...


class Body(Protocol):
    """What is sent that is not held in memory. It can be sent again."""

    @property
    def size(self) -> int: ...

    def blocks(self) -> Generator[bytes, None, None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str
    """Below the server's address, quoted; or a whole address."""

    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Body | None = None
    sink: Sink | None = None
    patience: float | None = None
    """Seconds that the answer may take; None: as the client is set up."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Names in small letters."""

    content: bytes = b""
    """Empty when a sink took it."""

    @property
    def refused(self) -> bool:
        return self.status >= 400  # noqa: PLR2004  HTTP's line

    def json(self) -> Any:
        """Raises ValueError."""
        return json.loads(self.content)


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Something that reads, writes or computes for a while: an event loop gives it to a thread."""

    function: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Together:
    """Operations side by side, at most so many at once. When one fails the others are stopped."""

    operations: Sequence["Operation[Any]"]
    at_most: int


Effect: TypeAlias = Request | Pause | Work | Together
Operation: TypeAlias = Generator[Effect, Any, T]


def exchange(request: Request) -> Operation[Answer]:
    """Raises Unavailable when no answer came."""
    answer: Answer = yield request
    return answer


def pause(seconds: float) -> Operation[None]:
    yield Pause(seconds)


def work(function: Callable[..., T], *arguments: Any) -> Operation[T]:
    result: T = yield Work(lambda: function(*arguments))
    return result


def together(operations: Sequence[Operation[T]], at_most: int) -> Operation[list[T]]:
    """What each returned, in their order."""
    results: list[T] = yield Together(operations, at_most)
    return results

"""Cancels work that no client waits for: the client has disconnected, or the server stops."""

import asyncio
from typing import Protocol, cast

from litestar.types import HTTPScope, Scope

from catalog.domain.health import Health
from catalog.errors import CLIENT_GONE, STOPPING, Refused

WATCHED_AFTER = 1.0
"""Seconds after which the server checks whether a client is still there: most requests are answered long before."""


class Cancellation:
    """Whether the work of a request is still needed. Without a reference to the request, both are freed at once."""

    __slots__ = ("_health", "client_has_gone")

    def __init__(self, health: Health) -> None:
        self.client_has_gone = False
        """Whether a check has found that the client has gone."""
        self._health = health

    def refuse_client_gone(self) -> None:
        """Raises Refused: CLIENT_GONE."""
        if self.client_has_gone:
            raise Refused(CLIENT_GONE)

    def refuse_stopping(self) -> None:
        """Called between two steps of long work, each of which may be the last. Raises Refused: STOPPING."""
        if self._health.ending:
            raise Refused(STOPPING, headers={"Retry-After": "1"})


def cancellation(scope: Scope) -> Cancellation:
    found: Cancellation = scope["state"]["cancellation"]
    return found


class Watched(Protocol):
    """A request whose client may go."""

    scope: HTTPScope

    @property
    def is_received(self) -> bool: ...
    @property
    def is_cancellable(self) -> bool: ...
    async def wait_for_disconnect(self) -> None: ...


class DisconnectWatch:
    """Ends the work of a request when its client goes, unless it is answered within WATCHED_AFTER.

    A request that has changed nothing yet is cancelled. Others continue until they next check their `Cancellation`:
    before a write, and between the elements of a list.
    """

    __slots__ = ("_exchange", "_task", "_timer", "has_cancelled", "task")

    def __init__(self, exchange: Watched) -> None:
        self.has_cancelled = False
        self.task = cast("asyncio.Task[None]", asyncio.current_task())
        self._exchange = exchange
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(WATCHED_AFTER, self._start)

    def end(self) -> None:
        self._timer.cancel()
        if self._task:
            self._task.cancel()

    def _start(self) -> None:
        if self._exchange.is_received or not _has_body(self._exchange.scope):
            self._task = asyncio.create_task(self._run())
        else:  # the reader of the body notices by itself
            self._timer = asyncio.get_running_loop().call_later(WATCHED_AFTER, self._start)

    async def _run(self) -> None:
        await self._exchange.wait_for_disconnect()
        if self._exchange.is_cancellable:
            self.has_cancelled = True
            self.task.cancel()


def _has_body(scope: HTTPScope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )

"""Around every request: its name, the headers of its answer, its measures, its line in the journal.

One layer of plain ASGI outside of the web framework, so that routes that are not there and bodies that are refused
are seen too. A client that stops in the middle of a body is ended here. One that stops in the middle of the head, or
does not take its answer, never comes this far: see `connections`.
"""

import asyncio
import re
import uuid
from collections.abc import Iterable
from time import perf_counter
from typing import cast

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, HTTPScope, Message, Receive, Scope, Send

from catalog.dialects.http.client_ip import Addresses
from catalog.dialects.ops.metrics import Metrics
from catalog.domain.audit import Entry, Journal
from catalog.domain.health import Health
from catalog.errors import CLIENT_GONE, NOT_FOUND, STOPPING, TOO_SLOW, Refused
from catalog.store.database import Tenant
from catalog.store.documents import now
from catalog.vocabulary import REQUEST

ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""The request ids of clients that are believed: fit for a header, a log and a search."""

SECRET = re.compile(r"^(/[^/]+/(?:links|uploads|reset|resets)/)[^/]+")
"""Paths whose third segment opens a door by itself."""

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Of every answer that does not say otherwise itself. A page of ours has its own Content-Security-Policy."""

FRESH = (b"cache-control", b"no-store")
REVALIDATED = (b"cache-control", b"private, no-cache")  # what has an ETag may be kept, and is asked for again each time

FLOOR = 1024  # bytes of a body that have to come within the patience

WATCHED_AFTER = 1.0
"""Seconds after which the server looks whether a client is still there: most are answered long before."""

LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
BAD_REQUEST = 400
REDIRECTED = 307
"""To where the storage itself hands out a file."""

VANISHED = 499
"""The result of a request whose client went before it was answered, as other servers have it."""


def harmless(path: str) -> str:
    """A path as a log may hold it."""
    return SECRET.sub(r"\1***", path)


def concerns(scope: Scope, tenant: Tenant | None, user: str) -> None:
    """Tell the journal whom a request without a user's token is about: who tries to sign in, or the operator."""
    scope["state"]["concerns"] = tenant, user


class Wanted:
    """Whether a request's work is still wanted. It knows nothing of the request, so that both are freed at once."""

    __slots__ = ("_health", "has_vanished")

    def __init__(self, health: Health) -> None:
        self.has_vanished = False
        """Whether the client has gone, as far as somebody has looked."""
        self._health = health

    def refuse_vanished(self) -> None:
        """Raises Refused: CLIENT_GONE."""
        if self.has_vanished:
            raise Refused(CLIENT_GONE)

    def refuse_stopping(self) -> None:
        """Between two steps of long work, each of which may be the last. Raises Refused: STOPPING."""
        if self._health.ending:
            raise Refused(STOPPING, headers={"Retry-After": "1"})


def wanted(scope: Scope) -> Wanted:
    found: Wanted = scope["state"]["wanted"]
    return found


class Observed:
    """`patience` is the seconds that a client may take over FLOOR bytes of a body; `journal` None keeps none.

    `health` tells whether the server ends.
    """

    def __init__(
        self,
        app: ASGIApp,
        journal: Journal | None,
        metrics: Metrics,
        addresses: Addresses,
        patience: float,
        health: Health,
    ) -> None:
        self.app = app
        self.journal = journal
        self.metrics = metrics
        self.addresses = addresses
        self.patience = patience
        self.health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, self.patience, self.health)
        named = REQUEST.set(exchange.request_id)
        self.metrics.begin()
        watch = Watch(exchange)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            if not watch.has_cancelled:
                raise
            watch.task.uncancel()
        finally:
            watch.end()
            REQUEST.reset(named)
            self._ends(exchange)

    def _ends(self, exchange: "Exchange") -> None:
        scope = exchange.scope
        seconds = perf_counter() - exchange.began
        route: str | None = scope.get("path_template")
        self.metrics.end(scope["method"], route, exchange.status, seconds, exchange.received, exchange.sent)
        if self.journal is None or (route is not None and scope["route_handler"].opt.get("unlogged")):
            return
        if exchange.only_looked and not self.journal.reads:
            return
        state = scope["state"]
        caller = scope.get("user")
        tenant, user = state.get("concerns") or ((caller.tenant, caller.username) if caller else (None, None))
        path, hidden = SECRET.subn(r"\1***", scope["path"])
        entry = Entry(
            date=exchange.date,
            user=user,
            method=scope["method"],
            route=route,
            path=path,
            item=None if hidden else next(iter(scope.get("path_params", {}).values()), None),
            address=self.addresses.of(scope) or None,
            result=exchange.status,
            fault=state.get("fault"),
            duration=round(1000 * seconds, 2),
            request_id=exchange.request_id,
        )
        if tenant is None and user is None and (route is None or exchange.status == NOT_FOUND.status):
            self.journal.count(entry)
        else:
            self.journal.note(tenant, entry)


class Watch:
    """Ends a request's work when its client goes, unless it is answered within WATCHED_AFTER.

    What has changed nothing yet is cancelled. Anything else goes on to the next point where it looks whether it is
    still wanted: before a write, and between the elements of a list.
    """

    __slots__ = ("_exchange", "_timer", "_watching", "has_cancelled", "task")

    def __init__(self, exchange: "Exchange") -> None:
        self.has_cancelled = False
        self.task = cast("asyncio.Task[None]", asyncio.current_task())
        self._exchange = exchange
        self._watching: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(WATCHED_AFTER, self._begin)

    def end(self) -> None:
        self._timer.cancel()
        if self._watching:
            self._watching.cancel()

    def _begin(self) -> None:
        if self._exchange.is_whole or not _has_body(self._exchange.scope):
            self._watching = asyncio.create_task(self._watch())
        else:  # who reads the body hears it
            self._timer = asyncio.get_running_loop().call_later(WATCHED_AFTER, self._begin)

    async def _watch(self) -> None:
        await self._exchange.vanished()
        if self._exchange.can_end:
            self.has_cancelled = True
            self.task.cancel()


def _has_body(scope: HTTPScope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


class Exchange:
    """A request and its answer, as they pass."""

    __slots__ = (
        "_early",
        "_patience",
        "_receive",
        "_send",
        "_since_floor",
        "_waited",
        "began",
        "date",
        "is_file",
        "is_whole",
        "received",
        "request_id",
        "scope",
        "sent",
        "status",
    )

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send, patience: float, health: Health) -> None:
        self.scope = scope
        self.is_whole = False
        """Whether the body has come to its end."""
        self.date = now()
        self.began = perf_counter()
        self.status = VANISHED
        self.is_file = False
        self.received = 0
        self.sent = 0
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), None)
        self.request_id = given.decode() if given and ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = self.request_id
        scope["state"]["wanted"] = Wanted(health)
        self._receive = receive
        self._send = send
        self._patience = patience
        self._waited = 0.0
        self._since_floor = 0
        self._early: HTTPReceiveMessage | None = None

    @property
    def only_looked(self) -> bool:
        """Whether nothing was changed, refused or handed out."""
        return self.scope["method"] in LOOKS and self.status < BAD_REQUEST and not self.is_file

    @property
    def can_end(self) -> bool:
        """Whether the work can be cut off at any point: it has changed nothing, as far as that is known."""
        caller = self.scope.get("user")
        fence = caller.tenant.fence if caller else None
        return self.scope["method"] in LOOKS or bool(fence and not fence.is_crossed)

    async def vanished(self) -> None:
        """Wait until the client has gone. Only once the body is whole, or when there is none."""
        while (message := await self._receive())["type"] != "http.disconnect":
            self._early, self.is_whole = cast("HTTPReceiveMessage", message), True
        wanted(self.scope).has_vanished = True

    async def receive(self) -> HTTPReceiveMessage:
        if self._early:
            message, self._early = self._early, None
            return message
        if self.is_whole:  # what comes now is the client's leaving, for which an answer may wait
            return cast("HTTPReceiveMessage", await self._receive())
        message = await self._in_time()
        if message["type"] == "http.request":
            size = len(message.get("body", b""))
            self.received += size
            self.is_whole = not message.get("more_body", False)
            self._since_floor += size
            if self._since_floor >= FLOOR:
                self._waited, self._since_floor = 0.0, 0
        return message

    async def _in_time(self) -> HTTPReceiveMessage:
        """The next of the body. Only the time that we wait for the client is counted against it.

        Raises Refused: TOO_SLOW.
        """
        began = perf_counter()
        try:
            async with asyncio.timeout(self._patience - self._waited):
                return cast("HTTPReceiveMessage", await self._receive())
        except TimeoutError:
            details = f"less than {FLOOR} bytes of the body came in {self._patience:g} s"
            raise Refused(TOO_SLOW, details, headers={"Connection": "close"}) from None
        finally:
            self._waited += perf_counter() - began

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._with_ours(message["headers"])
        elif message["type"] == "http.response.body":
            if self.scope["method"] == HttpMethod.HEAD:
                message["body"] = b""  # what GET would have answered is told by the headers
            self.sent += len(message.get("body", b""))
        await self._send(message)

    def _with_ours(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        given = [(name.lower(), value) for name, value in headers]
        names = {name for name, _ in given}
        self.is_file = b"content-disposition" in names or self.status == REDIRECTED
        given += [header for header in HEADERS if header[0] not in names]
        if b"cache-control" not in names:
            given.append(REVALIDATED if b"etag" in names else FRESH)
        if b"x-request-id" not in names:
            given.append((b"x-request-id", self.request_id.encode()))
        return given

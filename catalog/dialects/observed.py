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

from catalog.dialects.addresses import Addresses
from catalog.dialects.metrics import Metrics
from catalog.domain.journal import Entry, Journal
from catalog.errors import NOT_FOUND, TOO_SLOW, Refused
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


class Observed:
    """`patience` is the seconds that a client may take over FLOOR bytes of a body; `journal` None keeps none."""

    def __init__(
        self, app: ASGIApp, journal: Journal | None, metrics: Metrics, addresses: Addresses, patience: float
    ) -> None:
        self.app = app
        self.journal = journal
        self.metrics = metrics
        self.addresses = addresses
        self.patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, self.patience)
        named = REQUEST.set(exchange.request_id)
        self.metrics.begins()
        try:
            await self.app(scope, exchange.receive, exchange.send)
        finally:
            REQUEST.reset(named)
            self._ends(exchange)

    def _ends(self, exchange: "Exchange") -> None:
        scope = exchange.scope
        seconds = perf_counter() - exchange.began
        route: str | None = scope.get("path_template")
        self.metrics.ends(scope["method"], route, exchange.status, seconds, exchange.received, exchange.sent)
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


class Exchange:
    """A request and its answer, as they pass."""

    __slots__ = (
        "_patience",
        "_receive",
        "_send",
        "_since_floor",
        "_waited",
        "_whole",
        "began",
        "date",
        "is_file",
        "received",
        "request_id",
        "scope",
        "sent",
        "status",
    )

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send, patience: float) -> None:
        self.scope = scope
        self.date = now()
        self.began = perf_counter()
        self.status = VANISHED
        self.is_file = False
        self.received = 0
        self.sent = 0
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), None)
        self.request_id = given.decode() if given and ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = self.request_id
        self._receive = receive
        self._send = send
        self._patience = patience
        self._waited = 0.0
        self._since_floor = 0
        self._whole = False

    @property
    def only_looked(self) -> bool:
        """Whether nothing was changed, refused or handed out."""
        return self.scope["method"] in LOOKS and self.status < BAD_REQUEST and not self.is_file

    async def receive(self) -> HTTPReceiveMessage:
        if self._whole:  # what comes now is the client's leaving, for which an answer may wait
            return cast("HTTPReceiveMessage", await self._receive())
        message = await self._in_time()
        if message["type"] == "http.request":
            size = len(message.get("body", b""))
            self.received += size
            self._whole = not message.get("more_body", False)
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

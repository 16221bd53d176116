"""One request and its response: counts bytes, measures time, and adds the headers that every response has."""

import asyncio
import re
import secrets
from collections.abc import Iterable
from time import perf_counter
from typing import cast

from litestar.enums import HttpMethod
from litestar.types import HTTPReceiveMessage, HTTPScope, Message, Receive, Send

from catalog.dialects.http.access import SAFE
from catalog.dialects.http.requests.cancellation import Cancellation, cancellation
from catalog.dialects.http.requests.headers import raw_header
from catalog.domain.health import Health
from catalog.errors import TOO_SLOW, Refused
from catalog.store.clock import now

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""The request ids of clients that are accepted: fit for a header, a log and a search."""

HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
"""Added to every response that does not set them itself, as our pages set their own Content-Security-Policy."""

NO_STORE = (b"cache-control", b"no-store")
REVALIDATE = (b"cache-control", b"private, no-cache")  # a response with an ETag may be cached, and is revalidated

LEAST_PROGRESS = 1024  # bytes of a body that must arrive within the patience

BAD_REQUEST = 400
REDIRECTED = 307
"""To the storage, which sends the file itself."""

CLIENT_CLOSED_REQUEST = 499
"""The status of a request whose client disconnected before the answer, as in nginx."""


class Exchange:
    """`patience` is the seconds in which LEAST_PROGRESS bytes of a body must arrive."""

    __slots__ = (
        "_buffered",
        "_patience",
        "_progress",
        "_receive",
        "_send",
        "_waited",
        "began",
        "date",
        "is_file",
        "is_received",
        "received",
        "request_id",
        "scope",
        "sent",
        "status",
    )

    def __init__(self, scope: HTTPScope, receive: Receive, send: Send, patience: float, health: Health) -> None:
        self.scope = scope
        self.is_received = False
        """Whether the body is complete."""
        self.date = now()
        self.began = perf_counter()
        self.status = CLIENT_CLOSED_REQUEST
        self.is_file = False
        self.received = 0
        self.sent = 0
        sent_id = raw_header(scope["headers"], b"x-request-id")
        self.request_id = sent_id.decode() if sent_id and REQUEST_ID.fullmatch(sent_id) else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = self.request_id
        scope["state"]["cancellation"] = Cancellation(health)
        self._receive = receive
        self._send = send
        self._patience = patience
        self._waited = 0.0
        self._progress = 0
        self._buffered: HTTPReceiveMessage | None = None

    @property
    def is_read_only(self) -> bool:
        """Whether nothing was changed or refused, and no file was sent."""
        return self.scope["method"] in SAFE and self.status < BAD_REQUEST and not self.is_file

    @property
    def is_cancellable(self) -> bool:
        """Whether the work can be cancelled at any point, because it has changed nothing yet."""
        caller = self.scope.get("user")
        fence = caller.tenant.fence if caller else None
        return self.scope["method"] in SAFE or bool(fence and not fence.is_crossed)

    async def wait_for_disconnect(self) -> None:
        """Wait until the client has gone. Only once the body is complete, or when there is none."""
        while (message := await self._receive())["type"] != "http.disconnect":
            self._buffered, self.is_received = cast("HTTPReceiveMessage", message), True
        cancellation(self.scope).client_has_gone = True

    async def receive(self) -> HTTPReceiveMessage:
        if self._buffered:
            message, self._buffered = self._buffered, None
            return message
        if self.is_received:  # the next message is a disconnect, which a response may wait for
            return cast("HTTPReceiveMessage", await self._receive())
        message = await self._receive_in_time()
        if message["type"] == "http.request":
            size = len(message.get("body", b""))
            self.received += size
            self.is_received = not message.get("more_body", False)
            self._progress += size
            if self._progress >= LEAST_PROGRESS:
                self._waited, self._progress = 0.0, 0
        return message

    async def _receive_in_time(self) -> HTTPReceiveMessage:
        """The next part of the body. Only the time that the server waits for the client counts.

        Raises Refused: TOO_SLOW.
        """
        began = perf_counter()
        try:
            async with asyncio.timeout(self._patience - self._waited):
                return cast("HTTPReceiveMessage", await self._receive())
        except TimeoutError:
            details = f"less than {LEAST_PROGRESS} bytes of the body came in {self._patience:g} s"
            raise Refused(TOO_SLOW, details, headers={"Connection": "close"}) from None
        finally:
            self._waited += perf_counter() - began

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._with_defaults(message["headers"])
        elif message["type"] == "http.response.body":
            if self.scope["method"] == HttpMethod.HEAD:
                message["body"] = b""  # the headers are those of the response to GET
            self.sent += len(message.get("body", b""))
        await self._send(message)

    def _with_defaults(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        complete = [(name.lower(), value) for name, value in headers]
        names = dict(complete)
        self.is_file = b"content-disposition" in names or self.status == REDIRECTED
        if names.keys().isdisjoint(HEADERS):
            complete += HEADERS.items()
        else:
            complete += [(name, value) for name, value in HEADERS.items() if name not in names]
        if b"cache-control" not in names:
            complete.append(REVALIDATE if b"etag" in names else NO_STORE)
        if b"x-request-id" not in names:
            complete.append((b"x-request-id", self.request_id.encode()))
        return complete

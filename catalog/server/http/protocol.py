"""Connections that end when the client is too slow: to send the head of a request, or to read the response.

Uvicorn has no limit for either, so a few thousand silent connections would exhaust it. Bodies have a limit of their
own, which is answered in the dialect's words: see `dialects.http.request_log`.
"""

import fcntl
import logging
import sys
import termios
from asyncio import AbstractEventLoop, TimerHandle, Transport
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from catalog.dialects.v1.errors import native
from catalog.errors import HEAD_TOO_LARGE, REQUEST, TOO_SLOW, TRANSFER_CODED, Fault, Refused
from catalog.server.http.refusals import RefusalLog

# Uvicorn warns of each request that it cannot parse, without the address and without a limit: see RefusalLog.
_SILENT = logging.getLogger(f"{__name__}.uvicorn")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
_SILENT.setLevel(logging.CRITICAL)

LARGEST_HEAD = 64 * 1024
"""The most bytes of request line and headers."""


LEAST_READ = 1024
"""Bytes of a response that a client must read within the patience."""


ONLY_ONCE = ((b"host", "Host"), (b"authorization", "Authorization"))
"""Headers that are refused when they are repeated."""


def unacknowledged(transport: Transport) -> int:
    """Bytes that are written and not acknowledged by the client, including those in the kernel's buffer."""
    waiting = transport.get_write_buffer_size()
    with suppress(OSError):
        in_kernel = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        waiting += int.from_bytes(in_kernel, sys.byteorder)
    return waiting


def refuse_framing(headers: Sequence[tuple[bytes, bytes]], http_version: str) -> None:
    """Refuse a head without exactly one host, with several credentials, or with an unsupported transfer coding.

    Of two headers a proxy and this server might each read another one. `headers` have lowercase names. Raises Refused:
    REQUEST (RFC 9112, 3.2), TRANSFER_CODED (6.1).
    """
    names = [name for name, _ in headers]
    for name, shown in ONLY_ONCE:
        if names.count(name) > 1:
            raise Refused(REQUEST, f"the request has several {shown} headers: send one")
    if b"host" not in names and http_version == "1.1":
        raise Refused(REQUEST, "the request has no Host header, which HTTP/1.1 needs")
    if b"transfer-encoding" in names:
        codings = b",".join(value for name, value in headers if name == b"transfer-encoding")
        if codings.strip().lower() != b"chunked":
            raise Refused(TRANSFER_CODED, "Transfer-Encoding: only chunked is understood, once")


class HttpConnection(HttpToolsProtocol):
    """A connection that gives the client `patience` seconds for a head, and for each LEAST_READ bytes of a response.

    Once the server `stops`, each response closes the connection, so that the next request goes elsewhere.

    The trailer section of a chunked body is dropped: uvicorn would merge it into the headers of the request, which a
    proxy in front has already checked for credentials and addresses.
    """

    def __init__(
        self,
        patience: float,
        stops: Callable[[], bool],
        refusals: RefusalLog,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.logger = _SILENT
        self._stops = stops
        self._refusals = refusals
        self.url = b""  # of the request that is arriving
        self._patience = patience
        self._head = 0  # bytes of the head that is arriving, as received; 0 when none is
        self._beside_body = 0  # bytes since the head or the last byte of the body: chunk extensions and trailers
        self._head_ends: TimerHandle | None = None
        self._reading_ends: TimerHandle | None = None
        self._unacknowledged = 0  # bytes of the response, at the last check

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._cancel_head_timer()
        self._cancel_reader_timer()

    def data_received(self, data: bytes) -> None:
        if self._head_ends is None and (self.cycle is None or self.cycle.response_complete):
            self._start_head_timer()  # also while the client still sends a body that was refused
        if self._head:
            self._head += len(data)
        self._beside_body += len(data)
        super().data_received(data)
        if self._head > LARGEST_HEAD or self._beside_body > LARGEST_HEAD:
            self._refuse(HEAD_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP. The parser reports an over-long URL this way as well."""
        if len(self.url) < LARGEST_HEAD:
            self._refuse(REQUEST, msg)
        else:
            self._refuse(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 1

    def on_body(self, body: bytes) -> None:
        self._beside_body = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self._cancel_head_timer()
        self._beside_body = 0
        try:
            self._refuse_large_head()
            refuse_framing(self.headers, self.parser.get_http_version())
        except Refused as refused:
            if self.cycle and not self.cycle.response_complete:
                self.transport.close()  # this refusal must not answer an earlier request
            self._refuse(refused.fault, refused.details)
            raise  # stops the parser: the request has no cycle of its own, and must not reach another's
        super().on_headers_complete()
        self.headers = []  # takes the fields of a trailer section, which nothing reads
        if self.cycle and self._stops():
            self.cycle.keep_alive = False

    def _refuse_large_head(self) -> None:
        # The bytes that arrived do not tell: a head may come in one piece with what precedes it.
        if len(self.url) + sum([len(name) + len(value) for name, value in self.headers]) > LARGEST_HEAD:
            raise Refused(HEAD_TOO_LARGE)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.cycle and not self.parser.should_keep_alive():  # also when a trailer says so: the parser stops there
            self.cycle.keep_alive = False

    def pause_writing(self) -> None:
        super().pause_writing()
        self._cancel_reader_timer()
        self._start_reader_timer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._cancel_reader_timer()

    def _start_head_timer(self) -> None:
        self._head_ends = self.loop.call_later(self._patience, self._end_slow_head)

    def _cancel_head_timer(self) -> None:
        self._head = 0
        if self._head_ends:
            self._head_ends.cancel()
            self._head_ends = None

    def _start_reader_timer(self) -> None:
        self._unacknowledged = unacknowledged(self.transport)
        self._reading_ends = self.loop.call_later(self._patience, self._check_reader)

    def _check_reader(self) -> None:
        # Writing resumes once nearly all of a block is read, which takes a slow reader longer than the patience.
        if self._unacknowledged - unacknowledged(self.transport) >= LEAST_READ:
            self._start_reader_timer()
        else:
            self.transport.abort()

    def _cancel_reader_timer(self) -> None:
        if self._reading_ends:
            self._reading_ends.cancel()
            self._reading_ends = None

    def _end_slow_head(self) -> None:
        self._head_ends = None
        if self._head:
            self._refuse(TOO_SLOW)
        else:  # no request has begun
            self.transport.close()

    def _refuse(self, fault: Fault, details: str = "") -> None:
        self._cancel_head_timer()
        if self.transport.is_closing():
            return
        error = native(fault)
        self._refusals.write(self.client, details or error.message)
        body = msgspec.json.encode(error.body(details))
        headers = b"content-type: application/json; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[error.status] + headers % len(body) + body)
        self.transport.close()

"""Connections that end when the client lets us wait: for the head of a request, or with an answer that nobody takes.

The HTTP server below has no limit for either, so a few thousand silent connections would use it up. Bodies have a limit
of their own, which is told in the shape of our errors: see `dialects.observed`.
"""

import fcntl
import sys
import termios
from asyncio import TimerHandle, Transport
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from catalog.dialects.v1.errors import native
from catalog.errors import HEAD_TOO_LARGE, REQUEST, TOO_SLOW, TRANSFER_CODED, Fault, Refused

LARGEST_HEAD = 64 * 1024
"""Bytes of request line and headers that are waited for."""


LEAST_TAKEN = 1024
"""Bytes of an answer that a client has to take within the patience."""


def untaken(transport: Transport) -> int:
    """Bytes that are written and that the client has not acknowledged, those in the kernel's hands included."""
    waiting = transport.get_write_buffer_size()
    with suppress(OSError):
        in_kernel = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        waiting += int.from_bytes(in_kernel, sys.byteorder)
    return waiting


def refuse_framing(headers: Iterable[tuple[bytes, bytes]], http_version: str) -> None:
    """Refuse a head without one host, or with a body that is coded in a way that is not undone here.

    `headers` have lowercase names. Raises Refused: REQUEST (RFC 9112, 3.2), TRANSFER_CODED (6.1).
    """
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1:
        raise Refused(REQUEST, "the request has several Host headers: send one")
    if not hosts and http_version == "1.1":
        raise Refused(REQUEST, "the request has no Host header, which HTTP/1.1 needs")
    codings = b",".join(value for name, value in headers if name == b"transfer-encoding")
    if codings and codings.strip().lower() != b"chunked":
        raise Refused(TRANSFER_CODED, "Transfer-Encoding: only chunked is understood, once")


class Connection(HttpToolsProtocol):
    """A client's, which may take `patience` seconds over a head, or over LEAST_TAKEN bytes of its answer.

    Of a server that `stops` it is told with each answer that it ends, so that the next request goes elsewhere.

    The trailer section of a chunked body is dropped: uvicorn would merge it into the headers of the request, where a
    proxy in front has looked for credentials and addresses already.
    """

    def __init__(self, patience: float, stops: Callable[[], bool], **given: Any) -> None:
        super().__init__(**given)
        self._stops = stops
        self.url = b""  # of the request that is arriving
        self._patience = patience
        self._head = 0  # bytes of the head that is arriving; 0 when none is
        self._head_is_whole = False  # what looks like a header from then on is a trailer
        self._beside_body = 0  # bytes since the head or the last byte of the body: chunk extensions and trailers
        self._head_ends: TimerHandle | None = None
        self._reading_ends: TimerHandle | None = None
        self._untaken = 0  # bytes of the answer, when the reader was last looked at

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._head_came()
        self._is_reading()

    def data_received(self, data: bytes) -> None:
        if self._head_ends is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()  # also for what a client still sends of a body that was refused
        if self._head:
            self._head += len(data)
        self._beside_body += len(data)
        super().data_received(data)
        if self._head > LARGEST_HEAD or self._beside_body > LARGEST_HEAD:
            self._end_with(HEAD_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP. So calls its parser an address, too, of which it cannot number the bytes."""
        if len(self.url) < LARGEST_HEAD:
            self._end_with(REQUEST, msg)
        else:
            self._end_with(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 1
        self._head_is_whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_is_whole:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._beside_body = 0
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self._head_came()
        self._head_is_whole = True
        self._beside_body = 0
        try:
            refuse_framing(self.headers, self.parser.get_http_version())
        except Refused as refused:
            if self.cycle and not self.cycle.response_complete:
                self.transport.close()  # an earlier request still awaits its answer, which this refusal is not
            self._end_with(refused.fault, refused.details)
            raise  # ends the parsing of all that has come: without a cycle of its own it must not reach another's
        super().on_headers_complete()
        if self.cycle and self._stops():
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.cycle and not self.parser.should_keep_alive():  # also when a trailer said so: the parser reads no more
            self.cycle.keep_alive = False

    def pause_writing(self) -> None:
        super().pause_writing()
        self._is_reading()
        self._await_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._is_reading()

    def _await_head(self) -> None:
        self._head_ends = self.loop.call_later(self._patience, self._too_slow)

    def _head_came(self) -> None:
        self._head = 0
        if self._head_ends:
            self._head_ends.cancel()
            self._head_ends = None

    def _await_reader(self) -> None:
        self._untaken = untaken(self.transport)
        self._reading_ends = self.loop.call_later(self._patience, self._reader_waited)

    def _reader_waited(self) -> None:
        # Writing resumes when nearly all of a block is taken, for which a slow reader needs more than the patience.
        if self._untaken - untaken(self.transport) >= LEAST_TAKEN:
            self._await_reader()
        else:
            self.transport.abort()

    def _is_reading(self) -> None:
        if self._reading_ends:
            self._reading_ends.cancel()
            self._reading_ends = None

    def _too_slow(self) -> None:
        self._head_ends = None
        if self._head:
            self._end_with(TOO_SLOW)
        else:  # who has asked nothing is told nothing
            self.transport.close()

    def _end_with(self, fault: Fault, details: str = "") -> None:
        self._head_came()
        if self.transport.is_closing():
            return
        error = native(fault)
        content = {"status": error.status, "value": error.value, "message": error.message}
        body = msgspec.json.encode(content | {"details": details} if details else content)
        headers = b"content-type: application/json; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[error.status] + headers % len(body) + body)
        self.transport.close()

"""Sockets, certificates and signals: makes the app answer, and says where.

Importing this room imports all the others, which takes as long as the embedded database
needs to start: `catalog.commands.cli` starts the database first.
"""

import asyncio
import contextlib
import functools
import logging
import signal
import socket
import sys
from collections.abc import Callable, Generator
from time import monotonic
from types import FrameType
from typing import Any, NamedTuple

import uvicorn
import uvloop
from litestar import Litestar
from uvicorn.server import HANDLED_SIGNALS, ServerState

from catalog.app import FirstStart, create_app
from catalog.blobs.protocol import StorageSetupError
from catalog.dialects.ops import file_descriptors
from catalog.dialects.ops.worker_metrics import Colleagues
from catalog.domain.health import Health
from catalog.errors import Refused
from catalog.server import banner, logs
from catalog.server.certificates import Renewable, is_real, names_of
from catalog.server.protocol import Connection
from catalog.server.redirect import Redirect
from catalog.server.sockets import BACKLOG, GRACE, RESOURCES, Doors, ListenError, address, certificate, local, opened
from catalog.settings.settings import Settings
from catalog.store.embedded.process import DatabaseUnavailable

logger = logging.getLogger(__name__)

LAST_CALL = 0.25  # seconds after the last connection was taken for its request to come
RENEWAL = 30  # seconds between two looks at the certificates
BEAT = 1.0  # seconds between two signs of life to the parent process
KEEP_ALIVE = 75  # seconds that a connection may idle: longer than the minute after which proxies let go of theirs
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


def serve(settings: Settings, database_uri: Callable[[], str], token_kept_in: str) -> int:
    """Answer requests until a signal, and return the exit code of the process.

    `database_uri` may wait until the database is there; `token_kept_in` tells the operator where API_TOKEN is.
    """
    logs.configure(settings.log_format)
    file_descriptors.raise_limit()

    def serving() -> None:
        with opened(settings) as doors:

            def announce(first: FirstStart | None) -> None:
                logs.tell(banner.lines(settings, first, address(settings, doors), token_kept_in))
                banner.warn(settings)

            answer(settings, doors, database_uri(), announce)

    return exit_code_of(serving)


def exit_code_of(serving: Callable[[], None]) -> int:
    """Serve. What stops a start is told in a sentence."""
    code = 0
    try:
        serving()
    # With a star: what stops the start of the app comes out of Litestar in a group.
    except* (ListenError, DatabaseUnavailable, Refused, StorageSetupError) as errors:
        sys.stderr.writelines(f"{error}\n" for error in errors.exceptions)
        code = 1
    return code


def answer(
    settings: Settings,
    doors: Doors,
    database_uri: str,
    announce: Callable[[FirstStart | None], None],
    colleagues: Colleagues | None = None,
    beat: Callable[[], None] | None = None,
) -> None:
    """Answer requests until a signal. `announce` is told when they can come, and of the tenant that was made.

    `beat` is called every second from the event loop, for a parent process to see that it still turns.
    """
    app = create_app(settings, database_uri, colleagues)
    health: Health = app.state.health
    connection = functools.partial(Connection, settings.client_timeout.total_seconds(), lambda: health.stopping)
    server = Server(
        _config(app, doors.tls, connection),
        lambda: announce(app.state.first_start),
        health,
        settings.stop_delay.total_seconds(),
        _plain(settings, doors),
        beat,
    )
    if doors.reserved:
        server.await_certificate(settings, doors)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_answer(app, server, doors.main))


async def _answer(app: Litestar, server: "Server", listener: socket.socket) -> None:
    # Entered here rather than by uvicorn, which would print the trace of a start that fails and keep the exception.
    async with app.lifespan():
        await server.serve(sockets=[listener])


async def _beating(beat: Callable[[], None]) -> None:
    while True:
        beat()
        await asyncio.sleep(BEAT)


class Plain(NamedTuple):
    """The listener of plain HTTP beside that of HTTPS, and what answers there."""

    listener: socket.socket
    app: Redirect


class Server(uvicorn.Server):
    """Uvicorn that returns when a signal has stopped it, and says when it can be reached.

    From the signal on it is not ready, and still answers for `stop_delay` seconds, for balancers to see that; another
    signal ends that.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        health: Health,
        stop_delay: float = 0,
        plain: Plain | None = None,
        beat: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(config)
        self._beat = beat
        self.announce = announce
        self.health = health
        self.stop_delay = stop_delay
        self.plain = plain
        self._descriptors = file_descriptors.Watch()
        self._signals = 0
        self._stops: float | None = None  # when, once it was told to

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._signals += 1
        super().handle_exit(sig, frame)

    def await_certificate(self, settings: Settings, doors: Doors) -> None:
        """Serve HTTPS as well, without a restart, as soon as there is a certificate."""

        async def look() -> None:
            tls = certificate(settings, warn=False)
            if tls:
                self.config.callback_notify = None
                await self._begin_https(settings, doors._replace(tls=tls))

        self.config.callback_notify = look

    async def _begin_https(self, settings: Settings, doors: Doors) -> None:
        """From now on HTTPS is served, and with HTTP_REDIRECT new connections to plain HTTP are redirected to it."""
        assert doors.reserved
        assert doors.tls
        plain_config = self.config
        self.config = _config(plain_config.app, doors.tls, plain_config.http)
        self.config.load()
        connection: Any = self.config.http_protocol_class
        try:
            listening = await asyncio.get_running_loop().create_server(
                lambda: connection(config=self.config, server_state=self.server_state, app_state={}),
                sock=doors.reserved,
                ssl=doors.tls.context,
                backlog=BACKLOG,
            )
        except OSError as failure:
            logger.warning("HTTPS_PORT %d cannot be listened on (%s)", settings.https_port, failure.strerror)
            return
        self.servers.append(listening)
        logger.warning("a certificate is in %s/ now: HTTPS is on port %d", RESOURCES, doors.reserved.getsockname()[1])
        if settings.http_redirect:
            plain_config.loaded_app = _redirect(settings, doors.tls, doors.reserved)
            for connection_of_before in list(self.server_state.connections):
                connection_of_before.shutdown()  # once it has its answer

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            self._descriptors.look()
        if not await super().on_tick(counter):
            return False
        self.health.stopping = True
        self._stops = self._stops or monotonic() + self.stop_delay
        return self._signals > 1 or monotonic() >= self._stops

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.health.ending = True
        # Uvicorn closes idle connections at once, also where the request is on its way.
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        if self.server_state.connections and self._signals < 2:  # noqa: PLR2004  another signal is for haste
            await asyncio.sleep(LAST_CALL)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # Uvicorn's own raises the signal again at the end: nothing after it would run, and the database would be left.
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.plain:
            self.servers.append(await self._plain_server(self.plain))
        self.announce()
        if self._beat:
            self._beating = asyncio.create_task(_beating(self._beat))  # ends with the event loop

    async def _plain_server(self, plain: Plain) -> asyncio.Server:
        config = _usual(plain.app, self.config.http)
        config.load()
        connection: Any = config.http_protocol_class
        state = ServerState()  # of its own: what HTTPS answers is not all fit for plain HTTP
        return await asyncio.get_running_loop().create_server(
            lambda: connection(config=config, server_state=state, app_state={}), sock=plain.listener, backlog=BACKLOG
        )


def _config(app: Any, tls: Renewable | None, connection: Any) -> uvicorn.Config:
    async def renew() -> None:
        if tls:
            for warning in tls.refresh():
                logger.warning("%s", warning)
            config.encoded_headers = _strictly(tls)

    config = _usual(
        app,
        connection,
        ssl_context_factory=(lambda _config, _default: tls.context) if tls else None,
        headers=[(name.decode(), value.decode()) for name, value in _strictly(tls)],
        callback_notify=renew,
        timeout_notify=RENEWAL,
    )
    return config


def _usual(app: Any, connection: Any, **particular: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=connection,
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=True,
        # With pipelining, uvicorn hands a request the context of the one before.
        reset_contextvars=True,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        **particular,
    )


def _strictly(tls: Renewable | None) -> list[tuple[bytes, bytes]]:
    """What else stands in every answer: nobody is bound for a year to a certificate that he trusts for today."""
    return [STRICT_TRANSPORT] if tls and is_real(tls.choice) else []


def _plain(settings: Settings, doors: Doors) -> Plain | None:
    if doors.plain is None or doors.tls is None:
        return None
    return Plain(doors.plain, _redirect(settings, doors.tls, doors.main))


def _redirect(settings: Settings, tls: Renewable, listener: socket.socket) -> Redirect:
    """Redirects to the port of `listener`, at a name of the certificate."""
    names = names_of(tls.choice.leaf)
    known = [name for name in names if "*" not in name and name != "localhost"]
    host = known[0] if known else local(settings.host)
    return Redirect(names, host, listener.getsockname()[1])

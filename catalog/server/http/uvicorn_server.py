"""Uvicorn, as this server runs it: its settings, its certificates and its end."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Generator
from time import monotonic
from types import FrameType
from typing import Any, NamedTuple

import uvicorn
from uvicorn.server import HANDLED_SIGNALS, ServerState

from catalog.dialects.ops import file_descriptors
from catalog.domain.health import Health
from catalog.server.certificates import RenewableCertificate, is_real, names_of
from catalog.server.http.redirect import Redirect
from catalog.server.sockets import (
    BACKLOG,
    GRACE,
    RESOURCES,
    Listeners,
    client_host,
    load_certificate,
)
from catalog.settings.settings import Settings

logger = logging.getLogger(__name__)

LAST_CALL = 0.25  # seconds that the last accepted connections have to send their request
RENEWAL = 30  # seconds between two checks of the certificates
HEARTBEAT_INTERVAL = 0.5  # seconds, half of what the parent waits for one
KEEP_ALIVE = 75  # seconds that a connection may idle: longer than the minute after which proxies close theirs
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


async def _send_heartbeats(send_heartbeat: Callable[[], None]) -> None:
    while True:
        send_heartbeat()
        await asyncio.sleep(HEARTBEAT_INTERVAL)


class RedirectListener(NamedTuple):
    """The socket of plain HTTP beside that of HTTPS, and the application that answers there."""

    listener: socket.socket
    app: Redirect


class UvicornServer(uvicorn.Server):
    """Uvicorn that returns when a signal has stopped it, and announces when it can be reached.

    From the signal on it is not ready, and still answers for `stop_delay` seconds, so that balancers notice; another
    signal ends that delay.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        health: Health,
        stop_delay: float = 0,
        plain: RedirectListener | None = None,
        send_heartbeat: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(config)
        self._send_heartbeat = send_heartbeat
        self.announce = announce
        self.health = health
        self.stop_delay = stop_delay
        self.plain = plain
        self._descriptors = file_descriptors.DescriptorWatch()
        self._signals = 0
        self._stops: float | None = None  # when it ends, once a signal has come

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._signals += 1
        super().handle_exit(sig, frame)

    def reload_certificates(self, _signal: int, _frame: FrameType | None) -> None:
        """Look at the certificates at the next tick, not only after RENEWAL seconds."""
        self.last_notified = 0.0

    def await_certificate(self, settings: Settings, listeners: Listeners) -> None:
        """Serve HTTPS as well, without a restart, as soon as there is a certificate."""

        async def check() -> None:
            tls = load_certificate(settings).tls
            if tls:
                self.config.callback_notify = None
                await self._begin_https(settings, listeners._replace(tls=tls))

        self.config.callback_notify = check

    async def _begin_https(self, settings: Settings, listeners: Listeners) -> None:
        """Serve HTTPS from now on. With HTTP_REDIRECT new connections to plain HTTP are redirected."""
        assert listeners.reserved
        assert listeners.tls
        plain_config = self.config
        self.config = server_config(plain_config.app, listeners.tls, plain_config.http)
        self.config.load()
        connection: Any = self.config.http_protocol_class
        try:
            listening = await asyncio.get_running_loop().create_server(
                lambda: connection(config=self.config, server_state=self.server_state, app_state={}),
                sock=listeners.reserved,
                ssl=listeners.tls.context,
                backlog=BACKLOG,
            )
        except OSError as failure:
            logger.warning("HTTPS_PORT %d cannot be listened on (%s)", settings.https_port, failure.strerror)
            return
        self.servers.append(listening)
        logger.warning(
            "a certificate is in %s/ now: HTTPS is on port %d", RESOURCES, listeners.reserved.getsockname()[1]
        )
        if settings.http_redirect:
            plain_config.loaded_app = _redirect(settings, listeners.tls, listeners.reserved)
            for earlier in list(self.server_state.connections):
                earlier.shutdown()  # once it has its answer

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            self._descriptors.check()
        if not await super().on_tick(counter):
            return False
        self.health.stopping = True
        self._stops = self._stops or monotonic() + self.stop_delay
        return self._signals > 1 or monotonic() >= self._stops

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.main_loop()  # uvicorn leaves it out when the signal comes at the very end of the start
        self.health.ending = True
        # Uvicorn closes idle connections at once, also where a request is on its way.
        for listener in (*self.servers, *(sockets or ())):
            listener.close()
        if self.server_state.connections and self._signals < 2:  # noqa: PLR2004  another signal is for haste
            await asyncio.sleep(LAST_CALL)
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # Uvicorn's own raises the signal again at the end: the code that ends the database would not run.
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, self.reload_certificates)
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
        if self._send_heartbeat:
            self._heartbeats = asyncio.create_task(_send_heartbeats(self._send_heartbeat))  # ends with the event loop

    async def _plain_server(self, plain: RedirectListener) -> asyncio.Server:
        config = base_config(plain.app, self.config.http)
        config.load()
        connection: Any = config.http_protocol_class
        state = ServerState()  # of its own: the headers of HTTPS do not fit plain HTTP
        return await asyncio.get_running_loop().create_server(
            lambda: connection(config=config, server_state=state, app_state={}), sock=plain.listener, backlog=BACKLOG
        )


def server_config(app: Any, tls: RenewableCertificate | None, connection: Any) -> uvicorn.Config:
    async def renew() -> None:
        if tls:
            before = tls.choice
            for warning in tls.refresh():
                logger.warning("%s", warning)
            if tls.choice is not before and tls.choice.leaf:
                ends = tls.choice.leaf.not_valid_after_utc
                logger.info("new connections get %s, valid until %s", tls.choice.certificate, f"{ends:%Y-%m-%d}")
            config.encoded_headers = _transport_headers(tls)

    config = base_config(
        app,
        connection,
        ssl_context_factory=(lambda _config, _default: tls.context) if tls else None,
        headers=[(name.decode(), value.decode()) for name, value in _transport_headers(tls)],
        callback_notify=renew,
        timeout_notify=RENEWAL,
    )
    return config


def base_config(app: Any, connection: Any, **options: Any) -> uvicorn.Config:
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
        # With pipelining, uvicorn runs a request in the context of the one before.
        reset_contextvars=True,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        **options,
    )


def _transport_headers(tls: RenewableCertificate | None) -> list[tuple[bytes, bytes]]:
    """Strict-Transport-Security, unless the certificate is self-signed: it binds a client for a year."""
    return [STRICT_TRANSPORT] if tls and is_real(tls.choice) else []


def redirect_listener(settings: Settings, listeners: Listeners) -> RedirectListener | None:
    if listeners.plain is None or listeners.tls is None:
        return None
    return RedirectListener(listeners.plain, _redirect(settings, listeners.tls, listeners.main))


def _redirect(settings: Settings, tls: RenewableCertificate, listener: socket.socket) -> Redirect:
    """Redirects to the port of `listener`, at a name of the certificate."""
    names = names_of(tls.choice.leaf)
    known = [name for name in names if "*" not in name and name != "localhost"]
    host = known[0] if known else client_host(settings.host)
    return Redirect(names, host, listener.getsockname()[1])

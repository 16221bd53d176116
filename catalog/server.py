"""Ports, certificates and signals: makes the app answer, and says where.

Importing this room imports all the others, which takes as long as the embedded database
needs to start: `catalog.cli` starts the database first.
"""

import asyncio
import contextlib
import functools
import json
import logging
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any, NamedTuple

import uvicorn
import uvloop
from litestar import Litestar
from uvicorn.server import HANDLED_SIGNALS, ServerState

from catalog import logs
from catalog.app import FirstStart, create_app
from catalog.blobs import StorageUnusable
from catalog.certificates import Renewable, choose, is_real, names_of
from catalog.connections import Connection
from catalog.domain.health import Health
from catalog.errors import Refused
from catalog.redirect import Redirect
from catalog.settings import Settings
from catalog.store.embedded import DatabaseUnavailable

logger = logging.getLogger(__name__)

RESOURCES = Path("resources")
GRACE = 30  # seconds that requests in flight are given to end
RENEWAL = 30  # seconds between two looks at the certificates
KEEP_ALIVE = 75  # seconds that a connection may idle: longer than the minute after which proxies let go of theirs
BACKLOG = 2048
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  shown, not listened on


class CannotListen(Exception):  # noqa: N818  the sentence it reads as matters more than the suffix
    """Names the setting to change."""


def serve(settings: Settings, database_uri: Callable[[], str], token_kept_in: str) -> int:
    """Answer requests until a signal, and return the exit code of the process.

    `database_uri` may wait until the database is there; `token_kept_in` tells the operator where API_TOKEN is.
    """
    logs.configure(settings.log_format)
    code = 0
    try:
        tls = _tls(settings)
        with _listen(settings, is_tls=tls is not None) as listener, _plain(settings, tls, listener) as plain:
            app = create_app(settings, database_uri())
            address = _address(settings, tls is not None, listener)
            server = Server(
                _config(app, tls, settings.client_timeout.total_seconds()),
                lambda: _announce(app, settings, address, token_kept_in),
                app.state.health,
                settings.stop_delay,
                plain,
            )
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_answer(app, server, listener))
    # With a star: what stops the start of the app comes out of Litestar in a group.
    except* (CannotListen, DatabaseUnavailable, Refused, StorageUnusable) as errors:
        sys.stderr.writelines(f"{error}\n" for error in errors.exceptions)
        code = 1
    return code


async def _answer(app: Litestar, server: "Server", listener: socket.socket) -> None:
    # Entered here rather than by uvicorn, which would print the trace of a start that fails and keep the exception.
    async with app.lifespan():
        await server.serve(sockets=[listener])


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
    ) -> None:
        super().__init__(config)
        self.announce = announce
        self.health = health
        self.stop_delay = stop_delay
        self.plain = plain
        self._signals = 0
        self._stops: float | None = None  # when, once it was told to

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._signals += 1
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if not await super().on_tick(counter):
            return False
        self.health.stopping = True
        self._stops = self._stops or monotonic() + self.stop_delay
        return self._signals > 1 or monotonic() >= self._stops

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

    async def _plain_server(self, plain: Plain) -> asyncio.Server:
        config = _usual(plain.app, self.config.http)
        config.load()
        connection: Any = config.http_protocol_class
        state = ServerState()  # of its own: what HTTPS answers is not all fit for plain HTTP
        return await asyncio.get_running_loop().create_server(
            lambda: connection(config=config, server_state=state, app_state={}), sock=plain.listener, backlog=BACKLOG
        )


def _config(app: Litestar, tls: Renewable | None, patience: float) -> uvicorn.Config:
    async def renew() -> None:
        if tls:
            for warning in tls.refresh():
                logger.warning("%s", warning)
            config.encoded_headers = _strictly(tls)

    config = _usual(
        app,
        functools.partial(Connection, patience),
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


def _tls(settings: Settings) -> Renewable | None:
    if settings.protocol == "http":
        return None
    choice = choose(RESOURCES, settings.httpssecret.get_secret_value())
    for warning in choice.warnings:
        logger.warning("%s", warning)
    if choice.context is None:
        logger.warning("no certificate in %s/: serving plain HTTP", RESOURCES)
        return None
    if choice.is_self_signed:
        logger.warning("the certificate is self-signed: clients have to be told to trust %s", choice.certificate)
    return Renewable(RESOURCES, settings.httpssecret.get_secret_value(), choice)


@contextlib.contextmanager
def _plain(settings: Settings, tls: Renewable | None, secure: socket.socket) -> Generator[Plain | None]:
    if not settings.http_redirect:
        yield None
        return
    if tls is None:
        logger.warning("HTTP_REDIRECT is set, and there is no HTTPS to send anyone on to")
        yield None
        return
    names = names_of(tls.choice.leaf)
    host = ANY_ADDRESS.get(settings.host, settings.host)
    known = [name for name in names if "*" not in name and name != "localhost"]
    with _listen(settings, is_tls=False) as listener:
        yield Plain(listener, Redirect(names, known[0] if known else host, secure.getsockname()[1]))


def _listen(settings: Settings, *, is_tls: bool) -> socket.socket:
    name, port = ("HTTPS_PORT", settings.https_port) if is_tls else ("HTTP_PORT", settings.http_port)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = (error.strerror or "").partition(" (")[0].lower()
        raise CannotListen(f"{name} {port} of HOST {settings.host} cannot be listened on: {why}") from error


def _address(settings: Settings, is_tls: bool, listener: socket.socket) -> str:
    host = ANY_ADDRESS.get(settings.host, settings.host)
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if is_tls else 'http'}://{shown}:{listener.getsockname()[1]}"


def _announce(app: Litestar, settings: Settings, address: str, token_kept_in: str) -> None:
    lines = [f"Catalog is on {address}"]
    first: FirstStart | None = app.state.first_start
    if first:
        lines += _welcome(settings, first, f"{address}/{settings.version}/login", token_kept_in)
    else:
        who = f"{settings.default_tenant_admin_username} of {settings.default_tenant}"
        lines += [
            f"The operator's API_TOKEN is in {token_kept_in}.",
            f"Sign in as {who}, with the password that the first start told of.",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    if settings.default_tenant_admin_temporary_password.get_secret_value() == "admin":
        logger.warning("DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD is `admin`: change that password, then the setting")


def _welcome(settings: Settings, first: FirstStart, login: str, token_kept_in: str) -> list[str]:
    if settings.default_tenant_admin_temporary_password.get_secret_value():
        password, shown = "...", "that of DEFAULT_TENANT_ADMIN_TEMPORARY_PASSWORD; put it in place of the dots below"
    else:
        password, shown = first.password, f"{first.password} (shown this once)"
    # A certificate for the public name, or a self-signed one, does not convince curl at this address.
    insecure = "-k " if login.startswith("https") else ""
    body = json.dumps({"username": first.username, "password": password, "tenant": first.tenant})
    return [
        "",
        f"The tenant {first.tenant} was made. Its administrator:",
        f"  username: {first.username}",
        f"  password: {shown}",
        f"The operator's API_TOKEN is in {token_kept_in}.",
        "",
        "Sign in with:",
        f"  curl {insecure}{login} -H 'Content-Type: application/json' -d {shlex.quote(body)}",
    ]

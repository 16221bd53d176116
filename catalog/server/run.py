"""Sockets, certificates and signals: runs the application until a signal stops it.

Importing this module imports the whole server, which takes as long as the embedded database needs to start:
`catalog serve` starts the database first.
"""

import asyncio
import functools
import sys
from collections.abc import Callable

import uvloop
from litestar import Litestar

from catalog.app import FirstStart, create_app
from catalog.blobs.protocol import StorageSetupError
from catalog.dialects.ops import file_descriptors
from catalog.dialects.ops.worker_metrics import WorkerMetrics
from catalog.domain.health import Health
from catalog.errors import Refused
from catalog.server import banner, logs
from catalog.server.collection import freeze_started, paused_collection
from catalog.server.http import starting
from catalog.server.http.protocol import HttpConnection
from catalog.server.http.refusals import RefusalLog
from catalog.server.http.uvicorn_server import UvicornServer, base_config, redirect_listener, server_config
from catalog.server.sockets import ListenError, Listeners, LoadedCertificate, base_url, listen
from catalog.settings.settings import Settings
from catalog.store.embedded.process import DatabaseUnavailable


def serve(
    settings: Settings, certificate: LoadedCertificate, database_uri: Callable[[], str], token_location: str
) -> int:
    """Answer requests until a signal, and return the exit code of the process.

    `database_uri` waits until the database has started; `token_location` says where API_TOKEN is.
    """
    logs.configure(settings.log_format)
    file_descriptors.raise_limit()

    def serving() -> None:
        with listen(settings, certificate) as listeners:

            def announce(first: FirstStart | None) -> None:
                logs.print_lines(banner.lines(settings, first, base_url(settings, listeners), token_location))
                banner.warn_of_weak_secrets(settings)

            run_app(settings, listeners, database_uri(), announce)

    return exit_code_of(serving)


def exit_code_of(serving: Callable[[], None]) -> int:
    """Serve, and print what stops a start as one sentence."""
    code = 0
    try:
        serving()
    # With a star: what stops the start of the app comes out of Litestar in a group.
    except* (ListenError, DatabaseUnavailable, Refused, StorageSetupError) as errors:
        sys.stderr.writelines(f"{error}\n" for error in errors.exceptions)
        code = 1
    return code


def run_app(
    settings: Settings,
    listeners: Listeners,
    database_uri: str,
    announce: Callable[[FirstStart | None], None],
    worker_metrics: WorkerMetrics | None = None,
    send_heartbeat: Callable[[], None] | None = None,
    *,
    is_alone: bool = True,
) -> None:
    """Answer requests until a signal.

    `announce` is called once the server can be reached, with the tenant of a first start.

    `send_heartbeat` is called every HEARTBEAT_INTERVAL by the event loop, for a parent process to see that it responds.

    `is_alone`: no other process answers at the same sockets. A start that takes long then answers that it is live and
    not ready.
    """
    with paused_collection():
        app = create_app(settings, database_uri, worker_metrics)
    health: Health = app.state.health
    patience = settings.client_timeout.total_seconds()
    connection = functools.partial(HttpConnection, patience, lambda: health.stopping, RefusalLog())
    server = UvicornServer(
        server_config(app, listeners.tls, connection),
        lambda: announce(app.state.first_start),
        health,
        settings.stop_delay.total_seconds(),
        redirect_listener(settings, listeners),
        send_heartbeat,
    )
    if listeners.reserved:
        server.await_certificate(settings, listeners)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run_app(app, server, listeners, is_alone=is_alone))


async def _run_app(app: Litestar, server: "UvicornServer", listeners: Listeners, *, is_alone: bool) -> None:
    config = base_config(starting.starting_app, server.config.http)
    tls = listeners.tls.context if listeners.tls else None
    answering = asyncio.create_task(starting.answer(config, listeners.main, tls) if is_alone else asyncio.sleep(0))
    # Entered here rather than by uvicorn, which would print the trace of a start that fails and keep the exception.
    async with app.lifespan():
        answering.cancel()
        await asyncio.wait([answering])
        freeze_started()
        await server.serve(sockets=[listeners.main])

"""Answers while the server starts: it is live, and not ready.

A start waits for the database as long as DATABASE_WAIT. An orchestrator that asks `/health/live` meanwhile must not
restart the server for it.
"""

import asyncio
import socket
import ssl
from typing import Any

import msgspec
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.server import ServerState

from catalog.dialects.v1.errors import native
from catalog.errors import DATABASE_AWAY

QUICK = 5.0
"""Seconds in which a start is over that waits for nothing, also on a slow machine.

Requests that arrive meanwhile wait in the listener's queue: a proxy that does not ask whether a server is ready, such
as nginx, would pass on the refusal.
"""

LIVE = b'{"status":"live"}'


async def starting_app(scope: Scope, _receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer `/health/live` with 200 and everything else with 503."""
    assert scope["type"] == "http"
    if scope["path"] == "/health/live":
        status, body = 200, LIVE
    else:
        error = native(DATABASE_AWAY)
        status, body = error.status, msgspec.json.encode(error.body())
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"retry-after", b"1"),
        (b"connection", b"close"),  # the next request goes to the server itself
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def answer(config: uvicorn.Config, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
    """Answer on `listener` until cancelled, with connections of the kind that `config` names."""
    await asyncio.sleep(QUICK)
    config.load()
    connection: Any = config.http_protocol_class
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: connection(config=config, server_state=state, app_state={}), sock=listener.dup(), ssl=tls
    )
    try:
        await server.serve_forever()
    finally:
        server.close()
        for each in list(state.connections):
            each.shutdown()

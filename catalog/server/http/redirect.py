"""Redirects plain HTTP to HTTPS. No part of a request is passed on, and no body is read."""

from collections.abc import Sequence

import msgspec
from litestar.types import HTTPScope, Receive, Scope, Send

STANDARD = 443


class Redirect:
    """An ASGI application. `names` are those of the certificate: it never redirects to another host."""

    def __init__(self, names: Sequence[str], host: str, port: int) -> None:
        self._names = frozenset(names)
        self._host = host  # for requests that name none of them
        self._port = port

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        location = self.location(scope)  # type: ignore[arg-type]  # the listener speaks HTTP only
        body = msgspec.json.encode({"location": location})
        headers = [
            (b"location", location.encode("latin-1")),
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),  # the next request should not come this way
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 308, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def location(self, scope: HTTPScope) -> str:
        host_header = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        host = without_port(host_header).lower()
        target = host if self._is_ours(host) else self._host
        shown = f"[{target}]" if ":" in target else target
        port = "" if self._port == STANDARD else f":{self._port}"
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        path = scope["raw_path"].decode("latin-1")
        return f"https://{shown}{port}{path if path.startswith('/') else '/'}{query}"

    def _is_ours(self, host: str) -> bool:
        return host in self._names or f"*.{host.partition('.')[2]}" in self._names


def without_port(host: str) -> str:
    """The name in a Host header: `[::1]:80` is `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]

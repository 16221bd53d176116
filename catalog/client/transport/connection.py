"""What both drivers share. Only this module and the drivers import the HTTP library."""

import ssl
from collections.abc import Mapping
from typing import Any, TypedDict
from urllib.parse import urlsplit

import httpx

from catalog import __version__
from catalog.client.errors import CatalogError, Invalid, Unavailable, Untrusted
from catalog.client.transport.effects import Request, Response

CONNECT = 10.0  # seconds
IDLE = 4.0
"""Seconds that an idle connection stays in the pool: less than a server keeps it open."""

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError)

MAX_CONNECTIONS = 32
"""Connections to one server."""


class ClientArguments(TypedDict):
    """Arguments that both client classes of the HTTP library take."""

    base_url: str
    verify: ssl.SSLContext
    timeout: httpx.Timeout
    limits: httpx.Limits
    headers: Mapping[str, str]


def client_arguments(url: str, timeout: float, ca: str) -> ClientArguments:
    """Raises Invalid if `url` is not an HTTP address or `ca` cannot be read as certificates."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise Invalid(f"{url!r} is not the address of a catalog", advice="Write it as http://127.0.0.1:8080.")
    return ClientArguments(
        base_url=url,
        verify=_trust(ca),
        timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT)),
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=IDLE),
        headers={"User-Agent": f"catalog/{__version__}", "Accept": "application/json, */*"},
    )


def _trust(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca:
        try:
            context.load_verify_locations(ca)
        except OSError as error:  # an SSLError is one
            raise Invalid(f"{ca} cannot be read as certificates ({error.strerror or error})") from None
    return context


def request_arguments(request: Request, content: Any, timeout: float) -> dict[str, Any]:
    """A request as keyword arguments of the HTTP library; `content` is its body in the form that the driver sends."""
    headers = dict(request.headers)
    if request.body is not None and not isinstance(request.body, bytes):
        headers["Content-Length"] = str(request.body.size)
    return {
        "method": request.method,
        "url": request.path,
        "params": dict(request.query) or None,
        "headers": headers,
        "content": content,
        "timeout": httpx.Timeout(request.timeout or timeout, connect=min(timeout, CONNECT)),
    }


def to_response(response: httpx.Response, content: bytes = b"") -> Response:
    return Response(response.status_code, dict(response.headers), content)


def as_catalog_error(error: Exception, url: str) -> CatalogError:
    """Translate an exception of the HTTP library."""
    reason = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return Untrusted(f"The certificate of {url} is not trusted here ({reason})")
    lost = Unavailable(f"{url} does not answer ({reason})")
    lost.sent = not isinstance(error, NOT_SENT)
    return lost

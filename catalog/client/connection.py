"""What both drivers have in common: the HTTP library, kept behind this file and the two of them."""

import ssl
from collections.abc import Mapping
from typing import Any, TypedDict
from urllib.parse import urlsplit

import httpx

from catalog import __version__
from catalog.client.effects import Answer, Request
from catalog.client.errors import CatalogError, Invalid, Unavailable, Untrusted

CONNECT = 10.0  # seconds
IDLE = 4.0
"""Seconds that an idle connection is used again: less than a server keeps it open."""

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)
TROUBLE = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError)

ATTEMPTS_AT_ONCE = 32
"""Connections to one server."""


class Setup(TypedDict):
    """The arguments of both clients of the HTTP library."""

    base_url: str
    verify: ssl.SSLContext
    timeout: httpx.Timeout
    limits: httpx.Limits
    headers: Mapping[str, str]


def setup(url: str, timeout: float, ca: str) -> Setup:
    """Raises Invalid for what is no address, or no certificate."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise Invalid(f"{url!r} is not the address of a catalog", advice="Write it as http://127.0.0.1:8080.")
    return Setup(
        base_url=url,
        verify=_trust(ca),
        timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT)),
        limits=httpx.Limits(max_connections=ATTEMPTS_AT_ONCE, keepalive_expiry=IDLE),
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


def sent(request: Request, content: Any, timeout: float) -> dict[str, Any]:
    """A request as the HTTP library takes it, its body as the driver gives it."""
    headers = dict(request.headers)
    if request.body is not None and not isinstance(request.body, bytes):
        headers["Content-Length"] = str(request.body.size)
    return {
        "method": request.method,
        "url": request.path,
        "params": dict(request.query) or None,
        "headers": headers,
        "content": content,
        "timeout": httpx.Timeout(request.patience or timeout, connect=min(timeout, CONNECT)),
    }


def answer(response: httpx.Response, content: bytes = b"") -> Answer:
    return Answer(response.status_code, dict(response.headers), content)


def failed(error: Exception, url: str) -> CatalogError:
    """Our word for the HTTP library's."""
    reason = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return Untrusted(f"The certificate of {url} is not trusted here ({reason})")
    lost = Unavailable(f"{url} does not answer ({reason})")
    lost.sent = not isinstance(error, NOT_SENT)
    return lost

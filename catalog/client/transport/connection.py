"""What both drivers share. Only this module and the drivers import the HTTP library."""

import ssl
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from typing import Protocol, TypedDict, TypeVar, Unpack
from urllib.parse import urlsplit

import httpx

from catalog import __version__
from catalog.client.addresses import checked_address
from catalog.client.errors import Invalid
from catalog.client.transport.effects import Request, Response
from catalog.client.transport.proxies import proxy_of

CONNECT = 10.0  # seconds
IDLE = 4.0
"""Seconds that an idle connection stays in the pool: less than a server keeps it open."""

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
    trust_env: bool


ClientT_co = TypeVar("ClientT_co", covariant=True)


class ClientClass(Protocol[ClientT_co]):
    def __call__(self, **arguments: Unpack[ClientArguments]) -> ClientT_co: ...


SentBody = bytes | Iterable[bytes] | AsyncIterable[bytes] | None


class RequestArguments(TypedDict):
    """Arguments with which both client classes of the HTTP library send a request."""

    method: str
    url: str
    params: Mapping[str, str | Sequence[str]] | None
    headers: Mapping[str, str]
    content: SentBody
    timeout: httpx.Timeout


def http_client(kind: ClientClass[ClientT_co], url: str, timeout: float, ca: str) -> ClientT_co:
    """A client of the HTTP library. Raises Invalid, also for a proxy that it cannot use."""
    try:
        return kind(**client_arguments(url, timeout, ca))
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        proxy = proxy_of(url)
        if proxy is None:
            raise
        advice = f"Put {urlsplit(url).hostname} into NO_PROXY if it is reached without a proxy."
        if proxy.address.startswith("socks"):
            advice += " A SOCKS proxy needs: pip install 'httpx[socks]'."
        raise Invalid(f"The proxy {proxy} cannot be used ({str(error).partition('.')[0]})", advice=advice) from None


def refuse_closed(client: httpx.Client | httpx.AsyncClient) -> None:
    """Raises Invalid."""
    if client.is_closed:
        raise Invalid("This client is closed", advice="Create another one.")


def client_arguments(url: str, timeout: float, ca: str) -> ClientArguments:
    """Raises Invalid if `url` is not an HTTP address or `ca` cannot be read as certificates."""
    return ClientArguments(
        base_url=checked_address(url),
        verify=_trust(ca),
        timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT)),
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=IDLE),
        trust_env=proxy_of(url) is not None,
        headers={"User-Agent": f"catalog/{__version__}", "Accept": "application/json, */*"},
    )


def _trust(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca:
        try:
            context.load_verify_locations(ca)
        except ssl.SSLError:  # an OSError, whose text is in the words of OpenSSL
            raise Invalid(f"{ca} cannot be read as certificates (it has none in PEM form)") from None
        except OSError as error:
            raise Invalid(f"{ca} cannot be read as certificates ({error.strerror or error})") from None
    return context


def request_arguments(request: Request, content: SentBody, timeout: float) -> RequestArguments:
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

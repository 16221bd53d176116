"""What is wrong when there is no response, in one sentence: the exceptions of the HTTP library, explained."""

import re
import socket
import ssl
from urllib.parse import urlsplit

import httpx

from catalog.client.errors import CatalogError, NotACatalog, Unavailable, Untrusted
from catalog.client.transport.proxies import Proxy, proxy_of

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)

NOT_REACHED = (httpx.ConnectError, httpx.ConnectTimeout)

NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")
"""What OpenSSL says when the other side does not speak TLS."""

CUT_OFF = (httpx.RemoteProtocolError, httpx.ReadError)
"""What a TLS server does to plain HTTP: it sends an alert, or nothing, and hangs up."""

NO_HOST = ("Name or service not known", "nodename nor servname", "No address associated")

CODES = re.compile(r"\[SSL: \w+\] (?:certificate verify failed: )?|\[Errno -?\d+\] |\.? ?\(?_ssl\.c:\d+[):] ?")

PROBE = 2.0  # seconds

OTHER_NAME = ("Hostname mismatch", "IP address mismatch", "not valid for")


def as_catalog_error(error: Exception, url: str, ca: str = "") -> CatalogError:
    """Translate an exception of the HTTP library. `ca` is the certificate that the user trusts besides the system's.

    May take a connection of its own to find out, and two seconds.
    """
    reason = _plain(str(error)) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _untrusted(reason, url, ca)
    plain = url.partition("://")[2]
    if url.startswith("https:") and any(sign in str(error) for sign in NO_TLS):
        return NotACatalog(f"{url} speaks plain HTTP, not TLS", advice=f"Use the address http://{plain}.")
    if url.startswith("http:") and isinstance(error, CUT_OFF) and _speaks_tls(url):
        return NotACatalog(f"{url} speaks TLS, not plain HTTP", advice=f"Use the address https://{plain}.")
    if (proxy := proxy_of(url)) and isinstance(error, (httpx.ProxyError, *NOT_REACHED)):
        lost = _proxy_failed(error, proxy, url, reason)
    elif any(sign in reason for sign in NO_HOST):
        lost = Unavailable(f"There is no machine of the name {urlsplit(url).hostname}", advice="Check the address.")
    else:
        lost = Unavailable(f"{url} does not answer ({reason})")
    lost.sent = not isinstance(error, (*NOT_SENT, httpx.ProxyError))
    return lost


def _plain(reason: str) -> str:
    """What OpenSSL and the system say, without their codes: `self-signed certificate`, `Connection refused`."""
    return CODES.sub("", reason).removesuffix(".")


def _speaks_tls(url: str) -> bool:
    """Whether a server that hung up on plain HTTP takes a TLS handshake. Its certificate does not matter here."""
    parts = urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((parts.hostname or "", parts.port or 80), PROBE) as connection,
            context.wrap_socket(connection, server_hostname=parts.hostname),
        ):
            return proxy_of(url) is None
    except OSError:  # an SSLError is one
        return False


def _proxy_failed(error: Exception, proxy: Proxy, url: str, reason: str) -> Unavailable:
    verb = "refuses the connection" if isinstance(error, httpx.ProxyError) else "does not answer"
    host = urlsplit(url).hostname
    return Unavailable(
        f"The proxy {proxy} {verb} on the way to {url} ({reason})",
        advice=f"If {host} is reached without a proxy, put it into NO_PROXY.",
    )


def _untrusted(reason: str, url: str, ca: str) -> Untrusted:
    if any(sign in reason for sign in OTHER_NAME):
        return Untrusted(
            f"The certificate of {url} is for another name ({reason})",
            advice="Use a name in the certificate as the address, or have one issued for this name; ca= is no remedy.",
        )
    if "expired" in reason or "not yet valid" in reason:
        return Untrusted(
            f"The certificate of {url} is not valid now ({reason})",
            advice="Check the clock of this machine; else the operator has to renew it.",
        )
    if ca:
        return Untrusted(
            f"The certificate of {url} is not signed by {ca} ({reason})",
            advice="Ask the operator for the certificate that signed it.",
        )
    return Untrusted(f"The certificate of {url} is not trusted here ({reason})")

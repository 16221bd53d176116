"""The address of a client: the peer of its connection, or what a trusted proxy says in `X-Forwarded-For`."""

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from litestar.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")

_LOOPBACK = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))

_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](?::\d{1,5})?|(?P<four>[^:]*):\d{1,5}")


class TrustedProxies:
    """The proxies whose headers are believed. Those of other peers are ignored."""

    def __init__(self, trusted: Sequence[str] = (), public_url: str = "") -> None:
        self._trusted: list[Network] = [ipaddress.ip_network(network) for network in trusted]
        self._public = urlsplit(public_url)
        self._public_path = self._public.path.rstrip("/")

    @property
    def include_loopback(self) -> bool:
        """Whether a proxy on this machine is trusted, so that requests from loopback are not all the proxy's."""
        return any(address in network for network in self._trusted for address in _LOOPBACK)

    def client_ip(self, scope: Scope) -> str:
        """The client's address; empty when the connection has none, as over a Unix socket.

        When a trusted proxy sends no readable address (`unknown`, a name), its own address is returned.
        """
        client = scope.get("client")
        address = client[0] if client else ""
        if not self._trusted:
            return address
        # Each proxy appends the address of its peer: read from the end, until an address is not a trusted proxy's.
        for forwarded in reversed(_forwarded_for(scope)):
            peer = parse_ip(forwarded) if self._is_trusted(address) else None
            if peer is None:
                break
            address = str(peer)
        return address

    def outer_prefix(self, scope: Scope) -> str:
        """The path below which clients see this server: empty, or `/registry`.

        It comes from a trusted proxy's `X-Forwarded-Prefix`, else from PUBLIC_URL.
        """
        client = scope.get("client")
        prefixes = [value for name, value in scope["headers"] if name == b"x-forwarded-prefix"]
        if prefixes and client and self._is_trusted(client[0]):
            prefix = prefixes[-1].decode("latin-1").strip().rstrip("/")
            if _PREFIX.fullmatch(prefix):
                return prefix
        return self._public_path

    def outer_url(self, scope: Scope) -> str:
        """The address of this server as the client sees it, without a slash at its end.

        The host is that of PUBLIC_URL, else that of the request; a trusted proxy says the scheme of the latter.
        """
        headers = {name: value.decode("latin-1").strip() for name, value in scope["headers"]}
        if self._public.netloc:
            scheme, host = self._public.scheme, self._public.netloc
        else:
            client, forwarded = scope.get("client"), headers.get(b"x-forwarded-proto", "")
            is_told = client is not None and self._is_trusted(client[0]) and forwarded in {"http", "https"}
            scheme, host = forwarded if is_told else scope["scheme"], headers.get(b"host", "")
        return f"{scheme}://{host}{self.outer_prefix(scope)}"

    def _is_trusted(self, address: str) -> bool:
        ip = parse_ip(address)
        return ip is not None and any(ip in network for network in self._trusted)


def parse_ip(text: str) -> Address | None:
    """An address as proxies write it: in quotes, in brackets, with a port, mapped into IPv6. None for other text."""
    bare = text.strip().strip('"').strip()
    if written := _WITH_PORT.fullmatch(bare):
        bare = written["six"] or written["four"] or ""
    try:
        ip = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def _forwarded_for(scope: Scope) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [address.strip() for address in ",".join(values).split(",") if address.strip()]

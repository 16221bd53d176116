"""Where a request comes from: the other end of its connection, unless that is a trusted proxy, which says for whom."""

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


class Addresses:
    """Knows which proxies are trusted. Of what others write into `X-Forwarded-For` nothing is believed."""

    def __init__(self, trusted: Sequence[str] = (), public_url: str = "") -> None:
        self._trusted: list[Network] = [ipaddress.ip_network(network) for network in trusted]
        self._public_path = urlsplit(public_url).path.rstrip("/")

    @property
    def names_loopback(self) -> bool:
        """Whether a proxy on this machine says for whom it comes, so that nobody else shares its address."""
        return any(address in network for network in self._trusted for address in _LOOPBACK)

    def of(self, scope: Scope) -> str:
        """The client's address; empty when the connection has none, as over a Unix socket.

        What a trusted proxy says and nobody can read (`unknown`, a name) counts as the proxy's own address.
        """
        client = scope.get("client")
        address = client[0] if client else ""
        if not self._trusted:
            return address
        # Each proxy adds the address that it saw: read from the near end for as long as it is a proxy's own.
        for forwarded in reversed(_forwarded_for(scope)):
            seen = parsed(forwarded) if self._is_trusted(address) else None
            if seen is None:
                break
            address = str(seen)
        return address

    def prefix_of(self, scope: Scope) -> str:
        """What stands before the paths of this server where clients see it; empty, or `/registry`.

        A trusted proxy says it in `X-Forwarded-Prefix`, else PUBLIC_URL does.
        """
        client = scope.get("client")
        said = [value for name, value in scope["headers"] if name == b"x-forwarded-prefix"]
        if said and client and self._is_trusted(client[0]):
            prefix = said[-1].decode("latin-1").strip().rstrip("/")
            if _PREFIX.fullmatch(prefix):
                return prefix
        return self._public_path

    def _is_trusted(self, address: str) -> bool:
        ip = parsed(address)
        return ip is not None and any(ip in network for network in self._trusted)


def parsed(text: str) -> Address | None:
    """An address as proxies write it: in quotes, in brackets, with a port, mapped into IPv6. None if it is none."""
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

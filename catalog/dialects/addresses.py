"""Where a request comes from: the other end of its connection, unless that is a trusted proxy, which says for whom."""

import ipaddress
from collections.abc import Sequence

from litestar.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Addresses:
    """Knows which proxies are trusted. Of what others write into `X-Forwarded-For` nothing is believed."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted: list[Network] = [ipaddress.ip_network(network) for network in trusted]

    def of(self, scope: Scope) -> str:
        """The client's address; empty when the connection has none, as over a Unix socket."""
        client = scope.get("client")
        address = client[0] if client else ""
        if not self._trusted:
            return address
        # Each proxy adds the address that it saw: read from the near end for as long as it is a proxy's own.
        for seen in reversed(_forwarded_for(scope)):
            if not self._is_trusted(address):
                break
            address = seen
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._trusted)


def _forwarded_for(scope: Scope) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [address.strip() for address in ",".join(values).split(",") if address.strip()]

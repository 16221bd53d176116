"""Which proxy a request takes: that of the environment, but none to this machine or to what NO_PROXY names."""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass


class Proxy(NamedTuple):
    """A proxy without its credentials, and the variable that names it; empty if the system does."""

    address: str
    variable: str

    def __str__(self) -> str:
        return f"{self.address} ({self.variable})" if self.variable else self.address


def proxy_of(url: str) -> Proxy | None:
    """The proxy for an address; None: it is reached directly."""
    parts = urlsplit(url)
    proxies = getproxies()
    scheme = parts.scheme if parts.scheme in proxies else "all"
    if scheme not in proxies or _is_direct(parts.hostname or "", proxies) or proxy_bypass(parts.netloc):
        return None
    named = urlsplit(proxies[scheme])
    address = f"{named.scheme}://{named.netloc.rpartition('@')[2]}" if named.netloc else proxies[scheme]
    return Proxy(address, f"{scheme.upper()}_PROXY" if scheme in getproxies_environment() else "")


def _is_direct(host: str, proxies: Mapping[str, str]) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    networks = [each.strip() for each in proxies.get("no", "").split(",")]
    with suppress(ValueError):
        address = ip_address(host)
        return address.is_loopback or any(_holds(network, str(address)) for network in networks)
    return False


def _holds(network: str, address: str) -> bool:
    """Whether an entry of NO_PROXY such as `10.0.0.0/8` holds an address."""
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False

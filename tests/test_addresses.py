"""Where a request comes from."""

import pytest

from catalog.dialects.addresses import Addresses

PROXIES = ("10.0.0.0/8", "192.0.2.1")


def scope(peer, *forwarded):
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
    return {"type": "http", "client": (peer, 1) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["203.0.113.9, 192.0.2.1"], "203.0.113.9"),
        ("10.1.2.3", ["203.0.113.9", "192.0.2.1"], "203.0.113.9"),
        ("10.1.2.3", ["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["203.0.113.9,,"], "203.0.113.9"),
        ("10.1.2.3", ["unknown, é"], "é"),
        ("", ["203.0.113.9"], ""),
    ],
)
def test_only_a_trusted_proxy_says_for_whom_it_comes(peer, forwarded, address):
    assert Addresses(PROXIES).of(scope(peer, *forwarded)) == address


def test_without_trusted_proxies_the_other_end_of_the_connection_is_the_client():
    assert Addresses().of(scope("10.1.2.3", "203.0.113.9")) == "10.1.2.3"

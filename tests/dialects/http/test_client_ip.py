"""Where a request comes from."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.domain.people.authentication.login_throttle import network_of

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
        ("10.1.2.3", ["203.0.113.9:40001"], "203.0.113.9"),
        ("10.1.2.3", ["2001:db8::1"], "2001:db8::1"),
        ("10.1.2.3", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.1.2.3", ["[2001:DB8::1]:443"], "2001:db8::1"),
        ("10.1.2.3", ['"[2001:db8::1]:443"'], "2001:db8::1"),
        ("10.1.2.3", ['"203.0.113.9"'], "203.0.113.9"),
        ("10.1.2.3", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("10.1.2.3", ["[::ffff:203.0.113.9]:80"], "203.0.113.9"),
        ("10.1.2.3", ["fe80::1%eth0"], "fe80::1"),
        ("10.1.2.3", ["203.0.113.9:1, 192.0.2.1:2"], "203.0.113.9"),
        ("10.1.2.3", ["unknown"], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9, unknown"], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9, unknown, 192.0.2.1"], "192.0.2.1"),
        ("10.1.2.3", ["unknown, é"], "10.1.2.3"),
        ("10.1.2.3", ["_hidden"], "10.1.2.3"),
        ("10.1.2.3", ["203.0.113.9:port"], "10.1.2.3"),
        ("10.1.2.3", ["[203.0.113.9"], "10.1.2.3"),
        ("10.1.2.3", ["[]:1"], "10.1.2.3"),
        ("10.1.2.3", [":1"], "10.1.2.3"),
        ("10.1.2.3", ['"'], "10.1.2.3"),
        ("::ffff:10.1.2.3", ["203.0.113.9"], "203.0.113.9"),
        ("", ["203.0.113.9"], ""),
    ],
)
def test_only_a_trusted_proxy_says_for_whom_it_comes(peer, forwarded, address):
    assert TrustedProxies(PROXIES).client_ip(scope(peer, *forwarded)) == address


def test_without_trusted_proxies_the_other_end_of_the_connection_is_the_client():
    assert TrustedProxies().client_ip(scope("10.1.2.3", "203.0.113.9")) == "10.1.2.3"


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=3))
def test_whatever_a_proxy_writes_the_client_is_an_address(forwarded):
    address = TrustedProxies(PROXIES).client_ip(scope("10.1.2.3", *forwarded))

    assert ipaddress.ip_address(address)
    assert network_of(address)


@pytest.mark.parametrize(
    ("trusted", "names"), [((), False), (PROXIES, False), (("127.0.0.0/8",), True), (("::1",), True)]
)
def test_a_proxy_on_this_machine_is_named_or_not(trusted, names):
    assert TrustedProxies(trusted).include_loopback is names


def seen_through(prefix, client="10.0.0.1", public_url="", **headers):
    told = [(b"x-forwarded-prefix", value.encode()) for value in prefix]
    return TrustedProxies(["10.0.0.0/8"], public_url).outer_prefix({"client": (client, 1), "headers": told})


def test_a_trusted_proxy_says_below_which_path_clients_see_the_server():
    assert seen_through(["/registry/"]) == "/registry"
    assert seen_through(["/a/b"], public_url="https://x.example/c") == "/a/b"
    assert seen_through([], public_url="https://x.example/c/") == "/c"
    assert seen_through([]) == ""


def test_of_others_and_of_nonsense_no_prefix_is_believed():
    assert seen_through(["/evil"], client="11.0.0.1") == ""
    assert [seen_through([said]) for said in ("//evil.example", "/a b", "https://evil", "a", "/a?b")] == [""] * 5

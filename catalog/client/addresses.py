"""The address of a server as users write it, or copy it from a browser."""

import re
from urllib.parse import urlsplit

from catalog.client.errors import Invalid

EXAMPLE = "Write it as http://127.0.0.1:8080."
SCHEME_AND_HOST = re.compile(r"[A-Za-z]+://[^/?#]*")

CREDENTIALS = re.compile(r"(?<=//)[^/?#]*@")


def plain_url(url: str) -> str:
    """Strip blanks and a trailing `/v1`, which copied addresses may have, and write scheme and host in lower case."""
    stripped = url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
    return SCHEME_AND_HOST.sub(lambda found: found[0].lower(), stripped, count=1)


def shown_address(url: str) -> str:
    """Remove a username and a password from an address."""
    return CREDENTIALS.sub("", url)


def checked_address(url: str) -> str:
    """Return the address. Raises Invalid if it is not that of a server; the message contains no secret."""
    if "@" in url:
        raise Invalid(
            "The address of the catalog has a user name or a password in it",
            advice="Leave it out, and sign in: catalog login, or CATALOG_USERNAME and CATALOG_PASSWORD.",
        )
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # an invalid port or IPv6 address
        is_address = False
    if not is_address or any(sign.isspace() or sign in "?#" for sign in url):
        shown = re.split(r"[?#]", url)[0]
        raise Invalid(f"{shown!r} is not the address of a catalog", advice=EXAMPLE)
    return url

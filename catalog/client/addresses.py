"""The address of a server as users write it, or copy it from a browser."""

import re
from urllib.parse import urlsplit

from catalog.client.errors import Invalid

EXAMPLE = "Write it as http://127.0.0.1:8080."
SCHEME_AND_HOST = re.compile(r"[A-Za-z]+://[^/?#]*")

CREDENTIALS = re.compile(r"(?<=//)[^/?#]*@")


def plain_url(url: str) -> str:
    """An address without blanks around it, and without the `/v1` of the API that ends some copied ones.

    Its scheme and its host are in small letters.
    """
    stripped = url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
    return SCHEME_AND_HOST.sub(lambda found: found[0].lower(), stripped, count=1)


def shown_address(url: str) -> str:
    """An address without the name and the password that may be in it."""
    return CREDENTIALS.sub("", url)


def checked_address(url: str) -> str:
    """The address. Raises Invalid for what is not the address of a server; the message shows no secret of it."""
    if "@" in url:
        raise Invalid(
            "The address of the catalog has a user name or a password in it",
            advice="Leave it out, and sign in: catalog login, or CATALOG_USERNAME and CATALOG_PASSWORD.",
        )
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        is_address = False
    if not is_address or any(sign.isspace() or sign in "?#" for sign in url):
        shown = re.split(r"[?#]", url)[0]
        raise Invalid(f"{shown!r} is not the address of a catalog", advice=EXAMPLE)
    return url

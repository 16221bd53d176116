"""The page where `catalog/web` is not built: on it, the link of a reset mail leads to a new password."""

import hashlib
from base64 import b64encode
from functools import cache
from html import escape
from pathlib import Path


@cache
def asset(name: str) -> str:
    """A file beside this one."""
    return Path(__file__).with_name(name).read_text()


@cache
def page(prefix: str) -> str:
    """The page, which calls the API below `prefix` by a relative address: a proxy may serve all of it below a path."""
    parts = {"{style}": asset("page.css"), "{script}": asset("page.js"), "{api}": escape(prefix.lstrip("/"))}
    whole = asset("page.html")
    for place, content in parts.items():
        whole = whole.replace(place, content)
    return whole


@cache
def policy() -> str:
    """The Content-Security-Policy: the page's own style and script, by their digests, and calls to its own server."""
    style, script = (_digest(asset(name)) for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


def _digest(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"

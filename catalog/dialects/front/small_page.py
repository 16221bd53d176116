"""The page where `catalog/web` is not built: on it, the link of a reset mail leads to a new password."""

from functools import cache
from html import escape
from pathlib import Path

from catalog.dialects.http.docs.page.html import source_of


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
    style, script = (source_of(asset(name)) for name in ("page.css", "page.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )

"""Paths split at the slashes that the client wrote, before anything in them is unescaped.

An ASGI server unescapes a path as a whole, and `/v1/tags/a%2Fb` becomes `/v1/tags/a/b`: what was one segment is two.
Here the raw path is split first and each segment unescaped alone. Two characters stay escaped in it until the route is
found: a slash, which is not a separator, and the percent sign, so that the escaping can be undone. The parameters of
the route are unescaped before any guard or handler sees them.
"""

from urllib.parse import unquote

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send


def segmented(raw: bytes) -> str:
    """A raw path, each segment unescaped, with `%2F` and `%25` for a slash and a percent sign within a segment."""
    return "/".join(_escaped(unquote(segment)) for segment in raw.decode("ascii", "replace").split("/"))


def unescaped(value: str) -> str:
    """A parameter of a segmented path, as the client means it."""
    return value.replace("%2F", "/").replace("%25", "%")


def _escaped(segment: str) -> str:
    return segment.replace("%", "%25").replace("/", "%2F")


class Segments:
    """The outer half: before the router looks at the path."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Without a percent sign the server has had nothing to unescape.
        if scope["type"] == ScopeType.HTTP and b"%" in (raw := scope["raw_path"]):
            scope["path"] = segmented(raw)
        await self.app(scope, receive, send)


class Parameters:
    """The inner half: once the router has found the route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "%" in scope["path"]:
            # The router remembers the mapping that it gave us, so it is replaced, not changed.
            scope["path_params"] = {
                name: unescaped(value) if isinstance(value, str) else value
                for name, value in scope["path_params"].items()
            }
        await self.app(scope, receive, send)

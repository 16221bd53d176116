"""X-HTTP-Method-Override, for clients behind proxies that block PATCH and DELETE. tus 1.0 requires it."""

import re

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

OVERRIDES = {b"PATCH": HttpMethod.PATCH, b"DELETE": HttpMethod.DELETE}
"""The methods that a POST may stand for. Other values of the header are ignored."""


class Overrides:
    """Replaces the method of a POST to an upload, whose name follows `uploads`, by the one in its header.

    Only there: firewalls do not check a header that turns a harmless request into another one.
    """

    def __init__(self, app: ASGIApp, uploads: str) -> None:
        self.app = app
        self._upload = re.compile(re.escape(uploads) + "/[^/]+/?")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.POST:
            values = [value for name, value in scope["headers"] if name == b"x-http-method-override"]
            method = OVERRIDES.get(values[0].strip().upper()) if len(values) == 1 else None
            if method and self._upload.fullmatch(scope["path"]):
                scope["method"] = method
        await self.app(scope, receive, send)

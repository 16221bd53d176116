"""X-HTTP-Method-Override, for clients behind what lets no PATCH or DELETE through: a MUST of tus 1.0."""

import re

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

OVERRIDES = {b"PATCH": HttpMethod.PATCH, b"DELETE": HttpMethod.DELETE}
"""The methods that may come as a POST. Whatever else the header says, a POST is a POST."""


class Overrides:
    """Takes a POST to an upload, the name of which follows `uploads`, for the method that its header says.

    Nowhere else: a header that turns a harmless request into another one is looked at by no firewall.
    """

    def __init__(self, app: ASGIApp, uploads: str) -> None:
        self.app = app
        self._upload = re.compile(re.escape(uploads) + "/[^/]+/?")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.POST:
            said = [value for name, value in scope["headers"] if name == b"x-http-method-override"]
            method = OVERRIDES.get(said[0].strip().upper()) if len(said) == 1 else None
            if method and self._upload.fullmatch(scope["path"]):
                scope["method"] = method
        await self.app(scope, receive, send)

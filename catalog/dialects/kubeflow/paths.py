"""Paths that clients may use besides the usual ones, rewritten before the router sees them.

- `/t/<tenant>/api/model_registry/...` names the tenant, which is compared with that of the token.
- A path that ends with `/readyz/health` or `/readyz/isDirty` asks whether the server can answer.
"""

import re

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from catalog.dialects.http.requests.paths import unescaped

TENANT = "kubeflow_tenant"
"""The name of the tenant in the path, in the state of a request."""


_OF_TENANT = re.compile("/t/([^/]+)(/api/model_registry/.*)")
_READINESS = re.compile("(/[^/]+)*/readyz/(health|isDirty)/?")


class Paths:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            path = scope["path"]
            if path.startswith("/t/") and (found := _OF_TENANT.fullmatch(path)):
                scope.setdefault("state", {})[TENANT] = unescaped(found[1])
                scope["path"] = found[2]
            if "/readyz/" in path and _READINESS.fullmatch(path):
                scope["path"] = "/readyz"
        await self.app(scope, receive, send)

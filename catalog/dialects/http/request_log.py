"""Wraps every request: its id, its metrics, its journal entry, and its end when the client disconnects.

One layer of plain ASGI outside of the web framework, so that unknown routes and refused bodies are recorded, too. A
client that stalls within a body is ended here. One that stalls within a head, or does not read its response, never
comes this far: see `server.http.protocol`.
"""

import asyncio
import re
from time import perf_counter
from typing import Protocol

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from catalog.dialects.http.exchange import Exchange
from catalog.dialects.http.requests.cancellation import DisconnectWatch
from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.domain.audit import Journal, LoggedRequest
from catalog.domain.health import Health
from catalog.errors import NOT_FOUND
from catalog.store.tenant import Tenant
from catalog.vocabulary import REQUEST

SECRET = re.compile(r"^(/[^/]+/(?:links|uploads|reset|resets)/|/[^/]+/[^/]+/mlflow-artifacts/signed/)[^/]+")
"""Paths with a segment that is a credential."""


def redact(path: str) -> str:
    """A path that may be logged."""
    return SECRET.sub(r"\1***", path)


def set_subject(scope: Scope, tenant: Tenant | None, user: str) -> None:
    """Name the tenant and user of a request without a user's token to the journal: a sign-in, or the operator."""
    scope["state"]["subject"] = tenant, user


class RequestMetrics(Protocol):
    """What counts requests and their responses."""

    def begin(self) -> None: ...

    def end(self, method: str, route: str | None, status: int, seconds: float, received: int, sent: int) -> None: ...


class RequestLog:
    """The outermost ASGI application. `patience`: see `Exchange`; `journal` None keeps no journal."""

    def __init__(
        self,
        app: ASGIApp,
        journal: Journal | None,
        metrics: RequestMetrics,
        proxies: TrustedProxies,
        patience: float,
        health: Health,
    ) -> None:
        self.app = app
        self.journal = journal
        self.metrics = metrics
        self.proxies = proxies
        self.patience = patience
        self.health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, self.patience, self.health)
        token = REQUEST.set(exchange.request_id)
        self.metrics.begin()
        watch = DisconnectWatch(exchange)
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            if not watch.has_cancelled:
                raise
            watch.task.uncancel()
        finally:
            watch.end()
            REQUEST.reset(token)
            self._record(exchange)

    def _record(self, exchange: Exchange) -> None:
        scope = exchange.scope
        seconds = perf_counter() - exchange.began
        route: str | None = scope.get("path_template")
        self.metrics.end(scope["method"], route, exchange.status, seconds, exchange.received, exchange.sent)
        if self.journal is None or (route is not None and scope["route_handler"].opt.get("unlogged")):
            return
        if exchange.is_read_only and not self.journal.reads:
            return
        state = scope["state"]
        caller = scope.get("user")
        tenant, user = state.get("subject") or ((caller.tenant, caller.username) if caller else (None, None))
        path, hidden = SECRET.subn(r"\1***", scope["path"])
        entry = LoggedRequest(
            date=exchange.date,
            user=user,
            method=scope["method"],
            route=route,
            path=path,
            item=None if hidden else next(iter(scope.get("path_params", {}).values()), None),
            address=self.proxies.client_ip(scope) or None,
            result=exchange.status,
            fault=state.get("fault"),
            duration=round(1000 * seconds, 2),
            request_id=exchange.request_id,
        )
        if tenant is None and user is None and (route is None or exchange.status == NOT_FOUND.status):
            self.journal.add_unknown(entry)
        else:
            self.journal.add(tenant, entry)

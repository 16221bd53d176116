"""Access to routes, decided by credentials alone, before a handler runs or a body is read."""

import ipaddress
import re
import secrets
from collections.abc import Awaitable, Callable

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from catalog.dialects.http import access
from catalog.dialects.http.access import admits
from catalog.dialects.http.request_log import set_subject
from catalog.dialects.http.requests.injection import AnyConnection
from catalog.dialects.http.sessions import bare_token
from catalog.domain.access import Caller
from catalog.errors import ADMINISTRATORS_ONLY, AUTHENTICATION, Refused

Connection = ASGIConnection[BaseRouteHandler, Caller | None, None, State]

PROXY_HEADERS = re.compile(
    "forwarded|x-(forwarded|original|envoy)-.*|(x-|true-|cf-|fastly-)?(real|connecting|client|cluster-client)-ip|via"
)
"""Headers that a proxy adds: the peer is not the client then."""


@admits(access.SIGNED_IN)
async def signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    if connection.scope["user"] is None:
        raise Refused(AUTHENTICATION, "Missing token")


@admits(access.ADMINISTRATORS)
async def administrators_only(connection: Connection, _: BaseRouteHandler) -> None:
    caller = connection.scope["user"]
    if caller is None:
        raise Refused(AUTHENTICATION, "Missing token")
    if not caller.is_admin:
        raise Refused(ADMINISTRATORS_ONLY)


HoldsApiToken = Callable[[AnyConnection], bool]


def recognises(api_token: str) -> HoldsApiToken:
    """Whether a request carries API_TOKEN. If so, the journal names the operator as its user."""

    def holds_api_token(connection: AnyConnection) -> bool:
        header = connection.headers.get("authorization") or ""
        is_operator = secrets.compare_digest(bare_token(header).encode(), api_token.encode())
        if is_operator:
            set_subject(connection.scope, None, "operator")
        return is_operator

    return holds_api_token


OperatorGuard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


def operator_only(api_token: str) -> OperatorGuard:
    """Callers with API_TOKEN."""
    recognised = recognises(api_token)

    @admits(access.OPERATOR)
    async def holds_api_token(connection: Connection, _: BaseRouteHandler) -> None:
        if not connection.headers.get("authorization"):
            raise Refused(AUTHENTICATION, "Missing token")
        if not recognised(connection):
            raise Refused(AUTHENTICATION, "Invalid token")

    return holds_api_token


def operator_or_loopback(api_token: str) -> Guard:
    """Callers with API_TOKEN, and requests from this machine itself."""
    holds_api_token = operator_only(api_token)

    @admits(access.MONITORING)
    async def may_watch(connection: Connection, handler: BaseRouteHandler) -> None:
        if not _is_on_loopback(connection):
            await holds_api_token(connection, handler)

    return may_watch


def _is_on_loopback(connection: Connection) -> bool:
    if connection.client is None or any(PROXY_HEADERS.fullmatch(name) for name in connection.headers):
        return False
    try:
        return ipaddress.ip_address(connection.client.host).is_loopback
    except ValueError:
        return False

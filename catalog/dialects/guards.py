"""May you come in: answered from credentials alone, before a handler runs or a body is read."""

import secrets

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from catalog.dialects.sessions import bare
from catalog.domain.access import Caller
from catalog.errors import ADMINISTRATORS_ONLY, AUTHENTICATION, Refused

Connection = ASGIConnection[BaseRouteHandler, Caller | None, None, State]


async def signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    if connection.scope["user"] is None:
        raise Refused(AUTHENTICATION, "Missing token")


async def administrators_only(connection: Connection, _: BaseRouteHandler) -> None:
    caller = connection.scope["user"]
    if caller is None:
        raise Refused(AUTHENTICATION, "Missing token")
    if not caller.is_admin:
        raise Refused(ADMINISTRATORS_ONLY)


def operator_only(api_token: str) -> Guard:
    """Whoever holds API_TOKEN."""

    async def holds_api_token(connection: Connection, _: BaseRouteHandler) -> None:
        given = connection.headers.get("authorization")
        if not given:
            raise Refused(AUTHENTICATION, "Missing token")
        if not secrets.compare_digest(bare(given).encode(), api_token.encode()):
            raise Refused(AUTHENTICATION, "Invalid token")

    return holds_api_token

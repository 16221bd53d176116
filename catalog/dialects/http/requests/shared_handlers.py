"""Guards that get the handler of a route itself: the framework copies it for each guard of each request."""

from collections.abc import Awaitable
from functools import partial
from typing import cast

from litestar.handlers import BaseRouteHandler
from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute

from catalog.dialects.http.requests.headers import AnyRequest


class SharedHandlers(ReceiveRoutePlugin):
    """Runs the guards of each route without a copy of its handler. None of ours changes it."""

    def receive_route(self, route: BaseRoute) -> None:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            attributes = getattr(handler, "__dict__", None)
            if attributes is not None:  # the framework's own handlers of OPTIONS have none
                attributes["authorize_connection"] = partial(_authorize, handler)


async def _authorize(handler: BaseRouteHandler, connection: AnyRequest) -> None:
    for guard in handler.resolve_guards():
        await cast("Awaitable[None]", guard(connection, handler))  # the framework has made each of them asynchronous

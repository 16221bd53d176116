"""HEAD of every route that answers GET (RFC 9110, 9.3.2): the same, without its content."""

from litestar import HttpMethod
from litestar.plugins import ReceiveRoutePlugin
from litestar.routes import BaseRoute, HTTPRoute


class HeadsOfGets(ReceiveRoutePlugin):
    """Lets each handler of GET answer HEAD as well, unless the route has another for that.

    `Exchange` drops the content of each such response. Handlers of files check the method, and do not open the file.
    """

    def receive_route(self, route: BaseRoute) -> None:
        if isinstance(route, HTTPRoute) and (handler := route.route_handler_map.get(HttpMethod.GET)):
            route.route_handler_map.setdefault(HttpMethod.HEAD, handler)
            route.methods.add(HttpMethod.HEAD)  # for the header Allow

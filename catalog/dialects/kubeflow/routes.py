"""The Kubeflow Model Registry as a whole: both versions of its API, for Kubeflow's clients and for KServe."""

from functools import cache

import msgspec
from litestar import HttpMethod, Request, Response
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from catalog import __version__
from catalog.dialects.http import guards
from catalog.dialects.http.access import SIGNED_IN, admits
from catalog.dialects.http.dialect import Dialect, RouteHandler, Routes
from catalog.dialects.http.guards import Connection
from catalog.dialects.kubeflow.api import BOTH, ROOT, Api
from catalog.dialects.kubeflow.document import document
from catalog.dialects.kubeflow.errors import JSON, error_response
from catalog.dialects.kubeflow.operations.operation import KubeflowOperation
from catalog.dialects.kubeflow.operations.table import operations_of
from catalog.dialects.kubeflow.paths import TENANT
from catalog.dialects.kubeflow.requests import KubeflowCall, answer
from catalog.dialects.kubeflow.services import KubeflowServices
from catalog.errors import AUTHENTICATION, Refused

__all__ = ["KubeflowServices", "dialect"]


def dialect(services: KubeflowServices) -> Dialect:
    """Every operation of both versions of the API."""
    return Dialect((ROOT,), [_router(api, services) for api in BOTH], error_response)


def _router(api: Api, services: KubeflowServices) -> Routes:
    handlers: list[ControllerRouterHandler] = [_route(each, api, services) for each in operations_of(api)]
    guarded = Routes("/", route_handlers=handlers, guards=[in_tenant])
    return Routes(api.prefix, route_handlers=[guarded, _document_route(api)])


def _document_route(api: Api) -> HTTPRouteHandler:
    """The OpenAPI document, which is the same for all callers."""
    described = cache(lambda: msgspec.json.encode(document(api, __version__)))

    async def answered() -> Response[bytes]:
        return Response(described(), media_type=JSON)

    answered.__module__ = __name__
    return RouteHandler("/openapi.json", http_method=HttpMethod.GET, include_in_schema=False, opt={"public": True})(
        answered
    )


@admits(SIGNED_IN)
async def in_tenant(connection: Connection, handler: BaseRouteHandler) -> None:
    """A signed-in user, of the tenant that the path names, if it names one."""
    await guards.signed_in(connection, handler)
    tenant, caller = connection.scope["state"].get(TENANT), connection.scope["user"]
    if tenant is not None and caller is not None and tenant != caller.tenant.name:
        raise Refused(AUTHENTICATION, f"the token is not one of the tenant {tenant[:80]}")


def _route(operation: KubeflowOperation, api: Api, services: KubeflowServices) -> HTTPRouteHandler:
    async def answered(request: Request) -> Response[bytes]:  # type: ignore[type-arg]
        return await respond(operation, KubeflowCall(request, api, services))

    answered.__module__ = __name__
    return RouteHandler(
        operation.path, http_method=operation.method, status_code=operation.status, include_in_schema=False
    )(answered)


async def respond(operation: KubeflowOperation, call: KubeflowCall) -> Response[bytes]:
    content = await operation.handler(call)
    return content if isinstance(content, Response) else answer(call, content, operation.status)

"""The MLflow dialect as a whole: the model registry and the artifact service, for every MLflow client.

Each route is also below `/ajax-api`, as with MLflow's own server.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import cache

import msgspec
from litestar import HttpMethod, Response
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from catalog import __version__
from catalog.dialects.http import guards
from catalog.dialects.http.access import SIGNED_IN, admits
from catalog.dialects.http.dialect import Dialect, RouteHandler, Routes
from catalog.dialects.http.guards import Connection
from catalog.dialects.http.passwords import BASIC, TENANT_HEADER
from catalog.dialects.http.requests.injection import AnyRequest, RouteOptions
from catalog.dialects.http.transfers.downloads import Download
from catalog.dialects.mlflow import models as wire
from catalog.dialects.mlflow.document import document
from catalog.dialects.mlflow.errors import JSON, error_response
from catalog.dialects.mlflow.handlers import artifacts
from catalog.dialects.mlflow.operations import DELETE, GET, POST, PUT, REGISTRY
from catalog.dialects.mlflow.requests import Call, MlflowServices, answered, rpc
from catalog.errors import CANNOT_READ, NOT_FOUND, Refused

__all__ = ["MlflowServices", "dialect"]

WORKSPACE = "x-mlflow-workspace"
ROOTS = ("/api", "/ajax-api")
DOCUMENT = "/api/2.0/mlflow/openapi.json"


@admits(SIGNED_IN)
async def in_workspace(connection: Connection, handler: BaseRouteHandler) -> None:
    """A signed-in user, in the tenant that the client names as its workspace, if it names one."""
    await guards.signed_in(connection, handler)
    workspace, caller = connection.headers.get(WORKSPACE), connection.scope["user"]
    if workspace and caller and workspace != caller.tenant.name:
        raise Refused(CANNOT_READ, f"the credentials are not of the workspace {workspace[:80]}")


def dialect(services: MlflowServices) -> Dialect:
    """The registry, the artifact service, and what a client asks about the server."""
    routes = [route for root in ROOTS for route in _routes(root, services)]
    guarded = Routes("/", route_handlers=routes, guards=[in_workspace], opt={BASIC: True, TENANT_HEADER: WORKSPACE})
    public = [route for root in ROOTS for route in _public_routes(root, services)]
    prefixes = [f"{root}/{version}" for root in ROOTS for version in ("2.0", "3.0")]
    about = [_public(GET, "/health", _healthy), _public(GET, "/version", _version), _public(GET, DOCUMENT, _document)]
    return Dialect(prefixes, [guarded, *public, *about], error_response)


def _routes(root: str, services: MlflowServices) -> Iterator[ControllerRouterHandler]:
    for method, path, handler in REGISTRY:
        yield rpc(method, f"{root}/2.0/mlflow/{path}", handler, services)
    service = f"{root}/2.0/mlflow-artifacts"
    yield _of_path(GET, f"{service}/artifacts", lambda call, _: artifacts.list_(call), services)
    for method, serve in ((GET, artifacts.get), (PUT, artifacts.put), (DELETE, artifacts.delete)):
        yield _of_path(method, f"{service}/artifacts/{{path:path}}", serve, services)
    yield _of_path(GET, f"{service}/presigned/{{path:path}}", artifacts.presigned, services)
    for step, take in (
        ("create", artifacts.create_upload),
        ("complete", artifacts.complete_upload),
        ("abort", artifacts.abort_upload),
    ):
        yield _of_path(POST, f"{service}/mpu/{step}", take, services)
        yield _of_path(POST, f"{service}/mpu/{step}/{{path:path}}", take, services)
    yield _of_path(GET, f"{root}/3.0/mlflow/workspaces", lambda call, _: _workspaces(call), services)
    yield _of_path(GET, f"{root}/3.0/mlflow/workspaces/{{path:str}}", _workspace, services)


def _public_routes(root: str, services: MlflowServices) -> Iterator[HTTPRouteHandler]:
    yield _public(GET, f"{root}/3.0/mlflow/server-info", _server_info)
    signed = f"{root}/2.0/mlflow-artifacts/signed/{{token:str}}"

    async def put_part(request: AnyRequest) -> Response[bytes]:
        return await artifacts.put_part(request, services, request.path_params["token"])

    async def get_signed(request: AnyRequest) -> Download:
        return await artifacts.get_signed(request, services, request.path_params["token"])

    options: RouteOptions = {"opt": {"public": True}, "include_in_schema": False}
    yield RouteHandler(signed, http_method=PUT, request_max_body_size=None, **options)(put_part)
    yield RouteHandler(signed, http_method=GET, **options)(get_signed)


ServePath = Callable[[Call, str], Awaitable[Response[bytes] | Download]]


def _of_path(method: HttpMethod, path: str, serve: ServePath, services: MlflowServices) -> HTTPRouteHandler:
    """A route whose last part is a path, which `serve` gets without a slash at its beginning."""
    limit: RouteOptions = {"request_max_body_size": None} if method is PUT else {}

    async def of_path(request: AnyRequest) -> Response[bytes] | Download:
        return await serve(Call(request, services), request.path_params.get("path", "").removeprefix("/"))

    return RouteHandler(path, http_method=method, status_code=200, include_in_schema=False, **limit)(of_path)


def _public(method: HttpMethod, path: str, serve: Callable[[], Response[bytes] | Response[str]]) -> HTTPRouteHandler:
    async def public() -> Response[bytes] | Response[str]:
        return serve()

    return RouteHandler(path, http_method=method, opt={"public": True, "unlogged": True}, include_in_schema=False)(
        public
    )


@cache
def _described() -> bytes:
    return msgspec.json.encode(document(__version__))


def _document() -> Response[bytes]:
    """The OpenAPI document, which is the same for all callers."""
    return Response(_described(), media_type=JSON)


def _server_info() -> Response[bytes]:
    return answered(wire.ServerInfo())


def _healthy() -> Response[str]:
    return Response("OK", media_type="text/plain")


def _version() -> Response[str]:
    return Response(__version__, media_type="text/plain")


async def _workspaces(call: Call) -> Response[bytes]:
    """The tenant that the credentials open."""
    return answered(wire.Workspaces([wire.Workspace(call.caller.tenant.name)]))


async def _workspace(call: Call, name: str) -> Response[bytes]:
    if name != call.caller.tenant.name:
        raise Refused(NOT_FOUND, f"Workspace '{name[:80]}' not found")
    return answered(wire.OneWorkspace(wire.Workspace(name)))

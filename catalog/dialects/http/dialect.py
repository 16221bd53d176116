"""What a dialect gives to the application: its routes, and its wording of refusals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

from litestar import Response, Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.types import ControllerRouterHandler

from catalog.dialects.http.requests.injection import AnyRequest
from catalog.errors import Refused

T = TypeVar("T")

ErrorResponse = Callable[[AnyRequest, Refused], Response[T]]
"""Words a refusal."""


class Routes(Router):
    """A router for one application, which is registered as it is.

    Litestar registers a copy of a router, with copies of all that it contains, for the case that it is registered
    twice. Copying the handlers at each level of nesting takes a third of the time in which the application is created.
    """

    def __deepcopy__(self, _: dict[int, object]) -> Self:
        return self


class RouteHandler(HTTPRouteHandler):
    """A handler made without a decorator. `shortcuts` prepares it, which the framework's class has no room for."""


@dataclass(frozen=True, slots=True)
class Dialect:
    prefixes: Sequence[str]
    """The beginnings of its paths, without a slash at the end."""
    routes: Sequence[ControllerRouterHandler]
    error_response: ErrorResponse[Any]

    def covers(self, path: str) -> bool:
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in self.prefixes)


def dependencies(services: Any) -> dict[str, Provide]:
    """The fields of a dataclass as dependencies that handlers name."""
    return {field.name: constant(getattr(services, field.name)) for field in fields(services)}


def constant(value: object) -> Provide:
    def provide() -> Any:
        return value

    return Provide(provide, sync_to_thread=False)

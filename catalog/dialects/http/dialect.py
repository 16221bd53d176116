"""What a dialect gives to the application: its routes, and its wording of refusals."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple, TypeVar

from litestar import Response
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from catalog.dialects.http.requests.headers import AnyRequest
from catalog.errors import Refused

T = TypeVar("T")

ErrorResponse = Callable[[AnyRequest, Refused], Response[T]]
"""Words a refusal, and leaves its number to the journal (`fault` of the request's state)."""


class Dialect(NamedTuple):
    prefixes: Sequence[str]
    """The beginnings of its paths, without a slash at the end."""
    routes: Sequence[ControllerRouterHandler]
    error_response: ErrorResponse[Any]

    def covers(self, path: str) -> bool:
        return any(path == prefix or path.startswith(f"{prefix}/") for prefix in self.prefixes)


def dependencies(services: Any) -> dict[str, Provide]:
    """The fields of a dataclass as what handlers ask for by name."""
    return {field.name: constant(getattr(services, field.name)) for field in fields(services)}


def constant(value: Any) -> Provide:
    def provide() -> Any:
        return value

    return Provide(provide, sync_to_thread=False)

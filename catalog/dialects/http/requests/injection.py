"""The types of what the application passes to handlers: the request, and the objects that a handler names."""

from typing import Any, TypeAlias, TypeVar

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.params import SkipValidation

T = TypeVar("T")

AnyRequest = Request[Any, Any, Any]
AnyConnection = ASGIConnection[Any, Any, Any, Any]

RouteOptions: TypeAlias = dict[str, Any]
"""Arguments of the framework's decorators of handlers."""

Injected = NamedDependency[SkipValidation[T]]
"""A dependency that the application injects into handlers by name."""

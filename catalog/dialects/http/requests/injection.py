"""The types of what the application passes to handlers: the request, and the objects that a handler names."""

from typing import Any, TypeVar

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation

T = TypeVar("T")

AnyRequest = Request[Any, Any, Any]

Injected = NamedDependency[SkipValidation[T]]
"""What the application injects into the handlers that name it."""

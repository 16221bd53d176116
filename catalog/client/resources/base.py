"""One definition of every method, for three ways to call it.

A method of a resource is written once, as an operation. With a synchronous driver it is a plain method, with an
asynchronous one a coroutine, and with an inline one the operation itself, for use in other operations. Types follow:
`Catalog.models.get` returns a `Model`, `AsyncCatalog.models.get` an awaitable one.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from catalog.client.resources.signatures import (
    NO_TYPES,
    SYNC,
    MethodForms,
    ResultForms,
    Types,
    operation_result,
    walk_elements,
)
from catalog.client.transport.effects import Operation

if TYPE_CHECKING:
    from catalog.client.results import Page
    from catalog.client.session import Session
    from catalog.client.transfer.cache import Cache
    from catalog.client.transport.async_driver import AsyncDriver
    from catalog.client.transport.sync_driver import SyncDriver

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D", bound="Driver")


class Driver(Protocol):
    @property
    def forms(self) -> ResultForms | None:
        """How the methods are shown; None: they are not shown."""

    def run(self, operation: Operation[T]) -> Any:
        """Run an operation; return its result in the form of this driver."""

    def walk(self, page: Callable[[str], "Operation[Page[T]]"]) -> Any:
        """Iterate over the elements of all pages, in the form of this driver."""


class InlineDriver:
    """Runs nothing: returns the operation, which becomes a part of another."""

    forms = None

    def run(self, operation: Operation[T]) -> Operation[T]:
        return operation

    def walk(self, page: Callable[[str], "Operation[Page[T]]"]) -> Operation[list[T]]:
        """All elements, in a list."""
        found: list[T] = []
        cursor: str | None = ""
        while cursor is not None:
            step = yield from page(cursor)
            found += step.docs
            cursor = step.next_cursor
        return found


class Resource(Generic[D]):
    """A group of methods of the client, run by a driver."""

    class_forms: ClassVar[ResultForms] = SYNC
    """How the methods are shown that are looked up in the class."""

    types: Types = NO_TYPES

    def __init__(self, session: "Session", driver: D, cache: "Cache") -> None:
        self._session = session
        self._driver = driver
        self._cache = cache

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session.url}>"


class operation(Generic[P, T]):  # noqa: N801  used as a decorator
    """A decorator for a method that is written as an operation."""

    def __init__(self, function: Callable[Concatenate[Any, P], Operation[T]]) -> None:
        self._function = function
        self._shown = MethodForms(function, operation_result)

    @overload
    def __get__(self, resource: None, owner: type[Resource["SyncDriver"]]) -> Callable[Concatenate[Any, P], T]: ...
    @overload
    def __get__(self, resource: None, owner: type) -> Callable[Concatenate[Any, P], Any]: ...
    @overload
    def __get__(self, resource: Resource["SyncDriver"], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, resource: Resource["AsyncDriver"], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, resource: Resource[InlineDriver], owner: type) -> Callable[P, Operation[T]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        if resource is None:

            def call_on(each: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
                method: Callable[P, Any] = self.__get__(each, owner)
                return method(*args, **kwargs)

            return self._shown.on(call_on, owner.class_forms, bound=False)
        driver = resource._driver  # noqa: SLF001  a descriptor is part of the class

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return driver.run(self._function(resource, *args, **kwargs))

        return self._shown.on(call, driver.forms, resource.types) if driver.forms else call


class walk(Generic[P, T]):  # noqa: N801  used as a decorator
    """A decorator for a method that returns a function from a cursor to a page; it iterates over all pages."""

    def __init__(self, function: Callable[Concatenate[Any, P], Callable[[str], "Operation[Page[T]]"]]) -> None:
        self._function = function
        self._shown = MethodForms(function, walk_elements)

    @overload
    def __get__(self, resource: None, owner: type) -> Callable[Concatenate[Any, P], Any]: ...
    @overload
    def __get__(self, resource: Resource["SyncDriver"], owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, resource: Resource["AsyncDriver"], owner: type) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, resource: Resource[InlineDriver], owner: type) -> Callable[P, Operation[list[T]]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        if resource is None:

            def call_on(each: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
                method: Callable[P, Any] = self.__get__(each, owner)
                return method(*args, **kwargs)

            return self._shown.on(call_on, owner.class_forms, bound=False)
        driver = resource._driver  # noqa: SLF001  a descriptor is part of the class

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return driver.walk(self._function(resource, *args, **kwargs))

        return self._shown.on(call, driver.forms, resource.types) if driver.forms else call

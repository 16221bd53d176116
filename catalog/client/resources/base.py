"""One definition of every method, for three ways to call it.

A method of a resource is written once, as an operation. With a synchronous driver it is a plain method, with an
asynchronous one a coroutine, and with an inline one the operation itself, for use in other operations. Types follow:
`Catalog.models.get` returns a `Model`, `AsyncCatalog.models.get` an awaitable one.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from operator import attrgetter
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


class ResourceMethod(Generic[P]):
    """A method of a resource: a function in the class, and of an instance what the `run` of its driver makes of it."""

    def __init__(
        self,
        function: Callable[Concatenate[Any, P], Any],
        returned: Callable[[Any, ResultForms], Any],
        run: Callable[[Any], Callable[[Any], Any]],
    ) -> None:
        self._function = function
        self._shown = MethodForms(function, returned)
        self._run_of = run

    def _method_of(self, resource: Any, owner: Any) -> Any:
        if resource is None:

            def call_on(each: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
                return self._run_of(_driver_of(each))(self._function(each, *args, **kwargs))

            return self._shown.on(call_on, owner.class_forms, bound=False)
        driver = _driver_of(resource)
        run = self._run_of(driver)

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return run(self._function(resource, *args, **kwargs))

        return self._shown.on(call, driver.forms, resource.types) if driver.forms else call


class operation(ResourceMethod[P], Generic[P, T]):  # noqa: N801  used as a decorator
    """A decorator for a method that is written as an operation."""

    def __init__(self, function: Callable[Concatenate[Any, P], Operation[T]]) -> None:
        super().__init__(function, operation_result, attrgetter("run"))

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
        return self._method_of(resource, owner)


class walk(ResourceMethod[P], Generic[P, T]):  # noqa: N801  used as a decorator
    """A decorator for a method that returns a function from a cursor to a page; it iterates over all pages."""

    def __init__(self, function: Callable[Concatenate[Any, P], Callable[[str], "Operation[Page[T]]"]]) -> None:
        super().__init__(function, walk_elements, attrgetter("walk"))

    @overload
    def __get__(self, resource: None, owner: type) -> Callable[Concatenate[Any, P], Any]: ...
    @overload
    def __get__(self, resource: Resource["SyncDriver"], owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, resource: Resource["AsyncDriver"], owner: type) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, resource: Resource[InlineDriver], owner: type) -> Callable[P, Operation[list[T]]]: ...
    def __get__(self, resource: Any, owner: Any) -> Any:
        return self._method_of(resource, owner)


def _driver_of(resource: Resource[Any]) -> Any:
    return resource._driver  # noqa: SLF001  a descriptor is part of the class

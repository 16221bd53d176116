"""One definition of every method, for three ways to call it.

A method of a room is written once, as an operation. Of a room with a blocking driver it is a plain method, of one with
an awaiting driver a coroutine, and of a planned one it is the operation itself, for other operations to go on with.
Types follow: `Catalog.models.get` returns a `Model`, `AsyncCatalog.models.get` an awaitable one.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from catalog.client.effects import Operation

if TYPE_CHECKING:
    from catalog.client.async_driver import Awaiting
    from catalog.client.cache import Cache
    from catalog.client.results import Page
    from catalog.client.sessions import Session
    from catalog.client.sync_driver import Blocking

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D", bound="Driver")


class Driver(Protocol):
    def run(self, operation: Operation[T]) -> Any:
        """Whatever stands for the operation's result with this driver."""

    def walk(self, page: Callable[[str], "Operation[Page[T]]"]) -> Any:
        """Whatever stands for the elements of all pages with this driver."""


class Planned:
    """Runs nothing: an operation goes on as a part of another."""

    def run(self, operation: Operation[T]) -> Operation[T]:
        return operation

    def walk(self, page: Callable[[str], "Operation[Page[T]]"]) -> Operation[list[T]]:
        """Everything, in a list."""
        found: list[T] = []
        cursor: str | None = ""
        while cursor is not None:
            step = yield from page(cursor)
            found += step.docs
            cursor = step.next_cursor
        return found


class Room(Generic[D]):
    """A part of the catalog, as a driver runs it."""

    def __init__(self, session: "Session", driver: D, cache: "Cache") -> None:
        self._session = session
        self._driver = driver
        self._cache = cache


class operation(Generic[P, T]):  # noqa: N801  used as a decorator
    """A method written as an operation."""

    def __init__(self, function: Callable[Concatenate[Any, P], Operation[T]]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, room: None, owner: type) -> "operation[P, T]": ...
    @overload
    def __get__(self, room: Room["Blocking"], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, room: Room["Awaiting"], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, room: Room[Planned], owner: type) -> Callable[P, Operation[T]]: ...
    def __get__(self, room: Any, owner: type) -> Any:
        if room is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return room._driver.run(self._function(room, *args, **kwargs))  # noqa: SLF001  a room's own

        return update_wrapper(call, self._function)


class walk(Generic[P, T]):  # noqa: N801  used as a decorator
    """A method that returns how to get one page, given its cursor: as an iterator over the elements of all."""

    def __init__(self, function: Callable[Concatenate[Any, P], Callable[[str], "Operation[Page[T]]"]]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, room: None, owner: type) -> "walk[P, T]": ...
    @overload
    def __get__(self, room: Room["Blocking"], owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, room: Room["Awaiting"], owner: type) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, room: Room[Planned], owner: type) -> Callable[P, Operation[list[T]]]: ...
    def __get__(self, room: Any, owner: type) -> Any:
        if room is None:
            return self

        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return room._driver.walk(self._function(room, *args, **kwargs))  # noqa: SLF001  a room's own

        return update_wrapper(call, self._function)

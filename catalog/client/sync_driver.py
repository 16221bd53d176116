"""Runs operations one after the other, for programs that wait."""

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event
from typing import Any, TypeVar

import httpx

from catalog.client.connection import TROUBLE, answer, failed, sent, setup
from catalog.client.effects import BLOCK, Answer, Body, Effect, Operation, Pause, Request, Together, Work
from catalog.client.results import Page

T = TypeVar("T")


class Stopped(BaseException):
    """Ends an operation whose companion has failed."""


class Blocking:
    def __init__(self, url: str, timeout: float, ca: str) -> None:
        self._url = url
        self._timeout = timeout
        self._client = httpx.Client(**setup(url, timeout, ca))
        self._stop = Event()

    def close(self) -> None:
        self._client.close()

    def run(self, operation: Operation[T]) -> T:
        result: Any = None
        error: BaseException | None = None
        while True:
            try:
                effect = operation.throw(error) if error else operation.send(result)
            except StopIteration as end:
                value: T = end.value
                return value
            result = error = None
            try:
                result = self._perform(effect)
            except BaseException as raised:  # noqa: BLE001  the operation's own `finally` comes first
                error = raised

    def walk(self, page: Callable[[str], Operation[Page[T]]]) -> Iterator[T]:
        cursor: str | None = ""
        while cursor is not None:
            found = self.run(page(cursor))
            yield from found.docs
            cursor = found.next_cursor

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Request():
                return self._exchange(effect)
            case Pause():
                return time.sleep(effect.seconds)
            case Work():
                return effect.function()
            case Together():
                return self._side_by_side(effect)

    def _exchange(self, request: Request) -> Answer:
        body = request.body if isinstance(request.body, bytes | None) else self._blocks(request.body)
        try:
            with self._client.stream(**sent(request, body, self._timeout)) as response:
                if not request.sink or not request.sink.begin(response.status_code, dict(response.headers)):
                    return answer(response, response.read())
                for block in response.iter_raw(BLOCK):
                    self._go_on()
                    request.sink.write(block)
                return answer(response)
        except TROUBLE as error:
            raise failed(error, self._url) from None

    def _blocks(self, body: Body) -> Generator[bytes, None, None]:
        for block in body.blocks():
            self._go_on()
            yield block

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _side_by_side(self, effect: Together) -> list[Any]:
        companions = self._companions()
        with ThreadPoolExecutor(effect.at_most) as threads:
            running = [threads.submit(companions.run, operation) for operation in effect.operations]
            try:
                done, _ = wait(running, return_when=FIRST_EXCEPTION)
                for each in done:
                    each.result()
                return [each.result() for each in running]
            except BaseException:
                companions._stop.set()  # noqa: SLF001  our own
                threads.shutdown(wait=False, cancel_futures=True)
                raise

    def _companions(self) -> "Blocking":
        """A driver over the same connections that can be stopped by itself."""
        other = object.__new__(Blocking)
        other._url, other._timeout, other._client, other._stop = self._url, self._timeout, self._client, Event()
        return other

"""Runs operations in the calling thread, for blocking programs."""

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Event
from typing import TypeVar

import httpx

from catalog.client.errors import CatalogError, refuse_unencodable
from catalog.client.resources.signatures import SYNC
from catalog.client.results import Page
from catalog.client.transport.answers import AnswerInMemory
from catalog.client.transport.connection import (
    TRANSPORT_ERRORS,
    http_client,
    refuse_closed,
    request_arguments,
    to_response,
)
from catalog.client.transport.diagnosis import as_catalog_error
from catalog.client.transport.effects import (
    BLOCK,
    Effect,
    InThread,
    Operation,
    Parallel,
    Pause,
    Request,
    Response,
    StreamedBody,
)

T = TypeVar("T")


class StoppedError(BaseException):
    """Ends an operation after another one of the same group has failed."""


class SyncDriver:
    forms = SYNC

    def __init__(self, url: str, timeout: float, ca: str) -> None:
        self._url = url
        self._ca = ca
        self._timeout = timeout
        self._client = http_client(httpx.Client, url, timeout, ca)
        self._stop = Event()

    def close(self) -> None:
        self._client.close()

    def run(self, operation: Operation[T]) -> T:
        try:
            with refuse_unencodable():
                return self._run(operation)
        except CatalogError as error:  # the frames of operations say nothing to a user: the traceback ends here
            raise error.with_traceback(None) from error.__cause__
        except OSError as error:  # of a file; it has its name
            raise error.with_traceback(None) from None

    def _run(self, operation: Operation[T]) -> T:
        response: Response | None = None
        error: BaseException | None = None
        while True:
            try:
                effect = operation.throw(error) if error else operation.send(response)
            except StopIteration as end:
                value: T = end.value
                return value
            response = error = None
            try:
                response = self._perform(effect)
            except BaseException as raised:  # noqa: BLE001  the operation runs its own `finally` first
                error = raised

    def walk(self, page: Callable[[str], Operation[Page[T]]]) -> Iterator[T]:
        cursor: str | None = ""
        while cursor is not None:
            found = self.run(page(cursor))
            yield from found.docs
            cursor = found.next_cursor

    def _perform(self, effect: Effect) -> Response | None:
        match effect:
            case Request():
                return self._exchange(effect)
            case Pause():
                time.sleep(effect.seconds)
            case InThread():
                effect.function()
            case Parallel():
                self._run_parallel(effect)
        return None

    def _exchange(self, request: Request) -> Response:
        refuse_closed(self._client)
        body = request.body if isinstance(request.body, bytes | None) else self._blocks(request.body)
        try:
            with self._client.stream(**request_arguments(request, body, self._timeout)) as response:
                if not request.sink or not request.sink.begin(response.status_code, dict(response.headers)):
                    answer = AnswerInMemory()
                    for block in response.iter_bytes():
                        answer.add(block)
                    return to_response(response, bytes(answer.content))
                for block in response.iter_raw(BLOCK):
                    self._raise_if_stopped()
                    request.sink.write(block)
                return to_response(response)
        except TRANSPORT_ERRORS as error:
            raise as_catalog_error(error, self._url, self._ca) from None

    def _blocks(self, body: StreamedBody) -> Generator[bytes, None, None]:
        for block in body.blocks():
            self._raise_if_stopped()
            yield block

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise StoppedError

    def _run_parallel(self, effect: Parallel) -> None:
        sibling = self._sibling()
        with ThreadPoolExecutor(effect.at_most) as threads:
            running = [threads.submit(sibling.run, operation) for operation in effect.operations]
            try:
                done, _ = wait(running, return_when=FIRST_EXCEPTION)
                for each in done:
                    each.result()
            except BaseException:
                sibling._stop.set()  # noqa: SLF001  same class
                threads.shutdown(wait=False, cancel_futures=True)
                raise

    def _sibling(self) -> "SyncDriver":
        """A driver over the same connections that can be stopped alone."""
        other = object.__new__(SyncDriver)
        other._url, other._ca, other._timeout = self._url, self._ca, self._timeout
        other._client, other._stop = self._client, Event()
        return other

"""Runs operations in an event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import httpx

from catalog.client.errors import CatalogError, refuse_unencodable
from catalog.client.resources.signatures import ASYNC
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


class AsyncDriver:
    forms = ASYNC

    def __init__(self, url: str, timeout: float, ca: str) -> None:
        self._url = url
        self._ca = ca
        self._timeout = timeout
        self._client = http_client(httpx.AsyncClient, url, timeout, ca)

    async def close(self) -> None:
        await self._client.aclose()

    async def run(self, operation: Operation[T]) -> T:
        try:
            with refuse_unencodable():
                return await self._run(operation)
        except CatalogError as error:  # the frames of operations say nothing to a user: the traceback ends here
            raise error.with_traceback(None) from error.__cause__
        except OSError as error:  # of a file; it has its name
            raise error.with_traceback(None) from None

    async def _run(self, operation: Operation[T]) -> T:
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
                response = await self._perform(effect)
            except BaseException as raised:  # noqa: BLE001  the operation runs its own `finally` first
                error = raised

    async def walk(self, page: Callable[[str], Operation[Page[T]]]) -> AsyncIterator[T]:
        cursor: str | None = ""
        while cursor is not None:
            found = await self.run(page(cursor))
            for element in found.docs:
                yield element
            cursor = found.next_cursor

    async def _perform(self, effect: Effect) -> Response | None:
        match effect:
            case Request():
                return await self._exchange(effect)
            case Pause():
                await asyncio.sleep(effect.seconds)
            case InThread():
                await asyncio.to_thread(effect.function)
            case Parallel():
                await self._run_parallel(effect)
        return None

    async def _exchange(self, request: Request) -> Response:
        refuse_closed(self._client)
        body = request.body if isinstance(request.body, bytes | None) else _blocks(request.body)
        try:
            async with self._client.stream(**request_arguments(request, body, self._timeout)) as response:
                if not request.sink or not request.sink.begin(response.status_code, dict(response.headers)):
                    answer = AnswerInMemory()
                    async for block in response.aiter_bytes():
                        answer.add(block)
                    return to_response(response, bytes(answer.content))
                async for block in response.aiter_raw(BLOCK):
                    await asyncio.to_thread(request.sink.write, block)
                return to_response(response)
        except TRANSPORT_ERRORS as error:
            raise await asyncio.to_thread(as_catalog_error, error, self._url, self._ca) from None

    async def _run_parallel(self, effect: Parallel) -> None:
        slots = asyncio.Semaphore(effect.at_most)

        async def in_slot(operation: Operation[None]) -> None:
            async with slots:
                await self.run(operation)

        tasks = [asyncio.create_task(in_slot(operation)) for operation in effect.operations]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise


async def _blocks(body: StreamedBody) -> AsyncIterator[bytes]:
    blocks = body.blocks()
    while block := await asyncio.to_thread(next, blocks, b""):
        yield block

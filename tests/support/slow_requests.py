"""Requests whose body comes in two parts, with something that happens between them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx

Meanwhile = Callable[[], Awaitable[object]]


async def sent_slowly(
    client: httpx.AsyncClient, method: str, url: str, meanwhile: Meanwhile, *, first: int = 10, **sent: Any
) -> httpx.Response:
    """The answer to a request of which the server has the head and at most `first` bytes when `meanwhile` happens.

    The server asks for the second part only when it has taken the first, so the order is certain.
    """
    whole = client.build_request(method, url, **sent)
    body = await whole.aread()
    first = min(first, len(body) - 1)

    async def parts() -> AsyncIterator[bytes]:
        yield body[:first]
        await meanwhile()
        yield body[first:]

    headers = dict(whole.headers) | {"content-length": str(len(body))}
    return await client.request(method, url, headers=headers, params=sent.get("params"), content=parts())

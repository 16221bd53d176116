"""`catalog backup --server`: a backup of a running server, which sends the archive."""

from collections.abc import AsyncGenerator, Collection
from typing import Any

import httpx

from catalog.client.session import PREFIX
from catalog.commands.administration.online.refusals import refusal
from catalog.operations.archive import ArchiveError
from catalog.operations.backup import Increment
from catalog.operations.watching import ArchiveWatch


class OnlineBackupError(Exception):
    """Says why, and what to do."""


async def archive(
    url: str, token: str, tenants: Collection[str], since: Increment | None, watch: ArchiveWatch
) -> AsyncGenerator[bytes, None]:
    """Yield what the server at `url` sends. `watch` sees it, too.

    Raises OnlineBackupError, also when the archive ends early.
    """
    body: dict[str, Any] = {"tenants": list(tenants)} if tenants else {}
    if since:
        body |= {"base": since.identity, "since": since.made.isoformat()}
    timeout = httpx.Timeout(None, connect=10)
    try:
        async with (
            httpx.AsyncClient(timeout=timeout) as client,
            client.stream(
                "POST", f"{url.rstrip('/')}{PREFIX}/backup", json=body, headers={"Authorization": token}
            ) as answer,
        ):
            if not answer.is_success:
                await answer.aread()
                raise OnlineBackupError(refusal(answer))
            async for chunk in answer.aiter_raw():
                watch.feed(chunk)
                yield chunk
    except (httpx.HTTPError, httpx.InvalidURL, ArchiveError) as failure:
        raise OnlineBackupError(f"The backup of {url} ended early: {failure or type(failure).__name__}") from failure
    if not watch.is_complete:
        raise OnlineBackupError(f"The backup of {url} ended early: the log of the server says why")

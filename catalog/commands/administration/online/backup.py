"""`catalog backup --server`: a backup of a running server, which sends the archive."""

from asyncio import to_thread
from collections.abc import AsyncGenerator, Collection, Mapping
from http import HTTPStatus

import httpx

from catalog.client.errors import CatalogError
from catalog.client.session import PREFIX
from catalog.client.transport.answers import accepted
from catalog.client.transport.connection import CONNECT, TRANSPORT_ERRORS, http_client, to_response
from catalog.client.transport.diagnosis import as_catalog_error
from catalog.operations.backup.archive import ArchiveError
from catalog.operations.backup.watching import ArchiveWatch
from catalog.operations.backup.writing import Increment, Resumption, ResumptionRefusedError

ADVICE: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "The server makes a backup for its API_TOKEN alone: set CATALOG_TOKEN to it.",
    HTTPStatus.NOT_FOUND: "`catalog tenants ls` lists the tenants.",
}
"""Advice by status: that of the client is for users."""


class OnlineBackupError(Exception):
    """Says why, and what to do."""


async def archive(
    url: str,
    token: str,
    tenants: Collection[str],
    since: Increment | None,
    watch: ArchiveWatch,
    ca: str = "",
    resume: Resumption | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yield what the server at `url` sends. `watch` sees it, too. `ca` are certificates to trust.

    Raises OnlineBackupError, also when the archive ends early; ResumptionRefusedError.
    """
    body = _body(tenants, since, resume)
    timeout = httpx.Timeout(None, connect=CONNECT)
    headers = {"Authorization": token}
    try:
        async with (
            http_client(httpx.AsyncClient, url, CONNECT, ca) as client,
            client.stream("POST", f"{PREFIX}/backup", json=body, headers=headers, timeout=timeout) as answer,
        ):
            content = b"" if answer.is_success else await answer.aread()
            accepted(to_response(answer, content), url)
            async for chunk in answer.aiter_raw():
                watch.feed(chunk)
                yield chunk
    except CatalogError as refused:
        if resume and refused.status in {HTTPStatus.CONFLICT, HTTPStatus.BAD_REQUEST}:
            raise ResumptionRefusedError(str(refused)) from refused  # or a server that continues none
        refused.advice = ADVICE.get(refused.status or 0, refused.advice)
        raise OnlineBackupError(str(refused)) from refused
    except ArchiveError as failure:
        raise OnlineBackupError(f"The backup of {url} ended early: {failure}") from failure
    except TRANSPORT_ERRORS as failure:
        reason = await to_thread(as_catalog_error, failure, url, ca)
        raise OnlineBackupError(f"The backup of {url} ended early: {reason}") from failure
    if not watch.is_complete:
        raise OnlineBackupError(f"The backup of {url} ended early: the log of the server says why")


def _body(tenants: Collection[str], since: Increment | None, resume: Resumption | None) -> dict[str, object]:
    body: dict[str, object] = {"tenants": list(tenants)} if tenants else {}
    if since:
        body |= {"base": since.identity, "since": since.made.isoformat()}
    if resume:
        progress = {name: value for name, value in resume._asdict().items() if name != "began"}
        body["resume"] = {**progress, "made": resume.began.made.isoformat()}
    return body

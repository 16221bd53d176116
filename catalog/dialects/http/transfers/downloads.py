"""Downloads: a file as a response, whole or a range of it, read from the storage as the client takes it."""

import re
from asyncio import create_task, gather
from base64 import b64encode
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from catalog.blobs.protocol import Blobs, UnknownBlobError
from catalog.dialects.http.requests.headers import (
    AnyRequest,
    attachment,
    entity_tags,
    http_date,
    is_unchanged,
    moment_of,
)
from catalog.domain.files.filenames import media_type
from catalog.errors import DOWNLOAD, RANGE_NOT_SATISFIABLE, STALE, Refused

ASKED_AT_ONCE = 32
"""Of a storage, how large its files are."""


def outgoing(
    request: AnyRequest, blobs: Blobs, *, name: str, digest: str, size: int, mimetype: str, modified: datetime
) -> "Download":
    """The answer to GET or HEAD of a file: whole, a range of it (206), or not again (304).

    Raises Refused: RANGE_NOT_SATISFIABLE, STALE; DOWNLOAD when the answer is about to begin and its bytes are gone, see
    `refuse_lost`.
    """
    headers = validators(digest, modified)
    if known(request, headers, modified):
        return Download(None, headers, status_code=304)

    wanted = wanted_range(request, size, {headers["etag"], headers["last-modified"]})
    start, stop = wanted or (0, size)
    headers |= {
        "content-type": media_type(mimetype),
        "content-length": str(stop - start),
        "content-disposition": attachment(name),
        "x-content-type-options": "nosniff",
        "accept-ranges": "bytes",
        "repr-digest": f"sha-256=:{b64encode(bytes.fromhex(digest)).decode()}:",
    }
    if wanted:
        headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    content = None if request.method == "HEAD" else reading(blobs, name, digest, start, stop)
    return Download(content, headers, status_code=206 if wanted else 200)


class Download(Response[None]):
    """What a handler returns, annotated so. `file` is None when headers are the whole answer."""

    def __init__(self, file: AsyncGenerator[bytes, None] | None, headers: dict[str, str], *, status_code: int) -> None:
        super().__init__(None, headers=headers, status_code=status_code)
        self.file = file

    def to_asgi_response(self, *_: Any, headers: dict[str, str] | None = None, **kwargs: Any) -> ASGIResponse:
        return Sending(
            self.file,
            status_code=self.status_code,
            headers={**(headers or {}), **self.headers},
            cookies=[*self.cookies, *(kwargs.get("cookies") or ())],
            background=self.background or kwargs.get("background"),
        )


class Sending(ASGIResponse):
    __slots__ = ("file",)
    _should_set_content_length = False

    def __init__(self, file: AsyncGenerator[bytes, None] | None, **kwargs: Any) -> None:
        super().__init__(is_head_response=file is None, **kwargs)
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.file is None:
            await super().__call__(scope, receive, send)
            return
        async with aclosing(self.file) as file:
            block = await anext(file, b"")  # before the headers: it is not too late to say that there is none
            await self.start_response(send)
            await self._send_blocks(block, file, receive, send)
        await self.after_response()

    async def _send_blocks(self, block: bytes, file: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
        # To a client that went away the server sends without complaint: ask, or read the file to its end for nobody.
        gone = create_task(client_gone(receive))
        try:
            while block and not gone.done():
                await send({"type": "http.response.body", "body": block, "more_body": True})
                block = await anext(file, b"")
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            await gather(gone, return_exceptions=True)


async def client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def refuse_lost(blobs: Blobs, files: Sequence[tuple[str, str, int]]) -> None:
    """Find out before an answer begins that it cannot end well. `files`: name, digest and size of each.

    Raises Refused: DOWNLOAD for a file whose bytes are missing, or more or fewer than there were.
    """
    for at in range(0, len(files), ASKED_AT_ONCE):
        some = files[at : at + ASKED_AT_ONCE]
        for (name, _, size), found in zip(some, await gather(*(blobs.size(each[1]) for each in some)), strict=True):
            if found is None:
                raise missing(name)
            if found != size:
                raise Refused(DOWNLOAD, f"the bytes of {name} are damaged: {found} are left of {size}")


def missing(name: str) -> Refused:
    return Refused(DOWNLOAD, f"the bytes of {name} are missing")


async def reading(blobs: Blobs, name: str, digest: str, start: int, stop: int) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(blobs.read(digest, start, stop)) as blocks:
            async for block in blocks:
                yield block
    except UnknownBlobError:
        raise missing(name) from None


def wanted_range(request: AnyRequest, size: int, validators: set[str]) -> tuple[int, int] | None:
    """The first byte asked for and the one after the last; None: the whole file.

    What RFC 9110 lets a server ignore is ignored: several ranges, other units, nonsense.

    Raises Refused: RANGE_NOT_SATISFIABLE.
    """
    asked = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", request.headers.get("range", ""), re.ASCII | re.IGNORECASE)
    same_file = request.headers.get("if-range") in {None, *validators}
    if request.method != "GET" or not asked or not same_file:
        return None
    match (asked[1], asked[2]):
        case ("", ""):
            return None
        case ("", last):
            start, stop = max(0, size - int(last)), size
        case (first, ""):
            start, stop = int(first), size
        case (first, last):
            start, stop = int(first), min(int(last) + 1, size)
            if int(last) < start:
                return None
    if start < stop:
        return start, stop
    if start == size == 0 and not asked[1] and int(asked[2]):
        return None  # the last n bytes of an empty file are all of it
    raise Refused(RANGE_NOT_SATISFIABLE, f"it has {size} bytes", headers={"Content-Range": f"bytes */{size}"})


def validators(tag: str, modified: datetime) -> dict[str, str]:
    return {
        "etag": f'"{tag}"',
        "last-modified": http_date(modified),
        "cache-control": "private, no-cache",  # who may read it is asked each time
    }


def known(request: AnyRequest, headers: Mapping[str, str], modified: datetime) -> bool:
    """Whether the client has the file already, by its own conditions (RFC 9110, 13.2.2: tags go before dates).

    Raises Refused: STALE when it wants another file than this.
    """
    asked, etag = request.headers, headers["etag"]
    if (wanted := entity_tags(request, "if-match")) is not None:
        same = wanted == ["*"] or etag in wanted
    else:
        before = moment_of(asked.get("if-unmodified-since", ""))
        same = before is None or modified.replace(microsecond=0) <= before
    if not same:
        raise Refused(STALE, f"the file has the ETag {etag}")
    if "if-none-match" in asked:
        return is_unchanged(request, etag)
    since = moment_of(asked.get("if-modified-since", ""))
    return since is not None and modified.replace(microsecond=0) <= since


def redirected(url: str) -> "Download":
    """To where the storage itself gives the file out. The address opens it for whoever has it, so nobody keeps it."""
    headers = {"location": url, "cache-control": "no-store", "content-length": "0"}
    return Download(None, headers, status_code=307)

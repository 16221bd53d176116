"""Downloads: a file or a range of it as a response, read from the storage at the speed of the client."""

import re
from asyncio import create_task, gather
from base64 import b64encode
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime

from litestar import Response
from litestar.background_tasks import BackgroundTask, BackgroundTasks
from litestar.datastructures import Cookie
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from catalog.blobs.protocol import Blobs, UnknownBlobError
from catalog.dialects.http.requests.headers import attachment, entity_tags, http_date, is_unchanged, moment_of
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.domain.files.filenames import media_type
from catalog.errors import DOWNLOAD, RANGE_NOT_SATISFIABLE, STALE, Refused

SIZES_AT_ONCE = 32
"""How many sizes of blobs are requested from the storage at the same time."""


def outgoing(
    request: AnyRequest, blobs: Blobs, *, name: str, digest: str, size: int, mimetype: str, modified: datetime
) -> "Download":
    """The answer to GET or HEAD of a file: the whole file, a range of it (206), or not modified (304).

    Raises Refused: RANGE_NOT_SATISFIABLE, STALE; DOWNLOAD if the bytes turn out to be missing when the answer begins.
    """
    headers = validators(digest, modified)
    if known(request, headers, modified):
        return Download(None, headers, status_code=304)

    range_ = requested_range(request, size, {headers["etag"], headers["last-modified"]})
    start, stop = range_ or (0, size)
    headers |= {
        "content-type": media_type(mimetype),
        "content-length": str(stop - start),
        "content-disposition": attachment(name),
        "x-content-type-options": "nosniff",
        "accept-ranges": "bytes",
        "repr-digest": f"sha-256=:{b64encode(bytes.fromhex(digest)).decode()}:",
    }
    if range_:
        headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    content = None if request.method == "HEAD" else reading(blobs, name, digest, start, stop)
    return Download(content, headers, status_code=206 if range_ else 200)


class Download(Response[None]):
    """The return type of a handler that answers with a file. `file` is None for an answer of headers only."""

    def __init__(self, file: AsyncGenerator[bytes, None] | None, headers: dict[str, str], *, status_code: int) -> None:
        super().__init__(None, headers=headers, status_code=status_code)
        self.file = file

    def to_asgi_response(
        self,
        *_: object,
        headers: dict[str, str] | None = None,
        cookies: Iterable[Cookie] | None = None,
        background: BackgroundTask | BackgroundTasks | None = None,
        **_options: object,
    ) -> ASGIResponse:
        return Sending(
            self.file,
            status_code=self.status_code,
            headers={**(headers or {}), **self.headers},
            cookies=[*self.cookies, *(cookies or ())],
            background=self.background or background,
        )


class Sending(ASGIResponse):
    __slots__ = ("file",)
    _should_set_content_length = False

    def __init__(
        self,
        file: AsyncGenerator[bytes, None] | None,
        *,
        status_code: int | None,
        headers: dict[str, str],
        cookies: Iterable[Cookie],
        background: BackgroundTask | BackgroundTasks | None,
    ) -> None:
        super().__init__(
            status_code=status_code,
            headers=headers,
            cookies=cookies,
            background=background,
            is_head_response=file is None,
        )
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.file is None:
            await super().__call__(scope, receive, send)
            return
        async with aclosing(self.file) as file:
            block = await anext(file, b"")  # before the headers are sent, so that missing bytes are still a refusal
            await self.start_response(send)
            await self._send_blocks(block, file, receive, send)
        await self.after_response()

    async def _send_blocks(self, block: bytes, file: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
        # The server accepts data for a client that has disconnected, so the connection is watched: otherwise the whole
        # file would be read for no reader.
        disconnected = create_task(client_gone(receive))
        try:
            while block and not disconnected.done():
                await send({"type": "http.response.body", "body": block, "more_body": True})
                block = await anext(file, b"")
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            disconnected.cancel()
            await gather(disconnected, return_exceptions=True)


async def client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def refuse_lost(blobs: Blobs, files: Sequence[tuple[str, str, int]]) -> None:
    """Check before an answer begins that its bytes are there. `files`: name, digest and size of each.

    Raises Refused: DOWNLOAD for a file whose bytes are missing, or have another size.
    """
    for at in range(0, len(files), SIZES_AT_ONCE):
        some = files[at : at + SIZES_AT_ONCE]
        for (name, _, size), found in zip(some, await blobs.sizes([each[1] for each in some]), strict=True):
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


def requested_range(request: AnyRequest, size: int, validators: set[str]) -> tuple[int, int] | None:
    """The first requested byte and the one after the last; None: the whole file.

    As RFC 9110 permits, several ranges, other units and malformed ranges are ignored.

    Raises Refused: RANGE_NOT_SATISFIABLE.
    """
    match_ = re.fullmatch(r"bytes=(\d{0,19})-(\d{0,19})", request.headers.get("range", ""), re.ASCII | re.IGNORECASE)
    same_file = request.headers.get("if-range") in {None, *validators}
    if request.method != "GET" or not match_ or not same_file:
        return None
    match (match_[1], match_[2]):
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
    if start == size == 0 and not match_[1] and int(match_[2]):
        return None  # the last n bytes of an empty file are all of it
    raise Refused(RANGE_NOT_SATISFIABLE, f"it has {size} bytes", headers={"Content-Range": f"bytes */{size}"})


def validators(tag: str, modified: datetime) -> dict[str, str]:
    return {
        "etag": f'"{tag}"',
        "last-modified": http_date(modified),
        "cache-control": "private, no-cache",  # rights are checked at each request
    }


def known(request: AnyRequest, headers: Mapping[str, str], modified: datetime) -> bool:
    """Whether the client has the file already, by its conditions (RFC 9110, 13.2.2: tags take precedence over dates).

    Raises Refused: STALE when its conditions name another file.
    """
    headers_sent, etag = request.headers, headers["etag"]
    if (tags := entity_tags(request, "if-match")) is not None:
        same = tags == ["*"] or etag in tags
    else:
        before = moment_of(headers_sent.get("if-unmodified-since", ""))
        same = before is None or modified.replace(microsecond=0) <= before
    if not same:
        raise Refused(STALE, f"the file has the ETag {etag}")
    if "if-none-match" in headers_sent:
        return is_unchanged(request, etag)
    since = moment_of(headers_sent.get("if-modified-since", ""))
    return since is not None and modified.replace(microsecond=0) <= since


def redirected(url: str) -> "Download":
    """A redirection to the storage itself. The address grants access by itself, so it is not cached."""
    headers = {"location": url, "cache-control": "no-store", "content-length": "0"}
    return Download(None, headers, status_code=307)

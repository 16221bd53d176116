"""Many files in one form: each part with a file name is a file, and its file name is its path in the version."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError

from catalog.blobs.protocol import FileHead
from catalog.dialects.http.requests.headers import as_hex, as_text, disposition_name, sha256_member
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.http.transfers.uploads import (
    LARGEST_HEADERS,
    LONGEST_BOUNDARY,
    NOT_CLOSED,
    ReceivedBody,
    file_head,
)
from catalog.errors import BODY_TOO_LARGE, MALFORMED_BODY, UPLOAD_CUT_OFF, Refused

NO_HEAD = FileHead("", "application/octet-stream", "binary")
DIGEST_HEADERS = ("repr-digest", "content-digest", "digest")


class FormFile:
    """A part with a file name. What is not read of it flows past."""

    def __init__(self, form: "FormOfFiles", path: str, headers: dict[str, str]) -> None:
        self.path = path
        self.digest = ""
        self.head = NO_HEAD
        self.refusal: Refused | None = None
        self._form = form
        try:
            self.digest = _digest(headers)
            self.head = file_head(path, headers)
        except Refused as refusal:
            self.refusal = refusal

    def chunks(self) -> AsyncIterator[bytes]:
        return self._form.content()


class FormOfFiles:
    """The files of a form, one after the other as they arrive. Nothing is read before `files`."""

    def __init__(self, request: AnyRequest, most: int, limit: int) -> None:
        """At most `most` parts, and `limit` bytes together. Raises Refused: MALFORMED_BODY, BODY_TOO_LARGE."""
        is_form = request.content_type[0] == "multipart/form-data"
        boundary = request.content_type[1].get("boundary", "") if is_form else ""
        if not boundary or len(boundary) > LONGEST_BOUNDARY:
            raise Refused(MALFORMED_BODY, "send multipart/form-data with a boundary, and a part for each file")
        self.announced = request.content_length or 0
        self._body = ReceivedBody(request, limit)
        self._body.refuse_announced_size()
        self._most = most
        self._parts = 0
        self._headers: list[tuple[bytearray, bytearray]] = []
        self._headers_size = 0
        self._events: deque[dict[str, str] | bytes | None] = deque()  # headers of a part, its bytes, its end
        self._is_whole = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_begin": self._begin_header,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_headers_finished": self._end_headers,
                "on_part_data": lambda data, start, end: self._events.append(data[start:end]),
                "on_part_end": lambda: self._events.append(None),
                "on_end": self._end,
            },
        )

    async def files(self) -> AsyncGenerator[FormFile, None]:
        """Raises Refused: MALFORMED_BODY, BODY_TOO_LARGE, UPLOAD_CUT_OFF."""
        while await self._has_event():
            event = self._events.popleft()
            if isinstance(event, dict):
                name = disposition_name(event.get("content-disposition", ""))
                if name is not None:
                    yield FormFile(self, name, event)
        if not self._is_whole:
            raise Refused(UPLOAD_CUT_OFF, NOT_CLOSED)

    async def content(self) -> AsyncGenerator[bytes, None]:
        """The bytes of the part that has begun."""
        while await self._has_event():
            event = self._events.popleft()
            if not isinstance(event, bytes):
                return
            yield event

    async def _has_event(self) -> bool:
        """Read on until there is one. False at the end."""
        while not self._events:
            chunk = await anext(self._body.chunks, b"")
            if not chunk:
                return False
            try:
                self._parser.write(chunk)
            except FormParserError as wrong:
                raise Refused(MALFORMED_BODY, str(wrong)) from None
        return True

    def _begin_part(self) -> None:
        self._headers, self._headers_size = [], 0
        self._parts += 1
        if self._parts > self._most:
            raise Refused(BODY_TOO_LARGE, f"at most {self._most} files in one request")

    def _begin_header(self) -> None:
        self._headers.append((bytearray(), bytearray()))
        self._count(1)

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._headers[-1][0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self._headers[-1][1].extend(data[start:end])

    def _count(self, size: int) -> None:
        self._headers_size += size
        if self._headers_size > LARGEST_HEADERS:
            raise Refused(BODY_TOO_LARGE, f"the headers of a part have at most {LARGEST_HEADERS} bytes")

    def _end_headers(self) -> None:
        self._events.append({as_text(bytes(name)).lower(): as_text(bytes(value)) for name, value in self._headers})

    def _end(self) -> None:
        self._is_whole = True


def _digest(headers: dict[str, str]) -> str:
    """The SHA-256 that a part announces, in hex. Raises Refused: NOT_CREATED for a malformed one."""
    for name in DIGEST_HEADERS:
        if digest := sha256_member(name, [headers.get(name, "")]):
            return as_hex(name, digest)
    return ""

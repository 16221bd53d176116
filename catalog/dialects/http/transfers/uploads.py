"""Uploads: the file that a request carries, in a form or as the body itself.

The file is never held in memory: bytes are read from the client at the speed of the storage, so a file of any size
costs one block of memory.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping

from litestar.exceptions import InternalServerException
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError

from catalog.blobs.protocol import FileHead
from catalog.dialects.http.requests.headers import announced_digest, as_text, disposition_name, parameters, refuse_coded
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.domain.files.filenames import file_name, media_type
from catalog.domain.files.media_types import OCTETS
from catalog.errors import BODY_TOO_LARGE, MALFORMED_BODY, NOT_CREATED, UPLOAD_CUT_OFF, Refused

DESCRIPTION_LIMIT = 64 * 1024
TEXT_LIMIT = 8 * 1024  # bytes of any other text of a form
FORM_ROOM = 2 * DESCRIPTION_LIMIT
"""How many bytes a form may have in addition to its file: boundaries, headers, texts."""

MOST_PARTS = 100
LARGEST_HEADERS = 16 * 1024  # bytes, of all the parts of a form together
LONGEST_BOUNDARY = 200  # characters; RFC 2046 allows 70

ENCODINGS = {"7bit", "8bit", "binary", "base64", "quoted-printable"}
NOT_CLOSED = "the form has no closing boundary"
HOW_TO_NAME = (
    'Missing file: send a form whose part "file" has a file name, or the bytes alone with their name '
    'in Content-Disposition: attachment; filename="..." or in ?name=...'
)


def incoming(request: AnyRequest, limit: int, name: str = "", texts: Collection[str] = ()) -> "FormUpload | BodyUpload":
    """The file that a request carries, of at most `limit` bytes (0: any size). Nothing is read yet.

    `texts` names what a form or the query string may say of it, in addition to its description.

    A file that is the body itself has the name `name` if the route knows one, else the name that the client sends.
    The route sets `request_max_body_size=None`, since the limit is enforced here.

    Raises Refused: NOT_CREATED for a malformed digest, MALFORMED_BODY for a form without a boundary.
    """
    is_form = request.content_type[0] == "multipart/form-data"
    return FormUpload(request, limit, texts) if is_form else BodyUpload(request, limit, name, texts)


def carries_json(request: AnyRequest) -> bool:
    """Whether the body is a JSON request rather than a file. A file that is JSON is sent with its name."""
    is_named = "name" in request.query_params or "content-disposition" in request.headers
    return request.content_type[0] == "application/json" and not is_named


async def read(request: AnyRequest, limit: int) -> bytes:
    """A body of at most `limit` bytes. Raises Refused: BODY_TOO_LARGE, UPLOAD_CUT_OFF."""
    body = ReceivedBody(request, limit)
    body.refuse_announced_size()
    return b"".join([chunk async for chunk in body.chunks])


class ReceivedBody:
    """The bytes of a request as they arrive, counted."""

    def __init__(self, request: AnyRequest, limit: int) -> None:
        self.chunks = self._received()
        self._request = request
        self._limit = limit

    def refuse_announced_size(self) -> None:
        refuse_over(self._limit, self._request.content_length or 0)

    async def _received(self) -> AsyncGenerator[bytes, None]:
        size = 0
        try:
            async for chunk in self._request.stream():
                size += len(chunk)
                refuse_over(self._limit, size)
                if chunk:
                    yield chunk
        except InternalServerException:  # how Litestar reports that the client disconnected
            raise Refused(UPLOAD_CUT_OFF, f"after {size} bytes") from None
        if size < (self._request.content_length or 0):
            raise Refused(UPLOAD_CUT_OFF, f"after {size} of {self._request.content_length} bytes")


def refuse_over(limit: int, size: int) -> None:
    if limit and size > limit:
        raise Refused(BODY_TOO_LARGE, f"at most {limit} bytes")


class BodyUpload:
    """The body is the file. Its name is in a header or in the query string."""

    def __init__(self, request: AnyRequest, limit: int, name: str = "", texts: Collection[str] = ()) -> None:
        self.texts = _queried(request, texts)
        self.digest = announced_digest(request, "Repr-Digest", "Content-Digest", "Digest")
        self.description = str(request.query_params.get("description", ""))
        self.announced = request.content_length or 0
        self._request = request
        self._name = name
        self._body = ReceivedBody(request, limit)

    async def open(self) -> FileHead:
        """The name and the type of the file. Raises Refused: NOT_CREATED, BODY_TOO_LARGE."""
        self._body.refuse_announced_size()
        name = file_name(self._name) if self._name else self._sent_name()
        return FileHead(name, media_type(self._declared_type(), name), "7bit")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes. Raises Refused: UPLOAD_CUT_OFF, BODY_TOO_LARGE."""
        async for chunk in self._body.chunks:
            yield chunk

    def _sent_name(self) -> str:
        headers, length = self._request.headers, self._request.content_length
        name = disposition_name(as_text(headers.get("content-disposition", "").encode("latin-1")))
        name = self._request.query_params.get("name") if name is None else name
        has_body = "transfer-encoding" in headers or "content-type" in headers
        if name is not None and (has_body or length is not None):
            return file_name(name)
        raise Refused(NOT_CREATED, HOW_TO_NAME if has_body or length else "Missing file")

    def _declared_type(self) -> str:
        declared = self._request.headers.get("content-type", "")
        # curl sends this type for any data, so it says nothing about the file.
        return "" if declared.startswith("application/x-www-form-urlencoded") else declared


class FormUpload:
    """The file is the part `file` of a form, its description the part `description`. Other parts are ignored."""

    def __init__(self, request: AnyRequest, limit: int, texts: Collection[str] = ()) -> None:
        # A Content-Digest is the digest of the form, not of the file.
        self.digest = announced_digest(request, "Repr-Digest", "Digest")
        self.announced = max(0, (request.content_length or 0) - FORM_ROOM)
        self._limit = limit
        self._body = ReceivedBody(request, limit and limit + FORM_ROOM)
        self._form = Form(request.content_type[1].get("boundary", ""), {"description", *texts})
        self._queried = _queried(request, texts)

    @property
    def description(self) -> str:
        """The description. It may come before or after the file, so it is complete once `chunks` has ended."""
        return self._form.text("description")

    @property
    def texts(self) -> dict[str, str]:
        """What else is said of the file, in the form or in the query string. Complete once `chunks` has ended."""
        return self._queried | {name: self._form.text(name) for name in self._form.texts if name != "description"}

    async def open(self) -> FileHead:
        """Read up to the start of the file.

        Raises Refused: NOT_CREATED, MALFORMED_BODY, BODY_TOO_LARGE, UPLOAD_CUT_OFF.
        """
        self._body.refuse_announced_size()
        async for chunk in self._body.chunks:
            self._form.feed(chunk)
            if self._form.head:
                return self._form.head
        raise self._form.missing()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file's bytes, up to the end of the form.

        Raises Refused: UPLOAD_CUT_OFF, BODY_TOO_LARGE, MALFORMED_BODY.
        """
        size = 0
        async for piece in self._pieces():
            size += len(piece)
            refuse_over(self._limit, size)
            yield piece
        if not self._form.whole:
            raise Refused(UPLOAD_CUT_OFF, NOT_CLOSED)

    async def _pieces(self) -> AsyncIterator[bytes]:
        for piece in self._form.take():  # the bytes that arrived with the head
            yield piece
        async for chunk in self._body.chunks:
            self._form.feed(chunk)
            for piece in self._form.take():
                yield piece


def _queried(request: AnyRequest, names: Collection[str]) -> dict[str, str]:
    return {name: value for name in names if (value := request.query_params.get(name)) is not None}


class Form:
    """What has been read of a form so far. The parser calls the methods below; parts that are not used are dropped."""

    def __init__(self, boundary: str, wanted: Collection[str] = ("description",)) -> None:
        self.head: FileHead | None = None
        self.texts: dict[str, bytearray] = {}
        self._wanted = wanted
        self.whole = False
        self._begun = False
        self._names: list[str] = []  # of the first parts, for the error when none has the name "file"
        self._file: list[bytes] = []
        self._headers: list[tuple[bytearray, bytearray]] = []
        self._parts = 0
        self._headers_size = 0
        self._part = ""
        self._parser = self._new_parser(boundary)

    def feed(self, chunk: bytes) -> None:
        self._begun = True
        try:
            self._parser.write(chunk)
        except FormParserError as wrong:
            raise Refused(MALFORMED_BODY, str(wrong)) from None

    def text(self, name: str) -> str:
        """The bytes of the part of this name that were read."""
        return as_text(bytes(self.texts.get(name, b"")))

    def take(self) -> list[bytes]:
        """The bytes of the file since the last call."""
        taken, self._file = self._file, []
        return taken

    def missing(self) -> Refused:
        """The reason why a complete form has no file."""
        if self._begun and not self.whole:
            return Refused(UPLOAD_CUT_OFF, NOT_CLOSED)
        if "file" in self._names:
            return Refused(NOT_CREATED, 'Missing file: the part "file" has no file name')
        if self._names:
            names = ", ".join(f'"{name}"' for name in self._names)
            return Refused(NOT_CREATED, f'Missing file: the form has the parts {names}; send it as "file"')
        return Refused(NOT_CREATED, "Missing file")

    def _new_parser(self, boundary: str) -> MultipartParser:
        if not boundary:
            raise Refused(MALFORMED_BODY, "the form has no boundary")
        if len(boundary) > LONGEST_BOUNDARY:
            raise Refused(MALFORMED_BODY, f"the form's boundary has more than {LONGEST_BOUNDARY} characters")
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._next_part,
                    "on_header_begin": self._next_header,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_headers_finished": self._part_begins,
                    "on_part_data": self._part_data,
                    "on_end": self._ends,
                },
            )
        except FormParserError as wrong:
            raise Refused(MALFORMED_BODY, str(wrong)) from None

    def _next_part(self) -> None:
        self._headers.clear()
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Refused(BODY_TOO_LARGE, f"a form of at most {MOST_PARTS} parts")

    def _next_header(self) -> None:
        self._headers.append((bytearray(), bytearray()))
        self._count_headers(1)

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_headers(end - start)
        self._headers[-1][0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_headers(end - start)
        self._headers[-1][1].extend(data[start:end])

    def _count_headers(self, size: int) -> None:
        self._headers_size += size
        if self._headers_size > LARGEST_HEADERS:
            raise Refused(BODY_TOO_LARGE, f"the headers of a form's parts have at most {LARGEST_HEADERS} bytes")

    def _part_begins(self) -> None:
        headers = {as_text(bytes(name)).lower(): as_text(bytes(value)) for name, value in self._headers}
        disposition = headers.get("content-disposition", "")
        part, filename = parameters(disposition).get("name", ""), disposition_name(disposition)
        self._part = ""
        if part in self._wanted and filename is None and not self.texts.get(part):
            self._part = part
            self.texts[part] = bytearray()
        if self.head is None:
            self._names = [*self._names, part[:40]][:10]
            if part == "file" and filename is not None:
                self._part = part
                self.head = file_head(filename, headers)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part == "file":
            self._file.append(data[start:end])
        elif self._part:
            text = self.texts[self._part]
            text += data[start:end]
            most = DESCRIPTION_LIMIT if self._part == "description" else TEXT_LIMIT
            if len(text) > most:
                raise Refused(BODY_TOO_LARGE, f"a {self._part} of at most {most} bytes")

    def _ends(self) -> None:
        self.whole = True


def file_head(filename: str, headers: Mapping[str, str]) -> FileHead:
    """The name and the type of the file in a part. Raises Refused: NOT_CREATED, CONTENT_CODED."""
    refuse_coded([headers.get("content-encoding", "")])
    encoding = headers.get("content-transfer-encoding", "").strip().lower()
    name, declared = file_name(filename), headers.get("content-type", "")
    # Form libraries send this type for files that they do not know, so it says nothing about the file.
    mimetype = media_type("" if declared.strip().lower() == OCTETS else declared, name)
    return FileHead(name, mimetype, encoding if encoding in ENCODINGS else "7bit")

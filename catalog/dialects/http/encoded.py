"""Responses whose content is encoded already, sent without the lookups that the framework makes for each header."""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from litestar import Response
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_304_NOT_MODIFIED

JSON = "application/json; charset=utf-8"

T = TypeVar("T")


StructFields: TypeAlias = dict[str, Any]
"""Values of fields of a struct, by name."""


def _plain(value: object) -> object:
    """Convert types that msgspec does not know: BSON's class for numbers above 2**31, and ObjectId."""
    return int(value) if isinstance(value, int) else str(value)


encode_json = msgspec.json.Encoder(enc_hook=_plain).encode


LARGEST_PAGE = 8 * 2**20
"""The most bytes of JSON in an answer with many elements; later ones are left out."""


def fitting(elements: Iterable[object], room: int = LARGEST_PAGE) -> list[msgspec.Raw]:
    """The first elements, encoded, of at most `room` bytes together; one at least, however large."""
    fit: list[msgspec.Raw] = []
    for element in elements:
        encoded = encode_json(element)
        room -= len(encoded)
        if fit and room < 0:
            break
        fit.append(msgspec.Raw(encoded))
    return fit


class EncodedResponse(Response[bytes]):
    """Bytes with their media type, headers and cookies. Nothing runs after it is sent."""

    def to_asgi_response(self, *_: object, headers: dict[str, str] | None = None, **_options: object) -> ASGIResponse:
        """`headers` are those that the route declares."""
        return _Sent(self, {**(headers or {}), **self.headers})


class JsonResponse(EncodedResponse, Generic[T]):
    """A response whose content is `T` as JSON."""


AnyJson: TypeAlias = JsonResponse[Any]
"""The answer of a function that several handlers share. Each handler declares its content."""


def json_response(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> AnyJson:
    return JsonResponse(encode_json(content), status_code=status, media_type=JSON, headers=headers)


class _Sent(ASGIResponse):
    __slots__ = ("_encoded",)

    def __init__(self, response: EncodedResponse, headers: dict[str, str]) -> None:
        self.status_code = response.status_code or HTTP_200_OK
        self.body = response.content
        self.background, self.is_head_response = None, False
        self._encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        self._encoded += [cookie.to_encoded_header() for cookie in response.cookies]
        if self.status_code != HTTP_304_NOT_MODIFIED:  # which has no content
            media_type = str(response.media_type)
            charset = "; charset=utf-8" if media_type.startswith("text/") else ""
            self._encoded.append((b"content-type", f"{media_type}{charset}".encode("latin-1")))
            self._encoded.append((b"content-length", b"%d" % len(self.body)))

    def encode_headers(self) -> list[tuple[bytes, bytes]]:
        return self._encoded

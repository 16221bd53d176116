"""JSON bodies: decoded within bounds and converted to the struct that a handler declares as `data`.

An error becomes the fault of the route, with one sentence that names the field. `null` counts as absent, and a POST
ignores the fields that only its answer has, so that an answer can be sent back.
"""

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_origin
from weakref import WeakKeyDictionary

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from litestar.handlers import HTTPRouteHandler
from litestar.params import SkipValidationMarker

from catalog.dialects.http.docs.operations import UNIONS, answer_type, body_type
from catalog.dialects.http.requests.json_bodies import decoded
from catalog.dialects.v1.models.common import Change
from catalog.dialects.v1.requests.sentences import sentence_of, shown
from catalog.errors import EMPTY_BODY, INVALID_FIELD, NO_VALID_FIELDS, UPLOAD_CUT_OFF, Fault, Refused

T = TypeVar("T")

Json: TypeAlias = Annotated[T, SkipValidationMarker()]
"""The type of a handler's `data`. `JsonRequest` has validated it."""

OneOrMany: TypeAlias = T | list[T | Refused]
"""One thing, or a list of things, each converted or refused on its own."""

MOST_ELEMENTS = "most_elements"
"""The option of all routes that says how many elements a POST of a list may have."""

INVALID = "invalid_body"
"""The option of a route that refuses a wrong body with another fault than INVALID_FIELD."""


class JsonRequest(Request[Any, Any, Any]):
    """A request whose JSON is what its handler declares."""

    async def body(self) -> bytes:
        """The body; `{}` if there is none. Raises Refused: UPLOAD_CUT_OFF."""
        try:
            return await super().body() or b"{}"
        except InternalServerException:  # how the framework reports a client that has gone
            raise Refused(UPLOAD_CUT_OFF) from None

    async def json(self) -> object:
        """The converted body. Raises Refused: MALFORMED_BODY, BODY_TOO_LARGE, or the fault of the route."""
        reader = reader_of(self.route_handler)
        most = self.route_handler.opt[MOST_ELEMENTS] if reader.is_many else None
        return reader.read(await decoded(await self.body(), most))


@dataclass(frozen=True, slots=True)
class Reader:
    """How the body of one route is read."""

    type: Any
    fault: Fault
    is_many: bool
    ignored: frozenset[str]

    def read(self, body: Any) -> Any:
        if self.is_many and isinstance(body, list):
            return [self._read_or_refuse(element) for element in body]
        return self._read(body)

    @property
    def is_change(self) -> bool:
        return isinstance(self.type, type) and issubclass(self.type, Change)

    def _read_or_refuse(self, element: object) -> object:
        try:
            return self._read(element)
        except Refused as refused:
            return refused

    def _read(self, body: object) -> object:
        if not isinstance(body, dict):
            raise Refused(self.fault, "the request body must be a JSON object")
        if self.is_change:
            refuse_irregular(body, self.type)
        present = {name: value for name, value in body.items() if value is not None and name not in self.ignored}
        try:
            return msgspec.convert(present, self.type)
        except msgspec.ValidationError as error:
            raise Refused(self.fault, sentence_of(error, self.type)) from None


def refuse_irregular(body: dict[str, object], of: type[msgspec.Struct]) -> None:
    """Refuse a PUT as the reference does.

    Raises Refused: EMPTY_BODY for `{}`, NO_VALID_FIELDS if none of its fields can change, INVALID_FIELD if some cannot.
    """
    if not body:
        raise Refused(EMPTY_BODY)
    unknown = sorted(body.keys() - set(of.__struct_encode_fields__))
    if len(unknown) == len(body):
        raise Refused(NO_VALID_FIELDS)
    if unknown:
        raise Refused(INVALID_FIELD, f"Request field cannot be updated ({shown(', '.join(unknown))})")


def body_faults(handler: HTTPRouteHandler) -> tuple[Fault, ...]:
    """How a route refuses a JSON body that is not what it declares."""
    reader = reader_of(handler)
    return (reader.fault, *((EMPTY_BODY, NO_VALID_FIELDS, INVALID_FIELD) if reader.is_change else ()))


_readers: WeakKeyDictionary[object, Reader] = WeakKeyDictionary()


def reader_of(handler: HTTPRouteHandler) -> Reader:
    if handler not in _readers:
        _readers[handler] = _reader(handler)
    return _readers[handler]


def _reader(handler: HTTPRouteHandler) -> Reader:
    declared = body_type(handler)
    one = get_args(declared)[0] if get_origin(declared) in UNIONS else declared
    fault = handler.opt.get(INVALID, INVALID_FIELD)
    ignored = frozenset() if "PUT" in handler.http_methods else _fields(answer_type(handler)) - _fields(one)
    return Reader(one, fault, one is not declared, ignored)


def _fields(annotation: object) -> frozenset[str]:
    """The names of the fields of a struct, or of the structs of a union, in JSON."""
    each = get_args(annotation) if get_origin(annotation) in UNIONS else [annotation]
    return frozenset(name for struct in each for name in getattr(struct, "__struct_encode_fields__", ()))

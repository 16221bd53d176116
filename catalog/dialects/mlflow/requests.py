"""Requests of MLflow's clients, read into structs, and structs as answers.

GET has its fields in the query string, every other method in a JSON body, DELETE too. Field names may be in snake_case
or camelCase. An older client encodes the body as JSON twice.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Never, TypeVar, get_origin, get_type_hints

import msgspec
from litestar import HttpMethod
from litestar.exceptions import InternalServerException
from litestar.handlers import HTTPRouteHandler

from catalog.dialects.http.access import READS
from catalog.dialects.http.dialect import RouteHandler
from catalog.dialects.http.encoded import EncodedResponse
from catalog.dialects.http.requests.client_ip import TrustedProxies
from catalog.dialects.http.requests.injection import AnyRequest
from catalog.dialects.http.requests.json_bodies import decoded
from catalog.dialects.http.sessions import Sessions
from catalog.dialects.mlflow.errors import JSON
from catalog.domain.access import Caller
from catalog.domain.artifacts.signed import SignedAddresses
from catalog.domain.limits import Limits
from catalog.errors import INVALID_FIELD, MALFORMED_BODY, NOT_FOUND, UPLOAD_CUT_OFF, Refused
from catalog.store.ids import object_id
from catalog.vocabulary import Visibility

T = TypeVar("T", bound=msgspec.Struct)

SERVICE = "/api/2.0/mlflow-artifacts"

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, kw_only=True)
class MlflowServices:
    """The services that the handlers of this dialect use."""

    sessions: Sessions
    limits: Limits
    proxies: TrustedProxies
    signed: SignedAddresses
    max_upload_size: int
    upload_life: timedelta
    trash_days: int
    visibility: Visibility
    """What a model is that is created here, where a client has no word for it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a signed-in user."""

    request: AnyRequest
    services: MlflowServices

    @property
    def caller(self) -> Caller:
        caller: Caller = self.request.scope["user"]
        return caller

    @property
    def server_url(self) -> str:
        """The address of this server as the client sees it, without a slash at its end."""
        return self.services.proxies.outer_url(self.request.scope)

    def address(self, path: str) -> str:
        """An address of the artifact service that any MLflow client can use."""
        return f"{self.server_url}{SERVICE}/{path}"


Handler = Callable[[Call, Never], Awaitable[msgspec.Struct]]
"""Each handler takes a struct of its own, which its type hints name."""

H = TypeVar("H", bound=Handler)


def rpc(method: HttpMethod, path: str, handler: Handler, services: MlflowServices) -> HTTPRouteHandler:
    """A route that reads the struct which `handler` declares as its second argument, and answers what it returns."""
    asked_type = list(get_type_hints(handler).values())[1]

    async def answer(request: AnyRequest) -> EncodedResponse:
        asked = await read(request, asked_type)
        try:
            return answered(await handler(Call(request, services), asked))
        except Refused as refused:
            if refused.fault is NOT_FOUND and object_id(refused.details):  # a model that was removed meanwhile
                raise no_model(str(getattr(asked, "name", ""))) from None
            raise

    options = {READS: True} if handler.__dict__.get(READS) else {}
    return RouteHandler(path, http_method=method, status_code=200, opt=options, include_in_schema=False)(answer)


def reading(handler: H) -> H:
    """Mark a call that changes nothing, though clients send it with POST."""
    handler.__dict__[READS] = True
    return handler


def no_model(name: str) -> Refused:
    return Refused(NOT_FOUND, f"Registered Model with name={name[:300]} not found")


def answered(content: msgspec.Struct) -> EncodedResponse:
    return EncodedResponse(_encoder.encode(content), media_type=JSON)


async def read(request: AnyRequest, of: type[T]) -> T:
    """The struct that a request carries. Raises Refused: MALFORMED_BODY, INVALID_FIELD."""
    if request.method in {HttpMethod.GET, HttpMethod.HEAD}:
        return converted(_query(request, of), of)
    return converted(await _body(request), of)


def converted(fields: Mapping[str, object], of: type[T]) -> T:
    """Raises Refused: INVALID_FIELD, naming the field."""
    present = {name: value for name, value in _in_snake_case(fields).items() if value is not None}
    for name in _required(of):
        if present.get(name) in {None, ""} if not isinstance(present.get(name), list | dict) else False:
            raise Refused(
                INVALID_FIELD,
                f"Missing value for required parameter '{name}'. "
                "See the API docs for more information about request parameters.",
            )
    try:
        return msgspec.convert(present, of)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        name = where.strip("`").removeprefix("$").lstrip(".")
        raise Refused(INVALID_FIELD, f"Invalid value for parameter '{name}': {what[:1].lower()}{what[1:]}") from None


async def _body(request: AnyRequest) -> Mapping[str, object]:
    try:
        raw = await request.body()
    except InternalServerException:  # how the framework reports a client that has gone
        raise Refused(UPLOAD_CUT_OFF) from None
    if not raw:
        return {}
    if request.content_type[0] != JSON:
        raise Refused(MALFORMED_BODY, f"Bad Request. Content-Type must be {JSON}")
    value = await decoded(raw)
    if isinstance(value, str):
        value = await decoded(value.encode(errors="replace"))
    if not isinstance(value, dict):
        raise Refused(MALFORMED_BODY, "the request body must be a JSON object")
    return value


def _query(request: AnyRequest, of: type[msgspec.Struct]) -> Mapping[str, object]:
    fields: dict[str, object] = {}
    types = _types(of)
    for name in dict.fromkeys(request.query_params):
        values = request.query_params.getall(name)
        fields[name] = _of_query(name, values, types.get(_snake(name), str))
    return fields


def _of_query(name: str, values: Sequence[str], of: object) -> object:
    if get_origin(of) is list:
        return list(values)
    value = values[-1]
    if of is int:
        if not re.fullmatch(r"-?\d{1,9}", value, re.ASCII):
            raise Refused(INVALID_FIELD, f"Invalid value for parameter '{name}': an integer is needed")
        return int(value)
    if of is bool:
        return _BOOLEANS.get(value.lower(), value)
    return value


def _in_snake_case(fields: Mapping[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in fields.items():
        spelt = _snake(name)
        if spelt in found:
            raise Refused(INVALID_FIELD, f"'{spelt[:80]}' is given twice, in snake_case and in camelCase")
        found[spelt] = value
    return found


def _snake(name: str) -> str:
    return _HUMP.sub(r"_\1", name).lower()


@cache
def _types(of: type[msgspec.Struct]) -> dict[str, object]:
    return get_type_hints(of)


@cache
def _required(of: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in msgspec.structs.fields(of)
        if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
    )

"""The operations of a document, derived from the routes of the application.

| in the document | from |
|---|---|
| `operationId`, tag | `operation_id=` of the handler, `tags` of the controller |
| summary, description | first line and rest of the docstring; guards say who may call |
| parameters | path parameters and the signature, `parameters=` of the handler |
| body | the annotation of `data`, or `content=` where it is no JSON; `is_body_required=False` if it may be absent |
| answer | the return annotation, or `media_types=` where it is not only JSON |
| | `response_description=`, `response_headers=`, `responses=` |
| refusals | `responses=refuses(...)` and what guards, parameters and body may refuse |

`{words}` of a controller are put into the texts of handlers that several controllers inherit.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from litestar import Litestar
from litestar.datastructures import ResponseHeader
from litestar.enums import ParamType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import ParameterKwarg
from litestar.response import Response
from litestar.routes import HTTPRoute

from catalog.dialects.http.access import access_of
from catalog.dialects.http.docs.parameters import TEXT, DescribedHeader, parameter
from catalog.dialects.http.docs.refusals import (
    JSON,
    REQUEST_ID,
    Partial,
    RefusalResponse,
    Refuses,
    Wording,
    declared,
    worded,
)
from catalog.dialects.http.docs.schemas import Schema, Schemas, resolved
from catalog.errors import (
    BODY_TOO_LARGE,
    CONTENT_CODED,
    DATABASE_AWAY,
    HEAD_TOO_LARGE,
    INTERNAL,
    INVALID_QUERY,
    MALFORMED_BODY,
    REQUEST,
    TOO_SLOW,
    UNKNOWN_ROUTE,
    UPLOAD_CUT_OFF,
    Fault,
)

UNIONS = (Union, UnionType)
EACH = "At most LIMIT_ELEMENTS (1000). Each is created or refused on its own."
IN_A_PATH = {"type": "string", "minLength": 1, "pattern": "^[^\\x00]+$"}
"""A segment of a path before it is percent-encoded: a slash in it is `%2F`."""

OF_ANY_BODY = (MALFORMED_BODY, UPLOAD_CUT_OFF, BODY_TOO_LARGE, TOO_SLOW, CONTENT_CODED)


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    group: str
    operation: Schema  # the Operation Object
    refusals: tuple[RefusalResponse, ...]


def is_described(handler: HTTPRouteHandler) -> bool:
    return handler.operation_id is not None


BodyFaults = Callable[[HTTPRouteHandler], Iterable[Fault]]
"""How a dialect refuses a JSON body that is not what a handler declares."""


def operations(app: Litestar, schemas: Schemas, body_faults: BodyFaults, wording: Wording) -> list[Operation]:
    """The operations of every route that has an `operation_id`."""
    return [
        _Description(handler, route, method, schemas, body_faults).operation(wording)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, handler in _by_method(route)
        if is_described(handler)
    ]


def _by_method(route: HTTPRoute) -> list[tuple[str, HTTPRouteHandler]]:
    """In the same order in each process; the framework keeps methods in sets."""
    by_method = {method: handler for handler in route.route_handlers for method in handler.http_methods}
    return sorted(by_method.items())


def query_names(handler: HTTPRouteHandler) -> frozenset[str]:
    """The names of the parameters that a route takes in its query string."""
    in_signature = {kwarg.name or name for name, kwarg, _ in _signature(handler) if kwarg.param_type is ParamType.QUERY}
    return frozenset(in_signature | {each["name"] for each in declared_parameters(handler) if each["in"] == "query"})


def declared_parameters(handler: HTTPRouteHandler, schemas: Schemas | None = None) -> list[Schema]:
    """What `parameters=` of a handler says: a list, or a function of the controller and the schemas."""
    parameters = handler.opt.get("parameters", ())
    return list(parameters(controller_of(handler), schemas or Schemas({})) if callable(parameters) else parameters)


def controller_of(handler: HTTPRouteHandler) -> Any:
    return getattr(handler.fn, "__self__", None)


def types_of(handler: HTTPRouteHandler) -> Mapping[object, object]:
    """What the type variables of a generic controller stand for."""
    bases = [base for each in type(controller_of(handler)).__mro__ for base in getattr(each, "__orig_bases__", ())]
    pairs = [(get_origin(base).__parameters__, get_args(base)) for base in bases if hasattr(get_origin(base), "path")]
    return {variable: type_ for variables, types in pairs for variable, type_ in zip(variables, types, strict=True)}


def body_type(handler: HTTPRouteHandler) -> object:
    """The declared type of the JSON body; None without one."""
    field = handler.parsed_fn_signature.parameters.get("data")
    return resolved(field.annotation, types_of(handler)) if field else None


def answer_type(handler: HTTPRouteHandler) -> object:
    """The declared type of the answer's content; None where it is not JSON."""
    annotation = resolved(handler.parsed_fn_signature.return_type.annotation, types_of(handler))
    origin = get_origin(annotation) or annotation
    if inspect.isclass(origin) and issubclass(origin, Response):
        of = get_args(annotation)
        return of[0] if of and of[0] not in {bytes, NoneType} else None
    return None if annotation is None else annotation


def _signature(handler: HTTPRouteHandler) -> Iterator[tuple[str, ParameterKwarg, Any]]:
    for name, field in handler.parsed_fn_signature.parameters.items():
        if isinstance(field.kwarg_definition, ParameterKwarg) and not field.is_di_field:
            yield name, field.kwarg_definition, field


class _Description:
    def __init__(
        self, handler: HTTPRouteHandler, route: HTTPRoute, method: str, schemas: Schemas, body_faults: BodyFaults
    ) -> None:
        self.handler = handler
        self.route = route
        self.method = method
        self.schemas = schemas
        self.body_faults = body_faults
        self.words: Mapping[str, str] = getattr(controller_of(handler), "words", {})
        self.parameters = [
            *self._path_parameters(),
            *self._signature_parameters(),
            *declared_parameters(handler, schemas),
        ]

    def operation(self, wording: Wording) -> Operation:
        summary, _, details = inspect.cleandoc(self.handler.fn.__doc__ or "").partition("\n\n")
        access = access_of(self.handler)
        body, responses = self._body(), self._responses()
        refusals = worded(self._faults(), wording, self.method)
        responses = {each.status: each.reference for each in refusals} | responses
        description = " ".join(
            filter(None, [*self._said(details).split(), *self.handler.opt.get("details", "").split(), access.sentence])
        )
        [group] = self.handler.resolve_tags()
        operation = {
            "operationId": self._said(self._operation_id()),
            "tags": [group],
            "summary": self._said(summary).removesuffix(".") + (", headers only" if self._is_second_head() else ""),
            "description": description,
            **({"parameters": self.parameters} if self.parameters else {}),
            **({"requestBody": body} if body else {}),
            "responses": {str(status): responses[status] for status in sorted(responses)},
            "security": access.security,
        }
        return Operation(self.method.lower(), self.route.path_format, group, operation, tuple(refusals))

    def _is_second_head(self) -> bool:
        """Whether this is the HEAD of a handler that answers GET as well."""
        return self.method == "HEAD" and len(self.handler.http_methods) > 1

    def _operation_id(self) -> str:
        second = self.handler.opt.get("head_operation_id")
        return str(second if second and self._is_second_head() else self.handler.operation_id)

    def _said(self, text: str) -> str:
        return text.format(**self.words) if self.words else text

    def _path_parameters(self) -> Iterable[Schema]:
        documented = {kwarg.name or name: kwarg for name, kwarg, _ in _signature(self.handler)}
        for name in self.route.path_parameters:
            kwarg = documented.get(name)
            example = {"example": kwarg.examples[0].value} if kwarg and kwarg.examples else {}
            described = (kwarg and kwarg.description) or ""
            yield parameter(name, "path", described, IN_A_PATH, required=True, **example)

    def _signature_parameters(self) -> Iterable[Schema]:
        for name, kwarg, field in _signature(self.handler):
            if kwarg.param_type is not ParamType.PATH:
                schema = TEXT | ({"maxLength": kwarg.max_length} if kwarg.max_length else {})
                example = {"example": kwarg.examples[0].value} if kwarg.examples else {}
                needed = {"required": True} if field.is_required else {}
                place = str(kwarg.param_type.value)
                yield parameter(kwarg.name or name, place, kwarg.description or "", schema, **needed, **example)

    def _body(self) -> Schema | None:
        if content := self.handler.opt.get("content"):
            is_required = self.handler.opt.get("is_body_required", True)
            media = {mimetype: self._media(type_) for mimetype, type_ in content.items()}
            return {"required": is_required, "content": media}
        annotation = body_type(self.handler)
        if annotation is None:
            return None
        is_required = self.handler.parsed_fn_signature.parameters["data"].is_required
        return {"required": is_required, "content": {JSON: self._media(annotation)}}

    def _media(self, annotation: Any) -> Schema:
        if isinstance(annotation, dict):
            return annotation
        schema = self._body_schema(annotation)
        example = self.schemas.example(schema)
        return {"schema": schema} | ({} if example is None else {"example": example})

    def _body_schema(self, annotation: Any) -> Schema:
        """A union with a list is one thing or a list of such things, each of which may be refused."""
        if get_origin(annotation) not in UNIONS:
            return self.schemas.of(annotation)
        if not any(get_origin(each) is list for each in get_args(annotation)):
            return {"anyOf": [self.schemas.of(each) for each in get_args(annotation)]}
        one = self.schemas.of(get_args(annotation)[0])
        return {"anyOf": [one, {"type": "array", "items": one, "description": EACH}]}

    def _responses(self) -> dict[int, Schema]:
        """The answers that are not refusals."""
        status = self.handler.status_code
        annotation = answer_type(self.handler)
        content = None if annotation is None else {JSON: {"schema": self._answer_schema(annotation)}}
        if content is None and self.handler.opt.get("media_types"):
            content = self._media_types()
        declared = sorted(self.handler.resolve_response_headers(), key=lambda each: each.name)  # it is a set
        headers = REQUEST_ID | {each.name: _header(each) for each in declared}
        whole = {"description": self._said(self.handler.response_description or "OK"), "headers": headers}
        others = {
            status: {"description": spec.description, "headers": headers} | self._content(spec, content)
            for status, spec in (self.handler.responses or {}).items()
            if not isinstance(spec, Refuses)
        }
        found = {status: whole | ({"content": content} if content else {})} | others
        return {status: _without_content(each) for status, each in found.items()} if self.method == "HEAD" else found

    def _content(self, spec: ResponseSpec, usual: Schema | None) -> Schema:
        """The content of another answer than the usual one. A part of a file is of the type of the file."""
        if spec.data_container:
            return {"content": {JSON: {"schema": self._answer_schema(spec.data_container)}}}
        return {"content": usual} if isinstance(spec, Partial) else {}

    def _media_types(self) -> Schema:
        """The content that `media_types=` declares: media types, or what each has where that can be described."""
        types = self.handler.opt["media_types"]
        described = types if isinstance(types, Mapping) else dict.fromkeys(types)
        return {
            mimetype: {} if annotation is None else {"schema": self._answer_schema(annotation)}
            for mimetype, annotation in described.items()
        }

    def _answer_schema(self, annotation: object) -> Schema:
        either = get_args(annotation) if get_origin(annotation) in UNIONS else [annotation]
        schemas = [schema for each in either for schema in self._described(each)]
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

    def _described(self, annotation: object) -> Iterable[Schema]:
        """A type may describe itself by its `describe`, where that depends on the route."""
        if hasattr(annotation, "describe") and not get_args(annotation):  # as it stands in the return annotation
            annotation = next(each for each in get_args(answer_type(self.handler)) if get_origin(each) is annotation)
        if describe := getattr(get_origin(annotation), "describe", None):
            return describe(get_args(annotation)[0], self.schemas, self.handler)  # type: ignore[no-any-return]
        return [self.schemas.of(annotation)]

    def _faults(self) -> frozenset[Fault]:
        has_query = bool(query_names(self.handler))
        has_body = body_type(self.handler) is not None or "content" in self.handler.opt
        return frozenset(
            (
                *declared(self.handler.responses),
                *access_of(self.handler).refusals(self.method),
                *((UNKNOWN_ROUTE, REQUEST) if self.route.path_parameters else ()),
                *((HEAD_TOO_LARGE,) if self.parameters else ()),
                *((INVALID_QUERY,) if has_query else ()),
                *(OF_ANY_BODY if has_body else ()),
                *(self.body_faults(self.handler) if body_type(self.handler) is not None else ()),
                DATABASE_AWAY,
                INTERNAL,
                INVALID_QUERY,
            )
        )


def _without_content(response: Schema) -> Schema:
    return {name: each for name, each in response.items() if name != "content"}


def _header(header: ResponseHeader) -> Schema:
    schema = header.schema if isinstance(header, DescribedHeader) else TEXT
    return {"description": header.description or "", "schema": schema}

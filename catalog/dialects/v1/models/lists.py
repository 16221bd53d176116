"""Lists: the parameters of their query string, the pages that answer, and the answers to a POST of several things."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

from litestar.handlers import HTTPRouteHandler
from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.dialects.http.docs.operations import controller_of
from catalog.dialects.http.docs.parameters import json_query, query
from catalog.dialects.http.docs.schemas import Schema, Schemas, name_of
from catalog.dialects.http.requests.injection import RouteOptions
from catalog.store.query.declarations import Fields, FieldType
from catalog.store.query.filters.patterns import LONGEST as LONGEST_PATTERN
from catalog.store.query.params import MOST
from catalog.vocabulary import Archived

T = TypeVar("T")
Count = Annotated[int, Meta(ge=0)]


class ListedResource(NamedTuple):
    """What a list is of: its name in the document, and the fields that clients may filter, sort and select."""

    name: str
    fields: Fields


ResourceOf = ListedResource | Callable[[Any], ListedResource]
"""A resource, or a function of the controller."""

LIMIT = query("limit", f"The most elements to answer, up to {MOST}.", {"type": "integer", "minimum": 0, "default": 10})
PAGE = query("page", "The number of the page, from 1.", {"type": "integer", "minimum": 1, "default": 1})
TOTAL = query("total", "`exact` counts to the end, however long that takes.", {"type": "string", "enum": ["exact"]})
AFTER = query("after", "Walk by cursor: empty at first, then each `nextCursor`.", allowEmptyValue=True)
ARCHIVED = query(
    "archived",
    "Archived things: `true` lists them alone, `all` with the others.",
    {"type": "string", "enum": [str(each) for each in Archived], "default": Archived.EXCLUDED.value},
)
VERBOSE = query("verbose", "`false`: a POST of a list answers only counts.", {"type": "string", "default": "true"})

LISTS = """
A page with totals, or, with `after`, a step of a walk by cursor. `filter`, `sort` and `select` are JSON.
`metadata.<name>=gte:0.9` and the like are short for a filter, where there is metadata; `latest.<name>` asks for that
of the latest version, in lists of items.
"""

COMPARED: dict[FieldType, Schema] = {
    FieldType.TEXT: {"type": "string"},
    FieldType.ID: {"type": "string", "pattern": "^[0-9a-f]{24}$"},
    FieldType.DATE: {"type": "string", "format": "date-time"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.SCALAR: {"type": ["string", "number", "boolean"]},
}
DIRECTIONS = {"enum": ["asc", "desc", 1, -1]}


def listing(resource: ResourceOf, *more: Schema) -> RouteOptions:
    """The options of the GET of a list: `@get(**listing(TOKENS))`. Its answer is `Listed[...]`."""

    def parameters(controller: object, schemas: Schemas) -> list[Schema]:
        of = resource(controller) if callable(resource) else resource
        sort = dict.fromkeys(sorted(of.fields.sortable), DIRECTIONS)
        sorting: Schema = {"type": "object", "properties": sort, "additionalProperties": False}
        if of.fields.values:
            sorting["patternProperties"] = {f"^{re.escape(of.fields.values)}.": DIRECTIONS}
        order = json_query("sort", "Fields, each `asc` or `desc`, the most significant first.", sorting, {})
        return [filtering(of, schemas), *short(of), order, selection(of), PAGE, LIMIT, TOTAL, AFTER, *more]

    return {"parameters": parameters, "resource": resource, "is_filtered": True, "details": LISTS}


def selecting(resource: ResourceOf, *more: Schema) -> RouteOptions:
    """The options of the GET of one thing that takes `select`. Its answer is `X | Selected[X]`."""

    def parameters(controller: object, _: Schemas) -> list[Schema]:
        return [selection(resource(controller) if callable(resource) else resource), *more]

    return {"parameters": parameters, "resource": resource}


def selection(of: ListedResource) -> Schema:
    select = sorted(of.fields.selectable)
    sentence = "The fields to answer. Ids are always included; unknown names select nothing."
    return json_query("select", sentence, {"type": "array", "items": {"enum": select}}, select[:2])


def short(of: ListedResource) -> list[Schema]:
    """The parameters that stand for a filter by one field."""
    return [
        query(name, f"Only with this `{path}`; `in:a,b`, `ne:` and `prefix:` as with metadata.")
        for name, path in of.fields.short.items()
    ]


def filtering(of: ListedResource, schemas: Schemas) -> Schema:
    """The parameter of a filter by the fields of a resource."""
    name = f"{of.name}Filter"
    one = {"$ref": f"#/components/schemas/{name}"}
    schemas.components |= {_condition_name(kind): _condition(kind, value) for kind, value in COMPARED.items()}
    schemas.components[name] = _filter(one, of.fields)
    either = {"anyOf": [one, {"type": "array", "items": one}]}
    return json_query("filter", "A filter, or a list of filters of which at least one must match.", either, {})


def _filter(itself: Schema, fields: Fields) -> Schema:
    types = {path: fields.field(path).type for path in fields}
    compared: dict[str, object] = {
        path: {"$ref": f"#/components/schemas/{_condition_name(kind)}"}
        if kind in COMPARED
        else {"type": "object", "description": "`$elemMatch`"}
        for path, kind in types.items()
    }
    operators = {name: {"type": "array", "items": itself, "minItems": 1} for name in ("$and", "$or", "$nor")}
    return {"type": "object", "properties": compared | operators, "additionalProperties": False}


def _condition_name(kind: FieldType) -> str:
    return f"{kind.name.capitalize()}Condition"


def _condition(kind: FieldType, value: Schema) -> Schema:
    many = {"type": "array", "items": value}
    operators: dict[str, Schema] = dict.fromkeys(("$eq", "$ne", "$gt", "$gte", "$lt", "$lte"), value)
    operators |= {"$in": many, "$nin": many, "$exists": {"type": "boolean"}}
    if kind is FieldType.TEXT:
        operators["$regex"] = {"type": "string", "description": "RE2", "maxLength": LONGEST_PATTERN}
        operators["$options"] = {"type": "string", "pattern": "^[ims]*$"}
    return {"anyOf": [value, {"type": "object", "properties": operators, "minProperties": 1}]}


class PageBody(Struct, Generic[T], kw_only=True, rename="camel"):
    """A page of a list, with totals."""

    docs: list[T]
    total_docs: Annotated[Count, Meta(description="How many there are; at least, where `totalIsExact` is false.")]
    total_is_exact: Annotated[bool | UnsetType, Meta(description="False, or absent.")] = UNSET
    limit: Count
    total_pages: Count
    page: Count
    paging_counter: Annotated[int, Meta(description="The position of the first element.")]
    has_prev_page: bool
    has_next_page: bool
    prev_page: Count | None
    next_page: Count | None
    truncated: Annotated[bool | UnsetType, Meta(description="True: the page ends early, or it would be too large.")] = (
        UNSET
    )
    next_cursor: Annotated[str | UnsetType, Meta(description="Goes on where a truncated page ends, with `after`.")] = (
        UNSET
    )


class Stretch(Struct, Generic[T], rename="camel"):
    """One step of a walk by cursor, which `after` answers."""

    docs: list[T]
    limit: Count
    has_next_page: bool
    next_cursor: Annotated[str | None, Meta(description="The next `after`.")]


class Selected(Struct, Generic[T]):
    """An answer of which `select` may leave fields out."""

    @classmethod
    def describe(cls, of: object, schemas: Schemas, handler: HTTPRouteHandler) -> Iterable[Schema]:
        yield schemas.selected(schemas.of(of), _resource_of(handler).fields.always)


class Listed(Struct, Generic[T]):
    """A `PageBody` or a `Stretch` of a list that takes the parameters of `listing`."""

    @classmethod
    def describe(cls, of: object, schemas: Schemas, handler: HTTPRouteHandler) -> Iterable[Schema]:
        whole = schemas.of(of)
        selected = schemas.selected(whole, _resource_of(handler).fields.always)
        for kind in (PageBody, Stretch):
            reference = schemas.of(kind[of])
            component = schemas.components[name_of(reference)]
            docs = component["properties"]["docs"] | {"items": selected}
            schemas.components[name_of(reference)] = component | {
                "properties": component["properties"] | {"docs": docs}
            }
            yield reference


class Truncated(Struct, rename={"id": "_id"}):
    """One of many things that were created, after the first 8 MiB of the answer."""

    id: str
    truncated: bool = True


class Created(Struct, Generic[T]):
    """The answer to a POST of a list: what was created and, as `Index: 1 (reason)`, what was refused."""

    errors: list[str]

    @classmethod
    def describe(cls, of: object, schemas: Schemas, handler: HTTPRouteHandler) -> Iterable[Schema]:
        plural = controller_of(handler).plural
        whole = {"type": "object", "required": [plural, "errors"], "description": cls.__doc__}
        either = {"anyOf": [schemas.of(of), schemas.of(Truncated)]}
        lists = {plural: {"type": "array", "items": either}, "errors": {"type": "array", "items": {"type": "string"}}}
        yield whole | {"properties": lists}
        yield schemas.of(CreatedCounts)


class CreatedCounts(Struct):
    """The answer to a POST of a list with `verbose=false`."""

    saved: Count
    errors: Count
    Indexes: list[str]


def _resource_of(handler: HTTPRouteHandler) -> ListedResource:
    resource: ResourceOf = handler.opt["resource"]
    return resource(controller_of(handler)) if callable(resource) else resource

"""Descriptions of parameters of a query string or a header that a handler reads by itself:
`@get(parameters=[query(...)])`.

A parameter in the signature of a handler, such as `tenant: FromQuery[str]`, is found there. Headers of an answer:
`response_headers=[response_header(...)]`.
"""

from dataclasses import dataclass, field

from litestar.datastructures import ResponseHeader
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from catalog.dialects.http.docs.schemas import Schema

TEXT = {"type": "string"}


def path(description: str, example: str) -> object:
    """A segment of the path, as the annotation of an argument of the handler."""
    return PathParameter(description=description, examples=[Example(value=example)])


def parameter(name: str, place: str, description: str, schema: Schema | None = None, **more: object) -> Schema:
    return {"name": name, "in": place, "description": description, "schema": schema or TEXT, **more}


def query(name: str, description: str, schema: Schema | None = None, **more: object) -> Schema:
    return parameter(name, "query", description, schema, **more)


def header(name: str, description: str, schema: Schema | None = None, **more: object) -> Schema:
    return parameter(name, "header", description, schema, **more)


def json_query(name: str, description: str, schema: Schema, example: object) -> Schema:
    """A parameter of the query string that is JSON."""
    content = {"application/json": {"schema": schema, "example": example}}
    return {"name": name, "in": "query", "description": description, "content": content}


@dataclass(eq=False)
class DescribedHeader(ResponseHeader):
    """A header of an answer with its schema. The handler sets its value."""

    schema: Schema = field(default_factory=lambda: TEXT)


def response_header(name: str, description: str, schema: Schema | None = None) -> DescribedHeader:
    return DescribedHeader(name, documentation_only=True, description=description, schema=schema or TEXT)

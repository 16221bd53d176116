"""The OpenAPI document, put together from the tables of routes."""

import re
from collections.abc import Iterable
from typing import Any

from litestar import Litestar

from catalog.dialects.http.docs.operations import Operation as Derived
from catalog.dialects.http.docs.operations import operations as operations_of
from catalog.dialects.http.docs.refusals import Refusal
from catalog.dialects.http.docs.schemas import Schemas
from catalog.dialects.openapi import about, uploads
from catalog.dialects.openapi.operation import Operation
from catalog.dialects.openapi.schema import Schema
from catalog.dialects.v1.bodies import body_faults
from catalog.dialects.v1.errors import native
from catalog.domain.limits import Limits

INTRODUCTION = """\
A catalog of machine-learning models and datasets. Sign in with `POST {prefix}/login`, and send the token that
it answers in `Authorization`. Every answer has an `X-Request-ID`. A refusal is `{{status, value, message, details}}`;
`value` is the number to program against. A slash at the end of a path is accepted. `null` in a body is as good as
leaving it out. Every path that answers GET answers HEAD, with the same headers and no content. A body with a
`Content-Encoding` is refused. Where a route takes parameters in the query string, others are refused, but for names
that begin with `_`.
"""

SECURITY = {
    "jwt": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The token as signing in answers it, `JWT <token>`, or bare.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The same token, or a personal access token (`cat_...`).",
    },
    "operator": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "API_TOKEN, bare or as `Bearer <token>`.",
    },
}

HEADERS = {
    "X-Request-ID": {
        "description": "what the request is called in the server's log; the client's own, if it sent one",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    }
}


def operations(prefix: str) -> list[Operation]:
    """Every native route, in the order in which somebody would read of them."""
    tables = (uploads, about)
    return [operation for table in tables for operation in table.operations(prefix)]


def document(app: Litestar, prefix: str, version: str, limits: Limits) -> dict[str, Any]:
    """The document of an API whose paths begin with `prefix`."""
    schemas = Schemas(limits._asdict())
    schemas.of(Refusal)
    derived = operations_of(app, schemas, body_faults, native)
    known = {(each.method, unnamed(each.path)) for each in derived}
    told = [each for each in operations(prefix) if (each.method, unnamed(each.path)) not in known]
    groups = [*(each.group for each in operations(prefix)), *(each.group for each in derived)]
    responses = {each.name: each.response for operation in derived for each in operation.refusals}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Catalog",
            "version": version,
            "summary": "A self-hosted, multitenant catalog of machine-learning models and datasets",
            "description": INTRODUCTION.format(prefix=prefix),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": group} for group in dict.fromkeys(groups)],
        "paths": _paths(told, derived),
        "components": {
            "responses": {each.name: each.told() for operation in told for each in operation.refusals()} | responses,
            "schemas": schemas.components,
            "securitySchemes": SECURITY,
            "headers": HEADERS,
        },
    }


def unnamed(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def _paths(told: Iterable[Operation], derived: Iterable[Derived]) -> dict[str, Schema]:
    paths: dict[str, Schema] = {}
    for operation in told:
        paths.setdefault(operation.path, {})[operation.method] = operation.told()
    for each in derived:
        others = next((path for path in paths if unnamed(path) == unnamed(each.path)), each.path)
        paths.setdefault(others, {})[each.method] = each.operation
    return paths

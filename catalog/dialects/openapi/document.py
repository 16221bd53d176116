"""The OpenAPI document, put together from the tables of routes."""

from collections.abc import Iterable
from typing import Any

from catalog.dialects.openapi import about, answers, items, people, requests, tenants, uploads, versions, words
from catalog.dialects.openapi.lists import filters
from catalog.dialects.openapi.operation import Operation
from catalog.dialects.openapi.schema import Schema
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
    tables = (people, items, versions, uploads, words, tenants, about)
    return [operation for table in tables for operation in table.operations(prefix)]


def document(prefix: str, version: str, limits: Limits) -> dict[str, Any]:
    """The document of an API whose paths begin with `prefix`."""
    told = operations(prefix)
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
        "tags": [{"name": group} for group in dict.fromkeys(operation.group for operation in told)],
        "paths": _paths(told),
        "components": {
            "responses": {each.name: each.told() for operation in told for each in operation.refusals()},
            "schemas": answers.components() | filters() | requests.components(limits),
            "securitySchemes": SECURITY,
            "headers": HEADERS,
        },
    }


def _paths(told: Iterable[Operation]) -> dict[str, Schema]:
    paths: dict[str, Schema] = {}
    for operation in told:
        paths.setdefault(operation.path, {})[operation.method] = operation.told()
    return paths

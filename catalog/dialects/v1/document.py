"""The OpenAPI document of the native dialect, derived from its routes."""

from litestar import Litestar

from catalog.dialects.http.docs.operations import operations
from catalog.dialects.http.docs.refusals import Refusal
from catalog.dialects.http.docs.schemas import Schema, Schemas
from catalog.dialects.v1.errors import native
from catalog.dialects.v1.requests.bodies import body_faults
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

BODY = "Body"
"""Ends the names of structs that the domain or the client has a class for. The schema of `GroupBody` is `Group`."""

HEADERS = {
    "X-Request-ID": {
        "description": "what the request is called in the server's log; the client's own, if it sent one",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    }
}


def document(app: Litestar, prefix: str, version: str, limits: Limits) -> dict[str, object]:
    """The document of an API whose paths begin with `prefix`."""
    schemas = Schemas(limits._asdict(), suffix=BODY)
    schemas.of(Refusal)
    described = operations(app, schemas, body_faults, native)
    paths: dict[str, Schema] = {}
    for each in described:
        paths.setdefault(each.path, {})[each.method] = each.operation
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
        "tags": [{"name": group} for group in dict.fromkeys(each.group for each in described)],
        "paths": paths,
        "components": {
            "responses": {each.name: each.response for route in described for each in route.refusals},
            "schemas": schemas.components,
            "securitySchemes": SECURITY,
            "headers": HEADERS,
        },
    }

"""The OpenAPI document of this API, derived from its operations and their structs."""

import re

from catalog.dialects.http.docs.schemas import Schema, Schemas, name_of
from catalog.dialects.mlflow.models import MlflowError
from catalog.dialects.mlflow.operations import DELETE, GET, MlflowOperation, operations

TEXT: Schema = {"type": "string"}
BYTES: Schema = {"application/octet-stream": {"schema": {}}}
JSON = "application/json"

REFUSALS = {
    400: "The request has errors.",
    401: "The credentials are missing or not valid.",
    403: "The credentials may not do this.",
    404: "There is no such thing, or the caller may not read it.",
    409: "Another request changes the same thing.",
    413: "The body is too large, or the quota is used up.",
    415: "The body has a Content-Encoding.",
    416: "The file has no such range.",
    429: "There are too many requests.",
    500: "The bytes of a file are lost.",
    503: "The database does not answer.",
    507: "The storage is full.",
}
IN_PATH = re.compile(r"{(\w+)}")


def document(version: str) -> Schema:
    """The document. `version` is that of the catalog."""
    schemas = Schemas({})
    refusal = schemas.of(MlflowError)
    paths: dict[str, Schema] = {}
    for each in operations():
        paths.setdefault(f"/api{each.path}", {})[each.method.lower()] = _operation(each, schemas, refusal)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MLflow",
            "version": version,
            "description": "The models of a catalog, for MLflow's clients. Each path is below `/ajax-api`, too.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                "Bearer": {"type": "http", "scheme": "bearer"},
                "Basic": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{"Bearer": []}, {"Basic": []}],
    }


def _operation(operation: MlflowOperation, schemas: Schemas, refusal: Schema) -> Schema:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {**TEXT, "minLength": 1}, "description": "A path."}
        for name in IN_PATH.findall(operation.path)
    ]
    described: Schema = {
        "operationId": f"{operation.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', operation.path.lower()).strip('_')}",
        "summary": operation.summary,
        "parameters": in_path,
        "responses": _responses(operation, schemas, refusal),
    }
    if operation.takes_bytes:
        described["requestBody"] = {"required": True, "content": BYTES}
    elif operation.asked and operation.method is GET:
        described["parameters"] += _query(schemas.of(operation.asked), schemas)
    elif operation.asked:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas.of(operation.asked)}}}
    if operation.method is DELETE and operation.asked:
        described["description"] = "The fields are in the body, as MLflow's clients send them."
    return described


def _responses(operation: MlflowOperation, schemas: Schemas, refusal: Schema) -> dict[str, Schema]:
    """The answers and the refusals by their statuses."""
    shown = {JSON: {"schema": schemas.of(operation.shown)}} if operation.shown else BYTES
    answers: dict[int, Schema] = {200: {"description": "OK", "content": shown}}
    if not operation.shown:
        answers[206] = {"description": "The range that was asked for", "content": shown}
    if "signed" in operation.path and operation.takes_bytes:
        answers[200] = {"description": "OK: the ETag names the part"}
    refused = {
        status: {"description": text, "content": {JSON: {"schema": refusal}}} for status, text in REFUSALS.items()
    }
    return {str(status): each for status, each in sorted((refused | answers).items())}


def _query(reference: Schema, schemas: Schemas) -> list[Schema]:
    """The fields of a struct as parameters of a query: a list is a parameter that stands several times."""
    struct = schemas.components[name_of(reference)]
    return [
        {"name": name, "in": "query", "required": name in struct.get("required", ()), "schema": schema}
        for name, schema in struct["properties"].items()
    ]

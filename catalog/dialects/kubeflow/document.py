"""The OpenAPI document of one version of this API, derived from its operations and their structs."""

from catalog.dialects.http.docs.schemas import Schema, Schemas
from catalog.dialects.kubeflow.api import Api
from catalog.dialects.kubeflow.models.common import ID, Error
from catalog.dialects.kubeflow.operations.links import links_of
from catalog.dialects.kubeflow.operations.operation import PATCH, POST, KubeflowOperation
from catalog.dialects.kubeflow.operations.table import operations_of

TEXT: Schema = {"type": "string"}
PRINTABLE: Schema = {"type": "string", "pattern": "^[\\x20-\\x7E]+$"}
NUMBER: Schema = {"type": "string", "pattern": ID}

PARAMETERS: dict[str, tuple[Schema, str]] = {
    "name": (PRINTABLE, "Just this name; in a history of metrics, a part of it."),
    "externalId": (PRINTABLE, "Just this external id; `name` comes first."),
    "parentResourceId": (NUMBER, "The id of what it belongs to."),
    "filterQuery": (
        {"type": "string", "pattern": "^[\\x20-\\x7E]*$"},
        "Comparisons with =, !=, <, >, <=, >=, LIKE, ILIKE and IN, joined with AND, OR and parentheses.",
    ),
    "pageSize": (NUMBER, "Elements on a page; at most 1000, which is also the default."),
    "orderBy": ({"type": "string", "enum": ["CREATE_TIME", "LAST_UPDATE_TIME", "ID"]}, "Default: ID."),
    "sortOrder": ({"type": "string", "enum": ["ASC", "DESC"]}, "Default: ASC."),
    "nextPageToken": (TEXT, "What the page before answered; empty for the first page."),
    "artifactType": (
        {"type": "string", "enum": ["model-artifact", "doc-artifact", "dataset-artifact", "metric", "parameter"]},
        "Artifacts of this type only.",
    ),
    "stepIds": ({"type": "string", "pattern": "^[0-9]{1,9}(,[0-9]{1,9})*$"}, "Steps of metrics."),
    "link": (
        {"type": "string", "enum": ["true", "false"]},
        "Whether addresses of files in this catalog are signed, and open without a token for an hour.",
    ),
}

REFUSALS = {
    400: "The request has errors.",
    401: "The token is missing or not valid.",
    403: "The token may not do this.",
    404: "There is no such thing, or the caller may not read it.",
    409: "The name or the external id is taken.",
    413: "The body is too large.",
    415: "The body has a Content-Encoding.",
    422: "A required field is missing.",
    503: "The database does not answer.",
    507: "The tenant's quota is used up.",
}
OF_WRITES = (409, 413, 415, 422, 507)

OF_EXPERIMENTS = ("experimentId", "experimentRunId")

REQUEST_ID: Schema = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}


def document(api: Api, version: str) -> Schema:
    """The document of a version of the API. `version` is that of the catalog."""
    schemas = Schemas({})
    paths = _paths(api, schemas)
    if not api.has_experiments:
        _without_experiments(schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Kubeflow Model Registry {api.name}",
            "version": version,
            "description": "The models of a catalog, for the clients of Kubeflow's model registry.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": "ModelRegistryService"}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"Bearer": {"type": "http", "scheme": "bearer"}},
            "headers": {"X-Request-ID": {"description": "What the log calls the request.", "schema": TEXT}},
        },
        "security": [{"Bearer": []}],
    }


def _paths(api: Api, schemas: Schemas) -> dict[str, Schema]:
    """The operations by their paths and methods. What they take and answer is added to the schemas."""
    refusal, operations = schemas.of(Error), operations_of(api)
    paths: dict[str, Schema] = {}
    for each in operations:
        path = f"{api.prefix}{each.path}".replace("{id:str}", "{id}")
        links = links_of(each, operations, api)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each, api, schemas, refusal, links)
    return paths


def _without_experiments(schemas: Schemas) -> None:
    """Leave out the fields of artifacts that name their experiment and run: the older API has none."""
    for schema in schemas.components.values():
        for name in OF_EXPERIMENTS:
            schema.get("properties", {}).pop(name, None)


def _operation(operation: KubeflowOperation, api: Api, schemas: Schemas, refusal: Schema, links: Schema) -> Schema:
    shown = {"application/json": {"schema": schemas.of(operation.shown_of(api))}}
    answers = {
        status: {"description": "OK", "content": shown, "headers": REQUEST_ID, **({"links": links} if links else {})}
        for status in (operation.status, operation.other_status)
        if status
    }
    refused = {
        status: {"description": text, "content": {"application/json": {"schema": refusal}}, "headers": REQUEST_ID}
        for status, text in REFUSALS.items()
        if operation.method in {POST, PATCH} or status not in OF_WRITES
    }
    body = operation.body_of(api)
    described: Schema = {
        "operationId": operation.name,
        "tags": ["ModelRegistryService"],
        "summary": _summary(operation.name),
        "parameters": list(_parameters(operation)),
        "responses": {str(status): each for status, each in sorted((refused | answers).items())},
    }
    if body is not None:
        content = {"application/json": {"schema": schemas.of(body)}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: KubeflowOperation) -> list[Schema]:
    in_path = {"name": "id", "in": "path", "required": True, "schema": NUMBER, "description": "The id."}
    in_query = [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
        for name in operation.query
        for schema, text in [PARAMETERS[name]]
    ]
    return [*([in_path] if "{id" in operation.path else []), *in_query]


def _summary(name: str) -> str:
    """`findRegisteredModel` as words."""
    return "".join(f" {each.lower()}" if each.isupper() else each for each in name).capitalize()

"""Links of the document: what can be asked about something new, by the id in the answer that it was created with."""

from collections.abc import Iterator, Sequence

import msgspec

from catalog.dialects.http.docs.schemas import Schema
from catalog.dialects.kubeflow.api import Api
from catalog.dialects.kubeflow.operations.operation import POST, KubeflowOperation

ID_IN_ANSWER = "$response.body#/id"

REFERENCES = {
    "RegisteredModel": "registeredModelId",
    "ModelVersion": "modelVersionId",
    "ServingEnvironment": "servingEnvironmentId",
    "Experiment": "experimentId",
}
"""The fields by which a body names something, by the struct that shows it."""


def links_of(operation: KubeflowOperation, operations: Sequence[KubeflowOperation], api: Api) -> Schema:
    """The links from what an operation creates, by the names of the operations that they lead to."""
    if operation.method != POST:
        return {}
    return dict(_links(operation, operations, api))


def _links(
    operation: KubeflowOperation, operations: Sequence[KubeflowOperation], api: Api
) -> Iterator[tuple[str, Schema]]:
    collections = {each.path for each in operations if each.method == POST and each.shows == operation.shows}
    singles = tuple(f"{path}/{{id:str}}" for path in collections if "{" not in path)
    field = REFERENCES.get(getattr(operation.shows, "__name__", ""))
    for each in operations:
        link: Schema = {"operationId": each.name}
        if each.path.startswith(singles):
            yield each.name, link | {"parameters": {"id": ID_IN_ANSWER}}
        elif field and "{" not in each.path and field in _names(each.body_of(api)):
            yield each.name, link | {"requestBody": {field: ID_IN_ANSWER}}


def _names(body: object) -> set[str]:
    """The names of the fields of a body; none of a union."""
    if not (isinstance(body, type) and issubclass(body, msgspec.Struct)):
        return set()
    return set(body.__struct_encode_fields__)

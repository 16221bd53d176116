"""The operations on registered models and their versions."""

from catalog.dialects.kubeflow.handlers import model_versions, registered_models
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.models.registry import (
    ModelVersion,
    ModelVersionCreate,
    ModelVersionOfModel,
    ModelVersionUpdate,
    RegisteredModel,
    RegisteredModelCreate,
    RegisteredModelUpdate,
)
from catalog.dialects.kubeflow.operations.operation import (
    CHILDREN,
    FIND,
    FIND_CHILD,
    GET,
    POST,
    KubeflowOperation,
    of_entity,
)

OF_REGISTRY = [
    *of_entity(
        "RegisteredModel",
        "registered_model",
        registered_models,
        RegisteredModel,
        ResourcePage[RegisteredModel],
        RegisteredModelCreate,
        RegisteredModelUpdate,
        FIND,
    ),
    KubeflowOperation(
        "getRegisteredModelVersions",
        GET,
        "/registered_models/{id:str}/versions",
        model_versions.list_of_model,
        ResourcePage[ModelVersion],
        query=CHILDREN,
    ),
    KubeflowOperation(
        "createRegisteredModelVersion",
        POST,
        "/registered_models/{id:str}/versions",
        model_versions.upsert_of_model,
        ModelVersion,
        ModelVersionOfModel,
        status=201,
    ),
    *of_entity(
        "ModelVersion",
        "model_version",
        model_versions,
        ModelVersion,
        ResourcePage[ModelVersion],
        ModelVersionCreate,
        ModelVersionUpdate,
        FIND_CHILD,
    ),
]

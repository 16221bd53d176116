"""The operations on serving environments, inference services and served models."""

from catalog.dialects.kubeflow.handlers import serving
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.models.registry import ModelVersion, RegisteredModel
from catalog.dialects.kubeflow.models.serving import (
    InferenceService,
    InferenceServiceCreate,
    InferenceServiceOfEnvironment,
    InferenceServiceUpdate,
    ServeModel,
    ServeModelCreate,
    ServingEnvironment,
    ServingEnvironmentCreate,
    ServingEnvironmentUpdate,
)
from catalog.dialects.kubeflow.operations.operation import (
    CHILDREN,
    FIND,
    FIND_CHILD,
    GET,
    POST,
    Handlers,
    KubeflowOperation,
    of_entity,
)

_ENVIRONMENTS = Handlers(
    serving.find_environment,
    serving.list_environments,
    serving.create_environment,
    serving.read_environment,
    serving.update_environment,
)
_SERVICES = Handlers(
    serving.find_service,
    serving.list_services,
    serving.create_service,
    serving.read_service,
    serving.update_service,
)

OF_SERVING = [
    *of_entity(
        "ServingEnvironment",
        "serving_environment",
        _ENVIRONMENTS,
        ServingEnvironment,
        ResourcePage[ServingEnvironment],
        ServingEnvironmentCreate,
        ServingEnvironmentUpdate,
        FIND,
    ),
    KubeflowOperation(
        "getEnvironmentInferenceServices",
        GET,
        "/serving_environments/{id:str}/inference_services",
        serving.list_services_of_environment,
        ResourcePage[InferenceService],
        query=CHILDREN,
    ),
    KubeflowOperation(
        "createEnvironmentInferenceService",
        POST,
        "/serving_environments/{id:str}/inference_services",
        serving.create_service_of_environment,
        InferenceService,
        InferenceServiceOfEnvironment,
        status=201,
    ),
    *of_entity(
        "InferenceService",
        "inference_service",
        _SERVICES,
        InferenceService,
        ResourcePage[InferenceService],
        InferenceServiceCreate,
        InferenceServiceUpdate,
        FIND_CHILD,
    ),
    KubeflowOperation(
        "getInferenceServiceModel",
        GET,
        "/inference_services/{id:str}/model",
        serving.model_of_service,
        RegisteredModel,
    ),
    KubeflowOperation(
        "getInferenceServiceVersion",
        GET,
        "/inference_services/{id:str}/version",
        serving.version_of_service,
        ModelVersion,
    ),
    KubeflowOperation(
        "getInferenceServiceServes",
        GET,
        "/inference_services/{id:str}/serves",
        serving.list_served,
        ResourcePage[ServeModel],
        query=CHILDREN,
    ),
    KubeflowOperation(
        "createInferenceServiceServe",
        POST,
        "/inference_services/{id:str}/serves",
        serving.create_served,
        ServeModel,
        ServeModelCreate,
        status=201,
    ),
]

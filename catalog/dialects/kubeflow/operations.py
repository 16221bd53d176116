"""The operations of this dialect: one table, from which its routes and its documents are made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar import HttpMethod

from catalog.dialects.kubeflow.api import Api
from catalog.dialects.kubeflow.handlers import artifacts, experiments, model_versions, registered_models, serving
from catalog.dialects.kubeflow.models.artifacts import ModelArtifact, ModelArtifactInput
from catalog.dialects.kubeflow.models.experiments import (
    Experiment,
    ExperimentCreate,
    ExperimentRun,
    ExperimentRunCreate,
    ExperimentRunInput,
    ExperimentRunUpdate,
    ExperimentUpdate,
)
from catalog.dialects.kubeflow.models.lists import Page
from catalog.dialects.kubeflow.models.registry import (
    ModelVersion,
    ModelVersionCreate,
    ModelVersionOfModel,
    ModelVersionUpdate,
    RegisteredModel,
    RegisteredModelCreate,
    RegisteredModelUpdate,
)
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
from catalog.dialects.kubeflow.requests import Ask
from catalog.vocabulary import ArtifactType

GET, POST, PATCH = HttpMethod.GET, HttpMethod.POST, HttpMethod.PATCH

Handler = Callable[[Ask], Awaitable[Any]]
ByApi = Callable[[Api], Any]

FIND = ("name", "externalId")
FIND_CHILD = ("name", "externalId", "parentResourceId")
LIST = ("filterQuery", "pageSize", "orderBy", "sortOrder", "nextPageToken")
CHILDREN = (*FIND, *LIST)
LINK = ("link",)
MODEL = ArtifactType.MODEL


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `body` and `shows` are types, or functions of the version of the API."""

    name: str
    method: HttpMethod
    path: str
    handler: Handler
    shows: Any
    body: Any = None
    query: tuple[str, ...] = ()
    status: int = 200
    other_status: int = 0
    is_of_experiments: bool = False

    def body_of(self, api: Api) -> Any:
        return _of(self.body, api)

    def shown_of(self, api: Api) -> Any:
        return _of(self.shows, api)


@dataclass(frozen=True, slots=True)
class PerApi:
    """A type that the versions of the API have differently."""

    choose: ByApi


def _of(type_: Any, api: Api) -> Any:
    return type_.choose(api) if isinstance(type_, PerApi) else type_


ANY_BODY = PerApi(lambda api: api.artifact_body)
ANY_SHOWN = PerApi(lambda api: api.shown_artifact)
ANY_PAGE = PerApi(lambda api: api.artifact_page)
METRIC_PAGE = PerApi(lambda api: api.metric_page)


def _of_entity(
    one: str, path: str, module: Any, shown: Any, create: Any, update: Any, find: tuple[str, ...], *, more: bool = False
) -> list[Operation]:
    """The five operations that most entities have."""
    single = f"/{path}"
    return [
        Operation(f"find{one}", GET, single, module.find, shown, query=find, is_of_experiments=more),
        Operation(f"get{one}s", GET, f"{single}s", module.list_, Page[shown], query=LIST, is_of_experiments=more),
        Operation(f"create{one}", POST, f"{single}s", module.create, shown, create, status=201, is_of_experiments=more),
        Operation(f"get{one}", GET, f"{single}s/{{id:str}}", module.read, shown, is_of_experiments=more),
        Operation(f"update{one}", PATCH, f"{single}s/{{id:str}}", module.update, shown, update, is_of_experiments=more),
    ]


@dataclass(frozen=True, slots=True)
class _Five:
    """Handlers of an entity that has no module of its own."""

    find: Handler
    list_: Handler
    create: Handler
    read: Handler
    update: Handler


_ARTIFACTS = _Five(
    artifacts.finds(),
    artifacts.lists(),
    artifacts.creates(artifacts.any_body),
    artifacts.reads(),
    artifacts.updates(artifacts.any_body),
)
_MODEL_ARTIFACTS = _Five(
    artifacts.finds(MODEL),
    artifacts.lists(MODEL),
    artifacts.creates(artifacts.model_artifact_body),
    artifacts.reads(MODEL),
    artifacts.updates(artifacts.model_artifact_body, MODEL),
)
_RUNS = _Five(
    experiments.find_run,
    experiments.list_runs,
    experiments.create_run,
    experiments.read_run,
    experiments.update_run,
)
_ENVIRONMENTS = _Five(
    serving.find_environment,
    serving.list_environments,
    serving.create_environment,
    serving.read_environment,
    serving.update_environment,
)
_SERVICES = _Five(
    serving.find_service,
    serving.list_services,
    serving.create_service,
    serving.read_service,
    serving.update_service,
)

OF_REGISTRY = [
    *_of_entity(
        "RegisteredModel",
        "registered_model",
        registered_models,
        RegisteredModel,
        RegisteredModelCreate,
        RegisteredModelUpdate,
        FIND,
    ),
    Operation(
        "getRegisteredModelVersions",
        GET,
        "/registered_models/{id:str}/versions",
        model_versions.list_of_model,
        Page[ModelVersion],
        query=CHILDREN,
    ),
    Operation(
        "createRegisteredModelVersion",
        POST,
        "/registered_models/{id:str}/versions",
        model_versions.upsert_of_model,
        ModelVersion,
        ModelVersionOfModel,
        status=201,
    ),
    *_of_entity(
        "ModelVersion",
        "model_version",
        model_versions,
        ModelVersion,
        ModelVersionCreate,
        ModelVersionUpdate,
        FIND_CHILD,
    ),
]

OF_ARTIFACTS = [
    Operation("findArtifact", GET, "/artifact", _ARTIFACTS.find, ANY_SHOWN, query=(*FIND_CHILD, *LINK)),
    Operation("getArtifacts", GET, "/artifacts", _ARTIFACTS.list_, ANY_PAGE, query=(*LIST, "artifactType", *LINK)),
    Operation("createArtifact", POST, "/artifacts", _ARTIFACTS.create, ANY_SHOWN, ANY_BODY, status=201),
    Operation("getArtifact", GET, "/artifacts/{id:str}", _ARTIFACTS.read, ANY_SHOWN, query=LINK),
    Operation("updateArtifact", PATCH, "/artifacts/{id:str}", _ARTIFACTS.update, ANY_SHOWN, ANY_BODY),
    Operation(
        "getModelVersionArtifacts",
        GET,
        "/model_versions/{id:str}/artifacts",
        artifacts.list_of_version,
        ANY_PAGE,
        query=(*CHILDREN, "artifactType", *LINK),
    ),
    Operation(
        "upsertModelVersionArtifact",
        POST,
        "/model_versions/{id:str}/artifacts",
        artifacts.upsert_of_version,
        ANY_SHOWN,
        ANY_BODY,
        status=201,
        other_status=200,
    ),
    Operation(
        "findModelArtifact", GET, "/model_artifact", _MODEL_ARTIFACTS.find, ModelArtifact, query=(*FIND_CHILD, *LINK)
    ),
    Operation(
        "getModelArtifacts", GET, "/model_artifacts", _MODEL_ARTIFACTS.list_, Page[ModelArtifact], query=(*LIST, *LINK)
    ),
    Operation(
        "createModelArtifact",
        POST,
        "/model_artifacts",
        _MODEL_ARTIFACTS.create,
        ModelArtifact,
        ModelArtifactInput,
        status=201,
    ),
    Operation("getModelArtifact", GET, "/model_artifacts/{id:str}", _MODEL_ARTIFACTS.read, ModelArtifact, query=LINK),
    Operation(
        "updateModelArtifact",
        PATCH,
        "/model_artifacts/{id:str}",
        _MODEL_ARTIFACTS.update,
        ModelArtifact,
        ModelArtifactInput,
    ),
]

OF_SERVING = [
    *_of_entity(
        "ServingEnvironment",
        "serving_environment",
        _ENVIRONMENTS,
        ServingEnvironment,
        ServingEnvironmentCreate,
        ServingEnvironmentUpdate,
        FIND,
    ),
    Operation(
        "getEnvironmentInferenceServices",
        GET,
        "/serving_environments/{id:str}/inference_services",
        serving.list_services_of_environment,
        Page[InferenceService],
        query=CHILDREN,
    ),
    Operation(
        "createEnvironmentInferenceService",
        POST,
        "/serving_environments/{id:str}/inference_services",
        serving.create_service_of_environment,
        InferenceService,
        InferenceServiceOfEnvironment,
        status=201,
    ),
    *_of_entity(
        "InferenceService",
        "inference_service",
        _SERVICES,
        InferenceService,
        InferenceServiceCreate,
        InferenceServiceUpdate,
        FIND_CHILD,
    ),
    Operation(
        "getInferenceServiceModel",
        GET,
        "/inference_services/{id:str}/model",
        serving.model_of_service,
        RegisteredModel,
    ),
    Operation(
        "getInferenceServiceVersion",
        GET,
        "/inference_services/{id:str}/version",
        serving.version_of_service,
        ModelVersion,
    ),
    Operation(
        "getInferenceServiceServes",
        GET,
        "/inference_services/{id:str}/serves",
        serving.list_served,
        Page[ServeModel],
        query=CHILDREN,
    ),
    Operation(
        "createInferenceServiceServe",
        POST,
        "/inference_services/{id:str}/serves",
        serving.create_served,
        ServeModel,
        ServeModelCreate,
        status=201,
    ),
]

OF_EXPERIMENTS = [
    *_of_entity(
        "Experiment", "experiment", experiments, Experiment, ExperimentCreate, ExperimentUpdate, FIND, more=True
    ),
    Operation(
        "getExperimentExperimentRuns",
        GET,
        "/experiments/{id:str}/experiment_runs",
        experiments.list_of_experiment,
        Page[ExperimentRun],
        query=CHILDREN,
        is_of_experiments=True,
    ),
    Operation(
        "createExperimentExperimentRun",
        POST,
        "/experiments/{id:str}/experiment_runs",
        experiments.upsert_of_experiment,
        ExperimentRun,
        ExperimentRunInput,
        status=201,
        is_of_experiments=True,
    ),
    *_of_entity(
        "ExperimentRun",
        "experiment_run",
        _RUNS,
        ExperimentRun,
        ExperimentRunCreate,
        ExperimentRunUpdate,
        FIND_CHILD,
        more=True,
    ),
    Operation(
        "getExperimentRunArtifacts",
        GET,
        "/experiment_runs/{id:str}/artifacts",
        artifacts.list_of_run,
        ANY_PAGE,
        query=(*CHILDREN, "artifactType", *LINK),
        is_of_experiments=True,
    ),
    Operation(
        "upsertExperimentRunArtifact",
        POST,
        "/experiment_runs/{id:str}/artifacts",
        artifacts.upsert_of_run,
        ANY_SHOWN,
        ANY_BODY,
        status=201,
        other_status=200,
        is_of_experiments=True,
    ),
    Operation(
        "getExperimentRunsMetricHistory",
        GET,
        "/experiment_runs/metric_history",
        experiments.history,
        METRIC_PAGE,
        query=(*LIST, "name", "stepIds"),
        is_of_experiments=True,
    ),
    Operation(
        "getExperimentRunMetricHistory",
        GET,
        "/experiment_runs/{id:str}/metric_history",
        experiments.history_of_run,
        METRIC_PAGE,
        query=(*LIST, "name", "stepIds"),
        is_of_experiments=True,
    ),
]

OPERATIONS = (*OF_REGISTRY, *OF_ARTIFACTS, *OF_SERVING, *OF_EXPERIMENTS)


def operations_of(api: Api) -> list[Operation]:
    return [each for each in OPERATIONS if api.has_experiments or not each.is_of_experiments]

"""The operations on artifacts."""

from catalog.dialects.kubeflow.handlers import artifacts
from catalog.dialects.kubeflow.models.artifacts import ModelArtifact, ModelArtifactInput
from catalog.dialects.kubeflow.models.lists import ResourcePage
from catalog.dialects.kubeflow.operations.operation import (
    ANY_BODY,
    ANY_PAGE,
    ANY_SHOWN,
    CHILDREN,
    FIND_CHILD,
    GET,
    LINK,
    LIST,
    PATCH,
    POST,
    Handlers,
    KubeflowOperation,
)
from catalog.vocabulary import ArtifactType

_ARTIFACTS = Handlers(
    artifacts.finds(),
    artifacts.lists(),
    artifacts.creates(artifacts.any_body),
    artifacts.reads(),
    artifacts.updates(artifacts.any_body),
)
_MODEL_ARTIFACTS = Handlers(
    artifacts.finds(ArtifactType.MODEL),
    artifacts.lists(ArtifactType.MODEL),
    artifacts.creates(artifacts.model_artifact_body),
    artifacts.reads(ArtifactType.MODEL),
    artifacts.updates(artifacts.model_artifact_body, ArtifactType.MODEL),
)

OF_ARTIFACTS = [
    KubeflowOperation("findArtifact", GET, "/artifact", _ARTIFACTS.find, ANY_SHOWN, query=(*FIND_CHILD, *LINK)),
    KubeflowOperation(
        "getArtifacts", GET, "/artifacts", _ARTIFACTS.list_, ANY_PAGE, query=(*LIST, "artifactType", *LINK)
    ),
    KubeflowOperation("createArtifact", POST, "/artifacts", _ARTIFACTS.create, ANY_SHOWN, ANY_BODY, status=201),
    KubeflowOperation("getArtifact", GET, "/artifacts/{id:str}", _ARTIFACTS.read, ANY_SHOWN, query=LINK),
    KubeflowOperation("updateArtifact", PATCH, "/artifacts/{id:str}", _ARTIFACTS.update, ANY_SHOWN, ANY_BODY),
    KubeflowOperation(
        "getModelVersionArtifacts",
        GET,
        "/model_versions/{id:str}/artifacts",
        artifacts.list_of_version,
        ANY_PAGE,
        query=(*CHILDREN, "artifactType", *LINK),
    ),
    KubeflowOperation(
        "upsertModelVersionArtifact",
        POST,
        "/model_versions/{id:str}/artifacts",
        artifacts.upsert_of_version,
        ANY_SHOWN,
        ANY_BODY,
        status=201,
        other_status=200,
    ),
    KubeflowOperation(
        "findModelArtifact", GET, "/model_artifact", _MODEL_ARTIFACTS.find, ModelArtifact, query=(*FIND_CHILD, *LINK)
    ),
    KubeflowOperation(
        "getModelArtifacts",
        GET,
        "/model_artifacts",
        _MODEL_ARTIFACTS.list_,
        ResourcePage[ModelArtifact],
        query=(*LIST, *LINK),
    ),
    KubeflowOperation(
        "createModelArtifact",
        POST,
        "/model_artifacts",
        _MODEL_ARTIFACTS.create,
        ModelArtifact,
        ModelArtifactInput,
        status=201,
    ),
    KubeflowOperation(
        "getModelArtifact", GET, "/model_artifacts/{id:str}", _MODEL_ARTIFACTS.read, ModelArtifact, query=LINK
    ),
    KubeflowOperation(
        "updateModelArtifact",
        PATCH,
        "/model_artifacts/{id:str}",
        _MODEL_ARTIFACTS.update,
        ModelArtifact,
        ModelArtifactInput,
    ),
]

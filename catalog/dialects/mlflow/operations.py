"""The operations of this API: the calls of the registry with their handlers, and what the others take and answer."""

from dataclasses import dataclass
from typing import get_type_hints

import msgspec
from litestar import HttpMethod

from catalog.dialects.mlflow import models as wire
from catalog.dialects.mlflow.handlers import model_versions, registered_models
from catalog.dialects.mlflow.requests import Handler

GET, POST, PUT, PATCH, DELETE = (
    HttpMethod.GET,
    HttpMethod.POST,
    HttpMethod.PUT,
    HttpMethod.PATCH,
    HttpMethod.DELETE,
)

REGISTRY: tuple[tuple[HttpMethod, str, Handler], ...] = (
    (POST, "registered-models/create", registered_models.create),
    (GET, "registered-models/get", registered_models.get),
    (PATCH, "registered-models/update", registered_models.update),
    (POST, "registered-models/rename", registered_models.rename),
    (DELETE, "registered-models/delete", registered_models.delete),
    (GET, "registered-models/search", registered_models.search),
    (POST, "registered-models/get-latest-versions", registered_models.latest_versions),
    (GET, "registered-models/get-latest-versions", registered_models.latest_versions),
    (POST, "registered-models/set-tag", registered_models.set_tag),
    (DELETE, "registered-models/delete-tag", registered_models.delete_tag),
    (POST, "registered-models/alias", registered_models.set_alias),
    (DELETE, "registered-models/alias", registered_models.delete_alias),
    (GET, "registered-models/alias", registered_models.version_by_alias),
    (POST, "model-versions/create", model_versions.create),
    (GET, "model-versions/get", model_versions.get),
    (PATCH, "model-versions/update", model_versions.update),
    (POST, "model-versions/transition-stage", model_versions.transition_stage),
    (DELETE, "model-versions/delete", model_versions.delete),
    (GET, "model-versions/search", model_versions.search),
    (GET, "model-versions/get-download-uri", model_versions.get_download_uri),
    (POST, "model-versions/set-tag", model_versions.set_tag),
    (DELETE, "model-versions/delete-tag", model_versions.delete_tag),
)

Struct = type[msgspec.Struct]


@dataclass(frozen=True, slots=True)
class MlflowOperation:
    """What an operation takes, as a query or as a body, and what it answers. Without a struct these are bytes."""

    method: HttpMethod
    path: str
    asked: Struct | None
    shown: Struct | None
    summary: str

    @property
    def takes_bytes(self) -> bool:
        return self.method is PUT


SERVICE = "/2.0/mlflow-artifacts"

OTHERS = (
    MlflowOperation(GET, f"{SERVICE}/artifacts", wire.ListArtifacts, wire.Artifacts, "List a folder"),
    MlflowOperation(GET, f"{SERVICE}/artifacts/{{path}}", None, None, "Download a file, or a range of it"),
    MlflowOperation(PUT, f"{SERVICE}/artifacts/{{path}}", None, wire.Nothing, "Upload a file"),
    MlflowOperation(DELETE, f"{SERVICE}/artifacts/{{path}}", None, wire.Nothing, "Delete a file or a folder"),
    MlflowOperation(
        GET, f"{SERVICE}/presigned/{{path}}", None, wire.PresignedDownload, "An address without credentials"
    ),
    *(
        MlflowOperation(POST, f"{SERVICE}/mpu/{step}{folder}", asked, shown, f"{step.capitalize()} an upload in parts")
        for step, asked, shown in (
            ("create", wire.CreateMultipartUpload, wire.MultipartUpload),
            ("complete", wire.CompleteMultipartUpload, wire.Nothing),
            ("abort", wire.AbortMultipartUpload, wire.Nothing),
        )
        for folder in ("", "/{path}")
    ),
    MlflowOperation(PUT, f"{SERVICE}/signed/{{token}}", None, wire.Nothing, "Send a part of an upload"),
    MlflowOperation(GET, f"{SERVICE}/signed/{{token}}", None, None, "Download a file by its address"),
    MlflowOperation(GET, "/3.0/mlflow/server-info", None, wire.ServerInfo, "What the server can do"),
    MlflowOperation(GET, "/3.0/mlflow/workspaces", None, wire.Workspaces, "The tenant of the credentials"),
    MlflowOperation(GET, "/3.0/mlflow/workspaces/{path}", None, wire.OneWorkspace, "The same by its name"),
)
"""The operations that are no calls of the registry. Paths are those below `/api` and `/ajax-api`."""


def operations() -> list[MlflowOperation]:
    """All of them."""
    return [*map(_of_registry, REGISTRY), *OTHERS]


def asked_by(handler: Handler) -> Struct:
    """The struct that a call of the registry takes: its handler declares it as the second argument."""
    asked: Struct = list(get_type_hints(handler).values())[1]
    return asked


def _of_registry(row: tuple[HttpMethod, str, Handler]) -> MlflowOperation:
    method, path, handler = row
    shown: Struct = get_type_hints(handler)["return"]
    subject, _, verb = path.partition("/")
    words = f"{verb.replace('-', ' ')} of {subject.replace('-', ' ')}"
    return MlflowOperation(method, f"/2.0/mlflow/{path}", asked_by(handler), shown, words.capitalize())

"""Files at addresses that the plugin hands out: `modelregistry+https://host/api/2.0/mlflow-artifacts/artifacts/...`."""

import posixpath
from typing import Any

from mlflow.entities import FileInfo
from mlflow.exceptions import _UnsupportedMultipartUploadException
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository
from mlflow.utils.request_utils import augmented_raise_for_status
from mlflow.utils.rest_utils import MlflowHostCreds, http_request
from mlflow.utils.uri import validate_path_is_safe

from catalog.client.mlflow.address import SCHEME
from catalog.client.mlflow.credentials import SERVICE, address_of, host_credentials


class CatalogArtifactRepository(HttpArtifactRepository):
    """MLflow's client of an artifact service, with the credentials and the CA of the registry."""

    def __init__(self, artifact_uri: str, *arguments: Any, **options: Any) -> None:
        super().__init__(artifact_uri.removeprefix(f"{SCHEME}+"), *arguments, **options)
        self._address = address_of(self.artifact_uri)

    @property
    def _host_creds(self) -> MlflowHostCreds:
        return host_credentials(self._address, self.artifact_uri)

    def _is_multipart_upload_enabled(self) -> bool:
        return False  # its calls take the credentials of the environment

    def _try_multipart_upload(self, *_: Any, **__: Any) -> None:
        """What versions of MLflow before 3 call for a large file. They send it whole then."""
        raise _UnsupportedMultipartUploadException

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        folder = posixpath.join(*filter(None, (self.artifact_uri.partition(SERVICE)[2].strip("/"), path or "")))
        credentials = host_credentials(self._address, self.artifact_uri.partition(SERVICE)[0])
        answer = http_request(credentials, SERVICE, "GET", params={"path": folder})
        augmented_raise_for_status(answer)
        found = []
        for file in answer.json().get("files", []):
            name = validate_path_is_safe(file["path"])
            size = int(file["file_size"]) if "file_size" in file else None
            found.append(FileInfo(posixpath.join(path, name) if path else name, file["is_dir"], size))
        return sorted(found, key=lambda info: str(info.path))

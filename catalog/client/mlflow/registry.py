"""The registry store of the plugin: MLflow's own, with the address, the credentials and the author of the URI."""

import uuid
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mlflow.entities.model_registry import ModelVersion
from mlflow.store.model_registry.rest_store import RestStore

from catalog.client.mlflow import address, credentials
from catalog.client.mlflow.address import SCHEME
from catalog.client.mlflow.artifacts import CatalogArtifactRepository
from catalog.client.mlflow.credentials import SERVICE

UPLOADS = "uploads"
"""The folder of the artifact service in which models stay until they are versions."""


_origin: ContextVar[str] = ContextVar("origin", default="")
"""What the version that is being created was made from, before its files were uploaded."""


class CatalogRegistryStore(RestStore):
    """`mlflow.set_registry_uri("modelregistry://catalog.example.org?author=ada")`."""

    def __init__(self, store_uri: str) -> None:
        """Raises AddressError."""
        self._uri = store_uri
        address.parse(store_uri)
        super().__init__(lambda: credentials.host_credentials(self._address()))

    def _address(self) -> address.RegistryAddress:
        """The address by the present URI and environment: MLflow keeps a store for the life of the process."""
        parsed = address.parse(self._uri)
        credentials.remember(parsed)
        return parsed

    def _call_endpoint(
        self, api: Any, json_body: Any, call_all_endpoints: bool = False, extra_headers: Any = None
    ) -> Any:
        headers = dict(extra_headers or {})
        if author := self._address().author:
            headers["X-Catalog-Author"] = quote(author)
        if origin := _origin.get():
            headers["X-Catalog-Origin"] = quote(origin)
        return super()._call_endpoint(api, json_body, call_all_endpoints, headers)

    def create_model_version(
        self, name: str, source: str, *arguments: Any, local_model_path: str | None = None, **options: Any
    ) -> ModelVersion:
        """Create a version. With `local_model_path` its files are uploaded first, and the version has them."""
        if local_model_path is None or not Path(local_model_path).is_dir():
            return super().create_model_version(name, source, *arguments, **options)
        uploaded = f"{self._address().url}{SERVICE}/{UPLOADS}/{uuid.uuid4().hex}"
        files = CatalogArtifactRepository(f"{SCHEME}+{uploaded}")
        files.log_artifacts(local_model_path)
        token = _origin.set(source)
        try:
            return super().create_model_version(name, uploaded, *arguments, **options)
        finally:
            _origin.reset(token)
            files.delete_artifacts()  # the version names the same bytes

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """The address of the files. Files of this registry get an address of the plugin, which adds the token and the
        CA.
        """
        uri = str(super().get_model_version_download_uri(name, version))
        path = uri.partition(SERVICE)
        is_ours = path[1] and path[0].partition("://")[2] == self._address().url.partition("://")[2]
        return f"{SCHEME}+{uri}" if is_ours else uri

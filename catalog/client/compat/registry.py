"""`ModelRegistryClient` and `ModelMetadata`: the interface of a small registry that many notebooks use.

A model of that registry is a version here: `name` is the item, `version` the ordinal, the rest is metadata.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from catalog.client.catalog import Catalog
from catalog.client.results import Model, Value, Version

EXTRA_FIELDS = "registry"
"""The name of the metadata pair that holds, as JSON, the fields without a counterpart here."""


@dataclass(frozen=True, kw_only=True)
class ModelMetadata:
    """The metadata of a model. `id` is the author's name for it; `storage_group` is stored but has no effect."""

    id: str
    name: str
    version: str
    file_extension: str = "pkl"
    storage_group: str = "models"
    description: str = ""
    framework: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        return f"{self.name}.{self.file_extension.lstrip('.')}"


@dataclass(frozen=True, kw_only=True)
class UploadResponse:
    metadata_id: str
    """For `get_metadata`: `<id of the item>@<ordinal>`."""
    storage_path: str
    message: str = "Model uploaded"


class ModelRegistryClient:
    """A thin layer over `Catalog`, its attribute `catalog`. Credentials come from arguments or from the environment
    (CATALOG_TOKEN, or CATALOG_USERNAME and CATALOG_PASSWORD).
    """

    def __init__(self, url: str = "", **credentials: Any) -> None:
        self.catalog = Catalog(url, **credentials)

    def close(self) -> None:
        self.catalog.close()

    def upload_model(self, model: IO[bytes], metadata: ModelMetadata) -> UploadResponse:
        """Raises CatalogError: Invalid if the version exists."""
        extra: dict[str, Any] = {
            "id": metadata.id,
            "storage_group": metadata.storage_group,
            "file_extension": metadata.file_extension,
        }
        extra |= {"metrics": metadata.metrics, "parameters": metadata.parameters, "tags": metadata.tags}
        pairs: dict[str, Value] = {EXTRA_FIELDS: json.dumps(extra)}
        pairs |= {name: value for name, value in metadata.metrics.items() if isinstance(value, str | int | float)}
        if metadata.framework:
            pairs["framework"] = metadata.framework
        item = self._item(metadata)
        version = self.catalog.models.versions(item).add(
            model,
            name=metadata.file_name,
            description=metadata.description,
            metadata=pairs,
            ordinal=metadata.version,
        )
        return UploadResponse(metadata_id=f"{item.id}@{version.ordinal}", storage_path=_path(item, version))

    def get_metadata(self, metadata_id: str) -> dict[str, Any]:
        """A dictionary with `_id`, `storage_path`, `storage_group` and the metadata of the upload.

        Raises CatalogError: NotFound.
        """
        key, _, ordinal = metadata_id.partition("@")
        item = self.catalog.models.get(key)
        version = self.catalog.models.versions(item).get(ordinal)
        return _as_dictionary(item, version)

    def get_model(self, file_path: str, metadata_id: str, bucket_name: str = "") -> tuple[io.BytesIO, dict[str, Any]]:
        """The verified bytes and the metadata. `file_path` and `bucket_name` are ignored: the id identifies the model.

        Raises CatalogError: NotFound, Damaged.
        """
        del file_path, bucket_name
        metadata = self.get_metadata(metadata_id)
        key, _, ordinal = metadata_id.partition("@")
        path = self.catalog.models.versions(key).download(ordinal)
        return io.BytesIO(path.read_bytes()), metadata

    def _item(self, metadata: ModelMetadata) -> Model:
        tags = [f"{name}:{value}" for name, value in metadata.tags.items()]
        item = self.catalog.models.ensure(metadata.name, description=metadata.description, tags=tags)
        missing = set(tags) - set(item.tags)
        return self.catalog.models.update(item, add={"tags": sorted(missing)}) if missing else item


def _path(item: Model, version: Version) -> str:
    return f"{item.name}/{version.ordinal}/{version.original}"


def _as_dictionary(item: Model, version: Version) -> dict[str, Any]:
    extra = json.loads(str(version.metadata.get(EXTRA_FIELDS, "{}")))
    return {
        **extra,
        "_id": f"{item.id}@{version.ordinal}",
        "name": item.name,
        "version": version.ordinal,
        "description": version.description,
        "framework": version.metadata.get("framework", ""),
        "storage_path": _path(item, version),
        "storage_group": extra.get("storage_group", "models"),
        "size": version.size,
        "digest": version.digest,
        "created_at": version.timestamp,
    }

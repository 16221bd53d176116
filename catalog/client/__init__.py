"""The Python client of a catalog. It loads nothing of the server."""

from catalog.client.catalog import AsyncCatalog, Catalog
from catalog.client.errors import (
    CatalogError,
    Conflict,
    Damaged,
    Forbidden,
    Invalid,
    NotFound,
    NotSignedIn,
    Offline,
    OutOfSpace,
    Unavailable,
)
from catalog.client.oneliners import pull, push
from catalog.client.pushing import Pushed
from catalog.client.registry import ModelMetadata, ModelRegistryClient
from catalog.client.results import (
    Algorithm,
    Dataset,
    File,
    Identity,
    Item,
    Link,
    Model,
    Page,
    Removed,
    Tenant,
    Token,
    User,
    Version,
    Word,
)

__all__ = [
    "Algorithm",
    "AsyncCatalog",
    "Catalog",
    "CatalogError",
    "Conflict",
    "Damaged",
    "Dataset",
    "File",
    "Forbidden",
    "Identity",
    "Invalid",
    "Item",
    "Link",
    "Model",
    "ModelMetadata",
    "ModelRegistryClient",
    "NotFound",
    "NotSignedIn",
    "Offline",
    "OutOfSpace",
    "Page",
    "Pushed",
    "Removed",
    "Tenant",
    "Token",
    "Unavailable",
    "User",
    "Version",
    "Word",
    "pull",
    "push",
]

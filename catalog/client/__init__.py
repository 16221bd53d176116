"""The Python client of a catalog. It loads nothing of the server."""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.client import compat as compat
    from catalog.client import profile as profile
    from catalog.client import resources as resources
    from catalog.client import results as results
    from catalog.client import revisions as revisions
    from catalog.client import transfer as transfer
    from catalog.client.catalog import AsyncCatalog, Catalog
    from catalog.client.compat.registry import ModelMetadata, ModelRegistryClient
    from catalog.client.errors import (
        Ambiguous,
        CatalogError,
        CatalogWarning,
        Conflict,
        Damaged,
        Elsewhere,
        Forbidden,
        Invalid,
        NotFound,
        NotSignedIn,
        Offline,
        OutOfSpace,
        Unavailable,
        Unsafe,
        UnsafeFileWarning,
    )
    from catalog.client.push_pull.pushing import Pushed, PushPlan
    from catalog.client.results import (
        Algorithm,
        Alias,
        AliasMove,
        Card,
        Dataset,
        File,
        Identity,
        Item,
        Link,
        Model,
        Page,
        Tenant,
        Term,
        Token,
        TrashedItem,
        User,
        Version,
    )
    from catalog.client.shortcuts import load, login, pull, push

__all__ = [
    "Algorithm",
    "Alias",
    "AliasMove",
    "Ambiguous",
    "AsyncCatalog",
    "Card",
    "Catalog",
    "CatalogError",
    "CatalogWarning",
    "Conflict",
    "Damaged",
    "Dataset",
    "Elsewhere",
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
    "PushPlan",
    "Pushed",
    "Tenant",
    "Term",
    "Token",
    "TrashedItem",
    "Unavailable",
    "Unsafe",
    "UnsafeFileWarning",
    "User",
    "Version",
    "load",
    "login",
    "pull",
    "push",
]

__getattr__ = lazy_names(
    __name__,
    __all__,
    (
        "errors",
        "results",
        "catalog",
        "shortcuts",
        "push_pull.pushing",
        "compat.registry",
        "compat",
        "resources",
        "profile",
        "revisions",
        "transfer",
    ),
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""A self-hosted, multitenant catalog of machine-learning models and datasets."""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog import client as client
    from catalog.client.catalog import AsyncCatalog, Catalog
    from catalog.client.errors import CatalogError, CatalogWarning, UnsafeFileWarning
    from catalog.client.shortcuts import load, login, pull, push

__version__ = "0.1.0"
API_VERSION = "v1"
"""The first segment of the paths of the native API, where the setting VERSION does not change it."""

__all__ = [
    "AsyncCatalog",
    "Catalog",
    "CatalogError",
    "CatalogWarning",
    "UnsafeFileWarning",
    "load",
    "login",
    "pull",
    "push",
]

__getattr__ = lazy_names(__name__, __all__, ("client", "client.errors", "client.catalog", "client.shortcuts"))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

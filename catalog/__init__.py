"""A self-hosted, multitenant catalog of machine-learning models and datasets."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalog.client.shortcuts import pull, push

__version__ = "0.1.0"
API_VERSION = "v1"
"""The first segment of the paths of the native API, where the setting VERSION does not change it."""

__all__ = ["pull", "push"]


def __getattr__(name: str) -> Any:
    """The client is loaded when it is used: the server, and whoever asks for the version, does without."""
    if name in __all__:
        return getattr(import_module("catalog.client.shortcuts"), name)
    raise AttributeError(f"module 'catalog' has no attribute {name!r}")

"""Uploads and downloads: the cache, resumable uploads, verified downloads."""

from typing import TYPE_CHECKING

from catalog.lazy_names import lazy_names

if TYPE_CHECKING:
    from catalog.client.transfer import cache as cache

__getattr__ = lazy_names(__name__, (), ("cache",))

"""Shell completion of item names."""

import re
from itertools import islice

from catalog import client
from catalog.client.errors import CatalogError

TIMEOUT = 2.0  # seconds: the user is waiting at the prompt
MAX_NAMES = 50


def models(incomplete: str) -> list[str]:
    return _names("models", incomplete)


def datasets(incomplete: str) -> list[str]:
    return _names("datasets", incomplete)


def algorithms(incomplete: str) -> list[str]:
    return _names("algorithms", incomplete)


COMPLETERS = {"models": models, "datasets": datasets, "algorithms": algorithms}


def _names(kind: str, beginning: str) -> list[str]:
    """The names that begin with the text; none if the catalog does not answer."""
    try:
        with client.Catalog(timeout=TIMEOUT) as catalog:
            filter_ = {"name": {"$regex": f"^{re.escape(beginning)}"}} if beginning else None
            found = getattr(catalog, kind).list(filter=filter_, batch=MAX_NAMES)
            return [item.name for item in islice(found, MAX_NAMES)]
    except CatalogError:
        return []
